"""Shared fixtures have a time-out of their own: the first test that asks for one does not pay for it with its own."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from pytest_timeout import Settings

# ten times what the longest takes on an idle machine: it ends what hangs, and does not measure
SHARED_FIXTURE_SECONDS = 1200

_RUNNING = pytest.StashKey[tuple[pytest.Item, Settings]]()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Settings) -> None:
    """Remember which test's clock runs; the plugin itself sets the timer."""
    item.config.stash[_RUNNING] = (item, settings)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Stop the test's clock while a fixture of a module or of the session is made, and start it anew afterwards."""
    running = request.config.stash.get(_RUNNING, None)
    if running is None or fixturedef.scope == "function":
        return (yield)
    item, settings = running
    _restart(item, settings._replace(timeout=max(SHARED_FIXTURE_SECONDS, settings.timeout)))
    try:
        return (yield)
    finally:
        _restart(item, settings)


def _restart(item: pytest.Item, settings: Settings) -> None:
    item.config.hook.pytest_timeout_cancel_timer(item=item)
    item.config.hook.pytest_timeout_set_timer(item=item, settings=settings)

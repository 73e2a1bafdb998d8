"""Back-filling by hand: what cannot be is refused before anything starts."""

from __future__ import annotations

import pytest
from rich.console import Console

from pteroassets.landing.context import Landing, MissingSettingError
from pteroassets.platform.backfill import run_backfill
from pteroassets.platform.environment import RuntimeFault
from pteroassets.settings import Settings


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", "there is no pass 'nothing'; these can be back-filled: logs"),
        ("entities", "the source of entities keeps no history to fetch; these can be back-filled: logs"),
    ],
)
def test_what_cannot_be_back_filled_is_told_with_what_can(settings: Settings, name: str, why: str) -> None:
    with pytest.raises(RuntimeFault, match=why):
        run_backfill(settings, Console(), name)


def test_a_missing_setting_is_named(settings: Settings) -> None:
    with pytest.raises(MissingSettingError, match="set PTERODACTYL_URL and PTERODACTYL_CLI_KEY"):
        run_backfill(settings, Console(), "logs")


def test_a_warehouse_that_no_setting_names_is_not_guessed(settings: Settings) -> None:
    with pytest.raises(MissingSettingError, match="set POSTGRES_HOST"):
        Landing(settings=settings).connect()

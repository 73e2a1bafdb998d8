from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stream.brokers import BrokerProcess, started_broker


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """One broker for all tests of the folder; each has topics of its own."""
    with started_broker(tmp_path_factory.mktemp("broker")) as one:
        yield one

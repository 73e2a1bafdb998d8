from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pteroassets.stream.broker import Broker, ensure_topics
from pteroassets.stream.lake import Lake
from pteroassets.warehouse.connection import ConnectionSettings
from tests.stream.brokers import BrokerProcess, started_broker
from tests.stream.made import lake_below


@pytest.fixture(scope="package")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """One broker for all tests of the folder; each has topics of its own."""
    with started_broker(tmp_path_factory.mktemp("broker")) as one:
        yield one


@pytest.fixture
def topics(broker: BrokerProcess) -> Broker:
    """Empty topics of the test's own."""
    made = broker.topic()
    ensure_topics(made)
    return made


@pytest.fixture
def lake(tmp_path: Path, warehouse_settings: ConnectionSettings) -> Lake:
    """The place of a lake of the test's own, whose catalogue is in the test's warehouse."""
    return lake_below(tmp_path, warehouse_settings)

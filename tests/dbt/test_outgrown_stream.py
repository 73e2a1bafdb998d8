"""The same stream through a broker and a lake: the models say what was sent, as they do on one Postgres."""

from __future__ import annotations

from pathlib import Path

import pytest

from pteroassets.clock import SystemClock
from pteroassets.collector.counting import Counts
from pteroassets.collector.http import collector_app
from pteroassets.stream.broker import ensure_topics
from pteroassets.stream.loading import Loader
from pteroassets.stream.sink import KafkaSink
from pteroassets.stream.writing import Pace, Writer
from pteroassets.warehouse.connection import ConnectionSettings
from tests.collector.serving import KEY, served_app
from tests.databases import copied
from tests.dbt.test_reconciled_stream import SPOILT, run
from tests.stream.brokers import started_broker
from tests.stream.made import lake_below, poison

pytestmark = pytest.mark.postgres


def test_the_models_say_what_was_sent_through_a_broker_and_a_lake(
    built_settings: ConnectionSettings, tmp_path: Path
) -> None:
    kept = str(tmp_path / "totals.json")
    with copied(built_settings) as warehouse, started_broker(tmp_path / "broker") as broker:
        topics, lake = broker.topic(), lake_below(tmp_path, warehouse)
        ensure_topics(topics)

        def into(counts: Counts) -> KafkaSink:
            return KafkaSink(topics, most_waiting=50_000, counts=counts)

        with served_app(collector_app(into, {KEY: "arena"}, most_waiting=50_000, clock=SystemClock())) as client:
            url = f"http://127.0.0.1:{client.port}"
            status, output = run(
                warehouse, "generate", "--until", "2026-03-01", "--url", url, "--totals", kept, *SPOILT
            )
            assert status == 0, output
        poison(topics, b"{")
        status, output = run(warehouse, "reconcile", kept)
        assert status == 1, "nothing is loaded yet"
        Writer(topics, lake, pace=Pace(seconds=1)).run(until_idle=True)
        assert Loader(lake).load() > 900
        status, output = run(warehouse, "reconcile", kept)
        assert status == 0, output
        assert output.endswith("the models say what was sent")

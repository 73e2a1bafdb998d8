"""The same stream on both paths, one of them with all that may go wrong: what comes of it is the same."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pteroassets.clock import SystemClock
from pteroassets.collector.counting import Counts
from pteroassets.collector.http import collector_app
from pteroassets.platform.loopback import HOST
from pteroassets.platform.stream_demo import stream_of_the_demo
from pteroassets.simulator.events.sending import send
from pteroassets.stream.broker import Broker, ensure_topics
from pteroassets.stream.figures import figures_of
from pteroassets.stream.lake import Lake
from pteroassets.stream.loading import Loader
from pteroassets.stream.sink import KafkaSink
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.collector.serving import KEY, served, served_app, wait_for
from tests.databases import copied
from tests.stream.brokers import started_broker
from tests.stream.made import in_the_lake, lake_below, poison

pytestmark = pytest.mark.postgres


@contextmanager
def process(broker: Broker, lake: Lake, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """``pteroassets stream write`` as an operator starts it."""
    variables = lake.warehouse.environment() | {
        "PTEROASSETS_EVENT_BROKERS": broker.servers,
        "PTEROASSETS_EVENT_TOPIC": broker.topic,
        "PTEROASSETS_LAKE": lake.place,
        "PATH": "/usr/bin:/bin",
    }
    with (folder / "writer.log").open("ab") as log:
        one = subprocess.Popen(
            [sys.executable, "-m", "pteroassets.cli", "stream", "write", "--seconds", "0.2", *options],
            env=variables, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield one
    finally:
        one.kill()
        one.wait()


def test_both_paths_say_the_same_though_one_of_them_has_all_that_may_go_wrong(
    migrated_template: ConnectionSettings, tmp_path: Path
) -> None:
    sent = stream_of_the_demo(3, 2_000)
    parts = [sent[at : at + 550] for at in range(0, len(sent), 550)]
    assert len(parts) == 4
    with copied(migrated_template) as small, copied(migrated_template) as outgrown:
        with served(small) as client:
            send(sent, f"http://{HOST}:{client.port}", KEY)
        lake = lake_below(tmp_path, outgrown)
        catalogue = lake.catalogue()
        table = lake.table("events", catalogue)
        snapshots = 0
        with started_broker(tmp_path / "broker") as broker:
            topics = broker.topic()
            ensure_topics(topics)

            def into(counts: Counts) -> KafkaSink:
                return KafkaSink(topics, most_waiting=50_000, counts=counts)

            app = collector_app(into, {KEY: "arena"}, most_waiting=50_000, clock=SystemClock())
            with served_app(app) as client:
                for number, part in enumerate(parts):
                    with process(topics, lake, tmp_path) as writer:
                        send(part, f"http://{HOST}:{client.port}", KEY, batch=100)
                        if number == 1:
                            poison(topics, b"{", None)
                            time.sleep(1.5)  # the broker of the tests forgets what is younger
                            broker.stop()
                            broker.start()
                        # killed once it has committed something, three times
                        wait_for(lambda: writer.poll() is not None or len(table.refresh().snapshots()) > snapshots)  # noqa: B023
                        assert writer.poll() is None, (tmp_path / "writer.log").read_text()
                        if number == 2:
                            assert Loader(lake).load() > 0
                    snapshots = len(table.refresh().snapshots())
                with process(topics, lake, tmp_path, "--once") as writer:
                    assert writer.wait(60) == 0, (tmp_path / "writer.log").read_text()
        Loader(lake).load()
        assert Loader(lake).load() == 0
        catalogue.engine.dispose()
        with connect(small, autocommit=True) as one, connect(outgrown, autocommit=True) as other:
            true, found = figures_of(one), figures_of(other)
        assert found.dead_letters.pop("not_a_record") == 2
        assert found == true
        assert true.rows == len(sent)
        assert min(true.events, true.copies, sum(true.dead_letters.values())) >= 40
        events, _ = in_the_lake(lake)
        assert (len(events), events.total()) == (true.events, true.events + true.copies)


def test_the_demo_shows_both_paths_with_the_same_figures() -> None:
    command = [sys.executable, "-m", "pteroassets.cli", "stream", "demo", "--once", "--events", "500"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "different" not in result.stdout
    assert "every byte" in result.stdout
    assert "500           500" in result.stdout

"""The collector and Postgres end without warning, at twenty points under load: what was acknowledged is there, once."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pteroassets.platform.loopback import free_port
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import upgrade
from tests.collector.serving import KEY, Client, started, wait_for
from tests.collector.test_kills import MODELS, Load
from tests.parsed import run_dbt

pytestmark = pytest.mark.postgres
ROUNDS = 10  # of a stop of Postgres and a kill of the collector each


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A Postgres of the test's own, which it may stop."""
    with tempfile.TemporaryDirectory(prefix="pteroassets-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o711)
        # commits do not wait for the disk unless a client asks for it, as the collector does
        own = EmbeddedPostgres(Path(folder) / "postgres", port=free_port(), durable=False)
        try:
            yield own
        finally:
            own.stop()


def stop_at_once(server: EmbeddedPostgres) -> None:
    """End it as ``pg_ctl stop -m immediate`` does, which sends this signal; what only its memory had is lost."""
    pid = int((server.data_dir / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    wait_for(lambda: server.status == "stopped")
    server.stop()


def under_way(load: Load, chance: random.Random) -> None:
    """Return some time after more events were acknowledged."""
    before = len(load.acknowledged)
    wait_for(lambda: len(load.acknowledged) >= before + 30)
    time.sleep(chance.random() / 10)


def test_what_was_acknowledged_is_there_whatever_ended_when(server: EmbeddedPostgres, tmp_path: Path) -> None:
    chance, port, points = random.Random(11), free_port(), 0
    warehouse: ConnectionSettings = server.start()
    upgrade(warehouse)
    with Load(Client(port)) as load:
        for _ in range(ROUNDS):
            with started(warehouse, tmp_path, port) as process:
                under_way(load, chance)
                stop_at_once(server)
                assert server.start() == warehouse
                under_way(load, chance)
                process.send_signal(signal.SIGKILL)
                process.wait()
                points += 2
    assert points == 20
    sure = set(load.acknowledged)
    assert len(sure) == len(load.acknowledged) >= 60 * ROUNDS
    run_dbt(["run", "--select", *MODELS], warehouse.environment())
    with connect(warehouse, autocommit=True) as connection:
        raw = [str(one) for (one,) in connection.execute("select event_id from raw_events.events")]
        mart = connection.execute("select event_id, copies from marts.fct_game_events").fetchall()
    assert sure - set(raw) == set()
    assert len(mart) == len({one for one, _ in mart}) == len(set(raw))
    assert sum(copies for _, copies in mart) == len(raw)
    log = (tmp_path / "collector.log").read_text()
    assert "Postgres took in nothing" in log, "it was not asked while Postgres was away"
    assert KEY not in log

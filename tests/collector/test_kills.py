"""The collector is killed under load: what it acknowledged is there, and once after the models."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.platform.loopback import free_port
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.collector.serving import KEY, Client, event, started, wait_for
from tests.parsed import run_dbt

pytestmark = pytest.mark.postgres
KILLS = 4
MODELS = ("stg_events__events", "stg_ops__loads", "int_game_events", "fct_game_events")


class Load:
    """Clients that send until they are stopped, and send again what was not acknowledged."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.acknowledged: list[str] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(number,)) for number in range(8)]

    def _send(self, number: int) -> None:
        generator = random.Random(number)
        body: list[dict[str, Any]] = []
        while not self.is_over.is_set():
            body = body or [event() for _ in range(generator.choice([1, 1, 20]))]
            try:
                status = self.client.post(body).status
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)  # sent again, as a game would
                continue
            assert status in (202, 429, 503), status
            if status == 202:
                self.acknowledged += [one["event_id"] for one in body]
                body = []

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def test_what_was_acknowledged_is_there_after_kills_and_once_in_the_mart(
    warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    generator, port = random.Random(7), free_port()
    with Load(Client(port)) as load:
        for _ in range(KILLS):
            with started(warehouse_settings, tmp_path, port) as process:
                before = len(load.acknowledged)
                wait_for(lambda before=before: len(load.acknowledged) >= before + 50)
                time.sleep(generator.random() / 5)
                process.send_signal(signal.SIGKILL)
                process.wait()
    acknowledged = set(load.acknowledged)
    assert len(acknowledged) == len(load.acknowledged) >= 50 * KILLS
    run_dbt(["run", "--select", *MODELS], warehouse_settings.environment())
    with connect(warehouse_settings, autocommit=True) as connection:
        raw = [str(one) for (one,) in connection.execute("select event_id from raw_events.events")]
        mart = connection.execute("select event_id, copies from marts.fct_game_events").fetchall()
    assert acknowledged - set(raw) == set()
    assert len(mart) == len({one for one, _ in mart}) == len(set(raw))
    assert sum(copies for _, copies in mart) == len(raw)
    assert KEY not in (tmp_path / "collector.log").read_text()


def test_told_to_end_it_stores_and_answers_what_it_received(
    warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    port = free_port()
    with (
        started(warehouse_settings, tmp_path, port) as process,
        connect(warehouse_settings) as locking,
    ):
        client, sent, answers = Client(port), event(), []
        assert client.post(event()).status == 202
        locking.execute("lock table raw_events.events in access exclusive mode")
        waiting = threading.Thread(target=lambda: answers.append(client.post(sent).status))
        waiting.start()
        wait_for(lambda: "waiting_rows 1" in client.ask("GET", "/metrics").text)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        locking.rollback()
        waiting.join()
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)
    assert answers == [202]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "set PTEROASSETS_EVENT_KEYS and POSTGRES_HOST"),
        ({"PTEROASSETS_EVENT_KEYS": f"arena:{KEY}"}, "set POSTGRES_HOST"),
    ],
)
def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["collector"], env=variables)
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"pteroassets: {words}")


def test_a_database_without_the_tables_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres: ConnectionSettings
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = postgres.environment() | {"PTEROASSETS_EVENT_KEYS": f"arena:{KEY}"}
    answer = CliRunner().invoke(main, ["collector", "--port", str(free_port())], env=variables)
    assert answer.exit_code == 1
    assert "has no tables of events: run pteroassets migrate" in answer.stderr
    assert KEY not in answer.output

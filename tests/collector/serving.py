"""A collector on loopback: in a thread of the test, or as the process that an operator starts."""

from __future__ import annotations

import gzip
import http.client
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from pteroassets.clock import SystemClock
from pteroassets.collector.http import collector_app
from pteroassets.platform.loopback import HOST, free_port
from pteroassets.warehouse.connection import Connection, ConnectionSettings

KEY = "a-key-of-the-tests-long-enough"


def event(**changes: Any) -> dict[str, Any]:
    """Return a new event, with *changes*."""
    return {
        "event_id": str(uuid.uuid4()),
        "type": "kill_enemy",
        "version": 1,
        "player_id": "p-0042",
        "occurred_at": "2026-03-01T20:15:00Z",
        "properties": {"enemy_id": "0012", "level": 7},
    } | changes


@dataclass(frozen=True)
class Answer:
    """What the collector answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Client:
    """Sends requests to a collector."""

    port: int

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
        finally:
            connection.close()

    def post(self, body: Any, *, key: str = KEY, is_packed: bool = False, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if is_packed:
            raw, headers = gzip.compress(raw), {**headers, "Content_Encoding": "gzip"}
        return self.ask("POST", "/v1/events", raw, Authorization=f"Bearer {key}", **headers)


@contextmanager
def served(warehouse: ConnectionSettings, *, most_waiting: int = 50_000, **given: Any) -> Iterator[Client]:
    """Serve the application in a thread."""
    games = {KEY: "arena", f"{KEY}-2": "other"}
    with served_app(collector_app(warehouse, games, most_waiting=most_waiting, clock=SystemClock(), **given)) as client:
        yield client


@contextmanager
def served_app(app: Starlette) -> Iterator[Client]:
    """Serve *app* in a thread."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host=HOST, port=port, access_log=False, log_config=None, loop="uvloop", http="httptools")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield Client(port)
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def started(warehouse: ConnectionSettings, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``pteroassets collector`` and give its process, once it is healthy; it is killed at the end."""
    variables = warehouse.environment() | {"PTEROASSETS_EVENT_KEYS": f"arena:{KEY}", "PATH": "/usr/bin:/bin"}
    with (folder / "collector.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pteroassets.cli", "collector", "--port", str(port)],
            env=variables, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(lambda: process.poll() is not None or is_healthy(Client(port)))
        assert process.poll() is None, (folder / "collector.log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def refusing(connection: Connection, player: str) -> Iterator[None]:
    """Let Postgres refuse events of *player*, which nobody can know before."""
    connection.execute(f"""
        create function raw_events.refuse() returns trigger language plpgsql as $$
        begin raise 'it is poison' using errcode = 'data_exception'; end $$;
        create trigger poison before insert on raw_events.events for each row when (new.player_id = '{player}')
        execute function raw_events.refuse()
    """)
    try:
        yield
    finally:
        connection.execute("drop function raw_events.refuse() cascade")


def is_healthy(client: Client) -> bool:
    try:
        return client.ask("GET", "/health").status == 200
    except OSError:
        return False


def wait_for(condition: Any, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)

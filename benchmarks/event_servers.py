"""Servers that take in events, each on a core of its own, and wrk, which asks them from another.

The collector; a bare ASGI echo that stores nothing; and what games had before, Flask's own server with a Kafka producer
that is not waited for, before the broker of the tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.frame.checkout import UnavailableError
from pteroassets.platform.loopback import HOST, free_port, is_open
from pteroassets.warehouse.connection import ConnectionSettings

BATCH = 100
_MADE_OF = ("flask==3.1.3", "kafka-python==3.0.12")
_START_SECONDS = 60
_ECHO = """
import sys
import uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning", lifespan="off",
            loop="uvloop", http="httptools", ws="none")
"""
_SEED = """
import json, logging, sys
from flask import Flask, request
from kafka import KafkaProducer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = Flask(__name__)
producer = KafkaProducer(bootstrap_servers=f"127.0.0.1:{sys.argv[2]}")

@app.get("/health")
def health():
    return "ok"

@app.post("/v1/events")
def take():
    event = request.get_json()
    event.update(request.headers)
    producer.send("events", json.dumps(event).encode())
    return "done", 202

app.run(port=int(sys.argv[1]))
"""
_SINGLE = """
local head, tail = %(head)s, %(tail)s
local number = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %(key)s"
function request()
    number = number + 1
    return wrk.format(nil, nil, nil, head .. string.format("%%012x", number) .. tail)
end
"""
_BATCHES = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %(key)s"
wrk.body = %(body)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What wrk saw, and what the server used meanwhile."""

    per_second: float
    p99_milliseconds: float
    requests: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server under way."""

    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """Let what is started meanwhile run on one core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def serving(command: Sequence[str], port: int, **variables: str) -> Iterator[Server]:
    """Run *command* on the first core, once it answers on *port*."""
    with tempfile.TemporaryFile() as said, on_core(0):
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[2]} does not answer")
            time.sleep(0.05)
        yield Server(port=port, process=process)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://{HOST}:{port}/health", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def ask(server: Server, script: Path, *, connections: int, seconds: int) -> Answers:
    """Have wrk send what *script* makes, from the second core.

    Raises:
        RuntimeError: A request was not answered with success.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    process = psutil.Process(server.process.pid)
    before = sum(process.cpu_times()[:2])
    with on_core(1):
        said = subprocess.run(
            [*command, f"http://{HOST}:{server.port}/v1/events"], capture_output=True, text=True, check=True
        ).stdout
    used = sum(process.cpu_times()[:2]) - before
    if found := re.search(r"Non-2xx.*|Socket errors.*", said):
        raise RuntimeError(f"wrk was not answered well: {found[0]}")
    found = re.search(r"99% +([\d.]+)(us|ms|s|m)\s", said)
    if found is None:
        raise RuntimeError(f"wrk was answered nothing: {said}")
    number, unit = found.groups()
    return Answers(
        per_second=float(re.findall(r"Requests/sec: +([\d.]+)", said)[0]),
        p99_milliseconds=float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[unit],
        requests=int(re.findall(r"(\d+) requests in", said)[0]),
        cpu_seconds=used,
    )


def _event(number: str) -> dict[str, Any]:
    return {
        "event_id": f"{uuid.uuid4()}"[:24] + number,
        "type": "kill_enemy",
        "version": 1,
        "player_id": "p-0042",
        "occurred_at": "2026-03-01T20:15:00Z",
        "properties": {"enemy_id": "0012", "name": "Wolf", "level": 7},
    }


def scripts(folder: Path, key: str) -> tuple[Path, Path]:
    """Write what wrk sends, one event with an id of its own each time, and a batch, and return where they are."""
    head, tail = json.dumps(_event("@")).split("@")
    single, batch = folder / "single.lua", folder / "batch.lua"
    given = {"head": json.dumps(head), "tail": json.dumps(tail), "key": key}
    single.write_text(_SINGLE % given)
    # its ids come again with each request, which is nothing to the collector: the models count them once
    body = json.dumps([_event(f"{number:012x}") for number in range(BATCH)])
    batch.write_text(_BATCHES % {"body": json.dumps(body), "key": key})
    return single, batch


@contextmanager
def collector(warehouse: ConnectionSettings, key: str, folder: Path, **variables: str) -> Iterator[Server]:
    """Serve the collector."""
    port = free_port()
    given = {**warehouse.environment(), "PTEROASSETS_EVENT_KEYS": f"bench:{key}", **variables}
    command = [sys.executable, "-m", "pteroassets.cli", "collector", "--port", str(port)]
    with serving(command, port, PTEROASSETS_HOME=str(folder), **given) as server:
        yield server


@contextmanager
def echo() -> Iterator[Server]:
    """Serve what stores nothing."""
    port = free_port()
    with serving([sys.executable, "-c", _ECHO, str(port)], port) as server:
        yield server


@contextmanager
def seed(folder: Path) -> Iterator[Server]:
    """Serve Flask with a Kafka producer, before a broker on the second core.

    Raises:
        UnavailableError: Flask or the broker cannot be installed or found.
    """
    python = folder / "seed" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--quiet", *_MADE_OF]
    for command in ([sys.executable, "-m", "venv", str(folder / "seed")], pip):
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise UnavailableError(f"{' and '.join(_MADE_OF)} cannot be installed; a package index has them")
    found = importlib.util.find_spec("noida_db")
    if found is None or found.origin is None:
        raise UnavailableError("the broker of the tests is not installed; make install brings it")
    kafka, port = free_port(), free_port()
    broker = [str(Path(found.origin).with_name("noida-db")), "start", "--only", "kafka", "--kafka-port", str(kafka)]
    with on_core(1):
        process = subprocess.Popen(
            [*broker, "--data-dir", str(folder / "broker")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not is_open(kafka):
            if process.poll() is not None or time.monotonic() > deadline:
                raise UnavailableError("the broker of the tests does not start")
            time.sleep(0.1)
        with serving([str(python), "-c", _SEED, str(port), str(kafka)], port) as server:
            yield server
    finally:
        process.terminate()
        process.wait()

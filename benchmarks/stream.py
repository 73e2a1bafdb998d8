"""Events per CPU-second of each path: one Postgres, and Kafka, a lake and Postgres, with Spark beside them.

Both paths begin with the bytes of requests, 100 events each, as the collector has them, and end in `raw_events`.
Counted is the CPU of our processes and of Postgres; that of the broker is not, since the one of the tests says nothing
of Kafka's. The writer decides anew what each message is, as Spark does: it trusts no producer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import Cost, CpuMeter, postmaster_pid, processes
from pteroassets.collector.batching import Batcher, Delivery, Sink
from pteroassets.collector.counting import Counts
from pteroassets.platform.loopback import HOST, free_port, is_open
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.platform.stream_demo import broker_program
from pteroassets.settings import CHECKOUT
from pteroassets.sources.events.envelope import Event, read_events
from pteroassets.stream.broker import Broker, ensure_topics
from pteroassets.stream.lake import Lake
from pteroassets.stream.loading import Loader
from pteroassets.stream.sink import KafkaSink
from pteroassets.stream.writing import Pace, Writer
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade

_EVENTS = {Size.SHORT: 60_000, Size.FULL: 75_000}  # a round's; the broker keeps all rounds in memory
_ROUNDS, _OF_A_REQUEST, _AT_A_TIME = 2, 100, 16
_SPARK = CHECKOUT / ".tools" / "spark" / "bin" / "python"
_LEAST = 20_000
_UNIT = "events/CPU-s"


def bodies(count: int) -> list[bytes]:
    """Return requests with *count* events in all."""
    at = datetime.now(tz=UTC).isoformat()
    events = (
        {
            "event_id": str(uuid.uuid4()), "type": "kill_enemy", "version": 1, "player_id": f"p-{number % 5_000}",
            "session_id": f"s-{number % 500}", "occurred_at": at, "sent_at": at,
            "properties": {"enemy_id": f"{number % 90:04}", "name": "Wolf", "level": number % 40},
        }
        for number in range(count)
    )  # fmt: skip
    return [json.dumps(list(itertools.islice(events, _OF_A_REQUEST))).encode() for _ in range(0, count, _OF_A_REQUEST)]


def take_in(sink: Sink, requests: list[bytes]) -> None:
    """Store *requests* as the collector does, some at a time."""

    async def client(queue: Iterator[bytes]) -> None:
        for body in queue:
            events = [one for one in read_events(body) if isinstance(one, Event)]
            places = [*range(len(events))]
            delivery = Delivery(
                game="arena", received_at=datetime.now(tz=UTC), events=events, places=places, refusals=[]
            )
            await sink.store(delivery)

    async def all_clients() -> None:
        queue = iter(requests)
        async with sink.running():
            await asyncio.gather(*(client(queue) for _ in range(_AT_A_TIME)))

    asyncio.run(all_clients())


@contextmanager
def running_broker(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [str(broker_program()), "start", "--only", "kafka", "--kafka-port", str(port), "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not is_open(port):
                time.sleep(0.05)
            yield f"{HOST}:{port}"
        finally:
            process.terminate()


def one_round(server: ConnectionSettings, servers: str, folder: Path, count: int, name: str) -> dict[str, Cost]:
    """Return what each step cost for *count* events."""
    warehouse = server.with_database(name)
    ensure_database(warehouse, name)
    upgrade(warehouse)
    broker = Broker(servers=servers, topic=name)
    ensure_topics(broker)
    lake = Lake(warehouse=warehouse, place=str(folder / name))
    # what is made once is made before: tables, topics and modules
    take_in(KafkaSink(broker, most_waiting=100_000, counts=Counts()), bodies(_OF_A_REQUEST))
    Writer(broker, lake, pace=Pace(seconds=1)).run(until_idle=True)
    Loader(lake).load()
    _empty(warehouse, _OF_A_REQUEST)
    requests = bodies(count)
    us, with_postgres = CpuMeter(without=_children()), CpuMeter([postmaster_pid(server)], without=_children())
    costs: dict[str, Cost] = {}

    with with_postgres.measured() as cost:
        take_in(Batcher(warehouse, most_waiting=100_000, counts=Counts()), requests)
    costs["small"] = cost[0]
    _empty(warehouse, count)
    with us.measured() as cost:
        take_in(KafkaSink(broker, most_waiting=100_000, counts=Counts()), requests)
    costs["sink"] = cost[0]
    with with_postgres.measured() as cost:
        written = Writer(broker, lake, pace=Pace()).run(until_idle=True)
    costs["writer"] = cost[0]
    with with_postgres.measured() as cost:
        loaded = Loader(lake).load()
    costs["loader"] = cost[0]
    if (written, loaded) != (count, count):
        raise ValueError(f"{written} of {count} events were written and {loaded} loaded")
    _empty(warehouse, count)
    return costs


def _children() -> list[int]:
    """Return the broker, which is a child of ours."""
    return [one.pid for one in psutil.Process().children() if "noida" in one.name()]


def _empty(warehouse: ConnectionSettings, count: int) -> None:
    with connect(warehouse, autocommit=True) as connection:
        ((rows,),) = connection.execute("select count(*) from raw_events.events").fetchall()
        connection.execute("truncate raw_events.events")
        if rows != count:
            raise ValueError(f"{rows} of {count} events are there")


def on_spark(servers: str, folder: Path, count: int) -> float:
    """Return the CPU seconds of the job on Spark for *count* events, its start included."""
    broker = Broker(servers=servers, topic="spark")
    ensure_topics(broker)
    take_in(KafkaSink(broker, most_waiting=100_000, counts=Counts()), bodies(count))
    command = [
        str(_SPARK), "-m", "pteroassets.stream.spark.job", "--brokers", servers, "--topic", "spark", "--source",
        "python", "--format", "parquet", "--lake", f"{folder}/spark", "--checkpoint", f"{folder}/checkpoint", "--once",
    ]  # fmt: skip
    options = "--master local[2] --conf spark.ui.enabled=false --conf spark.sql.shuffle.partitions=2 pyspark-shell"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYSPARK_PYTHON": str(_SPARK)}
    environment |= {"SPARK_LOCAL_IP": HOST, "PYSPARK_SUBMIT_ARGS": options}
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        # looked at while it runs: Java outlives the process that started it, and counts for nobody then
        seconds = 0.0
        while process.poll() is None:
            seconds = max(seconds, _of_tree(process.pid))
            time.sleep(0.2)
    if process.returncode:
        raise ValueError(f"the job on Spark ended with status {process.returncode}")
    return seconds


def _of_tree(pid: int) -> float:
    """Return the CPU seconds of a process and of all that descend from it."""
    total = 0.0
    for one in processes([pid]):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def measure(size: Size) -> Iterator[Measurement]:
    count = _EVENTS[size]
    with (
        EmbeddedPostgres.temporary() as server,
        tempfile.TemporaryDirectory() as place,
        running_broker(Path(place) / "broker") as servers,
    ):
        folder = Path(place)
        rounds = [one_round(server, servers, folder, count, f"round_{number}") for number in range(_ROUNDS)]

        def rate(*steps: str) -> float:
            return statistics.median(count / sum(one[step].cpu for step in steps) for one in rounds)

        small = rate("small")
        note = (
            f"{count:,} events, median of {_ROUNDS} rounds; {small * 86_400 / 1e9:.1f} thousand million a day and core"
        )
        yield Measurement(
            claim="one Postgres: group commit by COPY",
            unit=_UNIT, ours=small, target=_LEAST, direction="at least", judged="ours", note=note,
        )  # fmt: skip
        yield Measurement(
            claim="the point to move: half of what a core of one Postgres takes",
            unit="events/s",
            ours=small / 2,
            note="or sooner, where others read the stream or Postgres may be away",
        )
        for claim, steps in (
            ("the door to Kafka: produced, acknowledged by all", ["sink"]),
            ("the writer: Kafka to Iceberg", ["writer"]),
            ("the loader: Iceberg to Postgres", ["loader"]),
            ("Kafka, lake and Postgres in all", ["sink", "writer", "loader"]),
        ):
            is_whole = len(steps) > 1
            yield Measurement(
                claim=claim,
                unit=_UNIT,
                ours=rate(*steps),
                baseline="one Postgres",
                baseline_value=small,
                target=None if is_whole else _LEAST,
                direction="at least",
                judged="ours",
                note="without the broker's own" if "sink" in steps else "",
            )
        claim = "the job on Spark: Kafka to Parquet, with its start"
        if _SPARK.exists() and shutil.which("java") is not None:
            ours = count / on_spark(servers, folder, count)
            yield Measurement(
                claim=claim,
                unit=_UNIT,
                ours=ours,
                baseline="one Postgres",
                baseline_value=small,
                note="most of it is its start",
            )
        else:
            yield Measurement.missing(claim, _UNIT, why="run make spark, with Java 17 installed")

"""Brokers of the tests: a small one that speaks Kafka, as a process, and librdkafka's own mock of a cluster."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import noida_db
from confluent_kafka import Consumer, Message
from confluent_kafka.admin import AdminClient

from pteroassets.platform.loopback import HOST, free_port
from pteroassets.stream.broker import Broker
from tests.collector.serving import wait_for

# not the command of that name: it is a script, which ends on its own and leaves the broker
PROGRAM = Path(noida_db.__file__).with_name("noida-db")


@dataclass
class BrokerProcess:
    """A broker that keeps what it has in a folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "start", "--only", "kafka", "--kafka-port", str(self.port), "--data-dir",
                 self.folder / "data"],
                stdout=log, stderr=log,
            )  # fmt: skip
        admin = AdminClient({"bootstrap.servers": f"{HOST}:{self.port}", "log_level": 0})
        wait_for(lambda: self.process.poll() is not None or answers(admin))  # type: ignore[union-attr]
        assert self.process.poll() is None, (self.folder / "broker.log").read_text()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def topic(self) -> Broker:
        """A pair of topics of the test's own."""
        return Broker(servers=f"{HOST}:{self.port}", topic=f"events-{uuid4().hex[:8]}")


def answers(admin: AdminClient) -> bool:
    try:
        admin.list_topics(timeout=1)
    except Exception:  # noqa: BLE001 - it is not there yet
        return False
    return True


@contextmanager
def started_broker(folder: Path) -> Iterator[BrokerProcess]:
    folder.mkdir(exist_ok=True)
    one = BrokerProcess(folder, free_port())
    one.start()
    try:
        yield one
    finally:
        one.stop()


def messages(broker: Broker, topic: str, count: int, *, seconds: float = 20) -> list[Message]:
    """The first *count* messages of *topic*, in the order of their partitions."""
    consumer = Consumer(broker.client(group_id=uuid4().hex, auto_offset_reset="earliest", enable_auto_commit=False))
    consumer.subscribe([topic])
    found: list[Message] = []
    try:
        wait_for(
            lambda: len([*found, *(found.extend(consumer.consume(count, 0.2)) or [])]) >= count or len(found) >= count,
            seconds=seconds,
        )
    finally:
        consumer.close()
    assert all(one.error() is None for one in found)
    return sorted(found, key=lambda one: (one.partition(), one.offset()))

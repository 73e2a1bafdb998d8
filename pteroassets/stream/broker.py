"""Where the broker is, and its topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

MOST_RECORD_BYTES: Final = 2 * 1024**2
"""Length of the largest record: a body of the collector's limit that is refused whole, and what is around it."""
_PATIENCE_SECONDS: Final = 10.0


class BrokerError(Exception):
    """The broker cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker that speaks Kafka.

    Attributes:
        servers: Addresses of some of its machines, as host:port separated by commas.
        topic: Topic of the events.
        options: Further options of librdkafka, such as those of TLS and of its login.
    """

    servers: str
    topic: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def refused_topic(self) -> str:
        """Return the topic of what was refused."""
        return f"{self.topic}.refused"

    @property
    def topics(self) -> tuple[str, str]:
        """Return both topics."""
        return self.topic, self.refused_topic

    def client(self, **options: Any) -> dict[str, Any]:
        """Return the configuration of a client; *options* have underscores in place of dots."""
        own = {name.replace("_", "."): value for name, value in options.items()}
        return {"bootstrap.servers": self.servers, "client.id": "pteroassets", **own, **self.options}


def ensure_topics(broker: Broker, *, partitions: int = 6, patience: float = _PATIENCE_SECONDS) -> list[str]:
    """Make the topics that are missing, and return their names.

    They get as many replicas as the broker gives to a topic by itself.

    Raises:
        BrokerError: The broker cannot be reached, or does not let us make them.
    """
    try:
        admin = AdminClient(broker.client(socket_timeout_ms=int(patience * 1000)))
        there = set(admin.list_topics(timeout=patience).topics)
        missing = [name for name in broker.topics if name not in there]
        wanted = [
            NewTopic(name, num_partitions=partitions, config={"max.message.bytes": str(MOST_RECORD_BYTES)})
            for name in missing
        ]
        for name, made in (admin.create_topics(wanted, request_timeout=patience) if wanted else {}).items():
            _await_topic(name, made)
    except KafkaException as error:
        raise unreachable(broker, error) from error
    return missing


def _await_topic(name: str, made: Any) -> None:
    try:
        made.result()
    except KafkaException as error:
        fault = error.args[0]
        if fault.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise BrokerError(
                f"the topic {name} is missing and could not be made ({fault.str()}): make it with "
                f"max.message.bytes={MOST_RECORD_BYTES}, or let the login of PTEROASSETS_EVENT_BROKER_OPTIONS make it"
            ) from error


def unreachable(broker: Broker, error: KafkaException) -> BrokerError:
    """Return the fault of a broker that does not answer."""
    return BrokerError(
        f"no broker of PTEROASSETS_EVENT_BROKERS ({broker.servers}) answers as it should ({error.args[0].str()}): "
        "check the addresses, and TLS and login in PTEROASSETS_EVENT_BROKER_OPTIONS"
    )

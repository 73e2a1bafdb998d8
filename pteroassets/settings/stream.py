"""Settings of the outgrown path of pushed events: a broker that speaks Kafka, and a lake."""

from __future__ import annotations

import re
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

_SERVER: Final = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s,:/=]+):[0-9]{1,5}")
_OPTION: Final = re.compile(r"[a-z][a-z0-9_.]*=[^\s,]+")
_LAKES: Final = frozenset({"s3", "s3a", "gs", "abfs", "abfss", "hdfs", "file"})
# what the promises of the path stand on
_OURS: Final = frozenset(
    {"acks", "request.required.acks", "enable.idempotence", "bootstrap.servers", "metadata.broker.list", "group.id",
     "isolation.level", "auto.offset.reset", "enable.auto.commit"}
)  # fmt: skip


class StreamSettings(BaseSettings):
    """The settings of the outgrown path, as a part of all settings."""

    pteroassets_event_brokers: str | None = Field(
        None,
        description="Addresses of brokers that speak Kafka, as host:port separated by commas. Where they are set, the "
        "collector stores events there and not in Postgres.",
        examples=["kafka-1:9092,kafka-2:9092"],
    )
    pteroassets_event_topic: str = Field(
        "pteroassets.events",
        pattern=r"^[a-zA-Z0-9._-]{1,200}$",
        description="Topic of the events; what was refused goes to the topic of this name with .refused.",
    )
    pteroassets_event_broker_options: SecretStr | None = Field(
        None,
        description="Options of librdkafka for the brokers, such as those of TLS and login, as name=value separated by "
        "commas.",
        examples=["security.protocol=SSL,ssl.ca.location=/etc/ssl/kafka.pem"],
    )
    pteroassets_lake: str | None = Field(
        None,
        description="Where the tables of Iceberg lie: a folder, or a URL such as s3://bucket/lake. Their catalogue is "
        "in Postgres. Needed where brokers are set, for the writer and the loader.",
        examples=["/srv/pteroassets/lake"],
    )
    pteroassets_lake_snapshot_hours: int = Field(
        2,
        ge=1,
        description="Snapshots of the lake's tables that are older are expired, and files that only they name deleted.",
    )

    @field_validator("pteroassets_event_brokers")
    @classmethod
    def _brokers(cls, value: str | None) -> str | None:
        for number, part in enumerate(_parts(value), start=1):
            if not _SERVER.fullmatch(part):
                raise ValueError(f"number {number} is not host:port, such as kafka-1:9092")
        if value is not None and not _parts(value):
            raise ValueError("it names no broker: leave it unset where events go to Postgres")
        return value

    @field_validator("pteroassets_lake")
    @classmethod
    def _a_lake(cls, value: str | None) -> str | None:
        kind, is_url, _ = (value or "").partition("://")
        if is_url and kind not in _LAKES:
            raise ValueError(f"{kind}:// is not a kind of place for a lake: take a folder, s3://, gs:// or abfss://")
        if value is not None and not is_url and not value.startswith("/"):
            raise ValueError("a folder begins with /, lest each process takes another one")
        return value

    @field_validator("pteroassets_event_broker_options")
    @classmethod
    def _options(cls, value: SecretStr | None) -> SecretStr | None:
        for number, part in enumerate(_parts(None if value is None else value.get_secret_value()), start=1):
            if not _OPTION.fullmatch(part):
                raise ValueError(f"number {number} is not name=value, such as security.protocol=SASL_SSL")
            name = part.partition("=")[0]
            if name in _OURS:
                raise ValueError(f"{name} is set by the platform, which could not keep its word otherwise")
        return value

    def event_broker_options(self) -> dict[str, str]:
        """Return the options of the brokers."""
        secret = self.pteroassets_event_broker_options
        pairs = (part.partition("=") for part in _parts(None if secret is None else secret.get_secret_value()))
        return {name: text for name, _, text in pairs}


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]

"""``pteroassets collector``: take in the events that games push, until the process is told to end."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psycopg
import uvicorn

from pteroassets.clock import SystemClock
from pteroassets.collector.http import collector_app
from pteroassets.landing.context import Landing
from pteroassets.platform.loopback import HOST, require_free
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import connect

if TYPE_CHECKING:
    from pteroassets.warehouse.connection import ConnectionSettings


_MOST_CONNECTIONS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorConfig:
    """What the collector is made of.

    Attributes:
        warehouse: Where events go.
        games: The game of each key.
        most_waiting: Events that may wait to be stored.
        listen: Address on which it listens.
        port: Its port.
    """

    warehouse: ConnectionSettings
    games: dict[str, str] = field(repr=False)
    most_waiting: int
    listen: str
    port: int


def collector_of(settings: Settings, *, listen: str = HOST, port: int | None = None) -> CollectorConfig:
    """Return what *settings* say of the collector; *port* goes before theirs.

    Raises:
        MissingSettingError: No key is set, or the settings do not say where Postgres is.
    """
    landing = Landing(settings=settings)
    landing.require("pteroassets_event_keys", "postgres_host")
    return CollectorConfig(
        warehouse=landing.warehouse,
        games=settings.event_keys(),
        most_waiting=settings.pteroassets_event_queue,
        listen=listen,
        port=port or settings.pteroassets_event_port,
    )


def run_collector(config: CollectorConfig) -> None:
    """Take in events until SIGTERM or Ctrl-C; what was received by then is stored and answered.

    Raises:
        UnsuitablePostgresError: The warehouse lacks the tables.
        PortHeldError: The port is in use.
        psycopg.OperationalError: Postgres cannot be reached.
    """
    _require_tables(config.warehouse)
    if config.listen == HOST:
        require_free({"PTEROASSETS_EVENT_PORT": config.port})
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    app = collector_app(config.warehouse, config.games, most_waiting=config.most_waiting, clock=SystemClock())
    # without a log of requests, which would cost more than taking in an event
    uvicorn.run(
        app,
        host=config.listen,
        port=config.port,
        access_log=False,
        log_config=None,
        loop="uvloop",
        http="httptools",
        ws="none",
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,  # each may hold a body of a mebibyte, twice where it is packed
        timeout_graceful_shutdown=30,
    )


def _require_tables(warehouse: ConnectionSettings) -> None:
    with connect(warehouse, autocommit=True) as connection:
        try:
            connection.execute("select from raw_events.events limit 0")
        except psycopg.errors.UndefinedTable:
            # what migrates takes some time to import, and is needed for the fault alone
            from pteroassets.warehouse.migrate import UnsuitablePostgresError  # noqa: PLC0415

            raise UnsuitablePostgresError(
                f"the database {warehouse.database} has no tables of events: run pteroassets migrate"
            ) from None

"""``pteroassets collector``: take in the events that games push, until the process is told to end."""

from __future__ import annotations

import gc
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psycopg
import uvicorn

from pteroassets.clock import SystemClock
from pteroassets.collector.http import Compatibility, collector_app
from pteroassets.collector.reference import read_reference
from pteroassets.collector.senders import Rates
from pteroassets.landing.context import Landing
from pteroassets.platform.loopback import HOST, require_free
from pteroassets.platform.stream import broker_of, sink_into
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect

if TYPE_CHECKING:
    from pteroassets.stream.broker import Broker


_MOST_CONNECTIONS: Final = 1_000
_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
_REFERENCE: Final = CHECKOUT / "dbt_project" / "seeds" / "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorConfig:
    """What the collector is made of.

    Attributes:
        store: Where events go: a Postgres, or brokers.
        games: The game of each key.
        most_waiting: Events that may wait to be stored.
        rates: How much each key may send.
        compatibility_game: Game of the routes that ask for no key; None where there are none.
        listen: Address on which it listens.
        port: Its port.
    """

    store: ConnectionSettings | Broker
    games: dict[str, str] = field(repr=False)
    most_waiting: int
    rates: Rates
    compatibility_game: str | None
    listen: str
    port: int


def collector_of(settings: Settings, *, listen: str = HOST, port: int | None = None) -> CollectorConfig:
    """Return what *settings* say of the collector; *port* goes before theirs.

    Raises:
        MissingSettingError: No key is set, or the settings say neither where Postgres is nor where brokers are.
        StreamFault: What speaks to brokers is not installed.
    """
    landing = Landing(settings=settings)
    has_brokers = settings.pteroassets_event_brokers is not None
    landing.require("pteroassets_event_keys", *(() if has_brokers else ("postgres_host",)))
    usual, rates = settings.event_rates()
    return CollectorConfig(
        store=broker_of(settings) if has_brokers else landing.warehouse,
        games=settings.event_keys(),
        most_waiting=settings.pteroassets_event_queue,
        rates=Rates(usual=usual, games=rates),
        compatibility_game=settings.pteroassets_event_compatibility_game,
        listen=listen,
        port=port or settings.pteroassets_event_port,
    )


def run_collector(config: CollectorConfig) -> None:
    """Take in events until SIGTERM or Ctrl-C; what was received by then is stored and answered.

    Raises:
        UnsuitablePostgresError: The warehouse lacks the tables.
        PortHeldError: The port is in use.
        psycopg.OperationalError: Postgres cannot be reached.
        StreamFault: The brokers cannot be reached.
    """
    store = config.store
    into = store if isinstance(store, ConnectionSettings) else sink_into(store, most_waiting=config.most_waiting)
    if isinstance(store, ConnectionSettings):
        _require_tables(store)
    if config.listen == HOST:
        require_free({"PTEROASSETS_EVENT_PORT": config.port})
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    game = config.compatibility_game
    app = collector_app(
        into,
        config.games,
        most_waiting=config.most_waiting,
        clock=SystemClock(),
        rates=config.rates,
        compatibility=None if game is None else Compatibility(game=game, reference=read_reference(_REFERENCE)),
    )
    # what is there now stays; an event leaves next to no cycles, and to look for them took an eighth of the time
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 50, 100)
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
        proxy_headers=False,
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

"""``pteroassets stream``: the outgrown path of pushed events, of what the settings say of brokers and of the lake."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pteroassets.collector.batching import Sink
from pteroassets.collector.counting import Counts
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings

if TYPE_CHECKING:
    from pteroassets.stream.broker import Broker
    from pteroassets.stream.lake import Lake


class StreamFault(Exception):  # noqa: N818 - operators see only its message
    """Something outside the code stops the path; the message names it and says what to do."""


@contextmanager
def needing_the_extra() -> Iterator[None]:
    """Say which extra is missing.

    Raises:
        StreamFault: Something that is imported within is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise StreamFault(
            f"the path through Kafka needs what is not installed ({error}): install pteroassets[stream]"
        ) from error


def broker_of(settings: Settings) -> Broker:
    """Return what *settings* say of the brokers.

    Raises:
        MissingSettingError: They name none.
        StreamFault: What speaks to them is not installed.
    """
    Landing(settings=settings).require("pteroassets_event_brokers")
    with needing_the_extra():
        from pteroassets.stream.broker import Broker  # noqa: PLC0415 - it needs an extra
    return Broker(
        servers=str(settings.pteroassets_event_brokers),
        topic=settings.pteroassets_event_topic,
        options=settings.event_broker_options(),
    )


def lake_of(settings: Settings) -> Lake:
    """Return what *settings* say of the lake.

    Raises:
        MissingSettingError: They do not say where it is, or where Postgres is.
        StreamFault: What makes its tables is not installed.
    """
    landing = Landing(settings=settings)
    landing.require("pteroassets_lake", "postgres_host")
    with needing_the_extra():
        from pteroassets.stream.lake import Lake  # noqa: PLC0415 - it needs an extra
    return Lake(warehouse=landing.warehouse, place=str(settings.pteroassets_lake))


def run_writer(settings: Settings, *, seconds: float, until_idle: bool, accept_gap: bool) -> int:
    """Write from the topics into the lake until SIGTERM or Ctrl-C; return how many messages were written.

    Raises:
        MissingSettingError: The settings do not say where brokers, lake and Postgres are.
        StreamFault: The brokers or the lake cannot be used as they are.
    """
    broker, lake = broker_of(settings), lake_of(settings)
    from pteroassets.stream.broker import BrokerError  # noqa: PLC0415 - they need an extra
    from pteroassets.stream.writing import Pace, Writer  # noqa: PLC0415 - the same

    _log_to_the_terminal()
    writer = Writer(broker, lake, pace=Pace(seconds=seconds), accept_gap=accept_gap)
    with _told_to_end(writer.end):
        try:
            return writer.run(until_idle=until_idle)
        except BrokerError as error:
            raise StreamFault(str(error)) from error


def run_loader(settings: Settings, *, seconds: float, once: bool) -> int:
    """Load from the lake every so many *seconds* until SIGTERM or Ctrl-C, or *once*; return how many rows were loaded.

    Raises:
        MissingSettingError: The settings do not say where lake and Postgres are.
        StreamFault: What reads the lake is not installed.
        psycopg.OperationalError: Postgres cannot be reached, and it is to be done once.
    """
    lake = lake_of(settings)
    from pteroassets.stream.loading import Loader  # noqa: PLC0415 - it needs an extra

    _log_to_the_terminal()
    loader = Loader(lake)
    with _told_to_end(loader.end):
        return loader.load() if once else loader.run(seconds=seconds)


def _log_to_the_terminal() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)


@contextmanager
def _told_to_end(end: Callable[[], None]) -> Iterator[None]:
    """Call *end* on SIGTERM and on Ctrl-C."""
    before = {one: signal.signal(one, lambda *_: end()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def sink_into(broker: Broker, *, most_waiting: int) -> Callable[[Counts], Sink]:
    """Make the topics that *broker* lacks, and return what makes the collector's sink.

    Raises:
        StreamFault: The broker cannot be reached, or does not let us make them.
    """
    from pteroassets.stream.broker import BrokerError, ensure_topics  # noqa: PLC0415 - they need an extra
    from pteroassets.stream.sink import KafkaSink  # noqa: PLC0415 - the same

    try:
        ensure_topics(broker)
    except BrokerError as error:
        raise StreamFault(str(error)) from error
    return lambda counts: KafkaSink(broker, most_waiting=most_waiting, counts=counts)

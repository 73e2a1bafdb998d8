"""The service that empties the outbox: a worker for each way out, and the heartbeat.

A hanging mail server holds up nobody else, since each way has a thread and a connection of its own. A second service
beside this one waits for its locks and takes over when they are free.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg

from pteroassets.alarms import delivery_rows as rows
from pteroassets.alarms.delivery import Delivery
from pteroassets.alarms.discord_transport import DiscordBot, DiscordWebhook
from pteroassets.alarms.heartbeat import Ping, state_of
from pteroassets.alarms.outbox import NOTIFICATION
from pteroassets.alarms.plain_transport import AppriseChannel, PlainWebhook, channel
from pteroassets.clock import Clock, SystemClock
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

AnyWay = DiscordBot | DiscordWebhook | PlainWebhook | AppriseChannel
_LOCK = "pteroassets outbox"
_LONGEST_SLEEP_SECONDS = 2.0  # so that a stop is heard soon
_RETRY_SECONDS = 2.0
_HEARTBEAT = timedelta(seconds=60)
_PRUNING = timedelta(minutes=10)

log = logging.getLogger(__name__)


class UnusableWayError(Exception):
    """An address in the settings is of no use; the message names the setting and the address's name."""


def ways_of(settings: Settings, clock: Clock) -> dict[str, AnyWay]:
    """Return the ways that the settings name, ready to send.

    Raises:
        UnusableWayError: apprise does not know one of the addresses.
    """
    made: dict[str, AnyWay] = {}
    token = settings.pteroassets_discord_token
    if token is not None:
        made["discord"] = DiscordBot(token.get_secret_value(), clock=clock, base=settings.pteroassets_discord_api)
    for name, url in settings.discord_webhooks().items():
        made[f"webhook:{name}"] = DiscordWebhook(url, clock=clock)
    for name, url in settings.channels().items():
        try:
            made[f"channel:{name}"] = channel(url, clock=clock)
        except ValueError as error:
            raise UnusableWayError(f"the address of {name!r} in PTEROASSETS_CHANNELS: {error}") from None
    return made


@dataclass(slots=True, kw_only=True)
class OutboxService:
    """Delivers until it is stopped.

    Attributes:
        warehouse: Where the outbox is.
        ways: By name; they are closed at the end.
        heartbeat_url: Asked for each minute while all is well.
        clock: Gives the time.
    """

    warehouse: ConnectionSettings
    ways: Mapping[str, AnyWay]
    heartbeat_url: str | None = None
    clock: Clock = field(default_factory=SystemClock)
    stopping: threading.Event = field(default_factory=threading.Event)
    _fault: BaseException | None = None

    def run(self) -> None:
        """Deliver until `stopping` is set.

        Raises:
            Exception: A worker ended by a fault of ours; all others are stopped.
        """
        threads = [
            threading.Thread(target=self._look_after, args=(name, way), name=f"outbox {name}", daemon=True)
            for name, way in self.ways.items()
        ]
        for thread in threads:
            thread.start()
        try:
            self._watch()
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()
            for way in self.ways.values():
                way.close()
        if self._fault is not None:
            raise self._fault

    def _look_after(self, name: str, way: AnyWay) -> None:
        try:
            while not self.stopping.is_set():
                try:
                    with connect(self.warehouse, autocommit=True) as connection:
                        self._deliver(connection, name, way)
                except psycopg.OperationalError as error:
                    log.warning("%s: Postgres does not answer (%s)", name, str(error).partition("\n")[0])
                    self.stopping.wait(_RETRY_SECONDS)
        except BaseException as error:
            self._fault = error
            self.stopping.set()
            raise

    def _deliver(self, connection: Connection, name: str, way: AnyWay) -> None:
        while not _locked(connection, name):
            if self.stopping.wait(_RETRY_SECONDS):
                return
        connection.execute(f"listen {NOTIFICATION}")
        delivery = Delivery(connection=connection, name=name, way=way, clock=self.clock)
        while not self.stopping.is_set():
            if delivery.make_pass(until=self.stopping.is_set) == 0:
                seconds = _seconds_until(delivery.next_at(), self.clock.now())
                for _ in connection.notifies(timeout=seconds, stop_after=1):
                    pass  # whatever was put, the next pass looks

    def _watch(self) -> None:
        """Mark what has no way as dead, remove old pictures and give the sign of life, until stopped."""
        ping = None if self.heartbeat_url is None else Ping(self.heartbeat_url)
        pruned_at = self.clock.now()
        while not self.stopping.is_set():
            try:
                with connect(self.warehouse, autocommit=True) as connection:
                    now = self.clock.now()
                    bury_strays(connection, self.ways, now)
                    if now - pruned_at >= _PRUNING:
                        rows.prune_pictures(connection, now)
                        pruned_at = now
                    if ping is not None:
                        give_sign(ping, connection, self.ways, now)
            except psycopg.OperationalError as error:
                log.warning("no heartbeat: Postgres does not answer (%s)", str(error).partition("\n")[0])
            self.stopping.wait(_HEARTBEAT.total_seconds())
        if ping is not None:
            ping.close()


def give_sign(ping: Ping, connection: Connection, ways: Mapping[str, object], now: datetime) -> bool:
    """Send the ping if messages arrive; return whether they do."""
    faults = state_of(connection, ways, now).faults
    if faults:
        log.error("no heartbeat: %s", "; ".join(faults))
        return False
    refused = ping.send()
    if refused is not None:
        log.warning("PTEROASSETS_HEARTBEAT_URL: %s", refused)
    return True


def bury_strays(connection: Connection, ways: Mapping[str, object], now: datetime) -> int:
    """Mark messages as dead whose way the settings do not name; return how many."""
    return connection.execute(
        """
        update ops.outbox
        set dead_at = %(now)s, dead_of = 'target',
            dead_reason = case split_part(target, ':', 1)
                when 'discord' then 'PTEROASSETS_DISCORD_TOKEN is not set'
                when 'webhook' then 'PTEROASSETS_DISCORD_WEBHOOKS names no ' || split_part(target, ':', 2)
                else 'PTEROASSETS_CHANNELS names no ' || split_part(target, ':', 2)
            end
        where dead_at is null and sent_version is distinct from version
            and case when target like 'discord:%%' then 'discord' else target end <> all(%(ways)s)
        """,
        {"now": now, "ways": list(ways)},
    ).rowcount


def _locked(connection: Connection, name: str) -> bool:
    """Return whether this connection is now the one that looks after the way *name*."""
    row = connection.execute("select pg_try_advisory_lock(hashtext(%s), hashtext(%s))", (_LOCK, name)).fetchone()
    return bool(row and row[0])


def _seconds_until(instant: datetime | None, now: datetime) -> float:
    if instant is None:
        return _LONGEST_SLEEP_SECONDS
    return min(max((instant - now).total_seconds(), 0.05), _LONGEST_SLEEP_SECONDS)

"""Group commit: what arrives while Postgres commits one group is the next one, and nobody is answered before.

One connection writes. Where Postgres is away, what waits is answered as not stored, and the next group connects anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import psycopg

from pteroassets.collector.counting import Counts
from pteroassets.collector.rows import COPY_DEAD_LETTERS, COPY_EVENTS, END, HEADER, dead_letter_row, event_row
from pteroassets.sources.events.envelope import Event, Refusal
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

MOST_WAITING_BYTES: Final = 64 * 1024**2
_MOST_OF_A_GROUP: Final = 20_000
_log: Final = logging.getLogger(__name__)


class BusyError(Exception):
    """So much waits to be stored that nothing more is taken."""


class NotStoredError(Exception):
    """Postgres did not take it in, or did not say so."""


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """What one request brought, of one game.

    Attributes:
        game: Whose key it came with.
        received_at: When it came.
        events: What is stored as events; of those that Postgres refuses alone the place is in *refusals*.
        places: The place of each event in the request.
        refusals: What becomes a dead letter.
        stored: Done once Postgres has committed it.
    """

    game: str
    received_at: datetime
    events: list[Event]
    places: list[int]
    refusals: list[Refusal]
    stored: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def size(self) -> int:
        """Return how many rows it is."""
        return len(self.events) + len(self.refusals)

    @property
    def length(self) -> int:
        """Return how many bytes it is."""
        length = 0
        for event in self.events:
            length += len(event.raw)
        for refusal in self.refusals:
            length += len(refusal.raw)
        return length


class Sink(Protocol):
    """What takes in deliveries, such as `Batcher`."""

    @property
    def held(self) -> int:
        """Return how many rows wait, or are being stored."""

    async def store(self, delivery: Delivery) -> None:
        """Return once nothing of *delivery* can be lost; an empty one once it is known that others can be stored.

        Raises:
            BusyError: Too much waits already.
            NotStoredError: It was not stored, or nobody knows.
        """

    def running(self) -> AbstractAsyncContextManager[Any]:
        """Store what comes meanwhile, and at the end what is still there."""


class _Waiting(NamedTuple):
    """A delivery with its rows and bytes, which are counted until it is stored."""

    delivery: Delivery
    size: int
    length: int


class Batcher:
    """Stores deliveries in groups; made by `running`."""

    def __init__(self, warehouse: ConnectionSettings, *, most_waiting: int, counts: Counts) -> None:
        self._warehouse = warehouse
        self._most_waiting = most_waiting
        self._counts = counts
        self._waiting: list[_Waiting] = []
        self._something = asyncio.Event()
        self._held_bytes = 0
        self._held = 0
        self._is_ending = False
        self._connection: Connection | None = None
        self._days: set[date] = set()

    @property
    def held(self) -> int:
        """Return how many rows wait, or are being stored."""
        return self._held

    async def store(self, delivery: Delivery) -> None:
        """Return once *delivery* is committed; an empty one once a statement of its group has been answered.

        Raises:
            BusyError: Too much waits already.
            NotStoredError: It was not committed, or nobody knows.
        """
        size, length = delivery.size, delivery.length
        is_full = self._held + size > self._most_waiting or self._held_bytes + length > MOST_WAITING_BYTES
        # what is larger than the bound alone is taken while nothing else waits, else it could never be
        if self._is_ending or (is_full and self._held):
            raise BusyError
        self._held += size
        self._held_bytes += length
        self._waiting.append(_Waiting(delivery, size, length))
        self._something.set()
        await delivery.stored

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Batcher]:
        """Store what comes meanwhile, and at the end what is still there."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._is_ending = True
            self._something.set()
            await task
            self._close()

    async def _run(self) -> None:
        while self._waiting or not self._is_ending:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                group = self._next_group()
                begun = time.monotonic()
                fault = await asyncio.to_thread(self._write_or_say_why, [one.delivery for one in group])
                self._counts.group_stored(time.monotonic() - begun, failed=fault is not None)
                for delivery, size, length in group:
                    self._held -= size
                    self._held_bytes -= length
                    stored = delivery.stored
                    if stored.done():
                        continue  # its client waited too long
                    if fault is None:
                        stored.set_result(None)
                    else:
                        stored.set_exception(NotStoredError(fault))

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        for one in self._waiting:
            if size >= _MOST_OF_A_GROUP:
                break
            group.append(one)
            size += one.size
        del self._waiting[: len(group)]
        return group

    def _write_or_say_why(self, group: Sequence[Delivery]) -> str | None:
        try:
            self._write_apart(group)
        except psycopg.OperationalError as error:
            self._close()
            _log.warning("Postgres took in nothing: %s", str(error).strip())
            return "Postgres cannot be reached"
        except psycopg.Error as error:
            # without its detail, which shows the row
            self._close()
            _log.error("Postgres took in nothing: %s", error.diag.message_primary or type(error).__name__)
            return "Postgres cannot store; the collector's log says why"
        except Exception:  # noqa: BLE001 - each request gets an answer, and the next group its turn
            self._close()
            _log.exception("events were not stored")
            return "the collector failed; its log says why"
        return None

    def _write_apart(self, group: Sequence[Delivery]) -> None:
        """Store *group* at once, or where Postgres refuses a row, each delivery and then each event alone."""
        try:
            self._write(group)
        except psycopg.DataError as error:
            if len(group) > 1:
                for delivery in group:
                    self._write_apart([delivery])
                return
            self._write_one_by_one(group[0], error)

    def _write_one_by_one(self, delivery: Delivery, error: psycopg.DataError) -> None:
        good: list[tuple[int, Event]] = []
        for place, event in zip(delivery.places, delivery.events, strict=True):
            try:
                self._try(event, delivery)
            except psycopg.DataError as refusal:
                detail = (refusal.diag.message_primary or "no reason given").replace("\0", "")
                delivery.refusals.append(
                    Refusal(index=place, reason="refused_by_postgres", detail=detail, raw=event.raw)
                )
            else:
                good.append((place, event))
        if len(good) == len(delivery.events):
            raise error
        delivery.places[:] = [place for place, _ in good]
        delivery.events[:] = [event for _, event in good]
        self._write([delivery])

    def _try(self, event: Event, delivery: Delivery) -> None:
        """Store *event*, and take it back: it is stored with its delivery, so that all of that is or nothing.

        Raises:
            psycopg.DataError: Postgres refuses it.
        """
        row = event_row(event, game=delivery.game, received_at=delivery.received_at)
        with self._connected().transaction(force_rollback=True):
            self._copy(COPY_EVENTS, [row])

    def _write(self, group: Sequence[Delivery]) -> None:
        rows = [
            event_row(event, game=delivery.game, received_at=delivery.received_at)
            for delivery in group
            for event in delivery.events
        ]
        letters = [
            dead_letter_row(refusal, game=delivery.game, received_at=delivery.received_at)
            for delivery in group
            for refusal in delivery.refusals
        ]
        connection = self._connected()
        if not rows and not letters:
            # nothing is stored, by all that storing needs: tables, the day's partition, and a server that takes writes
            self._ensure_days({delivery.received_at.astimezone(UTC).date() for delivery in group})
            self._copy(COPY_EVENTS, [])
            return
        self._ensure_days({delivery.received_at.astimezone(UTC).date() for delivery in group if delivery.size})
        if not letters:
            self._copy(COPY_EVENTS, rows)  # one statement, and so a transaction
            return
        with connection.transaction():
            if rows:
                self._copy(COPY_EVENTS, rows)
            self._copy(COPY_DEAD_LETTERS, letters)

    def _copy(self, statement: str, rows: Sequence[bytes]) -> None:
        with self._connected().cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(b"".join((HEADER, *rows, END)))

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._warehouse, autocommit=True)
            # 202 says that it is on the disk, whatever the server's default is
            self._connection.execute(
                "select set_config('synchronous_commit', 'on', false) "
                "where current_setting('synchronous_commit') = 'off'"
            )
        return self._connection

    def _ensure_days(self, days: set[date]) -> None:
        """Make the partitions of *days* and of the day after each; those made before are known."""
        for day in sorted(days - self._days):
            for one in (day, day + timedelta(days=1)):
                self._connected().execute("select raw_events.ensure_day(%s)", (one,))
            # the newest alone: a partition may be dropped once it is old
            self._days = {day}

    def _close(self) -> None:
        connection, self._connection, self._days = self._connection, None, set()
        if connection is not None:
            with suppress(psycopg.Error):  # it may be broken, which is why it is closed
                connection.close()

"""The collector's way to a broker: an answer of 202 means that every replica that has to has it.

Records are produced as they come; the client groups them, and sends again what was not acknowledged without making it
twice. What waits is bounded here, so that the client's own queue is never full.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from pteroassets.collector.batching import MOST_WAITING_BYTES, BusyError, Delivery, NotStoredError
from pteroassets.collector.counting import Counts
from pteroassets.sources.events.record import record_of, refusal_headers
from pteroassets.stream.broker import MOST_RECORD_BYTES, Broker

_PATIENCE_SECONDS: Final = 10.0
_MOST_OF_A_REQUEST: Final = 10_000
"""More than the events of one request, which is taken whole while nothing else waits."""


class _Pending:
    """A delivery whose records are not all acknowledged."""

    __slots__ = ("begun", "counts", "fault", "left", "loop", "stored")

    def __init__(self, delivery: Delivery, counts: Counts) -> None:
        self.left = delivery.size
        self.stored = delivery.stored
        self.loop = asyncio.get_running_loop()
        self.fault: str | None = None
        self.counts = counts
        self.begun = time.monotonic()

    def acknowledged(self, error: KafkaError | None, _message: Any) -> None:
        """Count one record; called by the thread that polls."""
        if error is not None:
            self.fault = error.str()
        self.left -= 1
        if self.left == 0:
            self.loop.call_soon_threadsafe(self._done)

    def _done(self) -> None:
        self.counts.group_stored(time.monotonic() - self.begun, failed=self.fault is not None)
        if self.fault is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(NotStoredError(f"the broker did not take it in ({self.fault})"))
            self.stored.exception()  # its client may be gone


class KafkaSink:
    """Stores deliveries in topics; made by `running`."""

    def __init__(
        self, broker: Broker, *, most_waiting: int, counts: Counts, patience: float = _PATIENCE_SECONDS
    ) -> None:
        self._broker = broker
        self._most_waiting = most_waiting
        self._counts = counts
        self._patience = patience
        self._held = 0
        self._held_bytes = 0
        self._is_ending = False
        self._producer = Producer(
            broker.client(
                enable_idempotence=True,
                acks="all",
                compression_type="lz4",
                linger_ms=5,
                delivery_timeout_ms=int(patience * 1000),
                message_max_bytes=MOST_RECORD_BYTES,
                queue_buffering_max_messages=most_waiting + _MOST_OF_A_REQUEST,
                queue_buffering_max_kbytes=4 * MOST_WAITING_BYTES // 1024,
            )
        )

    @property
    def held(self) -> int:
        """Return how many records wait to be acknowledged."""
        return self._held

    async def store(self, delivery: Delivery) -> None:
        """Return once every record of *delivery* is acknowledged; for an empty one, once the broker answers.

        Raises:
            BusyError: Too much waits already.
            NotStoredError: It was not acknowledged; some of it may be stored.
        """
        size, length = delivery.size, delivery.length
        if not size:
            await self._ask()
            return
        is_full = self._held + size > self._most_waiting or self._held_bytes + length > MOST_WAITING_BYTES
        if self._is_ending or (is_full and self._held):
            raise BusyError
        self._held += size
        self._held_bytes += length
        # when it is done, and not when its client goes away: till then it has its place in the queue
        delivery.stored.add_done_callback(lambda _: self._let_go(size, length))
        self._produce(delivery)
        await asyncio.shield(delivery.stored)

    def _produce(self, delivery: Delivery) -> None:
        pending = _Pending(delivery, self._counts)
        game, received_at = delivery.game, delivery.received_at
        produced = 0
        try:
            for event in delivery.events:
                self._producer.produce(
                    self._broker.topic,
                    record_of(event, game=game, received_at=received_at),
                    event.envelope.player_id.encode(),
                    on_delivery=pending.acknowledged,
                )
                produced += 1
            for refusal in delivery.refusals:
                self._producer.produce(
                    self._broker.refused_topic,
                    refusal.raw,
                    headers=refusal_headers(refusal, game=game, received_at=received_at),
                    on_delivery=pending.acknowledged,
                )
                produced += 1
        except (BufferError, KafkaException) as error:
            # what was produced before may come; the answer waits for it, and is that not all was stored
            fault = KafkaError(KafkaError._QUEUE_FULL if isinstance(error, BufferError) else error.args[0].code())  # noqa: SLF001 - its public name
            for _ in range(delivery.size - produced):
                pending.acknowledged(fault, None)

    async def _ask(self) -> None:
        try:
            told = await asyncio.to_thread(self._producer.list_topics, self._broker.topic, self._patience)
        except KafkaException as error:
            raise NotStoredError(f"the broker does not answer ({error.args[0].str()})") from None
        fault = told.topics[self._broker.topic].error
        if fault is not None:
            raise NotStoredError(f"the topic {self._broker.topic} cannot be used ({fault.str()})")

    def _let_go(self, size: int, length: int) -> None:
        self._held -= size
        self._held_bytes -= length

    @asynccontextmanager
    async def running(self) -> AsyncIterator[KafkaSink]:
        """Take acknowledgements meanwhile, and at the end those of what is still there."""
        ended = threading.Event()
        polling = threading.Thread(target=self._poll, args=(ended,), name="acknowledgements")
        polling.start()
        try:
            yield self
        finally:
            self._is_ending = True
            await asyncio.to_thread(self._producer.flush, self._patience + 1)
            ended.set()
            await asyncio.to_thread(polling.join)

    def _poll(self, ended: threading.Event) -> None:
        while not ended.is_set():
            self._producer.poll(0.1)

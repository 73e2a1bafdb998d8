"""From what was read of a request to what is stored: the same for every route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pteroassets.clock import Clock
from pteroassets.collector.batching import BusyError, Delivery, NotStoredError, Sink
from pteroassets.collector.counting import Counts
from pteroassets.collector.patience import Patience
from pteroassets.collector.receiving import PATIENCE_SECONDS, Receive, read_body
from pteroassets.collector.senders import WINDOW_SECONDS, Rate, Sender
from pteroassets.sources.events.envelope import Event, Refusal

MOST_EVENTS: Final = 5_000
"""Events of one request."""
_ANSWER_SECONDS: Final = 30


class NotTakenError(Exception):
    """Nothing of a request was taken, or nobody knows.

    Attributes:
        status: HTTP status of the answer.
        detail: What is said to the client.
        retry_after: Seconds after which it may be sent again; None if it may not.
    """

    def __init__(self, status: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Stores what requests bring.

    Attributes:
        batcher: What stores it.
        counts: Counts of the service.
        clock: Gives the time of receipt.
        bodies: How long a request waits for its body.
        commits: How long it waits for its commit.
    """

    batcher: Sink
    counts: Counts
    clock: Clock
    bodies: Patience = field(default_factory=lambda: Patience(PATIENCE_SECONDS))
    commits: Patience = field(default_factory=lambda: Patience(_ANSWER_SECONDS))

    async def body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body of a request; what it raises is that of `read_body`."""
        return await read_body(headers, receive, self.bodies)

    async def take(self, sender: Sender, read: Sequence[Event | Refusal]) -> Delivery:
        """Return what came of *read* once it is committed: Postgres may have refused more of it.

        What was not committed does not count for the rate of *sender*, also where nobody knows.

        Raises:
            NotTakenError: There is too much of it, or it was not committed.
        """
        if len(read) > MOST_EVENTS:
            detail = f"a request may have {MOST_EVENTS} events, and this one has {len(read)}"
            raise NotTakenError(413, detail)
        if sender.rate is None:
            return await self._stored(sender, read)
        counted = _keep_to(sender, sender.rate, len(read))
        is_stored = False
        try:
            delivery = await self._stored(sender, read)
            is_stored = True
        finally:
            if not is_stored:
                sender.rate.give_back(counted)
        return delivery

    async def _stored(self, sender: Sender, read: Sequence[Event | Refusal]) -> Delivery:
        """Store *read*, and count it.

        Raises:
            NotTakenError: It was not committed.
        """
        events: list[Event] = []
        places: list[int] = []
        refusals: list[Refusal] = []
        for place, one in enumerate(read):
            if isinstance(one, Event):
                events.append(one)
                places.append(place)
            else:
                refusals.append(one)
        delivery = Delivery(
            game=sender.game, received_at=self.clock.now(), events=events, places=places, refusals=refusals
        )
        if read:
            try:
                await self.commits.wait(self.batcher.store(delivery))
            except BusyError:
                raise NotTakenError(429, "too much waits to be stored: send it again", 1) from None
            except NotStoredError as error:
                raise NotTakenError(503, f"{error}: send it again, with the same event ids", 1) from None
            except TimeoutError:
                raise NotTakenError(503, "it took too long: send it again, with the same event ids", 1) from None
        self.counts.events[delivery.game] += len(delivery.events)
        for refusal in delivery.refusals:
            self.counts.dead_letters[refusal.reason] += 1
        return delivery


def _keep_to(sender: Sender, rate: Rate, count: int) -> int:
    """Count *count* events of *sender*, a request without any as one, and return how many were counted.

    Raises:
        NotTakenError: They are more than its rate allows.
    """
    allowed = f"{sender.game} may send {rate.most} events in {WINDOW_SECONDS} seconds (PTEROASSETS_EVENT_RATE)"
    if count > rate.most:
        raise NotTakenError(413, f"{allowed}, and this request has {count}: send fewer at once")
    counted = max(1, count)
    wait = rate.take(counted)
    if wait is not None:
        raise NotTakenError(429, f"{allowed}: send it again in {wait} s", wait)
    return counted

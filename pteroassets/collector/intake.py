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
from pteroassets.collector.senders import WINDOW_SECONDS, Sender
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

        Raises:
            NotTakenError: There is too much of it, or it was not committed.
        """
        if len(read) > MOST_EVENTS:
            detail = f"a request may have {MOST_EVENTS} events, and this one has {len(read)}"
            raise NotTakenError(413, detail)
        if sender.rate is not None:
            _keep_to(sender, len(read))
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


def _keep_to(sender: Sender, count: int) -> None:
    """Count *count* events of *sender*, a request without any as one.

    Raises:
        NotTakenError: They are more than its rate allows.
    """
    rate = sender.rate
    assert rate is not None  # noqa: S101 - the caller looked
    if count > rate.most:
        raise NotTakenError(
            413,
            f"{sender.game} may send {rate.most} events in {WINDOW_SECONDS} seconds (PTEROASSETS_EVENT_RATE), and this "
            f"request has {count}: send fewer at once",
        )
    wait = rate.take(max(1, count))
    if wait is not None:
        raise NotTakenError(
            429,
            f"{sender.game} may send {rate.most} events in {WINDOW_SECONDS} seconds (PTEROASSETS_EVENT_RATE): send it "
            f"again in {wait} s",
            wait,
        )

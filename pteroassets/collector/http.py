"""The routes: events are taken in by a bare ASGI endpoint, the rest by Starlette's."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pteroassets.clock import Clock
from pteroassets.collector.batching import Batcher, BusyError, Delivery, NotStoredError, Sink
from pteroassets.collector.counting import Counts
from pteroassets.collector.receiving import ClientGoneError, RefusedRequestError, read_body
from pteroassets.sources.events.envelope import Event, Refusal, read_events
from pteroassets.warehouse.connection import ConnectionSettings

MOST_EVENTS: Final = 5_000
"""Events of one request."""
_ANSWER_SECONDS: Final = 30
_RETRY: Final = [(b"retry-after", b"1")]
_SHOWN: Final = 100  # refusals that an answer names
_log: Final = logging.getLogger(__name__)


class Keys:
    """The keys of games; their digests are compared, so that the time it takes says nothing of a key."""

    def __init__(self, games: Mapping[str, str]) -> None:
        self._games = {hashlib.sha256(key.encode()).digest(): game for key, game in games.items()}

    def game_of(self, header: bytes | None) -> str | None:
        """Return the game whose key the header ``Authorization: Bearer <key>`` has, or None."""
        scheme, _, key = (header or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        return self._games.get(hashlib.sha256(key.strip()).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsRoute:
    """``POST /v1/events``: one event, or an array of them.

    Attributes:
        keys: Who may send.
        batcher: What stores them.
        counts: Counts of the service.
        clock: Gives the time of receipt.
    """

    keys: Keys
    batcher: Sink
    counts: Counts
    clock: Clock
    answer_seconds: float = _ANSWER_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 202 once the events are committed."""
        try:
            status, answer, more = await self._answer(dict(scope["headers"]), receive)
        except ClientGoneError:
            return
        except Exception:  # noqa: BLE001 - nothing that a client sends is answered with a 500
            _log.exception("a request was not understood")
            status, answer, more = 503, {"detail": "the collector failed; its log says why"}, _RETRY
        self.counts.requests[status] += 1
        body = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[int, dict[str, Any], list[tuple[bytes, bytes]]]:
        game = self.keys.game_of(headers.get(b"authorization"))
        if game is None:
            detail = "send the header Authorization: Bearer <key> with a key of PTEROASSETS_EVENT_KEYS"
            return 401, {"detail": detail}, [(b"www-authenticate", b"Bearer")]
        try:
            body = await read_body(headers, receive)
        except RefusedRequestError as refused:
            # the connection stays: one that is closed while its client still sends shows it a reset and no answer
            return refused.status, {"detail": refused.detail}, []
        read = read_events(body)
        if len(read) > MOST_EVENTS:
            return 413, {"detail": f"a request may have {MOST_EVENTS} events, and this one has {len(read)}"}, []
        places = [place for place, one in enumerate(read) if isinstance(one, Event)]
        delivery = Delivery(
            game=game,
            received_at=self.clock.now(),
            events=[one for one in read if isinstance(one, Event)],
            places=places,
            refusals=[one for one in read if isinstance(one, Refusal)],
        )
        if delivery.size:
            try:
                async with asyncio.timeout(self.answer_seconds):
                    await self.batcher.store(delivery)
            except BusyError:
                return 429, {"detail": "too much waits to be stored: send it again"}, _RETRY
            except NotStoredError as error:
                return 503, {"detail": f"{error}: send it again, with the same event ids"}, _RETRY
            except TimeoutError:
                return 503, {"detail": "it took too long: send it again, with the same event ids"}, _RETRY
        return self._told(delivery)

    def _told(self, delivery: Delivery) -> tuple[int, dict[str, Any], list[tuple[bytes, bytes]]]:
        refusals = sorted(delivery.refusals, key=lambda one: one.index)
        self.counts.events[delivery.game] += len(delivery.events)
        self.counts.dead_letters.update(one.reason for one in refusals)
        answer: dict[str, Any] = {"accepted": len(delivery.events), "refused": len(refusals)}
        if refusals:
            answer["refusals"] = [
                {"index": one.index, "reason": one.reason, "detail": one.detail} for one in refusals[:_SHOWN]
            ]
        return (400 if refusals and not delivery.events else 202), answer, []


def collector_app(
    store: ConnectionSettings | Callable[[Counts], Sink],
    games: Mapping[str, str],
    *,
    most_waiting: int,
    clock: Clock,
) -> Starlette:
    """Return the application.

    Args:
        store: The Postgres where events go, or what makes another sink of them.
        games: The game of each key.
        most_waiting: Events beyond which nothing more is taken until some are stored.
        clock: Gives the time of receipt.
    """
    counts = Counts()
    batcher: Sink = (
        Batcher(store, most_waiting=most_waiting, counts=counts)
        if isinstance(store, ConnectionSettings)
        else store(counts)
    )

    async def health(_request: Request) -> PlainTextResponse:
        nothing = Delivery(game="", received_at=clock.now(), events=[], places=[], refusals=[])
        try:
            async with asyncio.timeout(5):
                await batcher.store(nothing)
        except (BusyError, NotStoredError, TimeoutError):
            return PlainTextResponse("events cannot be stored\n", 503)
        return PlainTextResponse("ok\n")

    async def metrics(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(counts.text(waiting=batcher.held), media_type="text/plain; version=0.0.4")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with batcher.running():
            yield

    events = EventsRoute(keys=Keys(games), batcher=batcher, counts=counts, clock=clock)
    return Starlette(
        routes=[
            Route("/v1/events", events, methods=["POST"]),
            Route("/health", health),
            Route("/metrics", metrics),
        ],
        lifespan=lifespan,
    )

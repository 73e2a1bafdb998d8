"""The routes: events are taken in by a bare ASGI endpoint, the rest by Starlette's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pteroassets.clock import Clock
from pteroassets.collector.answers import Detail, Refused, Taken
from pteroassets.collector.batching import Batcher, BusyError, Delivery, NotStoredError, Sink
from pteroassets.collector.compatibility import compatible_routes
from pteroassets.collector.counting import Counts
from pteroassets.collector.intake import Intake, NotTakenError
from pteroassets.collector.openapi import openapi
from pteroassets.collector.receiving import ClientGoneError, RefusedRequestError
from pteroassets.collector.reference import Reference
from pteroassets.collector.senders import Keys, Rates, Sender
from pteroassets.sources.events.envelope import TooManyEventsError, read_events
from pteroassets.warehouse.connection import ConnectionSettings

_RETRY: Final = [(b"retry-after", b"1")]
EVENTS: Final = "/v1/events"
_SHOWN: Final = 100  # refusals that an answer names
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsRoute:
    """``POST /v1/events``: one event, or an array of them.

    Attributes:
        keys: Who may send.
        intake: What stores them.
    """

    keys: Keys
    intake: Intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 202 once the events are committed."""
        try:
            status, answer, more = await self._answer(dict(scope["headers"]), receive)
        except ClientGoneError:
            return
        except Exception:  # noqa: BLE001 - nothing that a client sends is answered with a 500
            _log.exception("a request was not understood")
            status, answer, more = 503, Detail(detail="the collector failed; its log says why"), _RETRY
        self.intake.counts.requests[status] += 1
        body = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[int, Taken | Detail, list[tuple[bytes, bytes]]]:
        sender = self.keys.sender_of(headers.get(b"authorization"))
        if sender is None:
            detail = "send the header Authorization: Bearer <key> with a key of PTEROASSETS_EVENT_KEYS"
            return 401, Detail(detail=detail), [(b"www-authenticate", b"Bearer")]
        try:
            body = await self.intake.body(headers, receive)
            delivery = await self.intake.take(sender, read_events(body))
        except TooManyEventsError as error:
            return 413, Detail(detail=str(error)), []
        except RefusedRequestError as refused:
            # the connection stays: one that is closed while its client still sends shows it a reset and no answer
            return refused.status, Detail(detail=refused.detail), []
        except NotTakenError as error:
            again = [] if error.retry_after is None else [(b"retry-after", b"%d" % error.retry_after)]
            return error.status, Detail(detail=error.detail), again
        return _told(delivery)


def _told(delivery: Delivery) -> tuple[int, Taken, list[tuple[bytes, bytes]]]:
    accepted = len(delivery.events)
    if not delivery.refusals:
        return 202, Taken(accepted=accepted, refused=0), []
    refusals = sorted(delivery.refusals, key=lambda one: one.index)
    answer = Taken(
        accepted=accepted,
        refused=len(refusals),
        refusals=[Refused(index=one.index, reason=one.reason, detail=one.detail) for one in refusals[:_SHOWN]],
    )
    return (202 if accepted else 400), answer, []


class _Collector(Starlette):
    """The application; events go past what it does for all other routes, which takes as long as they do."""

    events: EventsRoute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == EVENTS and scope["method"] == "POST":
            await self.events(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compatibility:
    """Routes that ask for no key.

    Attributes:
        game: Whose events they take.
        reference: Rows in which ids are looked up.
    """

    game: str
    reference: Reference = field(repr=False)


def collector_app(
    store: ConnectionSettings | Callable[[Counts], Sink],
    games: Mapping[str, str],
    *,
    most_waiting: int,
    clock: Clock,
    rates: Rates | None = None,
    compatibility: Compatibility | None = None,
) -> Starlette:
    """Return the application.

    Args:
        store: The Postgres where events go, or what makes another sink of them.
        games: The game of each key.
        most_waiting: Events beyond which nothing more is taken until some are stored.
        clock: Gives the time of receipt.
        rates: How much each key may send; None is any number.
        compatibility: Routes that ask for no key; None is none.
    """
    counts = Counts()
    batcher: Sink = (
        Batcher(store, most_waiting=most_waiting, counts=counts)
        if isinstance(store, ConnectionSettings)
        else store(counts)
    )
    rates = rates or Rates()
    intake = Intake(batcher=batcher, counts=counts, clock=clock)
    described = msgspec.json.encode(openapi(is_compatible=compatibility is not None))

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

    async def description(_request: Request) -> Response:
        return Response(described, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with batcher.running():
            yield

    events = EventsRoute(keys=Keys(games, rates), intake=intake)
    routes = [
        Route(EVENTS, events, methods=["POST"]),  # for another method's answer
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/openapi.json", description),
    ]
    if compatibility is not None:
        sender = Sender(game=compatibility.game, rate=rates.of(compatibility.game, f"{compatibility.game} without key"))
        routes += compatible_routes(sender, intake, compatibility.reference)
    app = _Collector(routes=routes, lifespan=lifespan)
    # a redirect names the host by HTTP, to which a client would send its key in clear behind a proxy with TLS
    app.router.redirect_slashes = False
    app.events = events
    return app

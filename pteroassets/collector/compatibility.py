"""Routes by which earlier games report a player's deed: its path is all there is, and the collector makes the event.

They ask for no key, so they are there only for the game that a setting names. Ids are looked up in the reference data;
what is not in them, or has a wrong size or number, becomes a dead letter.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pteroassets.collector.intake import Intake, NotTakenError
from pteroassets.collector.receiving import ClientGoneError, RefusedRequestError
from pteroassets.collector.reference import Reference
from pteroassets.collector.senders import Sender
from pteroassets.sources.events.envelope import Event, Refusal, read_event

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_KEPT: Final = {"Host": b"host", "User-Agent": b"user-agent", "Accept": b"accept"}
_LONGEST_HEADER: Final = 500
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What one route reports.

    Attributes:
        method: Of HTTP.
        path: Of the route, with the names of what stands in it.
        event_type: Type of the event.
        said: The answer once it is stored.
        table: Reference data in which the id is looked up; None where the path has all fields.
        numbers: Which parts of the path are numbers.
    """

    method: str
    path: str
    event_type: str
    said: str
    table: str | None = None
    numbers: frozenset[str] = frozenset()


DEEDS: Final = (
    Deed(method="GET", path="/join_a_guild/{guild_id}", event_type="join_a_guild", said="Joined Guild!",
         table="guilds"),
    Deed(method="GET", path="/kill_enemy/{enemy_id}", event_type="kill_enemy", said="kill_enemy!", table="enemies"),
    Deed(method="GET", path="/take_damage/{enemy_id}", event_type="take_damage", said="Took Damage!",
         table="damage_sources"),
    Deed(method="GET", path="/accepted_a_quest/{quest_id}", event_type="accepted_a_quest", said="Quest Accepted!",
         table="quests"),
    Deed(method="GET", path="/transaction/{inventory_id}", event_type="transaction", said="Transaction Complete!",
         table="inventory"),
    Deed(method="POST", path="/purchase_a_sword/{color}/{quantity}", event_type="purchase_a_sword",
         said="Sword Purchased!", numbers=frozenset({"quantity"})),
    Deed(method="POST", path="/purchase_a_horse/{speed}/{size}/{quantity}", event_type="purchase_a_horse",
         said="Horse Purchased!", numbers=frozenset({"speed", "quantity"})),
    Deed(method="POST", path="/guild/{action}", event_type="guild_action", said="Guild Action Done!"),
    Deed(method="POST", path="/", event_type="default", said="Default Response!"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedRoute:
    """The endpoint of one route.

    Attributes:
        deed: What it reports.
        sender: The game whose events they are.
        intake: What stores them.
        reference: Rows by their ids.
    """

    deed: Deed
    sender: Sender
    intake: Intake
    reference: Reference

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 once the event is committed."""
        try:
            status, said, more = await self._answer(scope, receive)
        except ClientGoneError:
            return
        except Exception:  # noqa: BLE001 - nothing that a client sends is answered with a 500
            _log.exception("a request was not understood")
            status, said, more = 503, "the collector failed; its log says why", [(b"retry-after", b"1")]
        self.intake.counts.requests[status] += 1
        body = f"{said}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),  # to ask again is to do it again
            *more,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, str, list[tuple[bytes, bytes]]]:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            await self.intake.body(headers, receive)  # and look at none of it: the path is all
            read, status = self._read(headers, scope["path_params"])
            delivery = await self.intake.take(self.sender, [read])
        except RefusedRequestError as refused:
            return refused.status, refused.detail, []
        except NotTakenError as error:
            again = [] if error.retry_after is None else [(b"retry-after", b"%d" % error.retry_after)]
            return error.status, error.detail, again
        if delivery.refusals:
            return status, f"{delivery.refusals[0].reason}: {delivery.refusals[0].detail}", []
        return 200, self.deed.said, []

    def _read(self, headers: Mapping[bytes, bytes], given: Mapping[str, str]) -> tuple[Event | Refusal, int]:
        """Return the event, or why there is none with the status that says so."""
        row: Mapping[str, Any] | None
        if self.deed.table is None:
            row = {name: self._value(name, value) for name, value in given.items()}
        else:
            ((name, key),) = given.items()
            row = self.reference[self.deed.table].get(key)
        raw = msgspec.json.encode(
            {
                "event_id": uuid.uuid4(),
                "type": self.deed.event_type,
                "version": 1,
                "player_id": player_of(headers),
                "occurred_at": self.intake.clock.now(),
                "properties": given if row is None else row,
                "headers": {name: _text(headers.get(key, b""))[:_LONGEST_HEADER] for name, key in _KEPT.items()},
            }
        )
        if row is None:
            detail = f"no row of the reference data {self.deed.table} has the {name} {key!r}"[:_LONGEST_HEADER]
            return Refusal(index=0, reason="unknown_id", detail=detail, raw=raw), 404
        return read_event(raw), 400

    def _value(self, name: str, value: str) -> str | int:
        """Return a part of the path; a number that is none stays as it is, and its contract refuses it."""
        return int(value) if name in self.deed.numbers and _NUMBER.fullmatch(value) else value


def player_of(headers: Mapping[bytes, bytes]) -> str:
    """Return who plays: the header X-Player or Player, else the host that is asked, as earlier games did it."""
    for name in (b"x-player", b"player"):
        if (told := headers.get(name, b"").strip()) != b"":
            return _text(told)
    host = _text(headers.get(b"host", b"").strip())
    name_, colon, port = host.rpartition(":")
    return name_ if colon and port.isdecimal() else host


def _text(header: bytes) -> str:
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")


def compatible_routes(sender: Sender, intake: Intake, reference: Reference) -> list[Route]:
    """Return the routes, for the game of *sender*."""
    routes = []
    for deed in DEEDS:
        endpoint: Callable[..., Any] = DeedRoute(deed=deed, sender=sender, intake=intake, reference=reference)
        route = Route(deed.path, endpoint, methods=[deed.method])
        assert route.methods is not None  # noqa: S101 - given above
        route.methods.discard("HEAD")  # who asks for it wants nothing done
        routes.append(route)
    return routes

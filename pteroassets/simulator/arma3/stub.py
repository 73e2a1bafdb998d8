"""What the stub of both sites remembers and answers: pages of WOG, an OCAP web server's list and files, and faults.

WOG's site has the games at ``/projects/wog-a3/games/``, ``/games/<number>/`` and ``/json/replay-data.json?game=``; the
OCAP server has operations at ``/api/v1/operations`` and recordings at ``/data/``, and the site of SolidGames shows
those of its generation at ``/replays``. All keep what was published until it is corrected or withdrawn.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pteroassets.clock import Clock
from pteroassets.simulator.arma3.chunks import converted
from pteroassets.simulator.arma3.game import Game
from pteroassets.simulator.arma3.pages import (
    MOSCOW,
    digest,
    error_page,
    game_page,
    list_page,
    solidgames_list,
    solidgames_page,
)
from pteroassets.simulator.arma3.recordings import file_name, recording

#: What a site may do in the place of an answer: a status; a page of HTML; a document that ends in its middle, as one
#: was stored; a connection that ends too early; an answer after a second; an address of another host, or
#: what is none.
Fault = Literal["html", "half", "cut", "late", "elsewhere", "nowhere"] | int
_GAME: Final = re.compile(r"/games/(\d+)/")
_GZIP: Final = {"Content-Encoding": "gzip"}
_LATE_SECONDS: Final = 1.0


@dataclass(slots=True, kw_only=True)
class Operation:
    """A recording that the OCAP server has."""

    number: int
    game: Game
    generation: str
    uploaded_on: date
    shows_at: datetime
    content: bytes

    @property
    def file(self) -> str:
        """The name of its file."""
        return file_name(self.game, self.generation)


@dataclass(slots=True, kw_only=True)
class Sites:
    """The state of the stub.

    Attributes:
        clock: Says what is published yet.
        games: WOG's games by number, with the instant at which each is shown.
        operations: OCAP's by number.
        renamed: Labels of WOG's pages that the site changed, old to new.
        markup: What the site made of its pages' markup; None leaves it.
        faults: Of the next requests whose path holds the text, each used up by one request.
        shows_suffixes: Whether the list has names of files with ``.json.gz``, as servers before 2026 do.
        access: ``public``, or what answers 401.
        page_rows: Rows on a page of the SolidGames site.
        has_json: Whether the server kept the recordings' JSON; else it has what it was converted to alone.
        requests: Counts by path.
        agents: Who asked.
    """

    clock: Clock
    base_url: str = ""
    games: dict[int, tuple[datetime, Game]] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    operations: dict[int, Operation] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    markup: Callable[[bytes], bytes] | None = None
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    shows_suffixes: bool = False
    access: Literal["public", "password"] = "public"
    has_json: bool = True
    page_rows: int = 30
    requests: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)

    # ------------------------------------------------------------------ what happens on the sites

    def publish(self, game: Game, at: datetime | None = None) -> None:
        """Show a game on WOG's site from *at*, or from now; a game that is there already is corrected."""
        shows_at = self.games[game.number][0] if game.number in self.games else at or self.clock.now()
        self.games[game.number] = (shows_at, game)
        self.digests[game.number] = digest(game)

    def withdraw(self, number: int) -> None:
        """Take a game off WOG's site."""
        del self.games[number], self.digests[number]

    def upload(self, game: Game, generation: str, at: datetime | None = None) -> Operation:
        """Give the OCAP server a recording; the same file anew gets a new number and replaces the one before."""
        shows_at = at or self.clock.now()
        operation = Operation(
            number=max(self.operations, default=0) + 1,
            game=game,
            generation=generation,
            uploaded_on=shows_at.astimezone(MOSCOW).date(),
            shows_at=shows_at,
            content=recording(game, generation),
        )
        for number in [number for number, one in self.operations.items() if one.file == operation.file]:
            del self.operations[number]
        self.operations[operation.number] = operation
        return operation

    def fail(self, path: str, *faults: Fault) -> None:
        """Let the next requests whose path holds *path* fail, one after the other."""
        self.faults += [(path, fault) for fault in faults]

    # ------------------------------------------------------------------ answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = request.url.path
        self.requests[path] += 1
        self.agents.add(request.headers.get("user-agent", ""))
        fault = next((one for one in self.faults if one[0] in f"{path}?{request.url.query}"), None)
        if fault is not None:
            self.faults.remove(fault)
        response = self._answer(request)
        match fault and fault[1]:
            case int(status):
                headers = {"Retry-After": "7"} if status == HTTPStatus.TOO_MANY_REQUESTS else None
                response = Response("a fault that was asked for", status, headers)
            case "html":
                response = Response("<!DOCTYPE html><html><body>Just a moment</body></html>", media_type="text/html")
            case "elsewhere":
                response = Response(status_code=302, headers={"Location": "http://localhost.invalid/"})
            case "nowhere":
                response = Response(status_code=302, headers={"Location": "http://[localhost/"})
            case "half":
                response = _half(response)
            case "cut":
                await _cut(response, send)
                return
            case "late":
                await asyncio.sleep(_LATE_SECONDS)
            case _:
                pass
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        game = _GAME.fullmatch(path)
        if path == "/projects/wog-a3/games/":
            return self._html(request, self._changed(list_page(self._shown())))
        if game is not None:
            found = {one.number: one for one in self._shown()}.get(int(game[1]))
            return self._html(request, error_page() if found is None else self._changed(game_page(found)))
        if path == "/json/replay-data.json":
            number = request.query_params.get("game", "")
            if number.isdecimal() and int(number) in {one.number for one in self._shown()}:
                return _document(request, self.digests[int(number)], "application/json")
            return self._html(request, error_page())
        if path == "/replays" or path.startswith("/replays/"):
            return self._solidgames(request, path.removeprefix("/replays").strip("/"))
        if path == "/api/healthcheck":
            return Response('{"status":"ok"}', media_type="application/json")
        if self.access != "public":
            return Response('{"error":"unauthorized"}', status_code=401, media_type="application/json")
        if path == "/api/v1/operations":
            return self._list(request)
        if path.startswith("/data/"):
            return self._file(request, path.removeprefix("/data/"))
        return Response("404 page not found", status_code=404)

    def _solidgames(self, request: Request, second: str) -> Response:
        """Return a page of thirty recordings, newest first, or the page of one by the second of its start."""
        now = self.clock.now()
        shown = [one for one in self.operations.values() if one.generation == "solidgames" and one.shows_at <= now]
        shown.sort(key=lambda one: one.game.started_at, reverse=True)
        if not second:
            page = int(request.query_params.get("p", "1"))
            games = [one.game for one in shown[(page - 1) * self.page_rows : page * self.page_rows]]
            return self._html(request, solidgames_list(games))
        for one in shown:
            if second == str(int(one.game.started_at.timestamp())):
                return self._html(request, solidgames_page(one.file.removesuffix(".json")))
        return Response("404", status_code=404)

    def _shown(self) -> list[Game]:
        """Return WOG's games, newest first."""
        now = self.clock.now()
        return [game for _, (shows_at, game) in sorted(self.games.items(), reverse=True) if shows_at <= now]

    def _changed(self, page: bytes) -> bytes:
        for old, new in self.renamed.items():
            page = page.replace(old.encode(), new.encode())
        return page if self.markup is None else self.markup(page)

    def _html(self, request: Request, page: bytes) -> Response:
        return _document(request, page, "text/html; charset=utf-8")

    def _list(self, request: Request) -> Response:
        newer = request.query_params.get("newer", "")
        now = self.clock.now()
        found = [
            one
            for one in self.operations.values()
            if one.shows_at <= now and (not newer or one.uploaded_on.isoformat() >= newer)
        ]
        rows = [self._row(one) for one in found]
        return _document(request, json.dumps(rows, ensure_ascii=False).encode(), "application/json")

    def _row(self, one: Operation) -> dict[str, Any]:
        stem = one.file.removesuffix(".gz").removesuffix(".json")
        return {
            "id": one.number,
            "world_name": one.game.island,
            "mission_name": one.game.mission,
            "mission_duration": one.game.end * one.game.delay,
            "filename": one.file if self.shows_suffixes else stem,
            "date": one.uploaded_on.isoformat(),
            "tag": "TvT",
            "storageFormat": "protobuf",
            "conversionStatus": "completed",
            "player_count": len(one.game.players),
            "side_composition": {},
        }

    def _file(self, request: Request, name: str) -> Response:
        """Return a file as the server has it: packed, under a name that ends in ``.gz`` or is as it was given."""
        now = self.clock.now()
        for one in self.operations.values():
            stem = one.file.removesuffix(".gz").removesuffix(".json")
            folder, _, file = name.partition("/")
            if one.shows_at <= now and folder == stem and file in (files := converted(one.content)):
                return _document(request, files[file], "application/x-protobuf")
            if one.shows_at <= now and self.has_json and name in {f"{stem}.json.gz", one.file}:
                packed = gzip.compress(one.content, compresslevel=1, mtime=0)
                return _document(request, packed, "application/json", _GZIP)
        return Response("404 page not found", status_code=404)


def _document(request: Request, content: bytes, kind: str, more: dict[str, str] | None = None) -> Response:
    """Return a document, or that it did not change."""
    mark = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers={"ETag": mark})
    return Response(content, headers={"ETag": mark, **(more or {})}, media_type=kind)


def _half(response: Response) -> Response:
    """Return the first half of a document, whole as an answer: so it was stored."""
    body, headers = bytes(response.body), {}
    if response.headers.get("content-encoding") == "gzip":
        whole = gzip.decompress(body)
        body, headers = gzip.compress(whole[: len(whole) // 2], mtime=0), dict(_GZIP)
    else:
        body = body[: len(body) // 2]
    return Response(body, headers=headers, media_type=response.media_type)


async def _cut(response: Response, send: Send) -> None:
    """Promise a document and send half of it."""
    body = bytes(response.body)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": False})

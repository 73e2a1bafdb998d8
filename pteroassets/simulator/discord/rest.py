"""The ASGI application: the API below ``/api/v10``, the gateway, files of messages, the control and the page."""

from __future__ import annotations

import asyncio
import hmac
import json
import mimetypes
from typing import Any, Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from pteroassets.simulator.discord import applications, channels, interactions, webhooks
from pteroassets.simulator.discord.calls import Answer, Call, Route, read_payload
from pteroassets.simulator.discord.control import Control
from pteroassets.simulator.discord.core import Discord, Request
from pteroassets.simulator.discord.page import Page
from pteroassets.simulator.discord.rates import too_many
from pteroassets.simulator.discord.refusals import Refusal, refusal

API: Final = "/api/v10"
ROUTES: Final = (*channels.ROUTES, *applications.ROUTES, *interactions.ROUTES, *webhooks.ROUTES)
_PATTERNS: Final = tuple((route, route.pattern) for route in ROUTES)
_SHARED_WAIT: Final = 0.5
_PLACES: Final = ("channel", "guild", "webhook", "token")
_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class _AnswerLost(Exception):  # noqa: N818 - no error of ours: the connection is to break
    """The request was obeyed, and its answer is to get lost."""


class Application:
    """Answers every request and WebSocket of the fake."""

    def __init__(self, discord: Discord) -> None:
        self._discord = discord
        self._control = Control(discord)
        self._page = Page(discord)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        if scope["type"] == "websocket":
            await self._discord.gateway.serve(WebSocket(scope, receive, send))
            return
        if scope["type"] != "http":
            return
        request = HttpRequest(scope, receive)
        try:
            response = await self._respond(request)
        except _AnswerLost:
            # more is announced than is sent, so the server breaks the connection
            head = [(b"content-type", b"application/json"), (b"content-length", b"100000")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            return
        await response(scope, receive, send)

    async def _respond(self, request: HttpRequest) -> Response:
        path = request.url.path
        if path.startswith(API + "/"):
            return await self._api(request, path.removeprefix(API))
        if path.startswith("/attachments/"):
            return self._file(path)
        if request.headers.get("host", "").rsplit(":", 1)[0] not in _HOSTS:
            return _json(403, {"error": "this fake answers on loopback alone"})
        if path.startswith("/_test/"):
            return await self._control.respond(request, path.removeprefix("/_test/"))
        return await self._page.respond(request, path)

    def _file(self, path: str) -> Response:
        parts = path.split("/")
        file = self._discord.files.get(int(parts[3])) if len(parts) == 5 and parts[3].isdigit() else None  # noqa: PLR2004 - its address
        if file is None:
            return Response("This content is no longer available.", status_code=404, media_type="text/plain")
        kind, _ = mimetypes.guess_type(file.filename)
        return Response(file.content, media_type=kind or "application/octet-stream")

    # ------------------------------------------------------------------ the API

    async def _api(self, request: HttpRequest, path: str) -> Response:
        route, params = _match(request.method, path)
        name = route.name if route else f"{request.method} {path}"
        headers: dict[str, str] = {}
        loses_answer = False
        try:
            if route is None:
                raise _lacking(request.method, path)
            headers = self._admit(request, route, params)
            loses_answer = await self._strike(route)
            payload, files = await read_payload(request)
            call = Call(
                discord=self._discord, params=params, query=dict(request.query_params), payload=payload, files=files
            )
            answer = await route.handler(call)
        except Refusal as refused:
            headers = {**headers, **refused.headers}
            answer = Answer(status=refused.status, body=refused.body)
        self._note(name, path, answer.status)
        if loses_answer:
            raise _AnswerLost
        return _json(answer.status, answer.body, headers)

    def _admit(self, request: HttpRequest, route: Route, params: dict[str, str]) -> dict[str, str]:
        """Return the headers of the answer, if the request has the right token and there were not too many."""
        if not route.is_open:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bot {self._discord.token}".encode()):
                raise refusal("unauthorized")
            if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
                raise refusal("user agent")
        if not route.is_limited:
            return {}
        place = ":".join(params[name] for name in _PLACES if name in params)
        return self._discord.limits.take(route.name, place, counts_overall=not route.is_open)

    async def _strike(self, route: Route) -> bool:
        """Let faults strike; return whether the answer is to get lost."""
        blow = self._discord.faults.take(route.name)
        if blow.slow:
            await asyncio.sleep(blow.slow)
        if blow.status == 429:  # noqa: PLR2004 - HTTP's numbers
            raise too_many(_SHARED_WAIT, "shared", {})
        if blow.status is not None:
            raise Refusal(blow.status, 0, f"{blow.status}: a fault that was asked for")
        return blow.loses_answer

    def _note(self, name: str, path: str, status: int) -> None:
        discord = self._discord
        discord.log.routes[name] += 1
        discord.log.statuses[status] += 1
        discord.log.entries.append(
            Request(seconds=discord.seconds(), at=discord.clock.now(), route=name, path=path, status=status)
        )


def _lacking(method: str, path: str) -> Refusal:
    return Refusal(501, 0, f"the fake Discord has no route {method} {path}")


def _match(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    for route, pattern in _PATTERNS:
        match = pattern.match(path) if route.method == method else None
        if match is not None:
            return route, match.groupdict()
    return None, {}


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    if body is None:
        return Response(status_code=status, headers=headers)
    # clients compare the type with these very letters
    return Response(json.dumps(body), status_code=status, headers=headers, media_type="application/json")

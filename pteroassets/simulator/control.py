"""The handle on a simulation in a process of its own: its clock, its faults, its truth and what was asked of it."""

from __future__ import annotations

import asyncio
import hmac
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pteroassets.clock import SystemClock
from pteroassets.simulator.panel.server import Receive, Scope, Send

if TYPE_CHECKING:
    from pteroassets.simulator.serve import Simulation


class ControlClock:
    """A clock that follows this machine, or stands where it was put."""

    def __init__(self, now: datetime | None = None) -> None:
        self._wall = SystemClock()
        self._now = now
        self._lock = threading.Lock()
        self.followers: list[Callable[[datetime | None], object]] = []
        """Told each time that this clock is put."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        with self._lock:
            return self._wall.now() if self._now is None else self._now

    def sleep(self, seconds: float) -> None:
        """Block for *seconds* of this machine; the simulation itself never sleeps on its clock."""
        self._wall.sleep(seconds)

    def put(self, now: datetime | None) -> None:
        """Stop at *now*, or follow this machine again (None)."""
        with self._lock:
            self._now = None if now is None else now.astimezone(UTC)
        for follower in self.followers:
            follower(now)


class Control:
    """An ASGI application on its own port of loopback; every request needs the bearer token of the state file.

    Routes: ``POST /clock {"now": ISO | "wall"}``, ``GET /truth?at=ISO``, ``POST /faults`` (see `Faults.apply_json`),
    ``GET /requests`` (counts by route; ``?entries=1`` for each request), ``DELETE /requests``, ``GET /state``.
    """

    def __init__(self, simulation: Simulation, clock: ControlClock, token: str) -> None:
        self._simulation = simulation
        self._clock = clock
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)  # type: ignore[arg-type]  # the same shapes, named otherwise

    async def _answer(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return JSONResponse({"error": "the control token is missing or wrong"}, status_code=401)
        match (request.method, request.url.path):
            case ("POST", "/clock"):
                return self._put_clock(await request.json())
            case ("GET", "/truth"):
                text = request.query_params.get("at")
                at = datetime.fromisoformat(text) if text else self._clock.now()
                return JSONResponse(self._simulation.truth.to_json(at))
            case ("POST", "/faults"):
                return await self._change_faults(await request.json())
            case ("GET", "/requests"):
                return self._requests(with_entries="entries" in request.query_params)
            case ("DELETE", "/requests"):
                self._simulation.requests.clear()
                return JSONResponse({"requests": 0})
            case ("GET", "/state"):
                return JSONResponse(
                    {"now": self._clock.now().isoformat(), "log_timezones": self._simulation.log_timezones}
                )
            case _:
                return JSONResponse({"error": "no such route"}, status_code=404)

    def _put_clock(self, wanted: dict[str, Any]) -> Response:
        now = wanted.get("now")
        if not isinstance(now, str):
            return JSONResponse({"error": 'expected {"now": ISO time or "wall"}'}, status_code=422)
        if now == "wall":
            self._clock.put(None)
            return JSONResponse({"now": self._clock.now().isoformat()})
        try:
            instant = datetime.fromisoformat(now)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        if instant.tzinfo is None:
            return JSONResponse({"error": "the instant needs an offset"}, status_code=422)
        self._clock.put(instant)
        return JSONResponse({"now": self._clock.now().isoformat()})

    async def _change_faults(self, wanted: dict[str, Any]) -> Response:
        # closing a door waits for the loop that runs this very function, so it may not run on it
        await asyncio.to_thread(self._simulation.faults.apply_json, wanted)
        return JSONResponse({"applied": sorted(wanted)})

    def _requests(self, *, with_entries: bool) -> Response:
        log = self._simulation.requests
        answer: dict[str, Any] = {"total": len(log), "counts": log.counts}
        if with_entries:
            answer["entries"] = [entry._asdict() for entry in log.entries]
        return Response(json.dumps(answer), media_type="application/json")

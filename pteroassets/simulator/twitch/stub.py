"""What the stub remembers and answers: tokens that expire, streams, users, clips by pages, and a rate limit."""

from __future__ import annotations

import io
import json
import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pteroassets.clock import Clock

CLIENT_ID: Final = "simulatedtwitchclient0000000001"
TOKEN_LIVES: Final = timedelta(days=60)
_MINUTE: Final = timedelta(minutes=1)
_WEEK: Final = timedelta(days=7)
_MOST: Final = 100
_PREVIEW: Final = re.compile(r"^/previews/(\w+)-(\d{1,4})x(\d{1,4})\.jpg$")


class Refused(Exception):  # noqa: N818 - an answer rather than an error of ours
    """An answer that is not a success."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def _helix(status: int, error: str, message: str) -> Refused:
    return Refused(status, {"error": error, "status": status, "message": message})


@dataclass(slots=True, kw_only=True)
class Twitch:
    """The state of the stub.

    Attributes:
        clock: Dates streams and lets tokens expire.
        limit: Requests of Helix a minute.
        token_lives: How long a token is valid.
        refused_with: Statuses of the next requests of Helix, in the place of their answers.
        requests: Counts by path.
    """

    clock: Clock
    limit: int = 800
    token_lives: timedelta = TOKEN_LIVES
    base_url: str = ""
    client_secret: str = field(default_factory=lambda: secrets.token_hex(15))
    tokens: dict[str, datetime] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    clips: list[dict[str, Any]] = field(default_factory=list)
    refused_with: list[int] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    _asked: list[datetime] = field(default_factory=list)
    _made: int = 0

    # ------------------------------------------------------------------ what happens on Twitch

    def _number(self) -> str:
        self._made += 1
        return str(40_000_000_000 + self._made)

    def add_user(self, login: str) -> dict[str, Any]:
        """Let somebody have an account."""
        return self.users.setdefault(
            login,
            {
                "id": self._number(),
                "login": login,
                "display_name": login.capitalize(),
                "type": "",
                "broadcaster_type": "",
                "description": "",
                "profile_image_url": "",
                "offline_image_url": "",
                "view_count": 0,
                "created_at": "2020-01-01T00:00:00Z",
            },
        )

    def go_live(self, login: str, title: str = "A game", category: str = "Minecraft") -> dict[str, Any]:
        """Begin a stream."""
        user = self.add_user(login)
        self.streams[login] = {
            "id": self._number(),
            "user_id": user["id"],
            "user_login": login,
            "user_name": user["display_name"],
            "game_id": "27471",
            "game_name": category,
            "type": "live",
            "title": title,
            "tags": [],
            "tag_ids": [],
            "viewer_count": 12,
            "started_at": _stamp(self.clock.now()),
            "language": "en",
            "thumbnail_url": f"{self.base_url}/previews/{login}-{{width}}x{{height}}.jpg",
            "is_mature": False,
        }
        return self.streams[login]

    def end(self, login: str) -> None:
        """End a stream."""
        del self.streams[login]

    def add_clip(self, login: str, title: str, created_at: datetime | None = None) -> dict[str, Any]:
        """Let a viewer make a clip; one with a time in the past shows up late."""
        user = self.add_user(login)
        slug = f"Clip{self._number()}"
        clip = {
            "id": slug,
            "url": f"https://clips.twitch.tv/{slug}",
            "embed_url": f"https://clips.twitch.tv/embed?clip={slug}",
            "broadcaster_id": user["id"],
            "broadcaster_name": user["display_name"],
            "creator_id": "1",
            "creator_name": "A viewer",
            "video_id": "",
            "game_id": "27471",
            "language": "en",
            "title": title,
            "view_count": 1,
            "created_at": _stamp(created_at or self.clock.now()),
            "thumbnail_url": f"{self.base_url}/previews/{login}-480x272.jpg",
            "duration": 30.0,
            "vod_offset": None,
            "is_featured": False,
        }
        self.clips.append(clip)
        return clip

    def expire_tokens(self) -> None:
        """Let every token be void from now on, as after a change of the secret."""
        self.tokens.clear()

    # ------------------------------------------------------------------ answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.requests[f"{request.method} {request.url.path}"] += 1
        headers: dict[str, str] = {}
        try:
            preview = _PREVIEW.match(request.url.path)
            if preview is not None:
                response = _picture(int(preview[2]), int(preview[3]))
            else:
                if request.url.path.startswith("/helix/"):
                    headers = self._count()
                body = await self._answer(request)
                response = Response(json.dumps(body), headers=headers, media_type="application/json")
        except Refused as refused:
            response = Response(json.dumps(refused.body), status_code=refused.status, headers=headers)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Any:
        match (request.method, request.url.path):
            case ("POST", "/oauth2/token"):
                form = parse_qs((await request.body()).decode())
                return self._token({name: values[0] for name, values in form.items()})
            case ("GET", "/oauth2/validate"):
                return self._validate(request.headers.get("authorization", ""))
            case ("GET", "/helix/streams"):
                self._admit(request)
                logins = self._logins(request, "user_login")
                found = [one for login, one in self.streams.items() if not logins or login in logins]
                return self._page(request, sorted(found, key=lambda one: -one["viewer_count"]))
            case ("GET", "/helix/users"):
                self._admit(request)
                logins = self._logins(request, "login")
                return {"data": [one for login, one in self.users.items() if login in logins]}
            case ("GET", "/helix/clips"):
                self._admit(request)
                return self._page(request, self._clips(request))
            case (method, path):
                raise _helix(501, "Not Implemented", f"the stub of Twitch has no route {method} {path}")

    def _token(self, form: dict[str, str]) -> dict[str, Any]:
        if form.get("client_id") != CLIENT_ID:
            raise Refused(400, {"status": 400, "message": "invalid client"})
        if form.get("client_secret") != self.client_secret:
            raise Refused(403, {"status": 403, "message": "invalid client secret"})
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, {"status": 400, "message": "invalid grant type"})
        token = secrets.token_hex(15)
        self.tokens[token] = self.clock.now() + self.token_lives
        return {"access_token": token, "expires_in": int(self.token_lives.total_seconds()), "token_type": "bearer"}

    def _validate(self, given: str) -> dict[str, Any]:
        ends = self.tokens.get(given.removeprefix("OAuth "))
        if not given.startswith("OAuth ") or ends is None or ends <= self.clock.now():
            raise Refused(401, {"status": 401, "message": "invalid access token"})
        left = int((ends - self.clock.now()).total_seconds())
        return {"client_id": CLIENT_ID, "scopes": [], "expires_in": left}

    def _admit(self, request: Request) -> None:
        ends = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if ends is None or ends <= self.clock.now():
            raise _helix(401, "Unauthorized", "Invalid OAuth token")
        if request.headers.get("client-id") != CLIENT_ID:
            raise _helix(401, "Unauthorized", "Client ID and OAuth token do not match")
        if self.refused_with:
            status = self.refused_with.pop(0)
            raise _helix(status, "Refused", "a fault that was asked for")

    def _count(self) -> dict[str, str]:
        """Count a request of Helix; return its headers."""
        now = self.clock.now()
        self._asked = [one for one in self._asked if now - one < _MINUTE]
        resets = (self._asked[0] if self._asked else now) + _MINUTE
        headers = {
            "Ratelimit-Limit": str(self.limit),
            "Ratelimit-Remaining": str(max(0, self.limit - len(self._asked) - 1)),
            "Ratelimit-Reset": str(int(resets.timestamp()) + 1),
        }
        if len(self._asked) >= self.limit:
            self.refused_with.insert(0, 429)
        self._asked.append(now)
        return headers

    def _logins(self, request: Request, name: str) -> set[str]:
        logins = set(request.query_params.getlist(name))
        if len(logins) > _MOST:
            raise _helix(400, "Bad Request", f'The parameter "{name}" was given more than 100 times')
        return {login.lower() for login in logins}

    def _clips(self, request: Request) -> list[dict[str, Any]]:
        query = request.query_params
        if "broadcaster_id" not in query:
            raise _helix(400, "Bad Request", 'Missing required parameter "broadcaster_id"')
        begin = _instant(query.get("started_at"), datetime.min.replace(tzinfo=UTC))
        # without an end Twitch takes the week that begins there
        end = _instant(query.get("ended_at"), begin + _WEEK if "started_at" in query else self.clock.now())
        found = [
            one
            for one in self.clips
            if one["broadcaster_id"] == query["broadcaster_id"] and begin <= _instant(one["created_at"], begin) <= end
        ]
        return sorted(found, key=lambda one: (-one["view_count"], one["id"]))

    def _page(self, request: Request, found: list[dict[str, Any]]) -> dict[str, Any]:
        first = int(request.query_params.get("first", "20"))
        if not 1 <= first <= _MOST:
            raise _helix(400, "Bad Request", 'The parameter "first" was malformed: the value must be at most 100')
        after = request.query_params.get("after", "")
        start = int(after.removeprefix("cursor")) if after else 0
        more = {"cursor": f"cursor{start + first}"} if start + first < len(found) else {}
        return {"data": found[start : start + first], "pagination": more}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str | None, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else otherwise


def _picture(width: int, height: int) -> Response:
    """Return a preview in a plain colour, as a JPEG."""
    file = io.BytesIO()
    Image.new("RGB", (max(1, width), max(1, height)), (100, 65, 165)).save(file, "JPEG")
    return Response(file.getvalue(), media_type="image/jpeg")

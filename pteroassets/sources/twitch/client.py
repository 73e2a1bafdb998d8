"""Asks Twitch as an application: a token by client credentials, renewed in time and validated each hour.

Twitch demands the hourly validation of whoever keeps a token (its documentation of ``/oauth2/validate``), and may take
a token back at any time; a request that is refused with 401 is repeated once with a new token.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import requests
from PIL import Image, UnidentifiedImageError

from pteroassets.clock import Clock
from pteroassets.sources.twitch.records import Clip, Stream, TwitchUser

API: Final = "https://api.twitch.tv"
IDENTITY: Final = "https://id.twitch.tv"
VALIDATED_EVERY: Final = timedelta(hours=1)
_RENEWED_BEFORE: Final = timedelta(hours=2)
_TIMEOUT: Final = (3.0, 10.0)
_MOST: Final = 100
_MOST_PAGES: Final = 50
_LONGEST_WAIT: Final = 120.0
_PICTURE_BYTES: Final = 4 << 20
"""Of a preview; 854 by 480 has some 60 KB."""


class TwitchError(Exception):
    """Twitch did not answer as it should; the text says what to do and holds neither secret nor token.

    *wait_seconds* is how long Twitch asks us to wait.
    """

    def __init__(self, text: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.wait_seconds = wait_seconds


class TwitchClient:
    """One application's access to Twitch; keeps its token in memory alone.

    Args:
        client_id: Of the application.
        client_secret: The same.
        clock: Says when a token ends and when it is validated again.
        api: Address of Helix.
        identity: Address that gives and validates tokens.
    """

    def __init__(
        self, client_id: str, client_secret: str, *, clock: Clock, api: str = API, identity: str = IDENTITY
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._api = api.rstrip("/")
        self._identity = identity.rstrip("/")
        self._session = requests.Session()
        self._token: str | None = None
        self._ends_at: datetime | None = None
        self._validated_at: datetime | None = None
        self.requests = 0
        """Requests made so far, those for tokens too."""

    # ------------------------------------------------------------------ lists

    def users(self, logins: Sequence[str]) -> list[TwitchUser]:
        """Return the accounts of *logins*; a login that nobody has is left out."""
        parts = [logins[at : at + _MOST] for at in range(0, len(logins), _MOST)]
        return [
            TwitchUser.of(record)
            for part in parts
            for record in self._get("/helix/users", [("login", login) for login in part])["data"]
        ]

    def streams(self, logins: Sequence[str]) -> list[Stream]:
        """Return the streams of *logins* that are live now."""
        parts = [logins[at : at + _MOST] for at in range(0, len(logins), _MOST)]
        found = [
            Stream.of(record)
            for part in parts
            for record in self._pages("/helix/streams", [("user_login", login) for login in part])
        ]
        # a page is cut from a list that moves, so one may come twice
        return list({one.stream_id: one for one in found}.values())

    def clips(self, user_id: str, since: datetime) -> list[Clip]:
        """Return the clips of a streamer's streams that were made after *since*, each once.

        Twitch takes seven days from there when no end is given, so *since* may be a week ago at most.
        """
        query = [("broadcaster_id", user_id), ("started_at", since.strftime("%Y-%m-%dT%H:%M:%SZ"))]
        return list({one.clip_id: one for one in map(Clip.of, self._pages("/helix/clips", query))}.values())

    def picture(self, template: str, *, width: int = 854, height: int = 480) -> bytes:
        """Return a preview as PNG.

        Args:
            template: Its address, with ``{width}`` and ``{height}``.
            width: In pixels.
            height: The same.

        Raises:
            TwitchError: There is none, or it is no picture.
        """
        url = template.replace("{width}", str(width)).replace("{height}", str(height))
        self.requests += 1
        try:
            answer = self._session.get(url, timeout=_TIMEOUT)
            answer.raise_for_status()
            file = io.BytesIO()
            if len(answer.content) > _PICTURE_BYTES:
                raise TwitchError("the preview of a stream is too large")
            Image.open(io.BytesIO(answer.content)).convert("RGB").save(file, "PNG", optimize=True)
        except (requests.RequestException, UnidentifiedImageError, OSError) as error:
            raise TwitchError(f"no preview of a stream ({type(error).__name__})") from None
        return file.getvalue()

    # ------------------------------------------------------------------ requests

    def _pages(self, path: str, query: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            more = [("first", str(_MOST)), *([("after", cursor)] if cursor else [])]
            body = self._get(path, [*query, *more])
            yield from body["data"]
            cursor = body.get("pagination", {}).get("cursor")
            if not cursor:
                return
        raise TwitchError(f"{path} has more than {_MOST_PAGES} pages")

    def _get(self, path: str, query: list[tuple[str, str]]) -> dict[str, Any]:
        for may_repeat in (True, False):
            headers = {"Authorization": f"Bearer {self._valid_token()}", "Client-Id": self._client_id}
            answer = self._send("GET", f"{self._api}{path}", params=query, headers=headers)
            if answer.status_code == requests.codes.unauthorized and may_repeat:
                self._token = None
                continue
            return self._body(answer, path)
        raise AssertionError("a loop of two ends within it")

    def _valid_token(self) -> str:
        now = self._clock.now()
        if self._token is None or self._ends_at is None or self._ends_at - now < _RENEWED_BEFORE:
            return self._renew(now)
        if self._validated_at is None or now - self._validated_at >= VALIDATED_EVERY:
            headers = {"Authorization": f"OAuth {self._token}"}
            answer = self._send("GET", f"{self._identity}/oauth2/validate", headers=headers)
            if answer.status_code == requests.codes.unauthorized:
                return self._renew(now)
            self._ends_at = now + timedelta(seconds=int(self._body(answer, "/oauth2/validate")["expires_in"]))
            self._validated_at = now
        return self._token

    def _renew(self, now: datetime) -> str:
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "grant_type": "client_credentials",
        }
        answer = self._send("POST", f"{self._identity}/oauth2/token", data=form)
        if answer.status_code in {requests.codes.bad_request, requests.codes.forbidden}:
            raise TwitchError(
                "Twitch refuses the application: set PTEROASSETS_TWITCH_CLIENT_ID and PTEROASSETS_TWITCH_CLIENT_SECRET "
                "to those that its developer console shows"
            )
        body = self._body(answer, "/oauth2/token")
        self._token = str(body["access_token"])
        self._ends_at = now + timedelta(seconds=int(body["expires_in"]))
        self._validated_at = now
        return self._token

    def _send(self, method: str, url: str, **more: Any) -> requests.Response:
        self.requests += 1
        try:
            return self._session.request(method, url, timeout=_TIMEOUT, **more)
        except requests.RequestException as error:
            # not chained: the text of the exception may show the request
            raise TwitchError(f"no answer of Twitch ({type(error).__name__}): try again later") from None

    def _body(self, answer: requests.Response, path: str) -> dict[str, Any]:
        if answer.status_code == requests.codes.too_many:
            resets = float(answer.headers.get("Ratelimit-Reset", "0"))
            wait = min(max(0.0, resets - self._clock.now().timestamp()), _LONGEST_WAIT)
            raise TwitchError("Twitch's limit of requests is reached: fewer streamers, or wait", wait_seconds=wait)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not answer.ok or not isinstance(body, dict):
            said = body.get("message", "") if isinstance(body, dict) else ""
            raise TwitchError(f"{path} answered {answer.status_code} {said}".rstrip())
        return body

"""Discord's REST API for the delivery: messages of a bot, and those of webhooks.

Calls are made with the HTTP library itself. The clients of discord.py sleep inside a call until a rate limit allows
it and repeat refusals there; the delivery has one thread for all channels, counts each attempt and keeps what is to be
tried later in Postgres (decision 0037).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from pteroassets.alarms.discord_rates import Call, DiscordRates
from pteroassets.alarms.parts import digest_of
from pteroassets.alarms.redaction import unlogged
from pteroassets.alarms.ways import DeferredError, MissingError, NotYetError, Part, Posted, RefusedError
from pteroassets.clock import Clock
from pteroassets.sources.pterodactyl.transport import PlainSession, reason_of

#: Discord's own address; another one is for tests and demos, on this machine.
DISCORD: Final = "https://discord.com"
_API = "/api/v10"
# as Discord demands: https://discord.com/developers/docs/reference#user-agent
_USER_AGENT = "DiscordBot (https://github.com/pteroassets/pteroassets, 0.1)"
_TIMEOUT = (3.0, 10.0)
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)  # of Discord's ids
_PAGE = 100
_PAGES = 5
_UNKNOWN_CHANNEL, _UNKNOWN_MESSAGE, _UNKNOWN_WEBHOOK = 10_003, 10_008, 10_015
_TOKEN_WAIT_SECONDS = 300.0  # ten thousand refusals in ten minutes would have Discord block this address
_LONGEST_WAIT_SECONDS = 3_600.0
_REMEDIES = {
    _UNKNOWN_CHANNEL: "the channel is gone, or its id is wrong",
    _UNKNOWN_WEBHOOK: "the webhook was deleted: make another one and set PTEROASSETS_DISCORD_WEBHOOKS",
    50_001: "invite the bot to the guild, and let it see the channel",
    50_013: "let the bot view the channel, send messages, embed links, attach files and read the history",
    50_027: "the webhook's token is not valid: copy its URL again into PTEROASSETS_DISCORD_WEBHOOKS",
}
_WEBHOOK_URL = re.compile(r"/webhooks/(?P<id>\d+)/(?P<token>[\w-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    body: Any


class _Discord:
    """Makes calls within the announced limits and sorts what can come of them."""

    def __init__(self, base: str, *, headers: Mapping[str, str], clock: Clock, hidden: str) -> None:
        self._base = base
        self._clock = clock
        self._hidden = hidden
        self._rates = DiscordRates()
        self._session = PlainSession(HTTPAdapter(max_retries=0), user_agent=_USER_AGENT)
        self._session.headers.update(headers)
        self.status: int | None = None

    def close(self) -> None:
        self._session.close()

    def call(
        self, method: str, path: str, call: Call, *, part: Part | None = None, query: Mapping[str, Any] | None = None,
        nonce: str | None = None,
    ) -> _Answer:  # fmt: skip
        """Make one call.

        Raises:
            NotYetError: It was not made, since a limit forbids it.
            DeferredError: No answer, 429, 5xx, or a token that is not accepted.
            MissingError: 404 for a message.
            RefusedError: Any other 4xx.
        """
        now = self._clock.now()
        self.status = None
        until = self._rates.closed_until(call, now)
        if until is not None:
            raise NotYetError(until)
        self._rates.note_call(call, now)
        with self._answered(method):
            answer = self._session.request(
                method, f"{self._base}{path}", params=query, timeout=_TIMEOUT, **_sent(part, nonce)
            )
        now = self._clock.now()
        self.status = answer.status_code
        self._rates.note_answer(call, answer.headers, now)
        body = _json(answer)
        if answer.ok and not answer.is_redirect:
            return _Answer(status=answer.status_code, body=body)
        raise self._failure(call, method, answer, body if isinstance(body, dict) else {})

    @contextmanager
    def _answered(self, method: str) -> Iterator[None]:
        """Turn failures of the connection into ours, without the address, which may hold a token."""
        try:
            with unlogged(self._hidden):
                yield
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            never_sent = isinstance(error, requests.exceptions.ConnectTimeout) or "NewConnectionError" in repr(error)
            raise DeferredError(
                f"no answer from Discord ({reason_of(error)})", doubtful=method == "POST" and not never_sent
            ) from None

    def _failure(self, call: Call, method: str, answer: requests.Response, body: Mapping[str, Any]) -> Exception:
        status, code = answer.status_code, body.get("code") or 0
        said = f"Discord answered {status}{f' ({code}: {_short(body)})' if code else ''}"
        if status == requests.codes.too_many_requests:
            is_global = answer.headers.get("X-RateLimit-Scope") == "global" or body.get("global") is True
            seconds = _seconds(body.get("retry_after"), answer.headers.get("Retry-After"))
            self._rates.note_refusal(call, seconds=seconds, is_global=is_global, now=self._clock.now())
            return DeferredError(
                f"{said}: its rate limit is used up", status=status, wait_seconds=seconds, whole_way=is_global
            )
        if status >= requests.codes.internal_server_error:
            return DeferredError(said, status=status, doubtful=method == "POST")
        if status == requests.codes.unauthorized:
            return DeferredError(
                f"{said}: Discord does not accept the token", status=status, wait_seconds=_TOKEN_WAIT_SECONDS,
                whole_way=True,
            )  # fmt: skip
        if code == _UNKNOWN_MESSAGE:
            return MissingError(said, status=status)
        if status in (requests.codes.forbidden, requests.codes.not_found):
            remedy = _REMEDIES.get(code, "look at the permissions of the bot in the channel")
            return RefusedError(f"{said}: {remedy}", status=status, of="target")
        return RefusedError(f"{said}{_fields(body.get('errors'))}", status=status, of="message")


class _OverDiscord:
    """What both ways to Discord have in common."""

    _discord: _Discord

    @property
    def status(self) -> int | None:
        """Return the HTTP status of the last call, or None if it had no answer."""
        return self._discord.status

    def close(self) -> None:
        """Close the connections."""
        self._discord.close()


class DiscordBot(_OverDiscord):
    """Messages of the bot, in the channels ``discord:<id>``."""

    can_look = True

    def __init__(self, token: str, *, clock: Clock, base: str = DISCORD) -> None:
        headers = {"Authorization": f"Bot {token}"}
        self._discord = _Discord(f"{base.rstrip('/')}{_API}", headers=headers, clock=clock, hidden="")
        self._own_id: str | None = None
        self.address = base

    def introduce(self) -> str:
        """Return the name under which Discord knows the bot.

        Raises:
            DeliveryError: It does not answer, or does not accept the token.
        """
        me = self._discord.call("GET", "/users/@me", Call(template="GET me", major="")).body
        return str(me["username"])

    def post(self, target: str, part: Part, *, nonce: str) -> Posted:
        """Send a new message; one that was sent under the same *nonce* a moment ago is returned instead."""
        channel = _name(target)
        call = Call(template="POST messages", major=channel)
        body = self._discord.call("POST", f"/channels/{channel}/messages", call, part=part, nonce=nonce).body
        return Posted(message_id=_id_of(body), digest=digest_of(body))

    def edit(self, target: str, message_id: str, part: Part) -> None:
        """Make a message say what *part* says; its pictures are replaced."""
        channel = _name(target)
        call = Call(template="PATCH message", major=channel)
        self._discord.call("PATCH", f"/channels/{channel}/messages/{message_id}", call, part=part)

    def delete(self, target: str, message_id: str) -> None:
        """Delete a message."""
        channel = _name(target)
        call = Call(template="DELETE message", major=channel)
        self._discord.call("DELETE", f"/channels/{channel}/messages/{message_id}", call)

    def look(self, target: str, *, since: datetime) -> Sequence[Posted]:
        """Return the bot's messages in the channel since then, oldest first: of the next 500 of everybody."""
        if self._own_id is None:
            me = self._discord.call("GET", "/users/@me", Call(template="GET me", major="")).body
            self._own_id = _id_of(me)
        channel = _name(target)
        after = int((since - _EPOCH).total_seconds() * 1_000) << 22
        found: list[Mapping[str, Any]] = []
        for _ in range(_PAGES):
            page = self._discord.call(
                "GET", f"/channels/{channel}/messages", Call(template="GET messages", major=channel),
                query={"after": after, "limit": _PAGE},
            ).body  # fmt: skip
            found += page
            if len(page) < _PAGE:
                break
            after = max(int(one["id"]) for one in page)
        return [
            Posted(message_id=str(one["id"]), digest=digest_of(one))
            for one in sorted(found, key=lambda one: int(one["id"]))
            if str(one["author"]["id"]) == self._own_id
        ]


class DiscordWebhook(_OverDiscord):
    """Messages of one webhook. It cannot list what it sent, so a message that may have arrived is sent again."""

    can_look = False

    def __init__(self, url: str, *, clock: Clock) -> None:
        found = _WEBHOOK_URL.search(url)
        if found is None:
            raise ValueError("it is not the URL of a webhook of Discord's, which ends in /webhooks/<id>/<token>")
        self._id, self._path = found["id"], found[0]
        self._discord = _Discord(url[: found.start()], headers={}, clock=clock, hidden=url)

    def introduce(self) -> str:
        """Return the webhook's name.

        Raises:
            DeliveryError: Discord does not answer, or does not know the webhook.
        """
        found = self._discord.call("GET", self._path, Call(template="GET webhook", major=self._id)).body
        return str(found["name"])

    def post(self, target: str, part: Part, *, nonce: str) -> Posted:  # noqa: ARG002 - a webhook knows no nonces
        """Send a new message."""
        call = Call(template="POST webhook", major=self._id)
        body = self._discord.call("POST", self._path, call, part=part, query={"wait": "true"}).body
        return Posted(message_id=_id_of(body), digest=part.digest)

    def edit(self, target: str, message_id: str, part: Part) -> None:  # noqa: ARG002 - there is but one target
        """Make a message say what *part* says; its pictures are replaced."""
        call = Call(template="PATCH webhook message", major=self._id)
        self._discord.call("PATCH", f"{self._path}/messages/{message_id}", call, part=part)

    def delete(self, target: str, message_id: str) -> None:  # noqa: ARG002 - there is but one target
        """Delete a message."""
        call = Call(template="DELETE webhook message", major=self._id)
        self._discord.call("DELETE", f"{self._path}/messages/{message_id}", call)

    def look(self, target: str, *, since: datetime) -> Sequence[Posted]:
        """Refuse: a webhook lists nothing."""
        raise NotImplementedError(f"a webhook cannot list the messages at {target} since {since}")


def _id_of(body: Any) -> str:
    if not isinstance(body, dict) or "id" not in body:
        raise DeferredError("what Discord answered has no id", doubtful=True)
    return str(body["id"])


def _name(target: str) -> str:
    return target.partition(":")[2]


def _sent(part: Part | None, nonce: str | None) -> dict[str, Any]:
    """Return the body of a call, with files where the part has any."""
    if part is None:
        return {}
    payload = dict(part.payload)
    if nonce is not None:
        payload |= {"nonce": nonce, "enforce_nonce": True}
    encoded = msgspec.json.encode(payload)
    if not part.files:
        return {"data": encoded, "headers": {"Content-Type": "application/json"}}
    files: dict[str, tuple[str | None, bytes, str]] = {"payload_json": (None, encoded, "application/json")}
    for number, (name, png) in enumerate(part.files.items()):
        files[f"files[{number}]"] = (name, png, "image/png")
    return {"files": files}


def _json(answer: requests.Response) -> Any:
    try:
        return msgspec.json.decode(answer.content) if answer.content else None
    except msgspec.DecodeError:
        return None  # a page of a proxy; the status says enough


def _short(body: Mapping[str, Any]) -> str:
    return str(body.get("message", ""))[:200]


def _fields(errors: Any) -> str:
    """Return which fields Discord finds fault with, and why."""
    found: list[str] = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, Mapping):
            found.extend(f"{path}: {fault.get('message', '')}" for fault in node.get("_errors") or ())
            for name, inner in node.items():
                if name != "_errors":
                    walk(inner, f"{path}.{name}" if path else str(name))

    walk(errors, "")
    return f": {'; '.join(found)[:500]}" if found else ""


def _seconds(*given: Any) -> float:
    for one in given:
        try:
            return min(max(float(one), 0.0), _LONGEST_WAIT_SECONDS)
        except (TypeError, ValueError):
            continue
    return timedelta(seconds=5).total_seconds()

"""Asks sites of replays for documents, politely: one request at a time, with a pause, and only for what changed.

Nothing that a site does is an exception: each request has one outcome.

=============  ==============================================  =====================================
outcome        seen as                                         what to do
=============  ==============================================  =====================================
ok             200                                             read it
unchanged      304                                             nothing; it is as it was
not_found      404, 410                                        withdrawn, or not there yet
needs_login    401                                             ask who runs the site; never repeated
rate_limited   429                                             wait for *wait_seconds*
refused        other statuses, a way to another host           look at it
unavailable    408, 5xx, no answer                             try again later
not_json       HTML where JSON was asked for                   try again later, then look at it
truncated      fewer bytes than were promised                  try again
too_large      more bytes than are taken                       raise the limit
=============  ==============================================  =====================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Final, Literal
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError

from pteroassets.clock import Clock
from pteroassets.sources.arma3.unpacking import Limits, Unreadable, fingerprint, first_bytes
from pteroassets.sources.pterodactyl.transport import PlainSession

USER_AGENT: Final = f"pteroassets/{version('pteroassets')} (reads replays; polls slowly and only what changed)"
#: What came of asking a site for a document.
FetchOutcome = Literal[
    "ok",
    "unchanged",
    "not_found",
    "needs_login",
    "rate_limited",
    "refused",
    "unavailable",
    "not_json",
    "truncated",
    "too_large",
]
#: Outcomes after which asking again by itself may help.
PASSING: Final[frozenset[FetchOutcome]] = frozenset(
    {"not_found", "rate_limited", "unavailable", "not_json", "truncated"}
)
_TIMEOUT: Final = (5.0, 30.0)
_LONGEST: Final = timedelta(minutes=10)
_REDIRECTS: Final = 3
_BLOCK: Final = 1 << 18
_LONGEST_PAUSE: Final = 60.0
_LONGEST_WAIT: Final = 3600.0
_WITHOUT_A_WORD: Final = 60.0
_BY_STATUS: Final[dict[int, FetchOutcome]] = {
    HTTPStatus.OK: "ok",
    HTTPStatus.NOT_MODIFIED: "unchanged",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.GONE: "not_found",
    HTTPStatus.UNAUTHORIZED: "needs_login",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limited",
    HTTPStatus.REQUEST_TIMEOUT: "unavailable",
}
_WORDS: Final[dict[FetchOutcome, str]] = {
    "not_found": "the site does not have it (any more)",
    "needs_login": "the site wants a login: ask who runs it to make replays public, or leave it out",
    "rate_limited": "the site asks for fewer requests",
    "unavailable": "the site is not well",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a site said of a document when it was fetched last, by which it tells whether it changed."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer to one request.

    Attributes:
        url: The address that answered.
        outcome: What came of it.
        reason: Why it is not ok, in words.
        status: Of HTTP; None without an answer.
        content: Bytes as they were sent, packed where the site packed them.
        fingerprint: SHA-256 of the document without its packing, so that packing anew is no change.
        known: To be handed in with the next request.
        fetched_at: When.
        wait_seconds: How long the site asks us to wait.
    """

    url: str
    outcome: FetchOutcome
    reason: str | None = None
    status: int | None = None
    content: bytes | None = None
    fingerprint: str | None = None
    known: Known = Known()
    fetched_at: datetime
    wait_seconds: float = 0.0


class SiteClient:
    """One reader of sites; not for several threads, since it is polite.

    Args:
        clock: Paces requests.
        pause_seconds: Between two requests; it doubles with each failure in a row, up to a minute.
        largest_bytes: Of an answer, as it is sent.
        limits: Of a document, unpacked.
        contact: Where the site's owner may write to; part of the user agent.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        pause_seconds: float = 1.0,
        largest_bytes: int = 128 << 20,
        limits: Limits | None = None,
        contact: str | None = None,
    ) -> None:
        self._clock = clock
        self._pause = pause_seconds
        self._largest = largest_bytes
        self._limits = limits or Limits()
        agent = USER_AGENT if contact is None else USER_AGENT.replace(")", f"; {contact})")
        self._session = PlainSession(HTTPAdapter(max_retries=0), user_agent=agent)
        self._session.headers["Accept-Encoding"] = "gzip"
        self._asked_at: datetime | None = None
        self._failures = 0
        self._closed_until: dict[str, datetime] = {}
        self.requests = 0
        """Requests made so far."""

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get_first(self, urls: Sequence[str], *, known: Known | None = None) -> Fetched:
        """Return the first JSON that is found at one of *urls*, else the answer of the last."""
        found = [self.get(urls[0], known=known)]
        for url in urls[1:]:
            if found[-1].outcome not in {"not_found", "not_json"}:
                break
            found.append(self.get(url, known=known))
        return found[-1]

    def get(
        self, url: str, *, known: Known | None = None, wants_json: bool = True, accept: str | None = None
    ) -> Fetched:
        """Return a document, or why there is none.

        Args:
            url: Its address.
            known: What the site said of it last; where it did not change, it is not sent again.
            wants_json: Whether HTML in its place is a fault.
            accept: Type of the document, where it is neither JSON nor HTML.
        """
        host = urlsplit(url).netloc
        until = self._closed_until.get(host)
        if until is not None and (wait := (until - self._clock.now()).total_seconds()) > 0:
            return self._without(
                url, "rate_limited", f"the site asked for a pause, of which {wait:.0f} s are left", wait
            )
        headers = {"Accept": accept or ("application/json" if wants_json else "text/html")}
        if known is not None and known.etag is not None:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified is not None:
            headers["If-Modified-Since"] = known.last_modified
        for _ in range(_REDIRECTS):
            answer = self._ask(url, headers)
            if isinstance(answer, Fetched):
                fetched = answer
                break
            with answer:
                onward = answer.headers.get("Location") if answer.is_redirect else None
                if onward is None:
                    fetched = self._judge(url, answer, known)
                    break
                try:
                    following = urljoin(url, onward)
                    is_other = urlsplit(following).hostname != urlsplit(url).hostname
                except ValueError:  # such as an unclosed bracket
                    fetched = self._without(url, "refused", "the site sends us to what is no address")
                    break
                if is_other:
                    fetched = self._without(url, "refused", "the site sends us to another host")
                    break
                url = following
        else:
            fetched = self._without(url, "refused", "the site sends us on and on")
        if wants_json and fetched.content is not None:
            fetched = self._expect_json(fetched)
        self._failures = self._failures + 1 if fetched.outcome in {"unavailable", "rate_limited"} else 0
        if fetched.wait_seconds:
            self._closed_until[host] = self._clock.now() + timedelta(seconds=fetched.wait_seconds)
        return fetched

    def _ask(self, url: str, headers: dict[str, str]) -> requests.Response | Fetched:
        pause = min(self._pause * 2 ** min(self._failures, 10), max(_LONGEST_PAUSE, self._pause))
        if self._asked_at is not None:
            left = pause - (self._clock.now() - self._asked_at).total_seconds()
            if left > 0:
                self._clock.sleep(left)
        self._asked_at = self._clock.now()
        self.requests += 1
        try:
            return self._session.get(url, headers=headers, timeout=_TIMEOUT, stream=True)
        except requests.RequestException as error:
            return self._without(url, "unavailable", f"no answer ({type(error).__name__}): try again later")

    def _judge(self, url: str, answer: requests.Response, known: Known | None) -> Fetched:
        status = answer.status_code
        outcome = _BY_STATUS.get(status) or ("unavailable" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused")
        if outcome == "unchanged":
            return replace(self._without(url, outcome, None), status=status, known=known or Known())
        if outcome != "ok":
            words = _WORDS.get(outcome, "the site refuses")
            wait = self._wait(answer) if outcome in {"rate_limited", "unavailable"} else 0.0
            if outcome == "rate_limited":
                wait = wait or _WITHOUT_A_WORD
            return replace(self._without(url, outcome, f"{words} (status {status})", wait), status=status)
        if answer.headers.get("Content-Encoding", "identity").lower() not in {"gzip", "x-gzip", "identity", ""}:
            return replace(
                self._without(url, "refused", "the site packs in a way that was not asked for"), status=status
            )
        body = self._body(url, answer)
        if isinstance(body, Fetched):
            return replace(body, status=status)
        try:
            mark = fingerprint(body, self._limits)
        except Unreadable as unreadable:
            if unreadable.outcome == "too_large":
                return replace(self._without(url, "too_large", unreadable.reason), status=status)
            # damaged packing: the bytes are kept, and the parser says what is wrong
            mark = fingerprint(body, self._limits, unpacked=False)
        kept = Known(etag=answer.headers.get("ETag"), last_modified=answer.headers.get("Last-Modified"))
        return replace(self._without(url, "ok", None), status=status, content=body, fingerprint=mark, known=kept)

    def _body(self, url: str, answer: requests.Response) -> bytes | Fetched:
        large = f"it has more than {self._largest >> 20:,} MiB: raise the limit to take it"
        promised = answer.headers.get("Content-Length", "")
        if promised.isdecimal() and int(promised) > self._largest:
            return self._without(url, "too_large", large)
        began, body = self._clock.now(), bytearray()
        try:
            # as it was sent: a packed recording stays packed
            for block in answer.raw.stream(_BLOCK, decode_content=False):
                body += block
                if len(body) > self._largest:
                    return self._without(url, "too_large", large)
                if self._clock.now() - began > _LONGEST:
                    return self._without(url, "unavailable", "it came too slowly: try again later")
        except (IncompleteRead, ProtocolError) as error:
            is_cut = isinstance(error, IncompleteRead) or any(isinstance(one, IncompleteRead) for one in error.args)
            words = "it ended too early" if is_cut else "the connection broke"
            return self._without(url, "truncated", f"{words} after {len(body):,} bytes: try again")
        except (HTTPError, OSError) as error:
            return self._without(url, "unavailable", f"reading it failed ({type(error).__name__}): try again later")
        return bytes(body)

    def _expect_json(self, fetched: Fetched) -> Fetched:
        start = first_bytes(fetched.content or b"").lstrip()
        if start.startswith(b"<"):
            words = "it is a page of HTML where JSON was asked for: try again, then look at its address in a browser"
            return replace(fetched, outcome="not_json", reason=words)
        return fetched

    def _wait(self, answer: requests.Response) -> float:
        said = answer.headers.get("Retry-After", "").strip()
        if said.isdecimal():
            return min(float(said), _LONGEST_WAIT)
        try:
            wait = (parsedate_to_datetime(said) - self._clock.now()).total_seconds()
        except (ValueError, TypeError):
            return 0.0
        return min(max(wait, 0.0), _LONGEST_WAIT)

    def _without(self, url: str, outcome: FetchOutcome, reason: str | None, wait_seconds: float = 0.0) -> Fetched:
        return Fetched(url=url, outcome=outcome, reason=reason, fetched_at=self._clock.now(), wait_seconds=wait_seconds)

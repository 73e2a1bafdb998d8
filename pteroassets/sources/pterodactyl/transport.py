"""Send requests: pacing, counting, time-outs, retries and the sorting of failures.

pydactyl sets no time-out, repeats nothing on half of its objects and loses the status of some errors. So all this is
done here, below pydactyl, by an adapter of the HTTP library which every pydactyl object of a client shares.

We repeat requests without urllib3's ``Retry``: each attempt is counted in the budget, waits use the injected clock, and
urllib3 would log the address of each repeat.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from pteroassets.clock import Clock
from pteroassets.sources.pterodactyl.errors import (
    DAEMON_FAULT,
    NODE_ROUTE,
    NodeUnreachableError,
    PanelAddressError,
    PanelError,
    PanelTimeoutError,
    PanelUnreachableError,
    RateLimitedError,
    RequestRefusedError,
    ServerFaultError,
    judge,
    route,
    scrub,
)
from pteroassets.sources.pterodactyl.pacing import Api, RequestBudget

Timeout = tuple[float, float]

# attempts at a route that fails; while the panel is down as a whole there are more
_ATTEMPTS = 3
# the panel's window: the wait after a refusal without Retry-After and, with some room, the longest wait
_WINDOW_SECONDS = 60.0
_LONGEST_REFUSAL_SECONDS = 120.0
_CONNECTIONS = 64
# The panel gives a node 15 s for the figures of a server; a pass with a hanging node takes at most 20 s
_RESOURCES_SECONDS = 17.0
# Requested with the same key after a failure: any answer below 500 means it is up. It needs the database, and no
# permission that a key may lack without a clear answer.
_QUESTION = "/api/client/account"
_OUTAGES = (PanelUnreachableError, PanelTimeoutError, ServerFaultError)
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class RequestCounter:
    """Counts requests from many threads and keeps the last announced rest of the rate limit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made = 0
        self._remaining: int | None = None
        self.limits: dict[Api, int] = {}
        """Requests a minute that the panel announced last, for each API."""

    @property
    def made(self) -> int:
        """Return the requests sent so far, with repeats."""
        return self._made

    @property
    def remaining(self) -> int | None:
        """Return what is left of the rate limit by the panel's newest answer."""
        return self._remaining

    def count(self) -> None:
        """Count a request that is about to be sent."""
        with self._lock:
            self._made += 1

    def note_remaining(self, remaining: int | None) -> None:
        """Keep an answer's value, if it has one."""
        if remaining is not None:
            with self._lock:
                self._remaining = remaining


class Patience:
    """Gives the pauses between attempts, each twice the one before, until an outage has lasted too long.

    A restart takes seconds, an update or a database restart a minute: a pass that gave up at once would leave its
    tables old for an hour. All requests of a client share the wait, so it happens once and not for each list.

    Args:
        clock: Measures how long the outage has lasted.
        seconds: The longest wait.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._began_at: datetime | None = None

    def end(self) -> None:
        """Record that the panel answered: there is no outage, or it is over."""
        with self._lock:
            self._began_at = None

    def waited(self) -> float:
        """Return for how many seconds the outage has lasted."""
        with self._lock:
            return 0.0 if self._began_at is None else (self._clock.now() - self._began_at).total_seconds()

    def pause(self, attempt: int, *, asked: float | None = None) -> float | None:
        """Return the seconds to wait after a failed *attempt*, counted from 1; None if the wait is used up.

        Args:
            attempt: Number of the attempt at this request.
            asked: How long the panel asks to wait; a time longer than what is left is not begun.
        """
        now = self._clock.now()
        with self._lock:
            if self._began_at is None:
                self._began_at = now
            left = self._seconds - (now - self._began_at).total_seconds()
        wanted = min(_FIRST_PAUSE_SECONDS * 2 ** min(attempt - 1, 10), _LONGEST_PAUSE_SECONDS)
        if asked is not None:
            wanted = max(wanted, asked)
        return wanted if wanted <= left else None


class PlainSession(requests.Session):
    """A session that follows no redirect, keeps no cookie and reads no password from a ``.netrc``."""

    def __init__(self, adapter: HTTPAdapter, *, user_agent: str) -> None:
        super().__init__()
        self.headers["User-Agent"] = user_agent
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.auth = _keep_headers
        self._environment: dict[tuple[Any, ...], Any] = {}
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)
        _hide_queries_in_debug_logs()

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the library's signature
        """Return None: a redirect counts as an answer, and the key must not go elsewhere."""
        return None

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return the environment's proxies and CAs; no proxy can reach what listens on this machine alone.

        CAs that were set for this session go before the environment's, which the library prefers.
        """
        verify = self.verify if verify is None else verify
        place = urlsplit(url)
        asked = (place.scheme, place.netloc, *(proxies or {}).items(), stream, verify, cert)
        # the library reads all of the environment for each request, which costs as much as the rest of it
        if asked not in self._environment:
            self._environment[asked] = super().merge_environment_settings(url, proxies, stream, verify, cert)
            if place.hostname in _LOOPBACK:
                self._environment[asked]["proxies"] = {}
        return dict(self._environment[asked])


class PacedAdapter(HTTPAdapter):
    """Send each request within the budget, read the whole answer, and raise a `PanelError` for every failure.

    Args:
        budget: Asked before each attempt, given each answer.
        clock: Sleeps between attempts.
        counter: Counts each attempt.
        timeout: Seconds to connect, and between two bytes of an answer.
        patience_seconds: How long to wait for a panel that is down.
    """

    def __init__(
        self,
        *,
        budget: RequestBudget,
        clock: Clock,
        counter: RequestCounter,
        timeout: Timeout,
        patience_seconds: float,
    ) -> None:
        # max_retries=0 lets read errors through unchanged; pool_maxsize keeps a connection for each worker
        super().__init__(pool_connections=2, pool_maxsize=_CONNECTIONS, max_retries=0)
        self._budget = budget
        self._clock = clock
        self._counter = counter
        self._timeout = timeout
        self._patience = Patience(clock, patience_seconds)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - the library's signature
        timeout: Any = None,  # noqa: ARG002
        verify: Any = True,  # noqa: FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return an answer of status 200 to 299, its body read.

        Only GET leaves this process: pydactyl repeats a power signal that timed out, which could reach a customer's
        server twice.

        Raises:
            PanelError: Anything else.
        """
        if request.method != "GET":
            raise RequestRefusedError(
                f"{request.method} {urlsplit(request.url or '').path} was not sent: this platform only reads the panel"
            )
        attempt = 0
        while True:
            attempt += 1
            answer, asked = self._ask(request, verify, cert, proxies)
            if isinstance(answer, requests.Response):
                self._patience.end()
                # Callers decode bodies: pydactyl would also decode files, which players can write into,
                # and a line of a hundred thousand brackets would exceed Python's recursion limit
                answer.json = _decoded_elsewhere  # type: ignore[method-assign]
                return answer
            if isinstance(answer, RateLimitedError):
                if attempt == _ATTEMPTS or (asked is not None and asked > _LONGEST_REFUSAL_SECONDS):
                    raise answer
                continue  # the budget itself waits until a refusal is over
            attempts = _attempts_at(answer)
            if attempt >= attempts and not (attempts and self._is_panel_down(request, verify, cert, proxies)):
                raise answer
            pause = self._patience.pause(attempt, asked=asked)
            if pause is None:
                raise _with_wait(answer, self._patience.waited())
            self._clock.sleep(pause)

    def _ask(
        self, request: requests.PreparedRequest, verify: Any, cert: Any, proxies: Mapping[str, str] | None
    ) -> tuple[requests.Response | PanelError, float | None]:
        """Return the answer or the error, and how many seconds the panel asks to wait."""
        api: Api = "application" if "/api/application" in urlsplit(request.url or "").path else "client"
        self._budget.take(api)
        self._counter.count()
        answer = self._attempt(request, verify, cert, proxies)
        if isinstance(answer, PanelError):
            return answer, None
        asked = self._note_limits(api, answer)
        is_success = requests.codes.ok <= answer.status_code < requests.codes.multiple_choices
        return answer if is_success else judge(answer), asked

    def _is_panel_down(
        self, request: requests.PreparedRequest, verify: Any, cert: Any, proxies: Mapping[str, str] | None
    ) -> bool:
        """Return whether a request failed because nothing of the panel works, rather than at its own route."""
        question = request.copy()
        question.url = (request.url or "").partition("/api/")[0] + _QUESTION
        answer, _ = self._ask(question, verify, cert, proxies)
        return isinstance(answer, _OUTAGES)

    def _attempt(
        self, request: requests.PreparedRequest, verify: Any, cert: Any, proxies: Mapping[str, str] | None
    ) -> requests.Response | PanelError:
        """Return the answer, or our error without the HTTP library's exceptions."""
        try:
            answer = super().send(
                request,
                stream=True,
                timeout=self._timeout_of(urlsplit(request.url or "").path),
                verify=verify,
                cert=cert,
                proxies=dict(proxies) if proxies else None,
            )
            answer.content  # noqa: B018 - reads the body here, where its failure can be handled and repeated
        except (requests.RequestException, HTTPError) as error:
            return self._failure(error, request)
        return answer

    def _timeout_of(self, path: str) -> Timeout:
        connect_seconds, read_seconds = self._timeout
        if path.endswith("/resources"):
            read_seconds = min(read_seconds, _RESOURCES_SECONDS)
        return connect_seconds, read_seconds

    def _failure(self, error: Exception, request: requests.PreparedRequest) -> PanelError:
        address = urlsplit(request.url or "")
        connect_seconds, read_seconds = self._timeout
        if isinstance(error, requests.exceptions.SSLError):
            return PanelAddressError(
                f"the certificate of the panel at {host_of(address.netloc)} is not trusted ({reason_of(error)}): name "
                "the CA's file in REQUESTS_CA_BUNDLE or correct PTERODACTYL_URL"
            )
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return PanelTimeoutError(
                f"the panel at {host_of(address.netloc)} accepted no connection within {connect_seconds:g} s: is it "
                "up, and reachable from here?"
            )
        if is_timeout(error):
            if NODE_ROUTE.search(address.path):
                return NodeUnreachableError(
                    f"no answer to {route(address.path)} within {self._timeout_of(address.path)[1]:g} s: the node "
                    "behind the panel is down or overloaded"
                )
            return PanelTimeoutError(
                f"no answer to {route(address.path)} within {read_seconds:g} s: the panel is overloaded, or its "
                "database is"
            )
        if isinstance(
            error,
            (
                requests.exceptions.ConnectionError,
                requests.exceptions.ChunkedEncodingError,
                requests.exceptions.ContentDecodingError,
            ),
        ):
            return PanelUnreachableError(
                f"the connection to the panel at {host_of(address.netloc)} failed or broke off during "
                f"{route(address.path)} ({reason_of(error)}): is the panel up, and PTERODACTYL_URL right?"
            )
        return PanelAddressError(
            f"{route(address.path)} could not be sent to {host_of(address.netloc)} ({reason_of(error)}): check "
            "PTERODACTYL_URL"
        )

    def _note_limits(self, api: Api, answer: requests.Response) -> float | None:
        """Give the budget the answer's headers; return how many seconds the panel asks to wait."""
        limit = _whole(answer.headers.get("X-RateLimit-Limit"))
        remaining = _whole(answer.headers.get("X-RateLimit-Remaining"))
        self._counter.note_remaining(remaining)
        if limit is not None:
            self._counter.limits[api] = limit
        asked = retry_after(answer.headers.get("Retry-After"), self._clock.now())
        refused = answer.status_code == requests.codes.too_many_requests
        if refused and asked is None:
            asked = _WINDOW_SECONDS
        self._budget.observe(api, limit=limit, remaining=remaining, retry_after=asked if refused else None)
        return asked


def _attempts_at(failure: PanelError) -> int:
    """Return how often a request with this failure is sent before checking whether the panel is up; 0: never.

    A 500 is the route's own fault or the whole panel's, and a time-out is costly; the others may pass at once.
    """
    if not isinstance(failure, _OUTAGES) or failure.code == DAEMON_FAULT:
        return 0
    is_settled = isinstance(failure, PanelTimeoutError) or failure.status == requests.codes.internal_server_error
    return 1 if is_settled else _ATTEMPTS


def _with_wait(failure: PanelError, seconds: float) -> PanelError:
    """Return *failure* with the time waited for the panel at the end of its message."""
    if seconds >= 1:
        failure.args = (f"{failure}; after {seconds:.0f} s of waiting",)
    return failure


def host_of(netloc: str) -> str:
    """Return host and port of *netloc*, without a user's name and password."""
    return netloc.rpartition("@")[2]


def is_timeout(error: Exception) -> bool:
    """Return whether *error* is a time-out; one while the body is read arrives as a connection error."""
    return isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError)) or any(
        isinstance(argument, ReadTimeoutError) for argument in error.args
    )


def reason_of(error: BaseException) -> str:
    """Return the innermost cause's own words, without addresses: ``Connection refused``."""
    inner: BaseException | None = error
    reason = ""
    seen: set[int] = set()
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        if isinstance(inner, OSError) and inner.strerror:
            reason = inner.strerror
        nested = getattr(inner, "reason", None)
        inner = nested if isinstance(nested, BaseException) else inner.__cause__ or inner.__context__
    return scrub(reason) or type(error).__name__


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,9}", text.strip()) else None


def retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which has seconds or a date (RFC 9110 §10.2.3)."""
    if text is None:
        return None
    if (seconds := _whole(text)) is not None:
        return float(seconds)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return max(0.0, (until - now).total_seconds())


def _decoded_elsewhere(**_: Any) -> Any:
    raise ValueError("not decoded here")


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _WithoutQueries(logging.Filter):
    """Cut the query off every address that urllib3 logs at level DEBUG: it has a signed link's token."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] if isinstance(argument, str) else argument for argument in record.args
            )
        return True


_WITHOUT_QUERIES = _WithoutQueries()


def _hide_queries_in_debug_logs() -> None:
    logging.getLogger("urllib3.connectionpool").addFilter(_WITHOUT_QUERIES)  # adding it again changes nothing

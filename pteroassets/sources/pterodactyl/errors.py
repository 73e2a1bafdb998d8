"""What can go wrong between us and a panel, sorted by whether a retry can help, and which answer is which error.

::

    PanelError
    ├── NothingReadError               a pass read none of its lists; the message says why
    ├── TransientPanelError            the same request may succeed later
    │   ├── PanelUnreachableError      no connection, or it broke
    │   ├── PanelTimeoutError          the panel took longer than our time-out
    │   ├── RateLimitedError           429, again and again
    │   ├── ServerFaultError           408 or 5xx, and a node that failed at one server
    │   ├── UnreadableAnswerError      truncated or no JSON, a web page, a list without rows
    │   └── NodeUnreachableError       a node that gave the panel no answer, a time-out there, or one that refuses us
    │       └── NodeTimeoutError       a node that let us in and then said nothing
    └── PermanentPanelError            an operator must change something first
        ├── PanelAddressError          the address or a key is missing or invalid
        ├── KeyRejectedError           401
        ├── PermissionMissingError     403
        ├── NotFoundError              404
        ├── StateConflictError         409: suspended, installing, transferring …
        ├── FileTooLargeError          a file larger than we hold in memory
        └── RequestRefusedError        400, 422, a redirect and every other 4xx

A message names the thing, then after a colon what to do. It never holds a key, a signed link or the query of an
address; exceptions of the HTTP library do, so none of them is chained to ours.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests

_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?(?P<rest>[^\s?#'\"<>]*)[^\s'\"<>)]*", re.IGNORECASE
)
_QUERY = re.compile(r"\?[^\s'\"<>)]+")
_BEARER = re.compile(r"\bBearer\s+[^\s'\"]+", re.IGNORECASE)
_KEY = re.compile(r"\b(?:ptl[ac]|papp|pacc)_[A-Za-z0-9]+")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")


class PanelError(Exception):
    """Something went wrong between us and the panel or one of its nodes.

    Args:
        message: Names the thing and what to do, without secrets.
        status: The HTTP status, if there was an answer.
        code: The panel's name of the error (``errors[0].code``), if it gave one.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def problem(self) -> str:
        """Return what is wrong: the message before its first colon."""
        return str(self).partition(": ")[0]

    @property
    def remedy(self) -> str:
        """Return what to do about it: the rest of the message; may be empty."""
        return str(self).partition(": ")[2]


class TransientPanelError(PanelError):
    """The same request may succeed later."""


class PanelUnreachableError(TransientPanelError):
    """No connection to the panel could be made or kept."""


class PanelTimeoutError(TransientPanelError):
    """The panel took longer than our time-out."""


class RateLimitedError(TransientPanelError):
    """The panel answered 429 until we gave up."""


class ServerFaultError(TransientPanelError):
    """The panel answered 408 or 5xx, or a node failed at one server."""


class UnreadableAnswerError(TransientPanelError):
    """The panel's answer is not what the route should give: truncated JSON, a web page, something else."""


class NodeUnreachableError(TransientPanelError):
    """A node gave the panel, or us, no answer at all, so all its servers would fail in the same way."""


class NodeTimeoutError(NodeUnreachableError):
    """A node accepted our connection and sent nothing in time: the panel would fare no better."""


class NothingReadError(PanelError):
    """A pass could not read any of its lists."""


class PermanentPanelError(PanelError):
    """An operator must change something before the same request can succeed."""


class PanelAddressError(PermanentPanelError):
    """The panel's address or a key is missing or invalid."""


class KeyRejectedError(PermanentPanelError):
    """The panel does not know the key (401)."""


class PermissionMissingError(PermanentPanelError):
    """The key may not do this (403)."""


class NotFoundError(PermanentPanelError):
    """The panel has no such thing (404)."""


class StateConflictError(PermanentPanelError):
    """The state of the server or its node forbids the request (409)."""


class FileTooLargeError(PermanentPanelError):
    """A file is larger than we hold in memory."""


class RequestRefusedError(PermanentPanelError):
    """The panel refuses the request as it stands (400, 422, a redirect, another 4xx)."""


def scrub(text: str) -> str:
    """Return *text* without the queries and passwords of addresses, bearer tokens, panel keys and signed tokens."""
    text = _ADDRESS.sub(lambda match: f"{match['scheme']}{match['rest']}", text)
    text = _QUERY.sub("?…", text)
    text = _BEARER.sub("Bearer …", text)
    text = _KEY.sub("…", text)
    return _JWT.sub("…", text)


# these routes are answered by the node behind the panel, which waits up to 15 s for it
NODE_ROUTE = re.compile(r"/api/client/servers/[^/]+/(?:resources|files)(?:/|$)")
# At /resources the panel says 504 for every failure of a node. Only this text, which no version translates, means that
# the node gave no answer at all; otherwise the text ends with the status that the node answered for this one server.
_NODE_GAVE_NO_ANSWER = "Could not establish a connection"
_STATUS_FROM_NODE = re.compile(r"\(code: (\d{3})\)")
# the panel's name for a node's failure at one request
DAEMON_FAULT = "DaemonConnectionException"
# Pelican's name for a node that cannot be reached, with status 500
_NO_CONNECTION = "ConnectionException"


def judge(answer: requests.Response) -> PanelError:
    """Return the error for an answer with a status outside 200 to 299.

    An error of the panel is ``{"errors": [{"code": "NotFoundHttpException", "status": "404", "detail": "…"}]}``; one of
    a proxy in front of it is a web page. The message has the panel's name of the error (``code``, a class in its
    source). Its text is left out, since it may quote paths and addresses; it only decides whether a 504 is the node's
    or one server's.
    """
    status = answer.status_code
    what = route(urlsplit(answer.url).path)
    code, detail = _code_and_detail(answer)
    said = f"{status}{f' {code}' if code else ''}"
    key = "PTERODACTYL_APP_KEY" if "/api/application" in answer.url else "PTERODACTYL_CLI_KEY"
    error: PanelError
    if status == requests.codes.unauthorized:
        error = KeyRejectedError(
            f"the panel does not know the key of {key} ({said}): make a new one in the panel and set it",
            status=status,
            code=code,
        )
    elif status == requests.codes.forbidden:
        error = PermissionMissingError(
            f"the key of {key} may not read {what} ({said}): "
            + (
                "give it the read permission of this resource, or use a root admin's client key"
                if key == "PTERODACTYL_APP_KEY"
                else "it must be a client key that belongs to a root admin and allows this machine's address"
            ),
            status=status,
            code=code,
        )
    elif status == requests.codes.not_found:
        error = NotFoundError(f"the panel has nothing at {what} ({said})", status=status, code=code)
    elif status == requests.codes.conflict:
        error = StateConflictError(
            f"the state of the server or of its node forbids {what} ({said})", status=status, code=code
        )
    elif status == requests.codes.too_many_requests:
        error = RateLimitedError(
            f"the panel refuses {what} for now ({said}): its rate limit is used up, perhaps by another tool or person "
            "with the same account; give this platform an account of its own or lower PTEROASSETS_REQUEST_SHARE",
            status=status,
            code=code,
        )
    elif NODE_ROUTE.search(urlsplit(answer.url).path) and (
        code == _NO_CONNECTION or detail.startswith(_NODE_GAVE_NO_ANSWER)
    ):
        error = NodeUnreachableError(
            f"the node gave the panel no answer for {what} ({said}): is the node up, and can the panel reach "
            "Wings there?",
            status=status,
            code=code,
        )
    elif NODE_ROUTE.search(urlsplit(answer.url).path) and code == DAEMON_FAULT:
        error = ServerFaultError(_fault_of_node(what, said, detail), status=status, code=code)
    elif status == requests.codes.request_timeout or status >= requests.codes.internal_server_error:
        error = ServerFaultError(
            f"the panel failed at {what} ({said}): its log says why, or that of the proxy in front of it",
            status=status,
            code=code,
        )
    elif status < requests.codes.bad_request:
        error = RequestRefusedError(
            f"the panel redirects {what} ({said}): set PTERODACTYL_URL to the address it ends at, scheme included",
            status=status,
        )
    elif code == "TwoFactorAuthRequiredException":
        error = RequestRefusedError(
            f"the panel requires two-factor authentication for the account that owns {key} ({said}): enable "
            "it for that account",
            status=status,
            code=code,
        )
    else:
        error = RequestRefusedError(f"the panel rejects the request for {what} ({said})", status=status, code=code)
    return error


def unreadable(answer: requests.Response) -> UnreadableAnswerError:
    """Return the error for a successful answer whose body is not what the route should give."""
    kind = answer.headers.get("Content-Type", "no content type").split(";")[0]
    return UnreadableAnswerError(
        f"the answer to {route(urlsplit(answer.url).path)} cannot be read ({len(answer.content)} bytes of {kind}): the "
        "panel or a proxy in front of it broke off, or PTERODACTYL_URL is not the panel's address",
        status=answer.status_code,
    )


def route(path: str) -> str:
    """Return a request's name for messages: method and path, never the query."""
    return f"GET {path}"


def _fault_of_node(what: str, said: str, detail: str) -> str:
    """Return the message for a node that answered the panel with an error for this one server."""
    found = _STATUS_FROM_NODE.search(detail)
    answered = int(found[1]) if found else None
    remedy = (
        "the node does not know this server; restart Wings there, and if that does not help reinstall or delete the "
        "server in the panel"
        if answered == requests.codes.not_found
        else "the log of Wings on the node says why"
    )
    return f"the node answered the panel {answered or 'with an error'} for {what} ({said}): {remedy}"


def _code_and_detail(answer: requests.Response) -> tuple[str | None, str]:
    """Return the panel's name of an error (None if the answer is not the panel's) and its text."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None, ""  # a web page of a proxy; the status says enough
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return None, ""
    code, detail = first.get("code"), first.get("detail")
    if not (isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_\\]{1,80}", code)):
        code = None
    return code, detail if isinstance(detail, str) else ""

"""What can go wrong between us and a panel, sorted by whether trying again can help.

::

    PanelError
    ├── NothingReadError               a pass read none of its lists, for reasons that its message tells
    ├── TransientPanelError            the same request may succeed later
    │   ├── PanelUnreachableError      no connection, or it broke
    │   ├── PanelTimeoutError          the panel took longer than our time-out
    │   ├── RateLimitedError           429, again and again
    │   ├── ServerFaultError           408 or 5xx, and a node that failed at one server
    │   ├── UnreadableAnswerError      truncated or no JSON, a web page, a list without rows
    │   └── NodeUnreachableError       a node that gave the panel no answer, a time-out there, or one that refuses us
    └── PermanentPanelError            an operator must change something first
        ├── PanelAddressError          the address or a key is missing, or cannot be one
        ├── KeyRejectedError           401
        ├── PermissionMissingError     403
        ├── NotFoundError              404
        ├── StateConflictError         409: suspended, installing, transferring …
        ├── FileTooLargeError          a file beyond what we are willing to hold
        └── RequestRefusedError        400, 422, a redirect and every other 4xx

A message names the thing, then after a colon the remedy. It never holds a key, a signed link or the query of an
address; exceptions of the HTTP library do, so none of them is chained to ours.
"""

from __future__ import annotations

import re

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
        message: Names the thing and the remedy, without secrets.
        status: The HTTP status, where there was an answer.
        code: The panel's own name of the error (``errors[0].code``), where it gave one.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def problem(self) -> str:
        """What is wrong: the message before its first colon."""
        return str(self).partition(": ")[0]

    @property
    def remedy(self) -> str:
        """What to do about it: the rest of the message; empty where nothing is known."""
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
    """The panel's answer is not what the route gives: truncated JSON, a web page, something else."""


class NodeUnreachableError(TransientPanelError):
    """A node gave the panel, or us, no answer at all: what one of its servers met, all of them would."""


class NothingReadError(PanelError):
    """A pass could not read any of the lists that it is made of."""


class PermanentPanelError(PanelError):
    """An operator must change something before the same request can succeed."""


class PanelAddressError(PermanentPanelError):
    """The panel's address or a key is missing, or cannot be one."""


class KeyRejectedError(PermanentPanelError):
    """The panel does not know the key (401)."""


class PermissionMissingError(PermanentPanelError):
    """The key may not do this (403)."""


class NotFoundError(PermanentPanelError):
    """The panel knows no such thing (404)."""


class StateConflictError(PermanentPanelError):
    """The state of the server or its node forbids the request (409)."""


class FileTooLargeError(PermanentPanelError):
    """A file is larger than what we are willing to hold in memory."""


class RequestRefusedError(PermanentPanelError):
    """The panel refuses the request as it stands (400, 422, a redirect, another 4xx)."""


def scrub(text: str) -> str:
    """Return *text* without the queries and passwords of addresses, bearer tokens, panel keys and signed tokens."""
    text = _ADDRESS.sub(lambda match: f"{match['scheme']}{match['rest']}", text)
    text = _QUERY.sub("?…", text)
    text = _BEARER.sub("Bearer …", text)
    text = _KEY.sub("…", text)
    return _JWT.sub("…", text)

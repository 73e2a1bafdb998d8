"""Answers as the panel sends them: compact JSON, pretty-printed errors, pages for clients that do not ask for JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

JSON_TYPE: Final = "application/json"
_HTML: Final = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
_COMPACT_CODES: Final = frozenset(
    {"AuthenticationException", "ValidationException", "DaemonConnectionException", "FileSizeTooLargeException"}
)


@dataclass(slots=True, kw_only=True)
class Answer:
    """A response before it is sent; *delay* in seconds of this machine."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    breaks_off: bool = False


@dataclass(kw_only=True, eq=False)
class PanelFault(Exception):  # noqa: N818 - an answer rather than an error of ours
    """An answer that is not a success."""

    status: int
    code: str
    detail: str
    meta: dict[str, str] | None = None
    delay: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


def compact(value: Any) -> bytes:
    """Return *value* as PHP writes JSON: no spaces, slashes and everything beyond ASCII escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=4, ensure_ascii=False).encode()


def success(value: Any) -> Answer:
    """Return *value* as a successful answer."""
    return Answer(body=compact(value))


def failure(fault: PanelFault, *, wants_json: bool, panel_url: str) -> Answer:
    """Return *fault* as the panel words it for a client that accepts JSON, or does not."""
    if not wants_json:
        return _page(fault, panel_url)
    entry: dict[str, Any] = {"code": fault.code, "status": str(fault.status), "detail": fault.detail}
    if fault.meta is not None:
        entry["meta"] = fault.meta
    body = {"errors": [entry]}
    is_compact = fault.code in _COMPACT_CODES
    return Answer(
        status=fault.status,
        body=compact(body) if is_compact else _pretty(body),
        headers=dict(fault.headers),
        delay=fault.delay,
    )


def _page(fault: PanelFault, panel_url: str) -> Answer:
    if fault.code == "AuthenticationException":
        return redirect(f"{panel_url}/auth/login")
    if fault.code in _COMPACT_CODES:
        answer = redirect(panel_url)
        answer.delay = fault.delay
        return answer
    return Answer(
        status=fault.status,
        body=_HTML.format(title=fault.status).encode(),
        content_type="text/html; charset=UTF-8",
        headers=dict(fault.headers),
        delay=fault.delay,
    )


def redirect(url: str) -> Answer:
    """Return the page that sends a browser to *url*."""
    return Answer(
        status=302,
        body=_HTML.format(title=f"Redirecting to {url}").encode(),
        content_type="text/html; charset=utf-8",
        headers={"location": url},
    )


def proxy_page(status: int) -> Answer:
    """Return what a reverse proxy in front of a dead panel says."""
    return Answer(status=status, body=_HTML.format(title=f"{status} Bad Gateway").encode(), content_type="text/html")


def not_found(detail: str = "The requested resource could not be found on the server.") -> PanelFault:
    """Return the 404 of the panel."""
    return PanelFault(status=404, code="NotFoundHttpException", detail=detail)


def forbidden(detail: str = "This action is unauthorized.") -> PanelFault:
    """Return the 403 of the panel."""
    return PanelFault(status=403, code="AccessDeniedHttpException", detail=detail)


def server_error(code: str, delay: float = 0.0) -> PanelFault:
    """Return a 500 of the panel's own."""
    detail = "An unexpected error was encountered while processing this request, please try again."
    return PanelFault(status=500, code=code, detail=detail, delay=delay)


def daemon_error(status: int, request_id: str, delay: float = 0.0, *, is_relayed: bool = True) -> PanelFault:
    """Return what the panel makes of a node's failure.

    Args:
        status: What the node answered; 504 for no answer at all.
        request_id: Of the node's answer.
        delay: Until the panel gave up.
        is_relayed: The route answers with the node's status, as those of files do; otherwise with 504.
    """
    if status == 504:  # noqa: PLR2004
        detail = "Could not establish a connection to the machine running this server. Please try again."
    elif status >= 500 or not is_relayed:  # noqa: PLR2004 - the numbers of HTTP
        detail = (
            "There was an error while communicating with the machine running this server. This error has been logged, "
            f"please try again. (code: {status}) (request_id: {request_id})"
        )
    else:
        said = {
            400: "Cannot perform that action: file is a directory.",
            404: "The requested resources was not found on the system.",
        }.get(status, "The request failed.")
        detail = f"An error occurred on the remote host: {said}. (request id: {request_id})"
    return PanelFault(
        status=status if is_relayed else 504, code="DaemonConnectionException", detail=detail, delay=delay
    )

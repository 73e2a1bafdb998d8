"""Why a connection ended: from the text of a ``lost connection`` line to one of the ways to close a session."""

from __future__ import annotations

import re
from typing import Literal

CloseReason = Literal["left", "kicked", "timed_out", "server_stopped", "server_crashed", "joined_again", "log_gap"]

_STOP = re.compile(
    r"Server closed|Server is restarting|Server shutting down|Restarting|multiplayer\.disconnect\.server_shutdown",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"(?:You )?logged in from another location|multiplayer\.disconnect\.duplicate_login", re.IGNORECASE)
_TIMEOUT = re.compile(
    r"Timed out|disconnect\.timeout|timeout|.*ReadTimeout.*|Read timed out|.*keepalive timeout.*|.*ConnectTimeout.*"
    r"|连接超时",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"Disconnected(?: from Server)?|Quitting|client disconnect|End of stream|Internal Exception.*"
    r"|Network Protocol Error|Transferred to another server"
    r"|disconnect\.(?:quitting|endOfStream|genericReason|disconnected|closed|overflow)"
    r"|multiplayer\.disconnect\.(?:generic|transfer)|Connection (?:closed|lost|reset).*"
    # Velocity's words for errors of the network, and those between a proxy and its back-end
    r"|An internal error occurred in your connection\.|Your connection to .* encountered a problem\."
    r"|Proxy lost connection to server"
    # "Disconnected" as hybrid servers translate it
    r"|已断开连接|Verbindung getrennt|Déconnecté|Desconectado|Отключено|切断されました",
    re.IGNORECASE,
)
# said to people who never entered; a line with one of them shows nobody online
_REFUSED = re.compile(
    r"Server Mod rejections.*|Failed to verify username!?|Authentication servers are down.*|Took too long to log in"
    r"|You are not white-?listed on this server!?|The server is full!?|Outdated (?:client|server)!.*"
    r"|Incompatible client!.*|Inco(?:rrect|mpatible) protocol.*|Server is white-?listed.*|Login timeout"
    r"|disconnectionScreen\.(?:outdated|notAuthenticated|serverFull|invalidName|invalidSkin).*"
    r"|You must wait .* before logging-in again\.?|Server is still starting!.*"
    r"|This server requires you to connect with Velocity\.?|If you wish to use IP forwarding.*",
    re.IGNORECASE,
)


def close_reason(reason: str | None) -> CloseReason:
    """Return how a session closed, by its departure's *reason*; any text that is not the game's own means a kick."""
    if reason is None or not reason.strip() or _LEFT.fullmatch(reason):
        # an Internal Exception may also be a read that timed out
        return "timed_out" if reason is not None and _TIMEOUT.fullmatch(reason) else "left"
    if _STOP.match(reason):
        return "server_stopped"
    if _AGAIN.match(reason):
        return "joined_again"
    if _TIMEOUT.fullmatch(reason):
        return "timed_out"
    return "kicked"


def is_refusal(reason: str | None) -> bool:
    """Return whether *reason* is given only to players who never entered."""
    return reason is not None and _REFUSED.fullmatch(reason) is not None


_WRAPPED = re.compile(
    r"(?:\w*TextComponent|literal)\{(?:text=')?(?P<text>[^'}]*)"
    r"|(?:\w*Translat\w*Component|translation)\{key='(?P<key>[^']*)'"
)
_PARTS = re.compile(r"text='([^']*)'")
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.]*\d)|\[?(?<![\w:])(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}"
    r"(?:%\w+)?(?![\w:])\]?(?::\d{1,5})?"
)


def plain_reason(text: str) -> str:
    """Return a reason as plain text: without the JSON of 1.7 to 1.11, and with addresses masked.

    Addresses of players are personal; network errors quote them.
    """
    if wrapped := _WRAPPED.match(text):
        whole = text
        text = wrapped["text"] if wrapped["text"] is not None else wrapped["key"]
        if not text:  # coloured text stands in the parts
            text = "".join(_PARTS.findall(whole))
    return _ADDRESS.sub("[address]", text).strip()


RefusalCause = Literal[
    "banned",
    "not_whitelisted",
    "full",
    "version",
    "verification",
    "mods",
    "timed_out",
    "throttled",
    "starting",
    "forwarding",
    "other",
]

# looked for anywhere in the text, as owners put words of their own around
_CAUSE_PATTERNS: dict[RefusalCause, str] = {
    "banned": r"\bbanned\b|multiplayer\.disconnect\.banned",
    "not_whitelisted": r"white-?\s?list|not_whitelisted",
    "full": r"server is full|server_full",
    "version": r"outdated (?:client|server)|incompatible (?:client|protocol)|(?:outdated|incompatible)_",
    "forwarding": r"ip forwarding|connect with velocity|forwarded player|your connecting ip",
    "verification": (
        r"verify username|unverified_username|authentication servers|authservers_down|invalid session|authenticate"
        r"|not logged in|invalid signature|profile public key"
    ),
    "mods": r"\bmods?\b|registr(?:y|ies)|mismatched|\bfml\b|\b(?:neo)?forge\b",
    "timed_out": r"took too long|slow_login|timed out|timeout",
    "throttled": r"you must wait|throttled|too fast",
    "starting": r"still starting|is starting",
}
_CAUSES = {cause: re.compile(pattern, re.IGNORECASE) for cause, pattern in _CAUSE_PATTERNS.items()}


def refusal_cause(reason: str) -> RefusalCause:
    """Return why a login was refused, by the text of the refusal."""
    return next((cause for cause, pattern in _CAUSES.items() if pattern.search(reason)), "other")

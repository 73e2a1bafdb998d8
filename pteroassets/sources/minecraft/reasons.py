"""Why a connection ended: from the text of a ``lost connection`` line to one of the ways to close a session."""

from __future__ import annotations

import re
from typing import Literal

CloseReason = Literal["left", "kicked", "timed_out", "server_stopped", "server_crashed", "joined_again", "log_gap"]

_STOP = re.compile(r"Server closed|Server is restarting|multiplayer\.disconnect\.server_shutdown", re.IGNORECASE)
_AGAIN = re.compile(r"(?:You )?logged in from another location|multiplayer\.disconnect\.duplicate_login", re.IGNORECASE)
_TIMEOUT = re.compile(
    r"Timed out|disconnect\.timeout|timeout|.*ReadTimeout.*|Read timed out|.*keepalive timeout.*", re.IGNORECASE
)
_LEFT = re.compile(
    r"Disconnected|Quitting|disconnect\.(?:quitting|endOfStream|genericReason|disconnected|closed)|client disconnect"
    r"|End of stream|Internal Exception.*|Network Protocol Error|Transferred to another server"
    r"|multiplayer\.disconnect\.(?:generic|transfer)|Connection (?:closed|lost|reset).*",
    re.IGNORECASE,
)
# said to people who never entered; a line with one of them shows nobody online
_REFUSED = re.compile(
    r"Server Mod rejections.*|Failed to verify username!?|Authentication servers are down.*|Took too long to log in"
    r"|You are not white-?listed on this server!?|The server is full!?|Outdated (?:client|server)!.*"
    r"|Incompatible client!.*|You must wait .* before logging-in again\.?|Server is still starting!.*"
    r"|This server requires you to connect with Velocity\.?|If you wish to use IP forwarding.*",
    re.IGNORECASE,
)


def close_reason(reason: str | None) -> CloseReason:
    """Return how a session closes whose departure gives *reason*; text that is none of the game's own is a kick's."""
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
    """Tell whether *reason* is only ever given to people who never entered."""
    return reason is not None and _REFUSED.fullmatch(reason) is not None


_WRAPPED = re.compile(
    r"(?:TextComponent|literal)\{(?:text=')?(?P<text>[^'}]*)|(?:TranslatableComponent|translation)\{key='(?P<key>[^']*)'"
)
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.]*\d)|\[?(?<![\w:])(?:[0-9a-fA-F]{0,4}:){3,7}[0-9a-fA-F]{0,4}"
    r"(?:%\w+)?(?![\w:])\]?(?::\d{1,5})?"
)


def plain_reason(text: str) -> str:
    """Return a reason as a person would read it: out of the wrapping of 1.7 to 1.11, and with addresses masked.

    Addresses of players are personal; network errors quote them.
    """
    if wrapped := _WRAPPED.match(text):
        text = wrapped["text"] if wrapped["text"] is not None else wrapped["key"]
    return _ADDRESS.sub("[address]", text).strip()

"""How figures, times and states are written on cards and in answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pteroassets.alarms.outbox import escaped
from pteroassets.bot.cards.readings import Players, State

_KIB: Final = 1024.0
_GIB: Final = 1024.0
_LONGEST_REASON: Final = 120
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))
#: States by the dot before them and the colour of the card's edge; others than these are gates.
_LOOKS: Final = {
    "running": ("\N{LARGE GREEN CIRCLE}", 0x3BA55D),
    "starting": ("\N{LARGE YELLOW CIRCLE}", 0xFAA61A),
    "stopping": ("\N{LARGE YELLOW CIRCLE}", 0xFAA61A),
    "offline": ("\N{LARGE RED CIRCLE}", 0xED4245),
    "unknown": ("\N{MEDIUM WHITE CIRCLE}", 0x99AAB5),
    "gone": ("\N{MEDIUM BLACK CIRCLE}", 0x4F545C),
}
_GATED: Final = ("\N{LARGE BLUE CIRCLE}", 0x5865F2)


def look_of(state: str) -> tuple[str, int]:
    """Return the dot and the colour of *state*."""
    return _LOOKS.get(state, _GATED)


def named(state: State) -> str:
    """Return *state* in words: where it is not known, since when and why."""
    if state.name != "unknown":
        return state.name.replace("_", " ").capitalize()
    since = f" since {absolute(state.since)} ({relative(state.since)})" if state.since is not None else ""
    return f"Unknown{since}, because {escaped(short(state.reason))}"


def short(text: str) -> str:
    """Return *text* up to its first colon, which is where a message begins to say what to do, and not too long."""
    text = text.partition(": ")[0]
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def absolute(at: datetime) -> str:
    """Return markup by which each reader sees *at* in their own zone."""
    return f"<t:{int(at.timestamp())}:f>"


def relative(at: datetime) -> str:
    """Return markup by which a reader sees how long ago *at* is."""
    return f"<t:{int(at.timestamp())}:R>"


def percent(value: float | None, limit: float | None) -> str:
    """Return processor use in percent of one core, with its limit."""
    if value is None:
        return "not measured"
    return f"{value:.0f} %" + (f" of {limit:g} %" if limit else " (no limit)")


def amount(mebibytes: float | None, limit: float | None) -> str:
    """Return memory or disk with its limit and the part of it."""
    if mebibytes is None:
        return "not measured"
    if not limit:
        return f"{size(mebibytes)} (no limit)"
    return f"{size(mebibytes)} of {size(limit)} ({mebibytes / limit:.0%})"


def size(mebibytes: float) -> str:
    """Return a number of mebibytes, as gibibytes from one up."""
    return f"{mebibytes / _GIB:.1f} GiB" if mebibytes >= _GIB else f"{mebibytes:.0f} MiB"


def rate(bytes_a_second: float | None) -> str:
    """Return a rate of traffic."""
    if bytes_a_second is None:
        return "not known"
    if bytes_a_second < _KIB:
        return f"{bytes_a_second:.0f} B/s"
    value = bytes_a_second / _KIB
    return f"{value:.1f} KiB/s" if value < _KIB else f"{value / _KIB:.1f} MiB/s"


def length(seconds: float) -> str:
    """Return a length of time by its two largest units: 3 d 4 h."""
    left = int(seconds)
    parts: list[str] = []
    for unit, of_unit in _UNITS:
        count, left = divmod(left, of_unit)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "less than a minute"


def online(players: Players) -> str:
    """Return how many players are online, by what that is known and as of when."""
    if players.count is None:
        since = f" {relative(players.as_of)}" if players.as_of is not None else ""
        return f"unknown: {players.reason}{since}"
    if players.reason:
        return f"{players.count} ({players.reason})"
    source = f"by its log, {relative(players.as_of)}" if players.as_of is not None else "by its log"
    return f"{players.count} ({source})"

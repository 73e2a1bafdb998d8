"""When a recording began: its own UTC, else the second in its address, else its file's name, else the day of upload."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pteroassets.sources.arma3.records import ClockSource, Generation
from pteroassets.sources.arma3.values import count

_START: Final = re.compile(r"(\d{4})_(\d{2})_(\d{2})__(\d{2})_(\d{2})(?:_(\d{2})(?=_))?")
_END: Final = re.compile(r"_(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})$")
_FIRST_ADDRESS: Final = 1_262_304_000
"""Second of UNIX at the begin of 2010: a smaller number in an address is a number, and no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When a recording began and ended, and how that is known."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    played_on: date | None = None
    source: ClockSource = "unknown"
    reason: str


def tell(
    *,
    times: Any,
    delay: float,
    end_frame: int | None,
    generation: Generation,
    file_name: str,
    address: int | None,
    listed_on: date | None,
    zone: ZoneInfo,
) -> Clock:
    """Return when a recording was made.

    Args:
        times: Its array ``times``.
        delay: Seconds of a frame.
        end_frame: Its last frame.
        generation: How it was written.
        file_name: Without suffixes.
        address: The number in its address.
        listed_on: Day of its upload.
        zone: Zone of the clock by which the server names files.
    """
    length = None if end_frame is None else timedelta(seconds=end_frame * delay)
    for one in times if isinstance(times, list) else []:
        if isinstance(one, dict) and (said := _utc(one.get("systemTimeUTC"))) is not None:
            begin = said - timedelta(seconds=min(count(one.get("frameNum")) or 0, end_frame or 0) * delay)
            return _of(begin, length, zone, "recording", "UTC inside the recording")
    if generation == "solidgames" and address is not None and address >= _FIRST_ADDRESS:
        begin = datetime.fromtimestamp(address, UTC)
        return _of(begin, length, zone, "address", "the number in the address, which is the second of the start")
    named = _named(file_name, zone)
    if named is not None and length is not None:
        words = f"the time in the file's name, taken as the end in {zone.key}"
        return _of(named - length, length, zone, "file_name", words)
    if listed_on is not None:
        return Clock(played_on=listed_on, source="upload_date", reason="the day of the upload; nothing tells the time")
    return Clock(reason="neither recording nor name nor list has a time")


def _of(begin: datetime, length: timedelta | None, zone: ZoneInfo, source: ClockSource, reason: str) -> Clock:
    end = None if length is None else begin + length
    return Clock(started_at=begin, ended_at=end, played_on=begin.astimezone(zone).date(), source=source, reason=reason)


def _utc(value: Any) -> datetime | None:
    """Return an instant; it is UTC although it does not say so."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip().removesuffix("Z"))
    except ValueError:
        return None
    return _sane(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))


def _named(file_name: str, zone: ZoneInfo) -> datetime | None:
    found = _START.search(file_name) or _END.search(file_name)
    try:
        return _sane(datetime(*(int(part or 0) for part in found.groups()), tzinfo=zone)) if found else None  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def _sane(found: datetime) -> datetime | None:
    return found.astimezone(UTC) if 2010 <= found.year < 2200 else None  # noqa: PLR2004 - years of the game

r"""What log shippers put around lines, and the lines themselves.

A shipper is whatever carries a server's output to a file: Docker, compose, Kubernetes, journald, syslog, a capture of a
console with a stamp before each line, or log4j itself where it writes JSON. Whatever it was, `unwrap` returns what the
server wrote, behind one form of stamp where the shipper gave one: ``2026-03-12T20:01:02+00:00``, without the zone
where the shipper shows none. So the layouts know of one shipper only. The number of lines stays as it is: where one was
cut into parts, blank lines stand for the parts behind the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pteroassets.sources.minecraft.formats import LAYOUT, OPENERS, has_layout, layout_end
from pteroassets.sources.minecraft.forms import Forms
from pteroassets.sources.minecraft.text import EIGHT, WINDOW, Lines, clean, strip_escapes
from pteroassets.sources.minecraft.words import TWO_BYTES, pairs_of

_DAY = rb"\d{4}-\d\d-\d\d"
_CLOCK = rb"\d\d:\d\d:\d\d"
_ISO = rb"(" + _DAY + rb")[T ](" + _CLOCK + rb")(?:[.,]\d{1,9})?+ ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?+"
_SENDER = rb"(?:[^\s\[\]|]++ [^\s\[\]:|]++(?:\[\d++\])?+: )"  # a host, and a program with its number

# what may stand before a line, each once at most; the groups are date, time, zone, and what tells a part of a line
_LAYERS = (
    # Docker's and kubectl's own stamps, Kubernetes' files, journald's and syslog's with a year
    re.compile(
        rb"(?:<\d{1,3}>)?+(?:[A-Z][a-z]{2} )?+" + _ISO + rb"[ \t]++"
        rb"(?:std(?:out|err) ([FP])(?::[^ ]*+)? ?|" + _SENDER + rb")?+"
    ),
    # syslog's new form
    re.compile(rb"(?:<\d{1,3}>)?+1 " + _ISO + rb" \S++ \S++ \S++ \S++ (?:-|\[[^\]]*+\]) (?:\xef\xbb\xbf)?+"),
    # a console captured with a stamp, as LinuxGSM does; a bracket of the line itself must follow
    re.compile(rb"\[" + _ISO + rb"\] (?=[\[\d>\x1b])"),
    # journald's short form and syslog's old one, of which nobody knows the year, and the one in seconds
    re.compile(rb"(?:<\d{1,3}>)?+[A-Z][a-z]{2} [ \d]\d (" + _CLOCK + rb")(?:\.\d{1,9})?+ " + _SENDER + rb"?+"),
    re.compile(rb"(?P<epoch>\d{9,10})\.\d{1,9} " + _SENDER),
    # the name of a container, of a pod, of a server behind a wrapper
    re.compile(rb"[\w.-]++(?:@[\w.-]++)?+ ++\| "),
    re.compile(rb"\[pod/[^\]\n]++\] "),
    re.compile(rb"\[Server\] "),
)
_LOOKS = re.compile(
    rb"\n(?:\{|[\[, ]{1,3}\{|(?:<\d{1,3}>)?+(?:1 )?+(?:[A-Z][a-z]{2} )?+"
    + _DAY
    + rb"[T ]\d\d:|\["
    + _DAY
    + rb"[T ][^\]\n]++\] "
    rb"|(?:<\d{1,3}>)?+[A-Z][a-z]{2} [ \d]\d \d\d:|\d{9,10}\.\d{1,9} |[\w.-]++(?:@[\w.-]++)?+ ++\| |\[pod/|\[Server\] )"
)
_RECORD_STARTS = re.compile(rb"\s*[\[,]?\s*\{\s*\Z")
_RECORD_ENDS = re.compile(rb"\s*\}\s*[,\]]?\s*\Z")
_MOST_RECORD = 64 << 10
_MOST_JOINED = 256 << 10


class Unwrapped(NamedTuple):
    """Lines without what a shipper put around them."""

    data: bytes  # a line feed and whole lines, clean, as many as were given
    open_lines: int  # of the last lines, how many are parts of one whose end has not come yet


class _Line(NamedTuple):
    """One line without what was around it."""

    text: bytes
    stamp: bytes = b""  # in the one form, with a space; empty where there was none
    is_part: bool = False  # the next line goes on with it


def find_shipped(
    data: bytes, start: int = 0, end: int | None = None, *, but: re.Pattern[bytes] | None = None
) -> int | None:
    """Return the place of the line feed before the first line that may have come with a shipper.

    Lines that begin *but* as a layout's pattern says do not count: they are read in it, whatever they look like.
    """
    end = len(data) if end is None else end
    match = _LOOKS.search(data, start, end)
    while match is not None and but is not None and but.match(data, match.start() + 1) is not None:
        match = _LOOKS.search(data, match.start() + 1, end)
    return match.start() if match is not None else None


# by the first byte of a line: whether a layout or a shipper's stamp may begin it in any case, or where it is a letter
_MAY_BEGIN = np.isin(np.arange(256), [*OPENERS, *b"{[, <"])
_LETTERS = np.isin(np.arange(256), [*b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-"])
# what stands before the bar behind a container's name
_OF_NAMES = _LETTERS | np.isin(np.arange(256), [*b"0123456789@ "])
_BAR, _BLANK = ord("|"), ord(" ")
_IN_MONTHS = 3  # letters of a month's name
_DIGITS = np.isin(np.arange(256), [*b"0123456789"])
_FEW = 16  # lines: to look at each of them is faster


def possible_beginnings(lines: Lines, feeds: Sequence[int]) -> Sequence[int]:
    """Return those of *feeds*, line feeds in *lines*, behind which a layout or a shipper's stamp may begin.

    No line goes for which `may_be_shipped` or a layout's pattern would say so.
    """
    if len(feeds) < _FEW:
        return feeds
    places = np.array(feeds, np.int64)
    heads = lines.eights(places + 1).view(np.uint8).reshape(-1, EIGHT)
    first = heads[:, 0]
    possible = _MAY_BEGIN[first]
    # a month or a day's name, and a number behind it
    possible |= (heads[:, _IN_MONTHS] == _BLANK) & _DIGITS[heads[:, _IN_MONTHS + 2]] & _LETTERS[first]
    rest = np.flatnonzero(_LETTERS[first] & ~possible)
    windows = lines.windows(places[rest] + 1).reshape(-1, WINDOW)
    has_bar = (windows == _BAR).any(axis=1)
    possible[rest[has_bar]] = True
    rest, windows = rest[~has_bar], windows[~has_bar]
    for length in (2 * EIGHT, WINDOW):  # a name may be longer than what was looked at
        is_name = _OF_NAMES[windows[:, :length]].all(axis=1)
        rest, windows = rest[is_name], windows[is_name]
    possible[rest] = True
    found: list[int] = places[possible].tolist()
    return found


def may_be_shipped(data: bytes, place: int) -> bool:
    """Return whether the line behind the line feed at *place* may have come with a shipper."""
    return _LOOKS.match(data, place) is not None


def unwrap(data: bytes) -> Unwrapped:
    """Return the lines in *data*, a line feed and whole lines as they came; those of no shipper stay as they are."""
    found: list[bytes] = []
    parts: list[bytes] = []  # of a line, or of a record that is spread over lines
    is_record = False
    stamp = b""
    data = strip_escapes(data)
    for raw, is_plain in zip(data[1:-1].split(b"\n"), _plain(data), strict=True):
        if is_plain and not parts and not is_record:
            found.append(raw)
            continue
        found.append(b"")
        if is_record:
            parts.append(raw)
            if _RECORD_ENDS.match(raw) and (line := _of_record(b"".join(parts))) is not None:
                found[-len(parts)] = line.stamp + line.text
                parts, is_record = [], False
            elif len(parts) * len(raw) > _MOST_RECORD or sum(map(len, parts)) > _MOST_RECORD:
                found[-len(parts) :] = parts
                parts, is_record = [], False
            continue
        if not parts and _RECORD_STARTS.match(raw):
            parts, is_record = [raw], True
            continue
        line = _unwrapped(raw)
        if parts and has_layout(line.text):  # the end of the line before was lost
            found[-1 - len(parts)] = stamp + b"".join(parts)
            parts = []
        if not parts and not line.is_part:
            found[-1] = line.stamp + line.text
            continue
        stamp = stamp if parts else line.stamp
        parts.append(line.text)
        if not line.is_part or sum(map(len, parts)) > _MOST_JOINED:
            found[-len(parts)] = stamp + b"".join(parts)
            parts = []
    open_lines = len(parts)
    if is_record:
        found[-len(parts) :] = parts
    elif parts:
        found[-len(parts)] = stamp + b"".join(parts)
    return Unwrapped(b"\n" + b"\n".join(found) + b"\n", open_lines)


# the commonest beginnings of lines that nothing is around, and what may make another one of the rest
_FORMS = Forms(LAYOUT, layout_end)
_LEVELS_BEHIND = pairs_of([("[A-Z]", "[A-Z ]")])
_BRACKET = ord("[")
_OPENS = np.isin(np.arange(256), [*OPENERS, *b"{<,"])
_MAY_BE_WRAPPED = re.compile(rb"\n(?:[^\S\n]++[\[,{]|[A-Z][a-z]{2} |(?=[A-Za-z_.-])[\w.-]++(?:@[\w.-]++)?+ ++\| )")


def _plain(data: bytes) -> list[bool]:
    """Return for each line in *data* whether there is surely nothing around it, where it stands between others."""
    lines = Lines(data)
    plain = np.zeros(len(lines), np.bool_)
    if lines.is_clean:
        plain[~_OPENS[lines.first_bytes()]] = True
        parts, _ = _FORMS.part(data, lines, np.flatnonzero(~plain))
        plain[lines.at([match.start() for match in _MAY_BE_WRAPPED.finditer(data)])] = False
        for form, numbers in parts:
            starts = lines.feeds[numbers] + 1
            plain[numbers] = True
            if data[int(starts[0])] != _BRACKET:  # a level behind the time may make the beginning another layout's
                levels = _LEVELS_BEHIND[(lines.eights(starts + form.length) & TWO_BYTES).view(np.int64)]
                plain[numbers[levels]] = False
    flags: list[bool] = plain.tolist()
    return flags


def _unwrapped(raw: bytes) -> _Line:
    text, stamp, is_part, layers = raw, b"", False, list(_LAYERS)
    while layers and not has_layout(text):
        if text.startswith(b"{") and (line := _of_record(text)) is not None:
            return line._replace(stamp=line.stamp or stamp, is_part=line.is_part or is_part)
        match = next((match for layer in layers if (match := layer.match(text)) is not None), None)
        if match is None:
            break
        layers.remove(match.re)
        text = text[match.end() :]
        stamp = stamp or _stamp_of(match)
        is_part = is_part or (match.re is _LAYERS[0] and match[4] == b"P")
    return _Line(_clean(text), stamp, is_part)


def _stamp_of(match: re.Match[bytes]) -> bytes:
    if match.re in _LAYERS[:3]:
        zone = match[3]
        if zone in (b"Z", b"UTC", b"GMT"):
            zone = b"+00:00"
        elif zone and b":" not in zone:
            zone = zone[:3] + b":" + zone[3:]
        return match[1] + b"T" + match[2] + (zone or b"") + b" "
    if match.re is _LAYERS[3]:
        return b"0000-01-01T" + match[1] + b" "  # a day that is none: the time of day is all that it tells
    return _stamp(int(match["epoch"])) if match.re is _LAYERS[4] else b""


def _clean(text: bytes) -> bytes:
    return clean(b"\n" + text)[1:].replace(b"\n", b" ")


# ---------- records


def _of_record(raw: bytes) -> _Line | None:
    """Return the line that a JSON object holds, or None where it is no record of a line."""
    try:
        record = json.loads(raw.strip().removeprefix(b"[").strip(b",] \t\r\n\0"))
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    text = _first(record, _TEXTS)
    if isinstance(text, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in text):  # noqa: PLR2004 - journald's way to write bytes
        said = bytes(text)
    elif isinstance(text, str):
        said = text.encode("utf-8", errors="surrogateescape")
    else:
        return None
    moment = _moment(record)
    # Docker's lines bear their own line feed; where it is missing the next record goes on with the line
    is_part = "log" in record and "stream" in record and isinstance(record["log"], str) and not said.endswith(b"\n")
    said = _clean(strip_escapes(said.rstrip(b"\r\n") if not is_part else said))
    thread, level = _first(record, _THREADS), _first(record, _LEVELS)
    if isinstance(level, int):
        level = "ERROR" if level <= _SYSLOG_ERROR else "WARN" if level == _SYSLOG_ERROR + 1 else "INFO"
    if moment is not None and isinstance(level, str) and isinstance(thread, str):
        logger = _first(record, _LOGGERS)
        named = f" [{logger}]" if isinstance(logger, str) and logger else ""
        begin = f"[{moment:%H:%M:%S}] [{thread}/{level.upper()}]{named}: "
        said = re.sub(r"[\r\n]+", " ", begin).encode() + said
    return _Line(said, _stamp(moment.timestamp()) if moment is not None else b"", is_part)


_SYSLOG_ERROR = 3
_TEXTS = (("log",), ("MESSAGE",), ("message",), ("msg",), ("line",), ("full_message",), ("short_message",))
_THREADS = (
    *(("thread",), ("threadName",), ("thread_name",), ("process.thread.name",), ("process", "thread", "name")),
    *(("_thread",), ("_threadName",)),
)
_LEVELS = (("level",), ("log.level",), ("log", "level"), ("severity",), ("_level",))
_LOGGERS = (("loggerName",), ("logger_name",), ("log.logger",), ("log", "logger"), ("_logger",), ("logger",))
_MOMENTS = (
    *(("time",), ("@timestamp",), ("timestamp",), ("ts",), ("date",), ("timeMillis",), ("__REALTIME_TIMESTAMP",)),
    ("instant", "epochSecond"),
)


def _first(record: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]) -> object:
    """Return the first value that one of *paths* leads to, which is no object itself."""
    for path in paths:
        value: object = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict):
            return value
    return None


def _moment(record: Mapping[str, Any]) -> datetime | None:
    value = _first(record, _MOMENTS)
    if isinstance(value, str) and not re.fullmatch(r"\d{9,19}(?:\.\d+)?", value):
        try:
            found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
        except ValueError:
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    return _since_1970(float(value))


def _since_1970(count: float) -> datetime | None:
    """Return the moment so many seconds, milli-, micro- or nanoseconds after 1970: the first that is near to now."""
    for unit in (1, 1_000, 1_000_000, 1_000_000_000):
        if count / unit < _FAR:
            return datetime.fromtimestamp(0, tz=UTC) + timedelta(seconds=count / unit)
    return None


_FAR = 10_000_000_000  # seconds: the year 2286


@lru_cache(maxsize=1024)
def _stamp(seconds: float) -> bytes:
    return f"{datetime.fromtimestamp(int(seconds), tz=UTC):%Y-%m-%dT%H:%M:%S}+00:00 ".encode()

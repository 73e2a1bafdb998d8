"""Find in a block the lines that may be of interest, and count the others.

Each layout has its patterns, made from its declaration; of the commonest ones the lines are skimmed first, so that the
patterns need to look at few of them. Finding is generous: what is found is read strictly by ``messages``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import compress
from operator import methodcaller
from sys import byteorder
from typing import Any, NamedTuple

import numpy as np

from pteroassets.sources.minecraft.deaths import FIRST_WORDS
from pteroassets.sources.minecraft.formats import (
    IGNORED_AFTER_NAME,
    IGNORED_PATTERNS,
    IGNORED_WHEN_READ,
    IGNORED_WORDS,
    LogFormat,
)
from pteroassets.sources.minecraft.forms import CHAT_IN_BRACKET, TIME_LENGTH, UNTIMED
from pteroassets.sources.minecraft.messages import CHAT_THREAD, finding
from pteroassets.sources.minecraft.months import read_date
from pteroassets.sources.minecraft.skim import Skimmed, Skimmer
from pteroassets.sources.minecraft.text import Lines, Places, any_of
from pteroassets.sources.minecraft.words import could_be_name

_IS_IGNORED = 1
_LINE_FEED = 10
_WORTH_SKIMMING = 1 << 11  # bytes; below that, patterns alone are faster
_LONGEST_END = len("]:  ")  # of a thread without a logger


class Scanner(NamedTuple):
    """The patterns of one layout."""

    starts: re.Pattern[bytes]  # all lines, with their times
    lines: re.Pattern[bytes]  # all lines: with one byte if to be ignored, with the message if of interest, else nothing
    said: Callable[[bytes], int]  # length of what *lines* gives of a message
    anchors: tuple[bytes, ...]
    prefix: re.Pattern[bytes]
    ignored: re.Pattern[bytes]
    ignored_at_once: re.Pattern[bytes]  # those that *lines* gives one byte
    skimmer: Skimmer | None  # where the machine stores the lowest byte first
    groups: frozenset[str]  # of *prefix*
    has_date: bool
    is_shipped: bool  # a log shipper's stamp stands before it
    of_prefix: Callable[[re.Match[bytes]], tuple[Any, ...]]  # its time, thread, logger and loader


#: A line that may be of interest: its number in the block, from 1; the place of the line feed before it; time of day in
#: seconds; thread and logger; the date that it shows, or the prefix where a shipper's stamp is in it; and the message.
Candidate = tuple[int, int, int | None, bytes | None, bytes | None, "date | re.Match[bytes] | None", bytes]


class Clock(NamedTuple):
    """When the lines with a prefix were written."""

    places: Places  # of the line feeds before them
    seconds: Places  # the time of day that each shows; `UNTIMED` where it shows none


class Scan(NamedTuple):
    """What a block holds."""

    lines: int
    entries: int  # lines with a prefix
    ignored: int  # of them, those to be ignored which are no candidates
    candidates: list[Candidate]  # in order
    clock: Clock | None = None  # None where nobody has looked
    others: Sequence[int] = ()  # places of the line feeds before lines without such a prefix, except for indented ones


def scan(data: bytes, lines: Lines, scanner: Scanner) -> Scan:
    """Find the lines of interest in *data*: a line feed and whole *lines*, clean and of one layout."""
    if scanner.skimmer is None or len(data) < _WORTH_SKIMMING:
        return scan_all(data, lines, scanner)
    return _scan_doubtful(data, lines, scanner, scanner.skimmer.skim(data, lines))


def _groups_of(groups: frozenset[str]) -> Callable[[re.Match[bytes]], tuple[Any, ...]]:
    wanted = ("time", "thread", "logger", "loader")
    if groups.issuperset(wanted):
        return methodcaller("group", *wanted)
    present = [name for name in wanted if name in groups]
    if present == ["time"]:
        return lambda match: (match["time"], None, None, None)
    if present == ["time", "thread"]:
        return lambda match: (match["time"], match["thread"], None, None)
    return lambda match: tuple(match[name] if name in groups else None for name in wanted)


_IGNORED = rb"(?:" + rb"|".join((rb"\[", any_of(IGNORED_WORDS), *IGNORED_PATTERNS, *IGNORED_WHEN_READ)) + rb")"


def _unless(names: Iterable[bytes], any_then: bytes) -> bytes:
    """Return a pattern of *names* and what follows them, where that is not *any_then*."""
    by_rest: dict[tuple[bytes, ...], list[bytes]] = {}
    rests: dict[bytes, list[bytes]] = {}
    for name, _, rest in (word.partition(b" ") for word in names):
        rests.setdefault(name + b" ", []).append(rest)
    for name, each in rests.items():
        by_rest.setdefault(tuple(each), []).append(name)
    ways = (any_of(same) + rb"(?!" + any_then + rb")" + any_of(each) for each, same in by_rest.items())
    return rb"(?:" + rb"|".join(ways) + rb")"


def _said(kinds: re.Pattern[bytes]) -> Callable[[bytes], int]:
    @lru_cache(maxsize=1 << 13)
    def length(message: bytes) -> int:
        match = kinds.match(message)
        return len(match[1]) if match is not None else 0

    return length


@cache
def scanner_of(format_: LogFormat) -> Scanner:
    """Return the patterns of a layout."""
    found = finding(format_.dialects, FIRST_WORDS)
    prefix = re.compile(format_.prefix)
    # what is to be ignored is tried first, since it is most; not so what a line of interest may begin with as well
    ignored_words = [word for word in IGNORED_WORDS if not any(begin.startswith(word) for begin in found.begins)]
    names = [word for word in ignored_words if could_be_name(word, found.then)]
    rest = any_of(word for word in ignored_words if word not in names)
    ignored = rb"(?:" + rest + rb"|" + _unless(names, found.any_then) + rb")"
    kinds = (
        rb"((?=\[)(?:(?=" + found.in_brackets + rb")..[^\n]*+|.)"
        rb"|(?=" + rb"|".join((ignored, *IGNORED_PATTERNS)) + rb")."
        rb"|(?=(?:\xc2?\xa7.)*+" + found.others + rb")..[^\n]*+|)"
    )
    at_once = rb"(?:(?=\[)(?!" + found.in_brackets + rb")|" + rb"|".join((ignored, *IGNORED_PATTERNS)) + rb")"
    return Scanner(
        starts=re.compile(format_.scan_prefix),
        lines=re.compile(format_.scan_prefix.replace(rb"(?P<time>", rb"(?:") + kinds),
        anchors=tuple(sorted(found.anchors)),
        prefix=prefix,
        ignored=re.compile(_IGNORED),
        ignored_at_once=re.compile(at_once),
        said=_said(re.compile(kinds)),
        skimmer=Skimmer(found, ignored_words, IGNORED_AFTER_NAME, format_.skim, prefix)
        if byteorder == "little"
        else None,
        groups=frozenset(prefix.groupindex),
        has_date=not {"date", "outer_date"}.isdisjoint(prefix.groupindex),
        is_shipped="outer_date" in prefix.groupindex,
        of_prefix=_groups_of(frozenset(prefix.groupindex)),
    )


def scan_all(data: bytes, lines: Lines, scanner: Scanner) -> Scan:
    """Find the lines that may be of interest by the patterns alone."""
    # one group, so that the list holds no tuples, which the garbage collector would follow
    said: list[bytes] = scanner.lines.findall(data)
    lengths = list(map(len, said))
    ignored = lengths.count(_IS_IGNORED)
    rfind, find, match = data.rfind, data.find, scanner.prefix.match
    found: dict[int, tuple[re.Match[bytes], bytes]] = {}
    place = 0
    for message in compress(said, map(_IS_IGNORED.__lt__, lengths)):
        # an equal text may stand elsewhere; as an entry's whole message it is this one
        while True:
            place = find(message, place)
            start = rfind(b"\n", 0, place)
            prefix = match(data, start + 1)
            place += len(message)
            if prefix is not None and prefix.end() + len(message) == place and data[place] == _LINE_FEED:
                found[start] = (prefix, message)
                break
    chat = (CHAT_IN_BRACKET,) if "thread" in scanner.groups else ()
    for place in _places(data, (*scanner.anchors, *chat)):
        start = rfind(b"\n", 0, place)
        if start in found or (prefix := match(data, start + 1)) is None:
            continue
        if data.startswith(chat, place) and not (prefix["thread"] or b"").startswith(CHAT_THREAD):
            continue  # somebody says so
        message = data[prefix.end() : find(b"\n", place)]
        ignored -= scanner.ignored_at_once.match(message) is not None
        found[start] = (prefix, message)
    starts = sorted(found)
    numbers = lines.at(starts)
    candidates = [
        _candidate(scanner, number, start, *found[start]) for number, start in zip(numbers, starts, strict=True)
    ]
    others = lines.unindented()
    if len(others) > len(said):
        entries = {match.start() for match in scanner.starts.finditer(data)}
        others = [place for place in others if place not in entries]
    else:
        others = []
    return Scan(len(lines), len(said), ignored, candidates, others=others)


def _scan_doubtful(data: bytes, lines: Lines, scanner: Scanner, skimmed: Skimmed) -> Scan:
    """Find the same by looking with the patterns at those lines only of which the skimmer is not sure."""
    anchored = set(lines.at(list(_places(data, scanner.anchors))))
    unlike = frozenset((*skimmed.doubtful, *skimmed.strays))
    looked_at = sorted(anchored | unlike)
    ignored = int(skimmed.ignored.sum())
    candidates: list[Candidate] = []
    others = lines.bounds(skimmed.others)[0]
    more: list[int] = []  # lines that have a prefix after all, and their times
    times: list[int] = []
    said, prefix_of, forms = scanner.said, scanner.prefix.match, skimmed.forms
    shows_thread, is_shipped = "thread" in scanner.groups, scanner.is_shipped
    for number, start, end, thread, thread_end, begin, seconds, was_ignored, of_form in zip(
        looked_at, *lines.bounds(looked_at), *skimmed.parts(looked_at), strict=True
    ):
        prefix = None
        if begin < 0:
            prefix = prefix_of(data, start + 1)
            if prefix is None:
                if number in unlike:
                    others.append(start)
                continue
            more.append(number)
            times.append(_seconds_in(prefix))
            begin = prefix.end()  # noqa: PLW2901 - the skimmer gave none
            if shows_thread:
                thread = prefix.start("thread")  # noqa: PLW2901 - the same
        elif thread < 0 and (span := forms[of_form].thread) is not None:
            thread, thread_end = start + 1 + span[0], start + 1 + span[1]  # noqa: PLW2901 - the same
        ignored -= was_ignored
        message = data[begin:end]
        if number not in anchored and not (thread >= 0 and data.startswith(CHAT_IN_BRACKET, thread - 1)):
            length = said(message)
            ignored += length == _IS_IGNORED
            if length <= _IS_IGNORED:
                continue
        if prefix is None and is_shipped:
            prefix = prefix_of(data, start + 1)
        if prefix is not None:
            candidates.append(_candidate(scanner, number, start, prefix, message))
            continue
        form, logger = forms[of_form], None
        if (span := form.logger) is not None:
            logger = data[start + 1 + span[0] : start + 1 + span[1]]
        elif form.thread is None and thread_end >= 0 and begin - thread_end > _LONGEST_END:
            logger = data[thread_end + len("] [") : data.rindex(b"]", thread_end, begin)]
        named = data[thread:thread_end] if thread_end >= 0 else None
        dated = read_date(data[start + 1 + span[0] : start + 1 + span[1]]) if (span := form.date) is not None else None
        candidates.append((number + 1, start, seconds if seconds >= 0 else None, named, logger, dated, message))
    entries, clock = skimmed.entries, skimmed.seconds
    if more:
        entries, clock = np.append(entries, more), np.append(clock, times)
        order = np.argsort(entries, kind="stable")
        entries, clock = entries[order], clock[order]
    return Scan(len(lines), len(entries), ignored, candidates, Clock(lines.feeds[entries], clock), sorted(others))


def clock_of(data: bytes, scanner: Scanner) -> Clock:
    """Return when the lines in *data* were written, by the patterns alone."""
    matches = list(scanner.starts.finditer(data))
    return Clock(
        np.array([match.start() for match in matches], np.int64),
        np.array([_seconds_in(match) for match in matches], np.int64),
    )


def _seconds_in(prefix: re.Match[bytes]) -> int:
    time: bytes | None = prefix["time"]
    return seconds_of(time) if time else UNTIMED


def _candidate(scanner: Scanner, number: int, start: int, prefix: re.Match[bytes], message: bytes) -> Candidate:
    time, thread, logger, loader = scanner.of_prefix(prefix)
    logger = loader if logger is None else logger
    seconds = seconds_of(time) if time else None
    shown: date | re.Match[bytes] | None = None
    if scanner.is_shipped:
        shown = prefix
    elif scanner.has_date and prefix["date"]:
        shown = read_date(prefix["date"])
    return number + 1, start, seconds, thread, logger, shown, message


def _places(data: bytes, words: Iterable[bytes]) -> Iterator[int]:
    """Yield where any of *words* stands."""
    is_plain, find = data.isascii(), data.find
    for word in words:
        if is_plain and not word.isascii():
            continue
        place = find(word)
        while place >= 0:
            yield place
            place = find(word, place + len(word))


@lru_cache(maxsize=4096)
def seconds_of(time: bytes) -> int:
    """Return the time of day that a line shows, in seconds."""
    if len(time) == TIME_LENGTH:
        return int(time[:2]) * 3600 + int(time[3:5]) * 60 + int(time[6:])
    hour, minute, second = (int(part) for part in re.findall(rb"\d+", time)[:3])
    return (hour % 12 + 12 * (b"p" in time.lower())) * 3600 + minute * 60 + second

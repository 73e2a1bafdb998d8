"""Find in a block the lines that may be of interest, and count the others.

Each layout has its patterns, made from its declaration; of the commonest ones the lines are skimmed first, so that the
patterns need to look at few of them. Finding is generous: what is found is read strictly by ``messages``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import compress, takewhile
from operator import itemgetter, methodcaller
from sys import byteorder
from threading import Lock
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
from pteroassets.sources.minecraft.forms import CHAT_IN_BRACKET, TIME_LENGTH, UNTIMED, Form, Span
from pteroassets.sources.minecraft.messages import CHAT_THREAD, Answers, Dialect, finding
from pteroassets.sources.minecraft.months import read_date
from pteroassets.sources.minecraft.skim import Judge, Known, Skimmed, Skimmer
from pteroassets.sources.minecraft.text import Lines, Places, any_of
from pteroassets.sources.minecraft.words import could_be_name

_IS_IGNORED = 1
_LINE_FEED = 10
_WORTH_SKIMMING = 1 << 11  # bytes; below that, patterns alone are faster
_LEAST_STEM = 5  # bytes; shorter ones stand everywhere
_LONGEST_END = len("]:  ")  # of a thread without a logger


class Scanner(NamedTuple):
    """The patterns of one layout."""

    starts: re.Pattern[bytes]  # all lines, with their times
    said: Mapping[bytes, int]  # of a message: 0 if unknown, 1 if to be ignored, else of interest
    anchors: tuple[bytes, ...]
    prefix: re.Pattern[bytes]
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


IGNORED = re.compile(
    rb"(?:" + rb"|".join((rb"\[", any_of(IGNORED_WORDS), *IGNORED_PATTERNS, *IGNORED_WHEN_READ)) + rb")"
)


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


def _lengths(kinds: re.Pattern[bytes]) -> Answers[int]:
    def length(message: bytes) -> int:
        match = kinds.match(message)
        return len(match[1]) if match is not None else 0

    return Answers(length)


class _Messages(NamedTuple):
    """How the messages of some dialects are found, in whichever layout; the fields are those of `Scanner`."""

    said: Mapping[bytes, int]
    anchors: tuple[bytes, ...]
    judge: Judge


@cache
def _messages_of(dialects: tuple[Dialect, ...]) -> _Messages:
    found = finding(dialects, FIRST_WORDS)
    # what is to be ignored is tried first, since it is most; not so what a line of interest may begin with as well
    ignored_words = [word for word in IGNORED_WORDS if not any(begin.startswith(word) for begin in found.begins)]
    names = {word for word in ignored_words if could_be_name(word, found.then)}
    rest = any_of(word for word in ignored_words if word not in names)
    ignored = (
        rb"(?:" + rest + rb"|" + _unless([word for word in ignored_words if word in names], found.any_then) + rb")"
    )
    kinds = (
        rb"((?=\[)(?:(?=" + found.in_brackets + rb")..[^\n]*+|.)"
        rb"|(?=" + rb"|".join((ignored, *IGNORED_PATTERNS)) + rb")."
        rb"|(?=(?:\xc2?\xa7.)*+" + found.others + rb")..[^\n]*+|)"
    )
    return _Messages(
        said=_lengths(re.compile(kinds)),
        anchors=tuple(sorted(found.anchors)),
        judge=Judge(found, ignored_words, IGNORED_AFTER_NAME),
    )


#: Whether a message of which nothing is read is one that is known to say nothing.
SAYS_NOTHING = Answers(lambda message: IGNORED.match(message) is not None)

_MADE_ONCE = Lock()  # threads that begin together would each compile the same patterns


@cache
def scanner_of(format_: LogFormat) -> Scanner:
    """Return the patterns of a layout."""
    with _MADE_ONCE:
        messages = _messages_of(format_.dialects)
    prefix = re.compile(format_.prefix)
    return Scanner(
        starts=re.compile(format_.scan_prefix),
        said=messages.said,
        anchors=messages.anchors,
        prefix=prefix,
        skimmer=Skimmer(messages.judge, format_.skim, prefix) if byteorder == "little" else None,
        groups=frozenset(prefix.groupindex),
        has_date=not {"date", "outer_date"}.isdisjoint(prefix.groupindex),
        is_shipped="outer_date" in prefix.groupindex,
        of_prefix=_groups_of(frozenset(prefix.groupindex)),
    )


def scan_all(data: bytes, lines: Lines, scanner: Scanner) -> Scan:
    """Find the lines that may be of interest by the patterns alone."""
    rfind, find, match = data.rfind, data.find, scanner.prefix.match
    found: dict[int, tuple[re.Match[bytes], bytes]] = {}
    entries: set[int] = set()
    ignored = 0
    for entry in scanner.starts.finditer(data):
        start, begin = entry.span()
        entries.add(start)
        message = data[begin : find(b"\n", begin)]
        length = scanner.said[message]
        if length <= _IS_IGNORED:
            ignored += length
        elif (whole := match(data, start + 1)) is not None:
            found[start] = (whole, message)
    chat = (CHAT_IN_BRACKET,) if "thread" in scanner.groups else ()
    for place in _places(data, (*scanner.anchors, *chat)):
        start = rfind(b"\n", 0, place)
        if start in found or (prefix := match(data, start + 1)) is None:
            continue
        if data.startswith(chat, place) and not (prefix["thread"] or b"").startswith(CHAT_THREAD):
            continue  # somebody says so
        message = data[prefix.end() : find(b"\n", place)]
        ignored -= scanner.said[message]
        found[start] = (prefix, message)
    starts = sorted(found)
    numbers = lines.at(starts)
    candidates = [
        _candidate(scanner, number, start, *found[start]) for number, start in zip(numbers, starts, strict=True)
    ]
    others = [place for place in lines.unindented() if place not in entries] if len(entries) < len(lines) else []
    return Scan(len(lines), len(entries), ignored, candidates, others=others)


def _scan_doubtful(data: bytes, lines: Lines, scanner: Scanner, skimmed: Skimmed) -> Scan:
    """Find the same by looking with the patterns at those lines only of which the skimmer is not sure."""
    anchored = set(lines.at(list(_places(data, scanner.anchors))))
    unlike = {*skimmed.doubtful, *skimmed.strays}
    looked_at = np.array(sorted(anchored | unlike), np.int64)
    known = skimmed.among(looked_at)
    candidates, ignored = _of_known(data, lines, scanner, skimmed.forms, known, anchored)
    ignored += int(skimmed.ignored.sum()) - int(known.ignored.sum())
    others = lines.bounds(skimmed.others)[0]
    entries, clock = skimmed.entries, skimmed.seconds
    if len(known.numbers) < len(looked_at):
        rest = np.setdiff1d(looked_at, known.numbers, assume_unique=True).tolist()
        found = _of_unknown(data, lines, scanner, rest, anchored)
        others += lines.bounds([number for number in found.others if number in unlike])[0]
        ignored += found.ignored
        candidates = sorted([*candidates, *found.candidates], key=itemgetter(0))
        entries = np.append(entries, np.array(found.entries, np.int64))
        clock = np.append(clock, np.array(found.seconds, np.int64))
        order = np.argsort(entries, kind="stable")
        entries, clock = entries[order], clock[order]
    return Scan(len(lines), len(entries), ignored, candidates, Clock(lines.feeds[entries], clock), sorted(others))


def _of_known(
    data: bytes, lines: Lines, scanner: Scanner, forms: Sequence[Form], known: Known, anchored: set[int]
) -> tuple[list[Candidate], int]:
    """Return those of interest among lines whose beginnings are known, and how many others are to be ignored."""
    ends = lines.feeds[known.numbers + 1].tolist()
    messages = [data[begin:end] for begin, end in zip(known.messages.tolist(), ends, strict=True)]
    lengths = np.fromiter(map(scanner.said.__getitem__, messages), np.int64, len(messages))
    is_wanted = lengths > _IS_IGNORED
    if not is_wanted.all():
        is_wanted |= np.isin(known.numbers, sorted(anchored))
        is_wanted |= np.array([form.is_chat and form.thread is not None for form in forms], np.bool_)[known.of_forms]
        for place in np.flatnonzero(~is_wanted & (known.threads > 0)).tolist():
            is_wanted[place] = data.startswith(CHAT_IN_BRACKET, int(known.threads[place]) - 1)
        messages = list(compress(messages, is_wanted.tolist()))
    ignored = int(lengths[~is_wanted].sum())
    known = known.some(is_wanted)
    starts = lines.feeds[known.numbers]
    if scanner.is_shipped:
        of_lines = zip(known.numbers.tolist(), starts.tolist(), messages, strict=True)
        return [
            _candidate(scanner, number, start, prefix, message)
            for number, start, message in of_lines
            if (prefix := scanner.prefix.match(data, start + 1)) is not None  # it fits, since the form does
        ], ignored
    shown = [_texts(data, starts, [getattr(form, name) for form in forms], known.of_forms) for name in _IN_FORMS]
    threads, loggers, dates = shown
    if threads is None and len(starts) and known.thread_ends[0] >= 0:
        bounds = (known.threads.tolist(), known.thread_ends.tolist())
        threads = [data[begin:end] for begin, end in zip(*bounds, strict=True)]
        loggers = loggers or _loggers(data, known)
    seconds: Iterable[int | None] = known.seconds.tolist()
    if len(starts) and known.seconds.min() < 0:
        seconds = (each if each >= 0 else None for each in known.seconds.tolist())
    nothing: list[Any] = [None] * len(starts)
    return list(
        zip(
            (known.numbers + 1).tolist(),
            starts.tolist(),
            seconds,
            threads or nothing,
            loggers or nothing,
            [each and read_date(each) for each in dates] if dates else nothing,
            messages,
            strict=True,
        )
    ), ignored


_IN_FORMS = ("thread", "logger", "date")


def _texts(data: bytes, starts: Places, spans: Sequence[Span | None], of_forms: Places) -> list[bytes | None] | None:
    """Return of each line, by the number of its form, the text at the form's place; None where no form has one."""
    if not any(spans):
        return None
    froms, untils = np.array([span or (0, -1) for span in spans], np.int64)[of_forms].T
    bounds = ((starts + 1 + froms).tolist(), (starts + 1 + untils).tolist(), untils.tolist())
    return [data[begin:end] if until >= 0 else None for begin, end, until in zip(*bounds, strict=True)]


def _loggers(data: bytes, known: Known) -> list[bytes | None] | None:
    """Return the loggers between threads and messages; None where no line shows one."""
    ends, begins = known.thread_ends, known.messages
    named = np.flatnonzero(begins - ends > _LONGEST_END).tolist()
    if not named:
        return None
    loggers: list[bytes | None] = [None] * len(ends)
    for place in named:
        end, begin = int(ends[place]), int(begins[place])
        loggers[place] = data[end + len("] [") : data.rindex(b"]", end, begin)]
    return loggers


class _Matched(NamedTuple):
    """What the pattern of a layout finds in some lines."""

    candidates: list[Candidate]
    entries: list[int]  # lines that have a prefix after all
    seconds: list[int]  # their times
    others: list[int]  # lines that have none
    ignored: int


def _of_unknown(data: bytes, lines: Lines, scanner: Scanner, numbers: Sequence[int], anchored: set[int]) -> _Matched:
    """Look with the pattern at lines whose beginnings are not known."""
    found = _Matched([], [], [], [], 0)
    ignored = 0
    for number, start, end in zip(numbers, *lines.bounds([*numbers]), strict=True):
        prefix = scanner.prefix.match(data, start + 1)
        if prefix is None:
            found.others.append(number)
            continue
        found.entries.append(number)
        found.seconds.append(_seconds_in(prefix))
        message = data[prefix.end() : end]
        thread = prefix.start("thread") if "thread" in scanner.groups else -1
        if number not in anchored and not (thread >= 0 and data.startswith(CHAT_IN_BRACKET, thread - 1)):
            length = scanner.said[message]
            if length <= _IS_IGNORED:
                ignored += length
                continue
        found.candidates.append(_candidate(scanner, number, start, prefix, message))
    return found._replace(ignored=ignored)


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
    for stem, endings in _stems(tuple(words)):
        if is_plain and not stem.isascii():
            continue
        place = find(stem)
        while place >= 0:
            if data.startswith(endings, place):
                yield place
            place = find(stem, place + len(stem))


@cache
def _stems(words: tuple[bytes, ...]) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """Return what some of *words* begin with, and these: one search finds all of them."""
    found: list[tuple[bytes, tuple[bytes, ...]]] = []
    for word in sorted(words):
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(word, found[-1][0] if found else b"", strict=False))
        stem = word[: sum(1 for _ in alike)]
        if len(stem) >= _LEAST_STEM and stem.isascii():
            found[-1] = (stem, (*found[-1][1], word))
        else:
            found.append((word, (word,)))
    return found


@lru_cache(maxsize=4096)
def seconds_of(time: bytes) -> int:
    """Return the time of day that a line shows, in seconds."""
    if len(time) == TIME_LENGTH:
        return int(time[:2]) * 3600 + int(time[3:5]) * 60 + int(time[6:])
    hour, minute, second = (int(part) for part in re.findall(rb"\d+", time)[:3])
    return (hour % 12 + 12 * (b"p" in time.lower())) * 3600 + minute * 60 + second

"""Skim a block of the commonest layouts: tell the lines that are surely dull from those that the patterns must decide.

A pattern costs some hundred nanoseconds a line, and nearly all lines say nothing. Here numpy looks at all lines of a
block at once: 64 bytes of each, as bits that tell where the spaces and brackets are, and eight bytes at each place
where a word of interest could begin. What it calls dull the patterns of ``scan`` would call dull too, and what it
counts as to be ignored they would count so: it only saves them the work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pteroassets.sources.minecraft.formats import OPENERS, Way
from pteroassets.sources.minecraft.forms import Form, Forms
from pteroassets.sources.minecraft.messages import CHAT_THREAD, MOST_NAME_WORDS, Finding
from pteroassets.sources.minecraft.text import (
    EIGHT,
    INDENTS,
    ONE,
    SHORT_WINDOW,
    WINDOW,
    Eights,
    Flags,
    Lines,
    Places,
    below,
    bits_of,
    lowest,
    number_of,
)
from pteroassets.sources.minecraft.words import (
    GROUPS,
    TWO_BYTES,
    Literal,
    LongWords,
    Words,
    could_be_name,
    groups_of,
    pairs_of,
)

_OPENERS = np.isin(np.arange(256), [*OPENERS])
_LEVEL_LENGTH = len("/INFO")
_BYTE, _BEHIND_SHORT = np.uint64(0xFF), np.uint64(1 << SHORT_WINDOW)
_COLON, _SQUARE, _ROUND = (number_of(text) for text in (b": ", b" [", b" ("))
_INFO, _WARN = (number_of(text) for text in (b"/INFO]: ", b"/WARN]: "))
_CHAT = number_of(CHAT_THREAD[:EIGHT])


class Skimmed(NamedTuple):
    """What is known of a block without looking at its lines one by one."""

    entries: Places  # lines that surely have a prefix
    threads: Places  # of each, the place where the thread begins; -1 where that is not known
    thread_ends: Places  # of each, the place of the bracket that closes the thread; the same
    messages: Places  # of each, the place where its message begins
    seconds: Places  # of each, the time of day; `UNTIMED` where it shows none
    ignored: Flags  # for each, whether it is surely of no interest and to be ignored
    doubtful: list[int]  # those of them that may be of interest, and other lines that may have a prefix
    strays: list[int]  # lines that may have a prefix with a stamp of another form
    others: list[int]  # those that surely have none, but for the indented ones
    forms: Sequence[Form]
    of_forms: Places  # of each line with a prefix, the number of its form among them

    def among(self, lines: Places) -> Known:
        """Return what is known of those of *lines* that surely have a prefix."""
        places = np.searchsorted(self.entries, lines)
        is_entry = np.append(self.entries, -1)[places] == lines
        places = places[is_entry]
        return Known(
            lines[is_entry],
            self.threads[places],
            self.thread_ends[places],
            self.messages[places],
            self.seconds[places],
            self.ignored[places],
            self.of_forms[places],
        )


class Known(NamedTuple):
    """What is known of some lines that surely have a prefix; the parts are as those of `Skimmed`."""

    numbers: Places
    threads: Places
    thread_ends: Places
    messages: Places
    seconds: Places
    ignored: Flags
    of_forms: Places

    def some(self, wanted: Flags) -> Known:
        """Return the same of those lines that are *wanted*."""
        return Known._make(part[wanted] for part in self)


class _Begun(NamedTuple):
    """Some lines whose beginnings have a form that is known."""

    numbers: Places
    ends: Places  # where the beginnings end
    seconds: Places
    is_chat: Flags
    forms: Sequence[Form]
    of_forms: Places  # the number of each one's form among them


class _Messages(NamedTuple):
    """The messages of some lines."""

    lines: Lines  # of the whole block
    places: Places  # where they begin
    heads: Eights  # their first eight bytes
    is_long: Flags  # whether they go on behind the window


_OF_INTEREST = 24  # groups
_PLAIN, _NAMED = 1, 2  # words to be ignored, and those of which a player may have the name
_OF_INTEREST_BITS = np.uint64((1 << _OF_INTEREST) - 1)


class _ByHead(dict[int, Sequence[Literal]]):
    """Which of many words may begin with eight bytes, by these; it is found out once for each that was seen."""

    def __init__(self, words: Sequence[Literal]) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, head: int) -> Sequence[Literal]:
        """Compare *head* with all words, and keep what is found for a while."""
        if len(self) >= _MOST_HEADS:
            self.clear()
        found = self[head] = [word for word in self._words if word.may_begin(head)]
        return found


_MOST_HEADS = 1 << 14


class Judge:
    """Tells of the messages of some dialects which may be of interest, and which are surely to be ignored.

    Args:
        found: How messages of interest are found.
        ignored: What a message to be ignored may begin with, none of which begins one of interest.
        ignored_after_name: What may follow the first word of a message to be ignored.
    """

    def __init__(self, found: Finding, ignored: Iterable[bytes], ignored_after_name: Iterable[bytes]) -> None:
        begins = [word for word in found.begins if not word.startswith(b"[")] + [b"\xa7", b"\xc2\xa7", b"/"]
        plain = sorted({word for word in ignored if not word.startswith(b"[")})
        self._begins = Words([*groups_of(begins, _OF_INTEREST), *groups_of(plain, GROUPS - _OF_INTEREST)])
        self._ignored = _ByHead([Literal(word, is_name=could_be_name(word, found.then)) for word in plain])
        self._after_name = [Literal(word) for word in ignored_after_name]
        self._then = LongWords([*found.then, b"(vehicle"])
        self._in_brackets = LongWords(word for word in found.begins if word.startswith(b"["))
        self._echoes = LongWords(found.echoes)
        self._of_peers = LongWords(found.of_peers)

    def of(self, messages: _Messages) -> tuple[Flags, Flags]:
        """Tell which messages are doubtful, and which are to be ignored."""
        doubtful, ignored = np.zeros((2, len(messages.places)), np.bool_)
        in_bracket = (messages.heads & _BYTE) == ord("[")
        self._judge_beginnings(messages, doubtful, ignored)
        self._judge_names(messages, np.flatnonzero(~(in_bracket | ignored | doubtful)), doubtful, ignored)
        self._judge_brackets(messages, np.flatnonzero(in_bracket), doubtful, ignored)
        return doubtful, ignored

    def _judge_beginnings(self, messages: _Messages, doubtful: Flags, ignored: Flags) -> None:
        lines, places, heads, _ = messages
        some, groups = self._begins.among(heads)
        doubtful[some[(groups & _OF_INTEREST_BITS) != 0]] = True
        some = some[(groups & ~_OF_INTEREST_BITS) != 0]
        if not len(some):
            return
        # lines that begin alike are judged together
        some = some[np.argsort(heads[some])]
        ordered, some_places = heads[some], places[some]
        seconds = lines.eights(some_places + EIGHT)
        ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(some))
        found = np.zeros(len(some), np.int8)
        start = 0
        for head, end in zip(ordered[ends - 1].tolist(), ends.tolist(), strict=True):
            for word in self._ignored[head]:
                fits = word.behind(lines, some_places[start:end], seconds[start:end])
                found[start:end][fits] = _NAMED if word.is_name else _PLAIN
            start = end
        ignored[some[found != 0]], doubtful[some[found != 0]] = True, False
        named = np.flatnonzero(found == _NAMED)
        spaces = bits_of(lines.windows(some_places[named]) == ord(" "))
        named = some[named[self._then.among(lines.eights(some_places[named] + lowest(spaces) + 1))]]
        ignored[named], doubtful[named] = False, True

    def _judge_names(self, messages: _Messages, some: Places, doubtful: Flags, ignored: Flags) -> None:
        """Judge messages of which the first words could be a name."""
        lines = messages.lines
        places, is_long = messages.places[some], messages.is_long[some]
        spaces = bits_of(lines.windows(places) == ord(" "))
        everyone = np.arange(len(some))
        for rank in range(MOST_NAME_WORDS):
            doubtful[some[(spaces == 0) & is_long]] = True
            at = places + lowest(spaces) + 1
            then = lines.eights(at)
            found = self._then.among(then)
            doubtful[some[found[spaces[found] != 0]]] = True
            if rank == 0:
                for word in self._after_name:
                    ignored[some[word.among(lines, then, at, everyone)]] = True
            spaces &= spaces - ONE
        doubtful &= ~ignored

    def _judge_brackets(self, messages: _Messages, some: Places, doubtful: Flags, ignored: Flags) -> None:
        """Judge messages in brackets, among which are echoes of commands and a proxy's players."""
        lines, places = messages.lines, messages.places[some]
        windows = lines.windows(places)
        spaces, closes, colons = (bits_of(windows == ord(mark)) for mark in " ]:")
        looked_at = np.zeros(len(some), np.bool_)
        looked_at[self._in_brackets.among(messages.heads[some])] = True
        echoes = np.flatnonzero((colons != 0) & ((closes & below(colons)) == 0))
        looked_at[self._echoes.among(lines.eights(places[echoes] + lowest(colons[echoes]) + 2), echoes)] = True
        ends = closes & (spaces >> ONE)
        peers = np.flatnonzero(ends)
        looked_at[self._of_peers.among(lines.eights(places[peers] + lowest(ends[peers]) + 2), peers)] = True
        looked_at |= (ends == 0) & messages.is_long[some]
        doubtful[some], ignored[some] = looked_at, ~looked_at


class Skimmer:
    """Skims blocks of one layout.

    It needs a machine that stores the lowest byte first.

    Args:
        judge: Of what may be said in it.
        way: How the layout is skimmed.
        prefix: The layout's pattern.
    """

    def __init__(self, judge: Judge, way: Way, prefix: re.Pattern[bytes]) -> None:
        self._judge = judge
        self._way = way
        self._forms = Forms(prefix, way.end_of)
        self._unsure = pairs_of(way.unsure)

    def skim(self, data: bytes, lines: Lines) -> Skimmed:
        """Skim *data*, a line feed and clean *lines*."""
        first_bytes = lines.first_bytes()
        is_opener = _OPENERS[first_bytes]
        parts, strays = self._forms.part(data, lines, np.flatnonzero(is_opener))
        begun = _together(lines, parts)
        is_other = ~(INDENTS[first_bytes] | is_opener)
        if self._way.has_threads:
            return self._skim_threads(lines, begun, strays, is_other)
        places = begun.ends
        heads = lines.eights(places)
        messages = _Messages(lines, places, heads, lines.feeds[begun.numbers + 1] - places > WINDOW)
        is_doubtful, ignored = self._judge.of(messages)
        is_doubtful |= begun.is_chat
        is_sure = ~self._unsure[(heads & TWO_BYTES).view(np.int64)]
        unknown = np.full(int(is_sure.sum()), -1)
        return Skimmed(
            entries=begun.numbers[is_sure],
            threads=unknown,
            thread_ends=unknown,
            messages=places[is_sure],
            seconds=begun.seconds[is_sure],
            ignored=(ignored & ~is_doubtful)[is_sure],
            doubtful=begun.numbers[is_doubtful | ~is_sure].tolist(),
            strays=strays.tolist(),
            others=np.flatnonzero(is_other).tolist(),
            forms=begun.forms,
            of_forms=begun.of_forms[is_sure],
        )

    def _skim_threads(self, lines: Lines, begun: _Begun, strays: Places, is_other: Flags) -> Skimmed:
        """Skim lines in which a thread and its level stand between the forms and the messages."""
        threads, breaks = begun.ends, lines.breaks[begun.numbers]
        names = lines.short_windows(threads)
        closes = np.packbits(names == ord("]"), bitorder="little").view("<u4") | _BEHIND_SHORT
        thread_ends = threads + lowest(closes)
        # nearly all threads end with one of two levels, and a colon follows
        ends = lines.eights(thread_ends - _LEVEL_LENGTH)
        is_entry = ((ends == _INFO) | (ends == _WARN)) & (thread_ends < breaks)
        messages = thread_ends + len("]: ")
        doubtful = np.zeros(len(threads), np.bool_)
        rest = np.flatnonzero(~is_entry)
        is_entry[rest], thread_ends[rest], messages[rest], doubtful[rest] = _look_closer(
            lines, threads[rest], breaks[rest], has_logger=self._way.has_logger
        )

        sure = np.flatnonzero(is_entry)
        entries, places = begun.numbers[sure], messages[sure]
        heads_of_messages = lines.eights(places)
        if self._way.has_logger and len(spaced := np.flatnonzero((heads_of_messages & _BYTE) == ord(" "))):
            places[spaced] += 1
            heads_of_messages[spaced] = lines.eights(places[spaced])
        is_long = lines.feeds[entries + 1] - places > WINDOW
        is_doubtful, ignored = self._judge.of(_Messages(lines, places, heads_of_messages, is_long))
        is_doubtful |= names.view("<u8")[:: SHORT_WINDOW // EIGHT][sure] == _CHAT
        others = (np.flatnonzero(is_other), begun.numbers[~is_entry & ~doubtful])
        return Skimmed(
            entries=entries,
            threads=threads[sure],
            thread_ends=thread_ends[sure],
            messages=places,
            seconds=begun.seconds[sure],
            ignored=ignored & ~is_doubtful,
            doubtful=np.sort(np.concatenate((begun.numbers[doubtful], entries[is_doubtful]))).tolist(),
            strays=strays.tolist(),
            others=np.sort(np.concatenate(others)).tolist(),
            forms=begun.forms,
            of_forms=begun.of_forms[sure],
        )


def _together(lines: Lines, parts: Sequence[tuple[Form, Places]]) -> _Begun:
    """Return the lines of all forms in their order."""
    ends, seconds, of_forms = np.zeros((3, len(lines)), np.int64)
    is_begun, is_chat = np.zeros((2, len(lines)), np.bool_)
    for place, (form, numbers) in enumerate(parts):
        starts = lines.feeds[numbers] + 1
        of_forms[numbers] = place
        is_begun[numbers], is_chat[numbers] = True, form.is_chat
        ends[numbers] = starts + form.length
        seconds[numbers] = form.seconds(lines, starts)
    numbers = np.flatnonzero(is_begun)
    forms = [form for form, _ in parts]
    return _Begun(numbers, ends[numbers], seconds[numbers], is_chat[numbers], forms, of_forms[numbers])


def _look_closer(
    lines: Lines, threads: Places, breaks: Places, *, has_logger: bool
) -> tuple[Flags, Places, Places, Flags]:
    """Tell which lines have a prefix, where their threads end and messages begin, and which are doubtful."""
    windows = lines.windows(threads)
    closes, slashes = (bits_of(windows == ord(mark)) for mark in "]/")
    thread_ends = threads + lowest(closes)
    is_whole = (closes != 0) & (thread_ends < breaks)
    has_level = (slashes & below(closes)) != 0
    # too long a thread, or one that some layouts have without a level
    doubtful = ((closes == 0) & (breaks >= threads + WINDOW)) | (is_whole & ~has_level)
    doubtful |= breaks < threads  # a control character in a date, which patterns allow
    is_whole &= has_level
    after = thread_ends + 1
    marks = lines.eights(after) & TWO_BYTES
    is_entry = is_whole & (marks == _COLON)
    if not has_logger:
        return is_entry, thread_ends, after + len(": "), doubtful
    doubtful |= is_whole & (marks == _ROUND)
    named = np.flatnonzero(is_whole & (marks == _SQUARE))
    second = closes[named] & (closes[named] - ONE)
    logger_ends = threads[named] + lowest(second)
    far = np.flatnonzero(second == 0)  # Forge's loggers are long
    beyond = threads[named[far]] + WINDOW
    second[far] = bits_of(lines.windows(beyond) == ord("]"))
    logger_ends[far] = beyond + lowest(second[far])
    after[named] = logger_ends + 1
    is_known = (second != 0) & (logger_ends < breaks[named])
    is_entry[named] = is_known & ((lines.eights(after[named]) & TWO_BYTES) == _COLON)
    doubtful[named] = (second == 0) & (breaks[named] >= threads[named] + 2 * WINDOW)
    return is_entry, thread_ends, after + len(": "), doubtful

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

_PAIRS_OF_EIGHT = 4
_PAIR_BYTES = 2
_PAIRS = 1 << 16
_GROUPS = 64
_LEAST_BYTES = 4  # that tell words apart at first sight
_OPENERS = np.isin(np.arange(256), [*b"[0123456789"])  # of stamps
_LEVEL_LENGTH = len("/INFO")


_BYTE, _TWO_BYTES, _BEHIND_SHORT = (np.uint64(number) for number in (0xFF, 0xFFFF, 1 << SHORT_WINDOW))
_COLON, _SQUARE, _ROUND = (number_of(text) for text in (b": ", b" [", b" ("))
_INFO, _WARN = (number_of(text) for text in (b"/INFO]: ", b"/WARN]: "))
_CHAT = number_of(CHAT_THREAD[:EIGHT])
_SECONDS_BITS = np.uint64(16)  # ":0", as far as the eight bytes reach that begin before the time
_MIXER = np.uint64(0x9E3779B9 << 32)  # of Fibonacci hashing: 2**32 over the golden ratio, for the lower four bytes
_HASH_TO = np.uint64(48)


class Skimmed(NamedTuple):
    """What is known of a block without looking at its lines one by one."""

    entries: Places  # lines that surely have a prefix
    thread_ends: Places  # of each, the place of the bracket that closes the thread
    messages: Places  # of each, the place where its message begins
    ignored: Flags  # for each, whether it is surely of no interest and to be ignored
    doubtful: list[int]  # those of them that may be of interest, and other lines that may have a prefix
    strays: list[int]  # lines that may have a prefix with a stamp of another form
    others: list[int]  # those that surely have none, but for the indented ones
    is_in_order: bool  # no line, but for the strays, is of a minute before the one above it

    def parts(self, lines: list[int]) -> tuple[list[int], list[int], list[bool]]:
        """Return of each of *lines* the end of the thread, where the message begins, and whether it is to be ignored.

        The places are -1 where it is not sure that the line has a prefix.
        """
        numbers = np.array(lines, np.int64)
        places = np.searchsorted(self.entries, numbers)
        is_entry = np.append(self.entries, -1)[places] == numbers
        ends, messages, ignored = (
            np.where(is_entry, np.append(part, part.dtype.type(0))[places], none).tolist()
            for part, none in ((self.thread_ends, -1), (self.messages, -1), (self.ignored, False))
        )
        return ends, messages, ignored


class _Words:
    """Finds out with which of many words, by the first eight bytes, each of many places may begin.

    Each pair of bytes is looked up in a table of its own: a bit stands for a group of words, and is left by those
    places only at which all pairs fit a word of the group.
    """

    def __init__(self, groups: Sequence[Iterable[bytes]]) -> None:
        self._tables = np.zeros((_PAIRS_OF_EIGHT, _PAIRS), np.uint64)
        for number, words in enumerate(groups):
            bit = np.uint64(1 << number)
            for word in words:
                for pair in range(_PAIRS_OF_EIGHT):
                    known = word[_PAIR_BYTES * pair : _PAIR_BYTES * (pair + 1)]
                    step = 1 << 8 * len(known)  # whatever follows the known bytes fits too
                    self._tables[pair, int.from_bytes(known, "little") :: step] |= bit
        self._first_pairs: Flags = self._tables[0] != 0

    def among(self, eights: Eights) -> tuple[Places, Eights]:
        """Return the numbers of the places where one may stand, and the groups; their eight bytes are *eights*."""
        found: Places = np.flatnonzero(self._first_pairs.take((eights & _TWO_BYTES).view(np.int64)))
        return found, self.groups_at(eights[found])

    def groups_at(self, eights: Eights) -> Eights:
        """Return the groups that may stand at the places whose eight bytes are *eights*."""
        pairs = eights.view(np.uint16).reshape(-1, _PAIRS_OF_EIGHT)
        found: Eights = self._tables[0].take(pairs[:, 0])
        for pair in range(1, _PAIRS_OF_EIGHT):
            found &= self._tables[pair].take(pairs[:, pair])
        return found


class _LongWords:
    """Finds out where any of many words may stand, faster where they seldom do.

    Raises:
        ValueError: A word is too short to be told from others.
    """

    def __init__(self, words: Iterable[bytes]) -> None:
        words = tuple(words)
        if short := [word for word in words if len(word) < _LEAST_BYTES]:
            raise ValueError(f"{short} have less than {_LEAST_BYTES} bytes, so lines cannot be skimmed for them")
        self._words = _Words(_groups(words, _GROUPS))
        self._hashes = np.zeros(_PAIRS, np.bool_)
        self._hashes[_hashed(np.array([number_of(word[:EIGHT]) for word in words]))] = True

    def among(self, eights: Eights, some: Places | None = None) -> Places:
        """Return at which places one may stand, by their numbers or those in *some*; their eight bytes are *eights*."""
        found: Places = np.flatnonzero(self._hashes.take(_hashed(eights).view(np.int64)))
        if len(found):
            found = found[self._words.groups_at(eights[found]) != 0]
        return found if some is None else some[found]


def _hashed(eights: Eights) -> Eights:
    """Return 16 bits made of the first four bytes."""
    hashes: Eights = eights * _MIXER
    hashes >>= _HASH_TO
    return hashes


class _Literal:
    """A word that is compared eight bytes at a time.

    Attributes:
        is_name: Whether it could be a player's name and what is said of the player.
    """

    def __init__(self, word: bytes, *, is_name: bool = False) -> None:
        self.is_name = is_name
        parts = [word[offset : offset + EIGHT] for offset in range(0, len(word), EIGHT)]
        self._parts = [(number_of(b"\xff" * len(part)), number_of(part)) for part in parts]

    def among(self, lines: Lines, heads: Eights, places: Places, some: Places) -> Places:
        """Return those of *some* numbers at whose *places* the word stands; these places begin with *heads*."""
        mask, wanted = self._parts[0]
        some = some[(heads & mask) == wanted]
        for number, (mask, wanted) in enumerate(self._parts[1:], 1):
            if not len(some):
                break
            some = some[(lines.eights(places[some] + EIGHT * number) & mask) == wanted]
        return some


def could_be_name(word: bytes, then: Iterable[bytes]) -> bool:
    """Return whether a message's beginning could also be a player's name, a space and the beginning of any *then*."""
    match = re.fullmatch(rb"\w{2,16} (.*)", word, re.DOTALL)
    return match is not None and any(each.startswith(match[1]) or match[1].startswith(each) for each in then)


_ZERO = ord("0")


def _form(form: bytes) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Return mask, addend and wanted value for eight bytes in which ``0`` stands for any digit and NUL for any byte."""
    mask = bytes({0: 0, _ZERO: 0xF0}.get(byte, 0xFF) for byte in form)
    # with six more, a digit stays in its row of the code table, and what follows the nine leaves it
    more = bytes(6 * (byte == _ZERO) for byte in form)
    return number_of(mask), number_of(more), number_of(form)


def _fits(eights: Eights, form: tuple[np.uint64, np.uint64, np.uint64]) -> Flags:
    mask, more, wanted = form
    fits: Flags = ((eights & mask) == wanted) & (((eights + more) & mask) == wanted)
    return fits


class Stamp:
    """The form of what stands before the thread in a line: a bracket with a time, and a date where the layout has one.

    Args:
        form: Up to the bracket that opens the thread, with ``0`` for any digit: ``[00:00:00] [``.
        at: Place of the time in it.

    Attributes:
        length: Of the form.
        at: Place of the time in it.
    """

    def __init__(self, form: bytes, at: int) -> None:
        # the byte before the time is the same in all lines, so what begins with it is in the order of the times
        places = [*range(at - 1, len(form), EIGHT), *range(0, at - 1, EIGHT)]
        ends = [len(form) if place >= at - 1 else at - 1 for place in places]
        self._forms = [
            (place, _form(form[place : min(place + EIGHT, end)].ljust(EIGHT, b"\0")))
            for place, end in zip(places, ends, strict=True)
        ]
        self.length = len(form)
        self.at = at

    def fits(self, lines: Lines, starts: Places) -> tuple[Flags, Eights]:
        """Tell at which of *starts* such a stamp stands, and return eight bytes that begin before the time."""
        times = lines.eights(starts + (self.at - 1))
        fits = _fits(times, self._forms[0][1])
        for place, form in self._forms[1:]:
            fits &= _fits(lines.eights(starts + place), form)
        return fits, times


def _groups(words: Iterable[bytes], most: int) -> list[list[bytes]]:
    """Part *words* into *most* groups of words that begin alike, so that any pair of bytes tells them from others."""
    ordered = sorted(set(words))
    size = max(1, -(-len(ordered) // most))
    found = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return found + [[] for _ in range(most - len(found))]


class _Messages(NamedTuple):
    """The messages of some lines."""

    lines: Lines  # of the whole block
    places: Places  # where they begin
    heads: Eights  # their first eight bytes
    is_long: Flags  # whether they go on behind the window


_OF_INTEREST = 24  # groups


class Skimmer:
    """Skims blocks of a layout like ``[HH:MM:SS] [thread/LEVEL]: message``, with or without a logger's bracket.

    It needs a machine that stores the lowest byte first.

    Args:
        found: How messages of interest are found.
        ignored: What a message to be ignored may begin with, none of which begins one of interest.
        ignored_after_name: What may follow the first word of a message to be ignored.
    """

    def __init__(self, found: Finding, ignored: Iterable[bytes], ignored_after_name: Iterable[bytes]) -> None:
        begins = [word for word in found.begins if not word.startswith(b"[")] + [b"\xa7", b"\xc2\xa7", b"/"]
        plain = _groups((word for word in ignored if not word.startswith(b"[")), _GROUPS - _OF_INTEREST)
        self._begins = _Words([*_groups(begins, _OF_INTEREST), *plain])
        self._ignored = [[_Literal(word, is_name=could_be_name(word, found.then)) for word in group] for group in plain]
        self._after_name = [_Literal(word) for word in ignored_after_name]
        self._then = _LongWords([*found.then, b"(vehicle"])
        self._in_brackets = _LongWords(word for word in found.begins if word.startswith(b"["))
        self._echoes = _LongWords(found.echoes)
        self._of_peers = _LongWords(found.of_peers)

    def skim(self, lines: Lines, stamp: Stamp) -> Skimmed:
        """Skim clean lines, most of which begin with a stamp of the form of *stamp*."""
        feeds = lines.feeds
        starts = feeds[:-1] + 1
        has_time, times = stamp.fits(lines, starts)
        timed, untimed = np.flatnonzero(has_time), np.flatnonzero(~has_time)
        minutes = times[timed].byteswap() >> _SECONDS_BITS
        first_bytes = lines.first_bytes(untimed)
        is_stray = _OPENERS[first_bytes]

        threads, breaks = starts[timed] + stamp.length, lines.breaks[timed]
        names = lines.short_windows(threads)
        closes = np.packbits(names == ord("]"), bitorder="little").view("<u4") | _BEHIND_SHORT
        thread_ends = threads + lowest(closes)
        # nearly all threads end with one of two levels, and a colon follows
        ends = lines.eights(thread_ends - _LEVEL_LENGTH)
        is_entry = ((ends == _INFO) | (ends == _WARN)) & (thread_ends < breaks)
        messages = thread_ends + len("]: ")
        doubtful = np.zeros(len(timed), np.bool_)
        rest = np.flatnonzero(~is_entry)
        is_entry[rest], thread_ends[rest], messages[rest], doubtful[rest] = _look_closer(
            lines, threads[rest], breaks[rest]
        )

        sure = np.flatnonzero(is_entry)
        entries, places = timed[sure], messages[sure]
        heads_of_messages = lines.eights(places)
        if len(spaced := np.flatnonzero((heads_of_messages & _BYTE) == ord(" "))):
            places[spaced] += 1
            heads_of_messages[spaced] = lines.eights(places[spaced])
        is_long = feeds[entries + 1] - places > WINDOW
        is_doubtful, ignored = self._judge(_Messages(lines, places, heads_of_messages, is_long))
        is_doubtful |= names.view("<u8")[:: SHORT_WINDOW // EIGHT][sure] == _CHAT
        others = (untimed[~(INDENTS[first_bytes] | is_stray)], timed[~is_entry & ~doubtful])
        return Skimmed(
            entries=entries,
            thread_ends=thread_ends[sure],
            messages=places,
            ignored=ignored & ~is_doubtful,
            doubtful=np.sort(np.concatenate((timed[doubtful], entries[is_doubtful]))).tolist(),
            strays=untimed[is_stray].tolist(),
            others=np.sort(np.concatenate(others)).tolist(),
            is_in_order=bool((minutes[1:] >= minutes[:-1]).all()),
        )

    def _judge(self, messages: _Messages) -> tuple[Flags, Flags]:
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
        doubtful[some[(groups & np.uint64((1 << _OF_INTEREST) - 1)) != 0]] = True
        groups >>= np.uint64(_OF_INTEREST)
        present = int(np.bitwise_or.reduce(groups))
        for number, group in enumerate(self._ignored):
            if not present >> number & 1:
                continue
            of_group = some[(groups & np.uint64(1 << number)) != 0]
            group_heads = heads[of_group]
            for word in group:
                found = word.among(lines, group_heads, places, of_group)
                ignored[found], doubtful[found] = True, False
                if word.is_name and len(found):
                    spaces = bits_of(lines.windows(places[found]) == ord(" "))
                    named = self._then.among(lines.eights(places[found] + lowest(spaces) + 1), found)
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


def _look_closer(lines: Lines, threads: Places, breaks: Places) -> tuple[Flags, Places, Places, Flags]:
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
    marks = lines.eights(after) & _TWO_BYTES
    is_entry = is_whole & (marks == _COLON)
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
    is_entry[named] = is_known & ((lines.eights(after[named]) & _TWO_BYTES) == _COLON)
    doubtful[named] = (second == 0) & (breaks[named] >= threads[named] + 2 * WINDOW)
    return is_entry, thread_ends, after + len(": "), doubtful

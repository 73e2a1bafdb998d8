"""The forms of what stands before the messages of a layout: learned from its pattern, and found in all lines at once.

A form is the beginning of a line in which any digit may stand for another one. The patterns of layouts ask of a digit
only whether it is one, so that all lines of a form have a prefix of the same length if one of them has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from pteroassets.sources.minecraft.messages import CHAT_THREAD
from pteroassets.sources.minecraft.text import EIGHT, Eights, Flags, Lines, Places, number_of

CHAT_IN_BRACKET = b"[" + CHAT_THREAD  #: How the layouts write it in which it is believed.
TIME_LENGTH = len("00:00:00")
_ANY_DIGIT = re.compile(rb"\d")
_ZERO = ord("0")
_HALF_DAY_HOURS = 12
_HOUR_DIGITS = 2
UNTIMED = -1  #: In place of a line's seconds.

_LONGEST = 120  # bytes of a form, so that all places looked at lie in the block and the NULs behind it

Span = tuple[int, int]
_Form = tuple[np.uint64, np.uint64, np.uint64]
# of a time's eight bytes: the digits, and the places where two of them add up
_TIME_DIGITS = number_of(b"\x0f\x0f\0\x0f\x0f\0\x0f\x0f")
_ONE_DIGIT_HOUR = number_of(b"\0\x0f\0\x0f\x0f\0\x0f\x0f")
_BYTE = np.uint64(0xFF)
_TEN, _TO_NEXT, _TO_MINUTES, _TO_SECONDS = (np.uint64(number) for number in (10, 8, 24, 48))


def _masked(form: bytes) -> _Form:
    """Return mask, addend and wanted value for eight bytes in which ``0`` stands for any digit and NUL for any byte."""
    mask = bytes({0: 0, _ZERO: 0xF0}.get(byte, 0xFF) for byte in form)
    # with six more, a digit stays in its row of the code table, and what follows the nine leaves it
    more = bytes(6 * (byte == _ZERO) for byte in form)
    return number_of(mask), number_of(more), number_of(form)


def _fits(eights: Eights, form: _Form) -> Flags:
    mask, more, wanted = form
    fits: Flags = ((eights & mask) == wanted) & (((eights + more) & mask) == wanted)
    return fits


class Form:
    """The beginning of a line in which ``0`` stands for any digit.

    Args:
        form: The beginning.
        at: Where in it the time of day begins, if it has one.
        hour_digits: How many the hour has.
        from_noon: Hours to be added to those of half a day, where the time is one.
        spans: Where in it the layout's named groups stand, of those that it holds.

    Attributes:
        length: Of the form.
        is_chat: Whether it names a thread that writes nothing but chat.
        thread, logger, date: Where in it they stand, the same in all its lines; None where it holds none.
    """

    def __init__(
        self,
        form: bytes,
        at: int | None,
        *,
        hour_digits: int = _HOUR_DIGITS,
        from_noon: int | None = None,
        is_chat: bool = False,
        spans: Mapping[str, Span] | None = None,
    ) -> None:
        self.length = len(form)
        spans = spans or {}
        self.thread, self.date = spans.get("thread"), spans.get("date")
        self.logger = spans.get("logger") or spans.get("loader")
        self.is_chat = is_chat
        self._at, self._hour_digits, self._from_noon = at, hour_digits, from_noon
        # what tells the forms of one layout apart stands at their ends
        places = [max(0, len(form) - EIGHT), *range(0, len(form) - EIGHT, EIGHT)]
        self._parts = [(place, _masked(form[place : place + EIGHT].ljust(EIGHT, b"\0"))) for place in places]

    def among(self, lines: Lines, starts: Places) -> Places:
        """Return the numbers of those of *starts* at which such a beginning stands."""
        (place, part), *others = self._parts
        some: Places = np.flatnonzero(_fits(lines.eights(starts + place), part))
        for place, part in others:
            if not len(some):
                break
            some = some[_fits(lines.eights(starts[some] + place), part)]
        return some

    def seconds(self, lines: Lines, starts: Places) -> Places:
        """Return the times of day, in seconds, of lines of this form that begin at *starts*; -1 where it has none."""
        if self._at is None:
            return np.full(len(starts), UNTIMED, np.int64)
        digits = _TIME_DIGITS if self._hour_digits == _HOUR_DIGITS else _ONE_DIGIT_HOUR
        values = lines.eights(starts + (self._at + self._hour_digits - _HOUR_DIGITS)) & digits
        values = values * _TEN + (values >> _TO_NEXT)  # no digit is so high that it reaches its neighbour's bits
        hours, minutes, seconds = (
            ((values >> shift) & _BYTE).astype(np.int64) for shift in (np.uint64(0), _TO_MINUTES, _TO_SECONDS)
        )
        if self._from_noon is not None:
            hours = hours % _HALF_DAY_HOURS + self._from_noon
        found: Places = hours * 3600 + minutes * 60 + seconds
        return found


def form_of(prefix: re.Match[bytes], until: int) -> Form | None:
    """Return the form of a line's beginning, up to the place *until* in its block; None where it is of no use."""
    start = prefix.start()
    text = prefix.string[start:until]
    if b"\n" in text or not 0 < len(text) <= _LONGEST:
        return None
    named = prefix.groupdict()
    is_chat = bool(named.get("thread")) and prefix.string.startswith(CHAT_IN_BRACKET, prefix.start("thread") - 1)
    form = _ANY_DIGIT.sub(b"0", text)
    spans = {
        name: (prefix.start(name) - start, prefix.end(name) - start)
        for name, value in named.items()
        if value is not None and prefix.end(name) <= until
    }
    if not named.get("time"):
        return Form(form, None, is_chat=is_chat, spans=spans)
    time: bytes = named["time"]
    from_noon = None if len(time) == TIME_LENGTH else _HALF_DAY_HOURS * (b"p" in time.lower())
    at = prefix.start("time") - start
    return Form(form, at, hour_digits=time.index(b":"), from_noon=from_noon, is_chat=is_chat, spans=spans)


_MOST_KNOWN = 64
_MOST_LEARNED = 12  # in a block
_TOO_FEW = 4  # lines: patterns are faster


class Forms:
    """The forms that the lines of one layout have had, the commonest first.

    What is known of earlier blocks saves time and changes nothing that is found.

    Args:
        prefix: The layout's pattern.
        until: Returns where the form ends that a line's prefix shows: at its end, or where a thread begins. None where
            the form does not tell that a line of it has a prefix.
    """

    def __init__(self, prefix: re.Pattern[bytes], until: Callable[[re.Match[bytes]], int | None]) -> None:
        self._prefix, self._until = prefix, until
        self._known: list[Form] = []

    def part(self, data: bytes, lines: Lines, rest: Places) -> tuple[list[tuple[Form, Places]], Places]:
        """Part those lines whose numbers are *rest* by their forms, and return those of none too."""
        feeds, found = lines.feeds, []
        known = list(self._known)
        for form in known:
            if not len(rest):
                break
            some = form.among(lines, feeds[rest] + 1)
            if len(some):
                found.append((form, rest[some]))
                rest = np.delete(rest, some)
        unlike = np.zeros(len(rest), np.bool_)
        for _ in range(_MOST_LEARNED):
            tried = np.flatnonzero(~unlike)
            if len(tried) < _TOO_FEW:
                break
            start = int(feeds[rest[tried[len(tried) // 2]]]) + 1
            prefix = self._prefix.match(data, start)
            until = self._until(prefix) if prefix is not None else None
            form_ = form_of(prefix, until) if prefix is not None and until is not None else None
            if form_ is None:
                unlike[tried[len(tried) // 2]] = True
                continue
            some = form_.among(lines, feeds[rest] + 1)
            found.append((form_, rest[some]))
            known.append(form_)
            rest, unlike = np.delete(rest, some), np.delete(unlike, some)
        found.sort(key=lambda part: -len(part[1]))
        used = [form for form, _ in found]
        self._known = [*used, *(form for form in known if form not in used)][:_MOST_KNOWN]
        return found, rest

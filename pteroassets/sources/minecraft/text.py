"""From a log's bytes to text: where its lines are, what terminals leave in them, and how each one is decoded.

Parts of one file may be in different encodings: the server writes UTF-8, while the machine's own words (levels, error
texts, sometimes names) come in its old code page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

BOM = b"\xef\xbb\xbf"
UTF_16_BOM = b"\xff\xfe"

# what a terminal is told: strings, which end with a bell or a terminator; sequences; selections of a character set
_ESCAPE = (
    rb"\x1b(?:\][^\x07\x1b\n]*+(?:\x07|\x1b\\)?+|[PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\)?+|\[[0-?]*+[ -/]*+[@-~]"
    rb"|[ -/]++[0-~]|[0-OQ-WYZ\\`-~])"
)
# the same in eight bits, which in the midst of a line are letters of some encoding
_ESCAPE_8 = (
    rb"\xc2?+(?:\x9d[^\x07\x9c\x1b\n]*+(?:\x07|\xc2?+\x9c|\x1b\\)|[\x90\x98\x9e\x9f][^\x07\x9c\n]*+\xc2?+\x9c"
    rb"|\x9b[0-?]*+[ -/]*+[@-~]|[\x80-\x9f])"
)
_ESCAPES = re.compile(_ESCAPE + rb"|[\x07\x08]")
#: Bytes that may begin what a terminal is told before a line.
CONTROLS: Final = bytes([*range(9), 11, 12, *range(14, 32), 127, *range(0x80, 0xA0), 0xC2])
# what begins a run of them is seen in its line alone, so that the cuts between blocks do not matter
_LOW_CONTROLS = bytes(each for each in CONTROLS if each < ord(" "))
_HIGH_CONTROL = re.compile(rb"\n[\x7f-\x9f\xc2]")
_BEFORE_LINES = re.compile(
    rb"\n(?:[ >.]*+(?=[\x01-\x08\x0b-\x1f])|(?=[" + re.escape(CONTROLS) + rb"]))"
    rb"(?:(?:" + _ESCAPE + rb"|" + _ESCAPE_8 + rb"|[\x01-\x08\x0b-\x1f\x7f])[ >.]*+)++(?=[\[\d{])"
)
_REDRAWN = re.compile(rb"\r(?:>[ .]*)?(?=\n|\Z)|(?m:^)(?:[^\r\n]*+\r)+?(?=(?:> ?)?[\[\d])|\r")
# the single byte comes first, so that it is what is searched for; the line feed is looked for only where it stands
_HAS_PROMPT = re.compile(rb">(?<=\n>)")
_PROMPTS = re.compile(rb"(?<=\n)(?:>[ ]?)++(?=[\[\d])")


def strip_escapes(lines: bytes) -> bytes:
    """Cut what tells a terminal to do something, and NULs; what a carriage return overwrote stays."""
    if b"\x00" in lines:  # left by a machine that lost power, or by a console that writes UTF-16
        lines = lines.replace(b"\x00", b"")
    if b"\x1b[" in lines:
        lines = _without_colours(lines)
    has_escapes = b"\x1b" in lines or b"\x07" in lines or b"\x08" in lines
    if has_escapes or _has_control(lines):
        lines = _BEFORE_LINES.sub(b"\n", lines)
    if has_escapes:
        lines = _ESCAPES.sub(b"", lines)
    return lines


def _has_control(lines: bytes) -> bool:
    """Return whether a line may begin with what a terminal is told, in a sixth of the time of a pattern."""
    if len(lines.translate(None, _LOW_CONTROLS)) < len(lines):
        return True
    if b"\r" in lines and lines.count(b"\r") > lines.count(b"\r\n"):
        return True
    return (not lines.isascii() or b"\x7f" in lines) and _HIGH_CONTROL.search(lines) is not None


# a colour that begins a line, with the byte behind it, and one that ends a line
_AROUND_LINES = (re.compile(rb"\n(\x1b\[[\d;]*+m)(?=[\[\d{])."), re.compile(rb"(\x1b\[[\d;]*+m)\n"))
_MOST_COLOURS = 12
_FEW = 64  # lines: the patterns are faster


def _without_colours(lines: bytes) -> bytes:
    """Cut the commonest colours around whole lines, as the patterns would, in a tenth of their time."""
    for colours in _AROUND_LINES:
        for _ in range(_MOST_COLOURS):
            found = colours.search(lines) if b"\x1b[" in lines else None
            if found is None:
                break
            before = len(lines)
            lines = lines.replace(found[0], found[0].replace(found[1], b""))
            if before - len(lines) < _FEW * len(found[1]):
                break
    return lines


def clean(lines: bytes) -> bytes:
    """Cut what does not belong to lines: carriage returns and what they overwrote, escape sequences, prompts, NULs.

    *lines* begin with a line feed. The number of line feeds stays as it is, so line numbers hold.
    """
    lines = strip_escapes(lines)
    if b"\r" in lines:
        lines = _REDRAWN.sub(b"", lines.replace(b"\r\n", b"\n"))
    if _HAS_PROMPT.search(lines):
        lines = _PROMPTS.sub(b"", lines)
    return lines


#: Of a longer line only so many bytes are looked at: a line is a mistake then, and memory has an end.
LONGEST_LINE = 256 << 10


def whole_lines(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of *blocks*, which are cut anywhere, some at a time; each has `LONGEST_LINE` bytes at most."""
    rest = b""
    for block in blocks:
        *lines, last = block.split(b"\n")
        if lines:
            lines[0] = rest + lines[0]
            yield [line[:LONGEST_LINE] for line in lines]
            rest = b""
        rest = (rest + last[:LONGEST_LINE])[:LONGEST_LINE]
    if rest:
        yield [rest]


def shorten_lines(whole: bytes) -> bytes:
    """Return *whole*, a line feed and whole lines, with each line cut to `LONGEST_LINE` bytes that are no NULs."""
    place = 0
    while place + LONGEST_LINE + 1 < len(whole):
        end = whole.rfind(b"\n", place + 1, place + LONGEST_LINE + 2)
        if end < 0:
            return b"\n".join(map(shorten_line, whole.split(b"\n")))
        place = end
    return whole


def shorten_line(line: bytes) -> bytes:
    """Return *line*, or `LONGEST_LINE` bytes of a longer one, not counting the NULs of a hole."""
    return line if len(line) <= LONGEST_LINE else line.replace(b"\0", b"")[:LONGEST_LINE]


def strip_mark(start: bytes) -> bytes:
    """Return the *start* of a file without its byte order mark."""
    return start.removeprefix(BOM).removeprefix(UTF_16_BOM)


_HIGH = re.compile(rb"[\x80-\xff]+")
_CYRILLIC_RUN = 3
_COMMON_HANZI = (0xB0, 0xD7)  # first bytes of the 3,755 characters that nearly all text consists of


def decode(line: bytes) -> str:
    """Return a line's text: UTF-8, else GBK, Windows-1251 or -1252 by what its bytes look like; it never fails."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode(_guess(line), errors="replace")
    return text.replace("\x00", "") if "\x00" in text else text  # no Postgres text can hold one


_GBK_SECTION = re.compile(rb"(?<![\x80-\xff])(?:\xa1\xec[0-9a-fk-orA-FK-OR])+")


def _guess(line: bytes) -> str:
    if _GBK_SECTION.search(line):
        return "gbk"
    runs = _HIGH.findall(line.replace(b"\xc2\xa7", b"").replace(b"\xa7", b""))
    pairs = [run[index : index + 2] for run in runs for index in range(0, len(run), 2)]
    if all(len(pair) == 2 and pair[0] < 0xF8 and pair[1] >= 0xA1 for pair in pairs):  # noqa: PLR2004 - GB 2312's bytes
        common = sum(_COMMON_HANZI[0] <= pair[0] <= _COMMON_HANZI[1] for pair in pairs)
        if 2 * common > len(pairs):
            return "gbk"
    if any(len(run) >= _CYRILLIC_RUN for run in runs):
        return "cp1251"
    return "cp1252"


_COLOURS = re.compile("§.?")


def plain(text: str) -> str:
    """Return *text* without colour codes."""
    return _COLOURS.sub("", text) if "§" in text else text


def any_of(words: Iterable[bytes]) -> bytes:
    """Return a pattern for any of the literal *words*, which looks at each byte of a line once."""
    rest: dict[bytes, list[bytes]] = {}
    is_end = False
    for word in words:
        if word:
            rest.setdefault(word[:1], []).append(word[1:])
        else:
            is_end = True
    if is_end or not rest:
        return b""  # a shorter word is enough, whatever follows
    branches = [re.escape(first) + any_of(ends) for first, ends in rest.items()]
    return branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"


Eights = NDArray[np.uint64]  # eight bytes each, or 64 bits
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

WINDOW, SHORT_WINDOW = 64, 32
_PAD = bytes(2 * WINDOW)  # so that all places looked at lie in the block
EIGHT = 8
_LINE_FEED = 10
_TO_CLEAN = ~np.isin(np.arange(32), [9, 10])  # what `clean` looks for
# the same, as a line's first byte; behind it is a NUL
_TO_CLEAN_FIRST = np.isin(np.arange(256), [*CONTROLS[1:], ord(">")])
INDENTS = np.isin(np.arange(256), [9, 10, 32])


def number_of(text: bytes) -> np.uint64:
    """Return *text* as the number that it is in memory, where the first byte is the lowest."""
    return np.uint64(int.from_bytes(text, "little"))


ONE = np.uint64(1)


def bits_of(of: Flags) -> Eights:
    """Return a window's flags as bits, the first one lowest."""
    bits: Eights = np.packbits(of, bitorder="little").view("<u8")
    return bits


def below(bits: Eights) -> Eights:
    """Return the bits below the lowest one that is set; all where none is."""
    lower: Eights = (bits - ONE) & ~bits
    return lower


def lowest(bits: Eights) -> NDArray[np.uint8]:
    """Return the number of the lowest bit that is set; 64 where none is."""
    count: NDArray[np.uint8] = np.bitwise_count(below(bits))
    return count


class Lines:
    """The lines of a block, which is a line feed and whole lines; they are numbered from 0.

    Args:
        block: The block.

    Attributes:
        feeds: Places of the line feeds.
        breaks: Place of the first control character in each line; the line feed at its end is one.
        is_clean: Whether `clean` would leave the block as it is.
    """

    def __init__(self, block: bytes) -> None:
        padded = block + _PAD
        self._data = data = np.frombuffer(padded, np.uint8)
        # bytes at each place, which numpy copies faster as such than as numbers that are not aligned
        self._eights = np.ndarray(len(padded) - EIGHT, f"V{EIGHT}", padded, strides=(1,))
        self._windows = np.ndarray(len(padded) - WINDOW, f"V{WINDOW}", padded, strides=(1,))
        self._short_windows = np.ndarray(len(padded) - WINDOW, f"V{SHORT_WINDOW}", padded, strides=(1,))
        controls = _controls(padded, len(block))
        codes = data[controls]
        is_feed = codes == _LINE_FEED
        order = np.flatnonzero(is_feed)
        self.feeds: Places = controls[order]
        self.breaks: Places = controls[order[:-1] + 1]
        self.is_clean = not _TO_CLEAN[codes[~is_feed]].any() and not _TO_CLEAN_FIRST[data[self.feeds + 1]].any()

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.feeds) - 1

    def behind(self, place: int) -> Lines:
        """Return the lines behind the line feed at *place*, as those of what begins there."""
        other = object.__new__(Lines)
        other._data = self._data[place:]
        other._eights, other._windows = self._eights[place:], self._windows[place:]
        other._short_windows = self._short_windows[place:]
        first = int(np.searchsorted(self.feeds, place))
        other.feeds, other.breaks = self.feeds[first:] - place, self.breaks[first:] - place
        other.is_clean = self.is_clean
        return other

    def at(self, places: list[int]) -> list[int]:
        """Return the lines in which *places* lie; a line feed belongs to the line behind it."""
        numbers: list[int] = (np.searchsorted(self.feeds, places, "right") - 1).tolist()
        return numbers

    def bounds(self, lines: list[int]) -> tuple[list[int], list[int]]:
        """Return the places of the line feeds before each of *lines*, and those after."""
        numbers = np.array(lines, np.int64)
        return self.feeds[numbers].tolist(), self.feeds[numbers + 1].tolist()

    def unindented(self) -> list[int]:
        """Return the places of the line feeds before the lines that begin with no blank."""
        feeds = self.feeds[:-1]
        places: list[int] = feeds[~INDENTS[self._data[feeds + 1]]].tolist()
        return places

    def eights(self, places: Places) -> Eights:
        """Return the eight bytes at each of *places*, as numbers."""
        eights: Eights = self._eights[places].view("<u8")
        return eights

    def windows(self, places: Places) -> NDArray[np.uint8]:
        """Return the 64 bytes from each of *places* on, one after the other."""
        return self._windows[places].view(np.uint8)

    def short_windows(self, places: Places) -> NDArray[np.uint8]:
        """Return the 32 bytes from each of *places* on, one after the other."""
        return self._short_windows[places].view(np.uint8)

    def first_bytes(self) -> NDArray[np.uint8]:
        """Return the first byte of each line."""
        return self._data[self.feeds[:-1] + 1]


def _controls(padded: bytes, length: int) -> Places:
    """Return the places of the control characters among the first *length* bytes."""
    data = np.frombuffer(padded, np.uint8, length)
    # by parts, since a large array is given back to the system each time, which zeroes its pages for the next one
    parts = [np.flatnonzero(data[start : start + _PART] < _SPACE) + start for start in range(0, length, _PART)]
    return np.concatenate(parts)


_PART, _SPACE = 1 << 17, ord(" ")

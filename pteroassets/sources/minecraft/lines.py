"""The lines of a block of bytes, at which numpy looks all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pteroassets.sources.minecraft.text import CONTROLS

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
# places of a time's digits, and their worth in seconds
_DIGITS = ((0, 36_000), (1, 3_600), (3, 600), (4, 60), (6, 10), (7, 1))


def number_of(text: bytes) -> np.uint64:
    """Return *text* as the number that it is in memory, where the first byte is the lowest."""
    return np.uint64(int.from_bytes(text, "little"))


ONE = np.uint64(1)
_NO_CONTROL = number_of(b"\xe0" * EIGHT)  # the bits of which a control character has none


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

    def first_bytes(self, some: Places) -> NDArray[np.uint8]:
        """Return the first byte of each of *some* lines."""
        return self._data[self.feeds[some] + 1]

    def seconds(self, lines: list[int], at: int) -> list[int]:
        """Return the times of day, in seconds, that stand in *lines* *at* a place."""
        starts = self.feeds[np.array(lines, np.int64)] + 1 + at
        values = np.zeros(len(starts), np.int64)
        for place, worth in _DIGITS:
            values += (self._data[starts + place].astype(np.int64) - ord("0")) * worth
        seconds: list[int] = values.tolist()
        return seconds


def _controls(padded: bytes, length: int) -> Places:
    """Return the places of the control characters among the first *length* bytes."""
    eights = np.frombuffer(padded, np.uint64, -(-length // WINDOW) * EIGHT)
    # a bit for each byte: with few of them, this is faster than to look for them among the bytes
    bits = ~np.packbits((eights & _NO_CONTROL).view(np.uint8), bitorder="little").view("<u8")
    bits[-1] &= np.uint64((1 << (length - 1) % WINDOW + 1) - 1)  # without what follows the block
    windows = np.flatnonzero(bits != 0)
    bits = bits[windows]
    windows *= WINDOW
    ends = np.cumsum(np.bitwise_count(bits), dtype=np.int64)
    found = np.empty(ends[-1], np.int64)
    at = np.append(0, ends[:-1])
    while len(windows):
        found[at] = windows + lowest(bits)
        bits &= bits - ONE
        more = np.flatnonzero(bits)
        windows, bits, at = windows[more], bits[more], at[more] + 1
    return found

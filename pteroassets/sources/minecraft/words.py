"""Find words at many places at once, by the eight bytes that stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from pteroassets.sources.minecraft.text import EIGHT, Eights, Flags, Lines, Places, number_of

_PAIRS_OF_EIGHT = 4
_PAIR_BYTES = 2
_PAIRS = 1 << 16
GROUPS = 64
_LEAST_BYTES = 4  # that tell words apart at first sight
TWO_BYTES = np.uint64(0xFFFF)
_MIXER = np.uint64(0x9E3779B9 << 32)  # of Fibonacci hashing: 2**32 over the golden ratio, for the lower four bytes
_HASH_TO = np.uint64(48)


class Words:
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
        found: Places = np.flatnonzero(self._first_pairs.take((eights & TWO_BYTES).view(np.int64)))
        return found, self.groups_at(eights[found])

    def groups_at(self, eights: Eights) -> Eights:
        """Return the groups that may stand at the places whose eight bytes are *eights*."""
        pairs = eights.view(np.uint16).reshape(-1, _PAIRS_OF_EIGHT)
        found: Eights = self._tables[0].take(pairs[:, 0])
        for pair in range(1, _PAIRS_OF_EIGHT):
            found &= self._tables[pair].take(pairs[:, pair])
        return found


class LongWords:
    """Finds out where any of many words may stand, faster where they seldom do.

    Raises:
        ValueError: A word is too short to be told from others.
    """

    def __init__(self, words: Iterable[bytes]) -> None:
        words = tuple(words)
        if short := [word for word in words if len(word) < _LEAST_BYTES]:
            raise ValueError(f"{short} have less than {_LEAST_BYTES} bytes, so lines cannot be skimmed for them")
        self._words = Words(groups_of(words, GROUPS))
        self._hashes = np.zeros(_PAIRS, np.bool_)
        self._hashes[_hashed(np.array([number_of(word[:EIGHT]) for word in words], np.uint64))] = True

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


class Literal:
    """A word that is compared eight bytes at a time.

    Attributes:
        is_name: Whether it could be a player's name and what is said of the player.
    """

    def __init__(self, word: bytes, *, is_name: bool = False) -> None:
        self.is_name = is_name
        parts = [word[offset : offset + EIGHT] for offset in range(0, len(word), EIGHT)]
        self._parts = [(number_of(b"\xff" * len(part)), number_of(part)) for part in parts]

    def may_begin(self, head: int) -> bool:
        """Return whether the word, or its beginning, is that of these eight bytes."""
        mask, wanted = self._parts[0]
        return head & int(mask) == int(wanted)

    def among(self, lines: Lines, heads: Eights, places: Places, some: Places) -> Places:
        """Return those of *some* numbers at whose *places* the word stands; these places begin with *heads*."""
        mask, wanted = self._parts[0]
        some = some[(heads & mask) == wanted]
        for number, (mask, wanted) in enumerate(self._parts[1:], 1):
            if not len(some):
                break
            some = some[(lines.eights(places[some] + EIGHT * number) & mask) == wanted]
        return some

    def behind(self, lines: Lines, places: Places, seconds: Eights) -> Flags | slice:
        """Return at which of *places* it stands, whose first eight bytes are known to fit; *seconds* are the next."""
        if len(self._parts) == 1:
            return slice(None)
        mask, wanted = self._parts[1]
        fits: Flags = (seconds & mask) == wanted
        for number, (mask, wanted) in enumerate(self._parts[2:], 2):
            some = np.flatnonzero(fits)
            if not len(some):
                break
            fits[some] = (lines.eights(places[some] + EIGHT * number) & mask) == wanted
        return fits


def could_be_name(word: bytes, then: tuple[bytes, ...]) -> bool:
    """Return whether a message's beginning could also be a player's name, a space and the beginning of any *then*."""
    match = re.fullmatch(rb"\w{2,16} (.*)", word, re.DOTALL)
    if match is None:
        return False
    rest = match[1]
    return rest.startswith(then) or any(each.startswith(rest) for each in then)


def groups_of(words: Iterable[bytes], most: int) -> list[list[bytes]]:
    """Part *words* into *most* groups of words that begin alike, so that any pair of bytes tells them from others."""
    ordered = sorted(set(words))
    size = max(1, -(-len(ordered) // most))
    found = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return found + [[] for _ in range(most - len(found))]


def pairs_of(unsure: Iterable[tuple[str, str]]) -> Flags:
    """Return for each pair of bytes, as a number, whether any of the pairs of patterns fits it."""
    found = np.zeros((256, 256), np.bool_)
    for patterns in unsure:
        first, second = (
            np.array([re.match(pattern.encode(), bytes([byte]), re.DOTALL) is not None for byte in range(256)])
            for pattern in patterns
        )
        found |= np.outer(second, first)
    return found.ravel()

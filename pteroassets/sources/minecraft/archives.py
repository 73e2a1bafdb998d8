"""Packed logs as streams: gzip, and zip with one file in it, known by their first bytes.

One that was cut, as a killed server leaves it, or damaged gives what can be read. zlib itself is used, since neither
``gzip`` nor ``zipfile`` reads such a one, and ``zipfile`` no pipe.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterable, Iterator

#: What the name of a packed log ends with, and the same as a pattern for names of packed and plain ones.
SUFFIXES = (".gz", ".zip")
MAYBE_PACKED = r"(?:\.gz|\.zip)?"

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_BLOCK_BYTES = 1 << 20
# of a file in a zip archive (APPNOTE.TXT 4.3.7): flags, method, check sum, packed size, lengths of name and extra field
_ZIP_HEADER = struct.Struct("<4x2xHH4xLL4xHH")
_ZIP_SUM = b"PK\x07\x08"  # may stand before a check sum that follows the file
_ZIP_ENCRYPTED, _ZIP_SUM_FOLLOWS = 1, 8  # flags
_ZIP_TAIL = 32  # bytes after a file in which its check sum stands, and another file begins if there is one
_ZIP_STORED, _ZIP_DEFLATED = 0, 8
_GZIP_BITS, _RAW_BITS = 31, -15


def is_archive(head: bytes) -> bool:
    """Tell whether what begins with *head* is an archive that can be unpacked here."""
    return head.startswith((_GZIP, _ZIP))


class Unpacked:
    """What packed bytes hold, in blocks of bounded size, once; bytes that are no archive are given as they are.

    Args:
        packed: The bytes, in blocks of any size.

    Attributes:
        damage: Why the end could not be read.
    """

    def __init__(self, packed: Iterable[bytes]) -> None:
        self._packed = iter(packed)
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks."""
        first = self._at_least(b"", len(_ZIP))
        if first.startswith(_GZIP):
            yield from self._members(first)
        elif first.startswith(_ZIP):
            yield from self._file(first)
        else:
            if first:
                yield first
            yield from self._packed

    def _members(self, rest: bytes) -> Iterator[bytes]:
        """Yield what the members of a gzip archive hold, one after the other."""
        while rest:
            rest = yield from self._inflated(rest, _GZIP_BITS)
            if self.damage is not None:
                return
            # what follows a member is another one, or the zeros of a tape's block
            rest = rest.lstrip(b"\0")
            while not rest and (more := next(self._packed, b"")):
                rest = more.lstrip(b"\0")
            rest = self._at_least(rest, len(_GZIP))
            if rest and not rest.startswith(_GZIP):
                self.damage = "what follows in the archive is not packed"
                return

    def _file(self, rest: bytes) -> Iterator[bytes]:
        """Yield what the first file of a zip archive holds."""
        rest = self._at_least(rest, _ZIP_HEADER.size)
        if len(rest) < _ZIP_HEADER.size:
            self.damage = "the archive is cut"
            return
        flags, method, check_sum, size, *lengths = _ZIP_HEADER.unpack_from(rest)
        start = _ZIP_HEADER.size + sum(lengths)
        rest = self._at_least(rest, start)[start:]
        is_stored = method == _ZIP_STORED and not flags & _ZIP_SUM_FOLLOWS  # nor the size, where the sum does
        if flags & _ZIP_ENCRYPTED or not (is_stored or method == _ZIP_DEFLATED):
            self.damage = "the archive is encrypted or packed in a rare way: unpack it first"
            return
        found_sum = 0
        blocks = self._stored(rest, size) if is_stored else self._inflated(rest, _RAW_BITS)
        while True:
            try:
                block = next(blocks)
            except StopIteration as end:
                rest = self._at_least(end.value, _ZIP_TAIL)[:_ZIP_TAIL]
                break
            found_sum = zlib.crc32(block, found_sum)
            yield block
        if self.damage is not None:
            return
        if flags & _ZIP_SUM_FOLLOWS:
            check_sum = int.from_bytes(rest.removeprefix(_ZIP_SUM)[:4], "little")
        if found_sum != check_sum:
            self.damage = "the archive is damaged"
        elif _ZIP in rest:
            self.damage = "the archive holds more than one file: unpack it first, only the first was read"

    def _inflated(self, rest: bytes, bits: int) -> Generator[bytes, None, bytes]:
        """Yield what one deflated stream holds; return the bytes that follow it."""
        unpacker = zlib.decompressobj(wbits=bits)
        while True:
            before = unpacker.copy()
            try:
                block = unpacker.decompress(rest, _BLOCK_BYTES)
            except zlib.error:
                self.damage = "the archive is damaged"
                yield from _until_error(before, rest)
                return b""
            if block:
                yield block
            if unpacker.eof:
                return unpacker.unused_data
            rest = unpacker.unconsumed_tail or (b"" if block else next(self._packed, b""))
            if not rest and not block:
                self.damage = "the archive is cut"
                return b""

    def _stored(self, rest: bytes, size: int) -> Generator[bytes, None, bytes]:
        """Yield *size* bytes as they are; return those that follow."""
        while size:
            rest = rest or next(self._packed, b"")
            if not rest:
                self.damage = "the archive is cut"
                break
            yield rest[:size]
            size, rest = max(0, size - len(rest)), rest[size:]
        return rest

    def _at_least(self, rest: bytes, count: int) -> bytes:
        while len(rest) < count and (more := next(self._packed, b"")):
            rest += more
        return rest


def _until_error(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what *packed* gives before the byte that breaks it: an error takes what its call had unpacked with it."""
    for place in range(len(packed)):
        try:
            yield unpacker.decompress(packed[place : place + 1])
        except zlib.error:
            return

"""Packed bytes as streams of blocks: gzip, xz, bzip2 and Zstandard, known by their first bytes.

One that was cut, as a killed server leaves it, or damaged gives what can be read: the libraries' own file objects
give nothing of such a one, so their decompressors are fed here. However much a stream unpacks to, and whatever it says
of itself, no more than some mebibytes of it are held, and no decompressor takes more than `_MOST_MEMORY`.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from backports import zstd

#: What the name of a packed log ends with that can be unpacked here.
SUFFIXES: Final = (".gz", ".xz", ".lzma", ".bz2", ".zst", ".zip", ".tgz", ".txz", ".tbz2", ".tzst", ".tar")
#: The same of one that cannot: as far as names tell it.
FOREIGN_SUFFIXES: Final = (".7z", ".rar", ".lz4", ".lz", ".z", ".lzo", ".cab", ".br")
#: A pattern for the ends of all of them, or none: a log keeps its place among others however it is packed.
MAYBE_PACKED: Final = (
    r"(?i:(?:\.tar)?(?:" + "|".join(re.escape(suffix) for suffix in (*SUFFIXES, *FOREIGN_SUFFIXES)) + r"))?"
)

BLOCK_BYTES: Final = 1 << 20
_FED_BYTES = 1 << 14  # an error takes what its call had unpacked with it
_MOST_MEMORY = 128 << 20  # what `xz -9` and `zstd --long` need
_WINDOW_LOG = 27  # the same as a power of two
_CUT, _DAMAGED = "the archive is cut", "the archive is damaged"

# archives that nothing here unpacks, by their first bytes: their names, and what to unpack them with
_FOREIGN: Final = (
    (b"7z\xbc\xaf\x27\x1c", "7z", "7z x"),
    (b"Rar!\x1a\x07", "RAR", "unrar x"),
    (b"\x04\x22\x4d\x18", "LZ4", "lz4 -d"),
    (b"LZIP", "lzip", "lzip -d"),
    (b"\x1f\x9d", "compress (.Z)", "uncompress"),
    (b"\x89LZO\x00", "lzop", "lzop -d"),
    (b"MSCF", "cabinet", "cabextract"),
)


def foreign(head: bytes) -> str | None:
    """Return the kind of an archive, begun by *head*, that is not unpacked here; None if there is none."""
    for mark, name, command in _FOREIGN:
        if head.startswith(mark):
            return f"a {name} archive, which is not unpacked here: unpack it first, for example with {command}"
    return None


class Reader:
    """Bytes that come in blocks of any size, as many at a time as are wanted.

    Args:
        blocks: The bytes.

    Attributes:
        position: How many were taken.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._held = b""
        self.position = 0

    def peek(self, count: int) -> bytes:
        """Return the next *count* bytes, or as many as there are, and leave them there."""
        while len(self._held) < count and (more := next(self._blocks, b"")):
            self._held += more
        return self._held[:count]

    def take(self, most: int) -> bytes:
        """Return the next bytes, *most* at most; none at the end."""
        held = self._held or next(self._blocks, b"")
        taken, self._held = held[:most], held[most:]
        self.position += len(taken)
        return taken

    def read(self, count: int) -> bytes:
        """Return the next *count* bytes, fewer only at the end."""
        self.peek(count)
        return self.take(count)

    def put_back(self, rest: bytes) -> None:
        """Give back *rest*, which was taken last."""
        self._held = rest + self._held
        self.position -= len(rest)


class Decompressor(Protocol):
    """What unpacks one stream."""

    @property
    def eof(self) -> bool:
        """Whether the stream ended."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return what *data* unpacks to, *max_length* bytes at most."""


class Inflater:
    """Unpacks one deflated stream; damage gives what comes before it.

    Args:
        bits: zlib's ``wbits``: 31 within a gzip file, -15 bare.

    Attributes:
        needs_input: Whether nothing more comes without more bytes.
    """

    def __init__(self, bits: int) -> None:
        self._unpacker = zlib.decompressobj(wbits=bits)
        self._tail = b""
        self._error: zlib.error | None = None
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the stream ended."""
        return self._unpacker.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""
        return self._unpacker.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return what *data* unpacks to, *max_length* bytes at most.

        Raises:
            zlib.error: The stream is damaged, and what comes before was given.
        """
        if self._error is not None:
            raise self._error
        before, data = self._unpacker.copy(), self._tail + data
        try:
            block = self._unpacker.decompress(data, max_length)
        except zlib.error as error:
            self._error, self.needs_input = error, False
            return b"".join(_until_error(before, data))
        self._tail = self._unpacker.unconsumed_tail
        self.needs_input = not self._tail and len(block) < max_length
        return block


_KINDS: Final[tuple[tuple[bytes, Callable[[], Decompressor]], ...]] = (
    (b"\x1f\x8b", lambda: Inflater(31)),
    (b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)),
    (b"\x5d\x00\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MOST_MEMORY)),
    (b"BZh", bz2.BZ2Decompressor),
    (
        b"\x28\xb5\x2f\xfd",
        lambda: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}),
    ),
)
_SKIPPABLE = b"\x2a\x4d\x18"  # from the second byte on: a frame of Zstandard that holds no content
_MARK_BYTES = max(len(mark) for mark, _ in _KINDS)
_ERRORS = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError)


def _kind_of(head: bytes) -> Callable[[], Decompressor] | None:
    if head[1:4] == _SKIPPABLE and head[:1] >= b"\x50" and head[:1] <= b"\x5f":
        head = _KINDS[-1][0]
    return next((make for mark, make in _KINDS if head.startswith(mark)), None)


def is_packed(head: bytes) -> bool:
    """Return whether what begins with *head* is a packed stream that can be unpacked here."""
    return _kind_of(head) is not None


class Unpacked:
    """What packed bytes hold, in blocks of bounded size, once; bytes that are not packed are given as they are.

    Args:
        packed: The bytes, in blocks of any size.

    Attributes:
        damage: Why the end could not be read.
    """

    def __init__(self, packed: Iterable[bytes] | Reader) -> None:
        self._reader = packed if isinstance(packed, Reader) else Reader(packed)
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks."""
        make = _kind_of(self._reader.peek(_MARK_BYTES))
        if make is None:
            while block := self._reader.take(BLOCK_BYTES):
                yield block
        while make is not None:
            stream = Stream(self._reader, make())
            yield from stream
            self.damage = stream.damage
            if self.damage is not None:
                return
            # what follows a stream is another one, or the zeros of a tape's block
            while zeros := self._reader.take(BLOCK_BYTES):
                if rest := zeros.lstrip(b"\0"):
                    self._reader.put_back(rest)
                    break
            head = self._reader.peek(_MARK_BYTES)
            make = _kind_of(head)
            if head and make is None:
                self.damage = "what follows in the archive is not packed"


class Stream:
    """What one packed stream holds, in blocks of bounded size, once; what follows it stays in the reader.

    Args:
        reader: Stands at its beginning.
        unpacker: Of its kind.

    Attributes:
        damage: Why the end could not be read.
    """

    def __init__(self, reader: Reader, unpacker: Decompressor) -> None:
        self._reader = reader
        self._unpacker = unpacker
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks."""
        while not self._unpacker.eof:
            fed = self._reader.take(_FED_BYTES) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not fed:
                self.damage = _CUT
                return
            try:
                block = self._unpacker.decompress(fed, BLOCK_BYTES)
            except _ERRORS as error:
                asks_too_much = "memory" in str(error).lower()
                self.damage = f"unpacking it takes more than {_MOST_MEMORY >> 20} MiB" if asks_too_much else _DAMAGED
                return
            if block:
                yield block
        self._reader.put_back(self._unpacker.unused_data)


def _until_error(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what *packed* gives before the byte that breaks it: an error takes what its call had unpacked with it."""
    for place in range(len(packed)):
        try:
            yield unpacker.decompress(packed[place : place + 1])
        except zlib.error:
            return

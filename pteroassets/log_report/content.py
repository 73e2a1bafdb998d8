"""A log's bytes as a stream of blocks, whatever they come from: a file, an archive, a pipe.

Archives are known by their first bytes, not by their names. One that was cut, as a killed server leaves it, gives what
can be read.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pteroassets.sources.minecraft.log import classify

STDIN = "-"
HEAD_BYTES = 64 << 10
_READ_BYTES = 256 << 10
_BLOCK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


class Content:
    """The bytes behind one path, unpacked; a context manager.

    Args:
        path: Of a file or a pipe; ``-`` is the standard input.
        advanced: Told how many bytes were read, packed as they are.
    """

    def __init__(self, path: str, *, advanced: Callable[[int], object] = lambda _count: None) -> None:
        self._path = path
        self._advanced = advanced
        self._stream: BinaryIO | None = None
        self._start = b""
        self.damage: str | None = None  # why the end of an archive could not be read

    def __enter__(self) -> Self:
        # a stream of our own would close the process's standard input
        self._stream = sys.stdin.buffer if self._path == STDIN else Path(self._path).open("rb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None and self._path != STDIN:
            self._stream.close()

    def blocks(self) -> Iterator[bytes]:
        """Yield the content, once; the first block is the whole of it or `HEAD_BYTES` at least."""
        blocks = self._unpacked()
        head = b""
        for block in blocks:
            head += block
            if len(head) >= HEAD_BYTES:
                break
        if head:
            yield head
        yield from blocks

    def _packed(self) -> Iterator[bytes]:
        if self._stream is None:
            raise ValueError(f"{self._path} is not open")
        while block := self._stream.read(_READ_BYTES):
            self._advanced(len(block))
            yield block

    def _unpacked(self) -> Iterator[bytes]:
        packed = self._packed()
        first = next(packed, b"")
        if not first.startswith(_GZIP):
            if first:
                yield first
            yield from packed
            return
        yield from self._members(first, packed)

    def _members(self, rest: bytes, packed: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what the members of an archive hold, in blocks of bounded size."""
        unpacker = zlib.decompressobj(wbits=31)
        while True:
            before = unpacker.copy()
            try:
                block = unpacker.decompress(rest, _BLOCK_BYTES)
            except zlib.error:
                self.damage = "the archive is damaged"
                yield from _until_error(before, rest)
                return
            if block:
                yield block
            if unpacker.eof:
                # what follows a member is another one, or the zeros of a tape's block
                rest = unpacker.unused_data.lstrip(b"\0") or next(packed, b"").lstrip(b"\0")
                if not rest.startswith(_GZIP):
                    return
                unpacker = zlib.decompressobj(wbits=31)
                continue
            rest = unpacker.unconsumed_tail or (b"" if block else next(packed, b""))
            if not rest and not block:
                self.damage = "the archive is cut"
                return


def _until_error(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what *packed* gives before the byte that breaks it: an error takes what its call had unpacked with it."""
    for place in range(len(packed)):
        try:
            yield unpacker.decompress(packed[place : place + 1])
        except zlib.error:
            return


def refusal(head: bytes) -> str | None:
    """Say why the file that begins with *head* gives no sessions; None where it is a server's log."""
    if head.startswith((b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")):
        return "an archive that is not gzip: unpack it first"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16, as PowerShell writes what it captures: convert it with iconv -f UTF-16 -t UTF-8"
    return classify(head)

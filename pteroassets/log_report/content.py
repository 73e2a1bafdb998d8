"""A log's bytes as a stream of blocks, whatever they come from: a file, an archive, a pipe.

Archives are known by their first bytes, not by their names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pteroassets.sources.minecraft.archives import Unpacked
from pteroassets.sources.minecraft.log import classify

STDIN = "-"
HEAD_BYTES = 64 << 10
_READ_BYTES = 1 << 20  # skimming smaller blocks takes a quarter longer


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
        self._unpacked = Unpacked(self._packed())

    def __enter__(self) -> Self:
        # a stream of our own would close the process's standard input
        self._stream = sys.stdin.buffer if self._path == STDIN else Path(self._path).open("rb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None and self._path != STDIN:
            self._stream.close()

    @property
    def damage(self) -> str | None:
        """Why the end of an archive could not be read."""
        return self._unpacked.damage

    def blocks(self) -> Iterator[bytes]:
        """Yield the content, once; the first block is the whole of it or `HEAD_BYTES` at least."""
        blocks = iter(self._unpacked)
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


def refusal(head: bytes) -> str | None:
    """Say why the file that begins with *head* gives no sessions; None where it is a server's log."""
    if head.startswith((b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")):
        return "an archive that is neither gzip nor zip: unpack it first"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16, as PowerShell writes what it captures: convert it with iconv -f UTF-16 -t UTF-8"
    return classify(head)

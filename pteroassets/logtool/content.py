"""The files behind one path as streams of blocks, whatever it is: a log, an archive with logs in it, a pipe.

Archives are known by their first bytes, not by their names. A file in one is named by the archive's path and its own
path there: ``backup.tar.gz/logs/latest.log``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pteroassets.sources.minecraft.archives import Archive, PackedFile
from pteroassets.sources.minecraft.intake import as_text

STDIN = "-"
_READ_BYTES = 1 << 20  # skimming smaller blocks takes a quarter longer


def split(path: str) -> tuple[str, str | None]:
    """Return the file that *path* lies in, and its path there; None where it is no member of an archive."""
    if path == STDIN or path.startswith(f"{STDIN}/"):
        return STDIN, path[len(STDIN) + 1 :] or None
    for folder in Path(path).parents:
        if folder.is_file():
            return str(folder), str(Path(path).relative_to(folder))
        if folder.exists():
            break
    return path, None


class Content:
    """The bytes behind one path; a context manager.

    Args:
        path: Of a file, of a pipe or of a file in an archive; ``-`` is the standard input.
        advanced: Told how many bytes were read, packed as they are.
    """

    def __init__(self, path: str, *, advanced: Callable[[int], object] = lambda _count: None) -> None:
        self._path, self._member = split(path)
        self._advanced = advanced
        self._stream: BinaryIO | None = None
        self._archive = Archive(self._packed())

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
        return self._archive.damage

    @property
    def holds_files(self) -> bool:
        """Whether it is an archive of files; known with the first of them."""
        return self._archive.holds_files

    def files(self) -> Iterator[PackedFile]:
        """Yield the files, once: of a log itself, packed or not, the one without a name."""
        return self._archive.files()

    def blocks(self) -> Iterator[bytes]:
        """Yield the content of the one file that the path names, once, as `as_text` gives it."""
        for file in self.files():
            if file.refused is None and self._member in (None, file.name):
                yield from as_text(file.blocks())
                return

    def _packed(self) -> Iterator[bytes]:
        if self._stream is None:
            raise ValueError(f"{self._path} is not open")
        while block := self._stream.read(_READ_BYTES):
            self._advanced(len(block))
            yield block

"""The store of fetched log files: gzip, addressed by content, readable by its owner alone.

A better parser reads history again from here, without asking the panel. Player addresses and chat stand in these
files, which is why they are kept outside Postgres.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from pathlib import Path


class LogStore:
    """A folder of files named by the SHA-256 of their uncompressed bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Keep *content* and return its digest; content that is there already costs nothing.

        Raises:
            OSError: The folder cannot be written or the disk is full; nothing is left behind.
        """
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if path.exists():
            return digest
        for folder in (self._folder, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # written aside and renamed, so that a killed process never leaves half a file under a digest
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(gzip.compress(content, compresslevel=6, mtime=0))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content of *digest*.

        Raises:
            FileNotFoundError: It was never kept, or has been removed.
        """
        try:
            return gzip.decompress(self._path(digest).read_bytes())
        except FileNotFoundError:
            raise FileNotFoundError(
                f"the log store {self._folder} has no file {digest}; reload that day's logs"
            ) from None

    def remove(self, digest: str) -> None:
        """Forget *digest*; one that is not there is no error, so that a removal can be repeated."""
        self._path(digest).unlink(missing_ok=True)

    def __contains__(self, digest: str) -> bool:
        return self._path(digest).exists()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.log.gz"

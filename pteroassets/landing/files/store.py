"""The store of fetched log files: gzip, addressed by content, readable by its owner alone.

A better parser reads history again from here, without asking the panel. These files have player addresses and chat in
them, so they are kept outside Postgres. The store is a folder, or anything else that fsspec can write to:
``s3://bucket/prefix`` with the package s3fs, ``gs://…`` with gcsfs, ``memory://…`` for tests.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec  # type: ignore[import-untyped] # ships no types
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]
from fsspec.registry import known_implementations  # type: ignore[import-untyped]

# these write a file whole or not at all; others need a temporary file and a rename
_WHOLE_OR_NOTHING = frozenset({"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl"})


class LogStoreError(Exception):
    """The place that a setting names cannot be opened; the message says what to do."""


class LogStore:
    """A folder, or a prefix of an object store, of files named by the SHA-256 of their uncompressed bytes.

    Args:
        location: A folder, or a URL that fsspec knows.

    Raises:
        LogStoreError: The kind of store is unknown, or the package that opens it is not installed.
    """

    def __init__(self, location: Path | str) -> None:
        self._name, self._files, self._root = open_place(str(location), setting="PTEROASSETS_LOG_STORE")

    def put(self, content: bytes) -> str:
        """Store *content* and return its digest; content already stored is not written again.

        Raises:
            OSError: The store cannot be written or is full; nothing is left behind.
        """
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if self._files.exists(path):
            return digest
        packed = gzip.compress(content, compresslevel=6, mtime=0)
        if isinstance(self._files, LocalFileSystem):
            self._put_in_folder(Path(path), packed)
        elif _protocols(self._files) & _WHOLE_OR_NOTHING:
            self._files.pipe_file(path, packed)
        else:
            self._put_aside(path, packed)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content of *digest*.

        Raises:
            FileNotFoundError: It was never stored, or has been removed.
        """
        try:
            return gzip.decompress(self._files.cat_file(self._path(digest)))
        except FileNotFoundError:
            raise self._missing(digest) from None

    @contextlib.contextmanager
    def open(self, digest: str) -> Iterator[BinaryIO]:
        """Give the content of *digest* as a stream, read in small pieces.

        Raises:
            FileNotFoundError: It was never stored, or has been removed.
        """
        try:
            packed = self._files.open(self._path(digest), "rb")
        except FileNotFoundError:
            raise self._missing(digest) from None
        with packed, gzip.open(packed, "rb") as content:
            yield cast("BinaryIO", content)

    def _missing(self, digest: str) -> FileNotFoundError:
        return FileNotFoundError(f"the log store {self._name} has no file {digest}; reload that day's logs")

    def remove(self, digest: str) -> None:
        """Remove *digest*; a missing one is no error, so that a removal can be repeated."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(digest))

    def sweep(self, keep: Collection[str]) -> int:
        """Remove every file that is not one of *keep*, also what a killed process left; return how many.

        Nobody may write meanwhile.
        """
        if not self._files.exists(self._root):
            return 0
        self._files.invalidate_cache(self._root)
        wanted = {self._path(digest) for digest in keep}
        others = [path for path in map(str, self._files.find(self._root)) if self._is_ours(path) and path not in wanted]
        for path in others:
            self._files.rm_file(path)
        return len(others)

    def _is_ours(self, path: str) -> bool:
        """Return whether a file of this store has this path: another's, in the same folder, is left alone."""
        return re.fullmatch(r"/[0-9a-f]{2}/(?:[0-9a-f]{64}\.log\.gz|\..+)", path.removeprefix(self._root)) is not None

    def __contains__(self, digest: str) -> bool:
        return bool(self._files.exists(self._path(digest)))

    def _put_in_folder(self, path: Path, packed: bytes) -> None:
        for folder in (Path(self._root), path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # written under another name and renamed, so that a killed process never leaves half a file
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(packed)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _put_aside(self, path: str, packed: bytes) -> None:
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.{name}.{uuid.uuid4().hex}"
        self._files.makedirs(folder, exist_ok=True)
        try:
            self._files.pipe_file(aside, packed)
            self._files.mv(aside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                self._files.rm_file(aside)
            raise

    def _path(self, digest: str) -> str:
        return f"{self._root}/{digest[:2]}/{digest}.log.gz"


def open_place(location: str, *, setting: str) -> tuple[str, Any, str]:
    """Return the name for messages, the file system and the root of a folder or of a URL that fsspec knows.

    Args:
        location: The folder or the URL.
        setting: Name of the setting that says it.

    Raises:
        LogStoreError: The kind of store is unknown, or the package that opens it is not installed.
    """
    protocol, is_url, _ = location.partition("://")
    if not is_url:
        # a folder's name may hold characters that mean something in a URL
        folder = str(Path(location).absolute())
        return folder, LocalFileSystem(), folder
    name = f"{protocol}://…"  # a URL may hold a password
    try:
        # listings are not kept: another process writes as well
        files, root = fsspec.url_to_fs(location, use_listings_cache=False)
    except ImportError as error:
        advice = known_implementations.get(protocol, {}).get("err") or str(error)
        raise LogStoreError(f"{setting} is {name}, whose driver is not installed: {advice}") from error
    except ValueError as error:
        raise LogStoreError(
            f"{setting} is {name}, which is neither a folder nor a store that fsspec knows: {error}"
        ) from error
    return name, files, root.rstrip("/")


def _protocols(files: Any) -> frozenset[str]:
    return frozenset({files.protocol} if isinstance(files.protocol, str) else files.protocol)

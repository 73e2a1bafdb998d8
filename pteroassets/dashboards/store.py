"""Where pages are published: a folder, or anything that fsspec can write to, such as ``s3://bucket/prefix``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

import fsspec  # type: ignore[import-untyped] # ships no types

_EDITION = re.compile(r"(?P<stem>.+)@(?P<day>\d{4}-\d\d-\d\d)\.html")
_NAME = re.compile(r"(?:assets/|state/)?[A-Za-z0-9][A-Za-z0-9_.@-]*")


class Store:
    """The published pages.

    Args:
        location: A folder, or a URL that fsspec knows.
    """

    def __init__(self, location: str) -> None:
        self._files, root = fsspec.core.url_to_fs(location)
        self._root = str(root).rstrip("/")

    def get(self, name: str) -> bytes:
        """Return the file called *name*.

        Raises:
            FileNotFoundError: There is none, or no page could have this name.
        """
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(name)
        return bytes(self._files.cat_file(self._path(name)))

    def has(self, name: str) -> bool:
        """Return whether there is a file called *name*."""
        return bool(self._files.exists(self._path(name)))

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write *files* by name; a reader sees each either as it was or whole."""
        for folder in {path.rpartition("/")[0] for path in map(self._path, files)}:
            self._files.makedirs(folder, exist_ok=True)
        with self._files.transaction:
            for name, content in files.items():
                with self._files.open(self._path(name), "wb") as file:
                    file.write(content)

    def remove(self, names: Iterable[str]) -> None:
        """Remove the files called *names*."""
        for name in names:
            self._files.rm_file(self._path(name))

    def names(self) -> list[str]:
        """Return the names of all pages and editions."""
        if not self._files.exists(self._root):
            return []
        self._files.invalidate_cache(self._root)
        found = (str(path).rpartition("/")[2] for path in self._files.ls(self._root, detail=False))
        return sorted(name for name in found if name.endswith(".html"))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def edition_of(name: str, day: date) -> str:
    """Return the name under which the page called *name* is kept as the edition of *day*."""
    return f"{name.removesuffix('.html')}@{day.isoformat()}.html"


def editions(names: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return for each page the days of its editions and their names, newest first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(names, reverse=True):
        if match := _EDITION.fullmatch(name):
            found.setdefault(f"{match['stem']}.html", []).append((match["day"], name))
    return found


def outdated(kept: Iterable[tuple[str, str]], *, oldest: date) -> list[str]:
    """Return the names of those editions *kept*, each with its day, that are from before *oldest*."""
    return [name for day, name in kept if day < oldest.isoformat()]

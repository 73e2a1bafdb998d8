"""Which files a list of paths means, and which of them are one server's history.

Files of one folder named in the scheme of a server are one history, in the order in which they were written; any other
file is a server of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

from pteroassets.logtool.content import STDIN, split
from pteroassets.sources.minecraft.events import LogStamp
from pteroassets.sources.minecraft.ordering import Place, in_order
from pteroassets.sources.minecraft.places import Numbered, Scheme, is_archive_name, is_echo, is_log, read_name

Grouping = Literal["by_name", "separate", "together"]

# plugins and mods keep logs of their own in these folders of a server
_NOT_THE_SERVERS = {"plugins", "mods", "config"}
_LOGS = "logs"
_NOT_OPENED = "an archive, which is not opened where it is only found: name it to read the logs in it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file to be looked at, and what its name says of it."""

    path: str
    scheme: Scheme | None = None  # the way a server names its logs; None for a name that tells nothing
    is_live: bool = False  # the server still writes to it
    age: int | None = None  # of files that move up by one at each rotation
    log_date: date | None = None
    named: Numbered | None = None  # the day and the number among the files of that day, in its name or a copy's
    is_echo: bool = False  # says the same events as the log beside it
    refused: str | None = None  # for a reason that its place gives

    def place(self, first: LogStamp | None = None, last: LogStamp | None = None) -> Place:
        """Return where it stands among the files of its server; *first* and *last* are the stamps of its lines."""
        day = first.dated if first is not None and first.dated is not None else self.log_date
        first_at = None
        if first is not None and day is not None:
            first_at = datetime.combine(day, time()) + timedelta(seconds=first.seconds)
        return Place(
            is_live=self.is_live,
            day=day,
            first_at=first_at,
            named=self.named,
            age=self.age,
            last=last,
        )

    @property
    def folder(self) -> str:
        """The folder it lies in."""
        return str(Path(self.path).parent)

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once."""
        file, _ = split(self.path)
        return file == STDIN or not Path(file).is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A path that gave nothing, and what to do about it."""

    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The files of one server in the order in which they were written."""

    name: str
    files: tuple[Candidate, ...]


def find_files(paths: Iterable[str]) -> tuple[list[Candidate], list[Problem]]:
    """Return the files that *paths* name or hold, each once, and the paths that give none."""
    found: dict[str, Candidate] = {}
    problems: list[Problem] = []
    for path in paths:
        if path == STDIN:
            found.setdefault(path, Candidate(path=path))
        elif Path(path).is_dir():
            files = list(_walk(path, problems))
            if not files and not any(problem.path.startswith(path) for problem in problems):
                problems.append(
                    Problem(
                        path=path,
                        message="no log in this folder: name a server's folder or its logs folder, or the files",
                    )
                )
            for file in files:
                found.setdefault(os.path.realpath(file.path), file)
        else:
            # one that does not exist is found out on opening it, with the system's own words
            found.setdefault(os.path.realpath(path), describe(path))
    return list(found.values()), problems


def describe(path: str, *, below: str | None = None) -> Candidate:
    """Return what the name of *path* says; *below* is the folder or archive in which it was found."""
    name = read_name(path)
    refused = _reason_of_place(path, below) if below is not None else None
    if name is None:
        return Candidate(path=path, is_echo=is_echo(path), refused=refused)
    return Candidate(
        path=path,
        scheme=name.scheme,
        is_live=name.is_live,
        age=name.age,
        log_date=name.log_date,
        named=name.named,
        refused=refused,
    )


def _reason_of_place(path: str, below: str) -> str | None:
    """Say why a file found in the folder or archive *below* is not read, where its place or name tells it."""
    relative = Path(path).relative_to(below)
    folder = next((part for part in relative.parts[:-1] if part in _NOT_THE_SERVERS), None)
    if is_log(path):
        return None if folder is None else f"a log in a folder {folder}, not the server's own"
    # a server's backups hold what lies in its folder too, and would count twice
    is_of_logs = folder is None and (_LOGS in relative.parts[:-1] or "log" in relative.name.lower())
    is_of_logs = is_of_logs or Path(below).name == _LOGS
    return None if is_of_logs else _NOT_OPENED


def arrange(files: Sequence[Candidate], *, grouping: Grouping) -> list[History]:
    """Return the histories that *files* are of, in the order in which their first files were named."""
    if grouping == "together":
        # those with a date in the name can be put in order; the others follow as they were named, live ones last
        return [History(name="all files", files=tuple(in_order(files, Candidate.place)))] if files else []
    groups: dict[str, list[Candidate]] = {}
    for file in files:
        is_named = file.scheme is not None and grouping == "by_name" and file.path != STDIN
        groups.setdefault(f"{file.folder}\0{file.scheme}" if is_named else file.path, []).append(file)
    folders = [group[0].folder for group in groups.values() if len(group) > 1]
    return [
        History(
            name=_name(group, is_only_one=folders.count(group[0].folder) < 2),  # noqa: PLR2004 - the plain reading
            files=tuple(in_order(sorted(group, key=lambda file: file.path), Candidate.place)),
        )
        for group in groups.values()
    ]


def _name(group: Sequence[Candidate], *, is_only_one: bool) -> str:
    if len(group) == 1:
        return "standard input" if group[0].path == STDIN else group[0].path
    return group[0].folder if is_only_one else f"{group[0].folder} ({group[0].scheme})"


def _walk(folder: str, problems: list[Problem]) -> Iterable[Candidate]:
    def unreadable(error: OSError) -> None:
        problems.append(Problem(path=str(error.filename), message=remedy(error)))

    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        for name in sorted(names):
            path = str(Path(place) / name)
            if (is_log(path) or is_archive_name(path)) and Path(path).is_file():
                yield describe(path, below=folder)


def remedy(error: OSError) -> str:
    """Say why a path could not be read, and what to do about it."""
    match error:
        case FileNotFoundError():
            return "there is no such file or folder: look at the spelling"
        case PermissionError():
            return "reading it is not permitted: run this as the owner of the server's files, or copy them"
        case _:
            return f"it could not be read ({error.strerror or error}): copy it to another disk and try again"

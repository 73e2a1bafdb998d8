"""The files of a server as its node shows them: a few folders, and the logs."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

from pteroassets.simulator.logs.files import LogFile
from pteroassets.simulator.logs.lines import crash_report_name
from pteroassets.simulator.panel.context import ServerRow, Stage
from pteroassets.simulator.troubles import damaged_log
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import epoch
from pteroassets.simulator.world.life import Run
from pteroassets.simulator.world.software import HABITS

GZIP = "application/gzip"
TEXT = "text/plain; charset=utf-8"
_FOLDER = "inode/directory"
_ODD_SERVER = 5
# what a file system leaves of a file that it had room for, but whose bytes were lost with the power
_DAMAGED = bytes(4096)

ODD_FILES = {
    "weird name + 100% #1.log": b"a name that has to be encoded\n",
    "pct%41.log": b"a name that must not be decoded twice\n",
    "na\u00efve-\u65e5\u672c.log": b"a name beyond ASCII\n",
    "empty.log": b"",
    "truncated-2026-11-01-1.log.gz": b"\x1f\x8b\x08\x00\x00",
}
"""Files with awkward names, in ``/logs`` of one server; none is a server's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a folder; times in seconds since the epoch."""

    name: str
    mode: str
    bits: str
    size: int
    mime: str
    created_at: int
    modified_at: int

    @property
    def is_file(self) -> bool:
        """Whether the node calls it a file; links count as files."""
        return not self.mode.startswith("d")


class Folder(Exception):  # noqa: N818 - says what a path turned out to be
    """The path is a folder."""


class Missing(Exception):  # noqa: N818 - says what a path turned out to be
    """There is nothing under the path."""


class Link(Exception):  # noqa: N818 - says what a path turned out to be
    """The path is a symbolic link, which a node does not open."""


def normal(path: str) -> str:
    """Return *path* absolute and without ``..``."""
    return posixpath.normpath("/" + path.strip().lstrip("/"))


class ServerFiles:
    """What the disk of one server holds at *now*."""

    def __init__(self, stage: Stage, row: ServerRow, now: int) -> None:
        self._stage = stage
        self._server, self._state = row
        self._now = now

    def logs(self, *, reads: bool = False) -> dict[str, LogFile]:
        """Return the log files by name; *reads* tells that the live one is about to be read."""
        if not self._state.egg.is_minecraft_server:
            return {}
        files = {}
        ahead = self._stage.faults.growth(self._server.uuid, reads=reads)
        for file in self._stage.world.log_files(self._server, self._now):
            if self._stage.faults.is_hidden(self._server.uuid, file.name):
                continue
            shown = file
            if file.is_live and ahead:
                later = self._now + ahead
                shown = replace(file, at=later, modified_at=file.segment.last_at(later))
            files[file.name] = shown
        return files

    def _crash_reports(self) -> dict[str, Run]:
        zone = self._stage.world.players.zone(self._server.zone)
        return {
            crash_report_name(zone, run.last): run
            for run in self._stage.world.runs(self._server, self._now)
            if run.has_report and run.last <= self._now
        }

    @property
    def _log_folder(self) -> str:
        return HABITS[self._server.software(self._now)].folder

    def listing(self, path: str) -> list[Entry]:
        """Return the entries of the folder *path*.

        Raises:
            Missing: There is no such folder.
        """
        made = max(self._server.created_at, epoch(self._stage.world.start))
        match normal(path):
            case "/":
                names = ["server.properties"] if self._state.egg.is_minecraft_server else ["cfg.txt"]
                folders = ["world", "plugins"] if self._state.egg.is_minecraft_server else ["data"]
                entries = []
                if self._log_folder == "/":
                    entries = self._log_entries()
                elif self.logs():
                    folders += ["logs", "crash-reports"]
                entries += [_folder(name, made) for name in folders]
                return entries + [_file(name, len(self._properties()), TEXT, made, made) for name in names]
            case "/logs" if self._log_folder == "/logs" and self.logs():
                return self._log_entries()
            case "/crash-reports" if self._log_folder == "/logs" and self.logs():
                return [
                    _file(name, len(_report(run)), TEXT, run.last, run.last)
                    for name, run in self._crash_reports().items()
                ]
            case "/world" | "/plugins" | "/data":
                return []
            case _:
                raise Missing

    def _log_entries(self) -> list[Entry]:
        logs = self.logs()
        entries = [
            _file(file.name, file.size, GZIP if file.is_compressed else TEXT, file.modified_at, file.modified_at)
            for file in logs.values()
        ]
        live = logs.get("latest.log")
        if live is not None and HABITS[live.segment.software].has_debug_log:
            # the same events once more, as mod loaders write them
            entries.append(_file("debug.log", live.size, TEXT, live.modified_at, live.modified_at))
        if live is not None and self._server.index == 1:
            link = _file(
                "newest.log", len("latest.log"), "application/octet-stream", live.modified_at, live.modified_at
            )
            entries.append(replace(link, mode="Lrwxrwxrwx", bits="777"))
        if (damaged := damaged_log(self._stage.world, self._server)) is not None:
            name, at = damaged
            entries.append(_file(name, len(_DAMAGED), GZIP, at, at))
        if self._server.index == _ODD_SERVER:
            made = max(self._server.created_at, epoch(self._stage.world.start))
            entries += [_file(name, len(content), TEXT, made, made) for name, content in ODD_FILES.items()]
            entries.append(_folder("old", made))
        return entries[::-1]

    def _properties(self) -> bytes:
        return f"server-port=25565\nrcon.password={CANARIES['variable']}-{self._server.id}\n".encode()

    def read(self, path: str) -> bytes:
        """Return the bytes of the file *path*.

        Raises:
            Missing: There is no such file.
            Folder: It is a folder.
            Link: It is a symbolic link.
        """
        wanted = normal(path)
        folder, name = posixpath.split(wanted)
        if wanted in {"/", "/world", "/plugins", "/data", "/crash-reports", "/logs"}:
            self.listing(wanted)
            raise Folder
        if folder == self._log_folder and (content := self._read_log(name)) is not None:
            return content
        if folder == "/crash-reports" and (run := self._crash_reports().get(name)) is not None:
            return _report(run)
        if wanted in {"/server.properties", "/cfg.txt"}:
            return self._properties()
        raise Missing

    def _read_log(self, name: str) -> bytes | None:
        listed = self.logs()
        is_live = name == "debug.log" or (name in listed and listed[name].is_live)
        known = self.logs(reads=True) if is_live else listed
        if name == "newest.log" and self._server.index == 1 and known:
            raise Link
        live = known.get("latest.log")
        if name == "debug.log" and live is not None and HABITS[live.segment.software].has_debug_log:
            return live.content
        if name in known:
            return known[name].content
        damaged = damaged_log(self._stage.world, self._server)
        if damaged is not None and name == damaged[0]:
            return _DAMAGED
        return ODD_FILES.get(name) if self._server.index == _ODD_SERVER else None


def _report(run: Run) -> bytes:
    text = "A single server tick took 60.00 seconds" if run.end == "watchdog" else str(run.exception)
    return f"---- Minecraft Crash Report ----\n\nDescription: Exception in server tick loop\n\n{text}\n".encode()


def _file(name: str, size: int, mime: str, created_at: int, modified_at: int) -> Entry:
    return Entry(
        name=name, mode="-rw-r--r--", bits="644", size=size, mime=mime, created_at=created_at, modified_at=modified_at
    )


def _folder(name: str, at: int) -> Entry:
    return Entry(name=name, mode="drwxr-xr-x", bits="755", size=4096, mime=_FOLDER, created_at=at, modified_at=at)

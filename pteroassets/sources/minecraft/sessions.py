"""Build sessions and runs from events: a pure function of one server's files, in the order they were written.

Path of the data::

    FileOfEvents… --build_sessions--> PlayerSession…, ServerRun…
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pteroassets.sources.minecraft.events import BEFORE_A_START
from pteroassets.sources.minecraft.history import FileOfEvents, SessionBuild
from pteroassets.sources.minecraft.session_builder import SessionBuilder


def begins_with_start(file: FileOfEvents) -> bool:
    """Tell whether the first event of *file* is the start of a run, so that nothing from before lives on in it.

    Lines that name the software do not count (`BEFORE_A_START`).
    """
    return next((event.kind == "server_start" for event in file.events if event.kind != BEFORE_A_START), False)


def build_sessions(files: Sequence[FileOfEvents], *, last_line_at: datetime | None = None) -> SessionBuild:
    """Return the sessions and runs of one server.

    Args:
        files: All known ones in the order in which they were written, or those from `rebuild_from` on.
        last_line_at: The last line known of the server; by default that of the last file with a time.
    """
    builder = SessionBuilder()
    for file in files:
        builder.read(file)
    return builder.finish(last_line_at)


def rebuild_from(files: Sequence[FileOfEvents], touched_file_key: str) -> int:
    """Return the index of the first file to derive again when *touched_file_key* was added or changed.

    It is the latest file before the touched one that begins with a start line, else 0. A start line closes whatever
    was open and carries nothing over, not even the clock, so no session or run of ``files[:index]`` is still open in
    ``files[index]``; and how those were closed depends on nothing after that start line, which did not change. A file
    that begins with a start line itself is not enough, since that line may be what is new: it closes the sessions of
    the files before it. Hence sessions whose key names one of ``files[index:]`` are replaced by
    ``build_sessions(files[index:])``, and the others stand. (No session is missed: without a file before the start
    line, a departure of somebody unknown opens none.) Files that stand in another order than they did are touched too.

    Raises:
        ValueError: No file has that key.
    """
    touched = next((index for index, file in enumerate(files) if file.file_key == touched_file_key), None)
    if touched is None:
        raise ValueError(f"no file {touched_file_key} among {len(files)} files")
    return next((index for index in range(touched - 1, -1, -1) if begins_with_start(files[index])), 0)

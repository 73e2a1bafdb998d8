"""Derive sessions and runs from events, for the servers whose events changed.

The derivation is a pure function of a server's events (`pteroassets.sources.minecraft.sessions`). Sessions that end
before the last start line at or before the first changed file cannot change, so only what comes after is derived again.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from pteroassets.clock import Clock
from pteroassets.sources.minecraft.sessions import FileOfEvents, SessionEvent, build_sessions, rebuild_from
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import (
    LoadReport,
    copy_rows,
    lock_table_for_load,
    record_load,
    table_identifier,
)
from pteroassets.warehouse.log_files import EVENTS, FILES, LogFile, known_files

SESSIONS = "raw_minecraft.player_sessions"
RUNS = "raw_minecraft.server_runs"


def derive_sessions(connection: Connection, *, clock: Clock) -> list[LoadReport]:
    """Derive sessions and runs again where events changed, one transaction a server.

    Returns:
        What the loads of ``raw_minecraft.player_sessions`` and of ``raw_minecraft.server_runs`` did.
    """
    started = clock.now()
    load_id = uuid.uuid4()
    counts = {SESSIONS: _Counts(), RUNS: _Counts()}
    changed = connection.execute(
        f"""
        select distinct server_uuid from {FILES} where not sessions_built and parser_version is not null
        """
    ).fetchall()
    for (server_uuid,) in changed:
        with connection.transaction():
            lock_table_for_load(connection, f"{SESSIONS}/{server_uuid}")
            _derive_server(connection, server_uuid, load_id, counts)
    reports = [
        LoadReport(
            load_id=load_id if table == SESSIONS else uuid.uuid4(),
            table=table,
            observed_at=started,
            rows_read=count.written,
            rows_added=max(count.written - count.replaced, 0),
            rows_changed=min(count.written, count.replaced),
            rows_gone=max(count.replaced - count.written, 0),
            seconds=(clock.now() - started).total_seconds(),
        )
        for table, count in counts.items()
    ]
    with connection.transaction():
        for report in reports:
            record_load(connection, report)
    return reports


@dataclass(slots=True)
class _Counts:
    written: int = 0
    replaced: int = 0


def _derive_server(
    connection: Connection, server_uuid: uuid.UUID, load_id: uuid.UUID, counts: dict[str, _Counts]
) -> None:
    files = [file for file in known_files(connection, server_uuid).get(server_uuid, []) if file.parser_version]
    shapes = _with_gaps(files, _first_kinds(connection, server_uuid))
    touched = [file.file_key for file in files if not file.sessions_built]
    index = min(rebuild_from(shapes, key) for key in touched)
    rebuilt = [shape.file_key for shape in shapes[index:]]
    events = _events(connection, server_uuid, rebuilt)
    build = build_sessions(
        [dataclasses.replace(shape, events=events.get(shape.file_key, [])) for shape in shapes[index:]]
    )
    known = [shape.file_key for shape in shapes]
    for table, key, rows in (
        (SESSIONS, "session_key", build.sessions),
        (RUNS, "run_key", build.runs),
    ):
        # a key names the file of the line that opened the session or run; files can have been replaced by others
        counts[table].replaced += connection.execute(
            sql.SQL(
                "delete from {table} where server_uuid = %s and "
                "(split_part({key}, ':', 1) = any(%s) or not split_part({key}, ':', 1) = any(%s))"
            ).format(table=table_identifier(table), key=sql.Identifier(key)),
            (server_uuid, rebuilt, known),
        ).rowcount
        counts[table].written += copy_rows(
            connection,
            table_identifier(table),
            _COLUMNS[table],
            ((server_uuid, *(getattr(row, name) for name in list(_COLUMNS[table])[1:-1]), load_id) for row in rows),
        )
    connection.execute(
        f"update {FILES} set sessions_built = true where server_uuid = %s and file_key = any(%s)",
        (server_uuid, touched),
    )


def _first_kinds(connection: Connection, server_uuid: uuid.UUID) -> dict[str, str]:
    """Return the kind of the first event of each file."""
    rows = connection.execute(
        f"select distinct on (file_key) file_key, kind from {EVENTS} where server_uuid = %s "
        "order by file_key, line_number",
        (server_uuid,),
    ).fetchall()
    return dict(rows)


def _with_gaps(files: Sequence[LogFile], first_kinds: dict[str, str]) -> list[FileOfEvents]:
    """Return the files without their events but for the first, and which of them follow a gap."""
    shapes = []
    for before, file in zip([None, *files], files, strict=False):
        kind = first_kinds.get(file.file_key)
        first = (
            [] if kind is None else [SessionEvent(file_key=file.file_key, line_number=0, logged_at=_EPOCH, kind=kind)]
        )
        shapes.append(
            FileOfEvents(
                file_key=file.file_key,
                first_line_at=file.first_line_at,
                last_line_at=file.last_line_at,
                events=first,
                is_live=file.is_live,
                gap_before=before is not None and is_gap(before, file, begins_with_start=kind == "server_start"),
            )
        )
    return shapes


def is_gap(before: LogFile, file: LogFile, *, begins_with_start: bool) -> bool:
    """Tell whether files between these two neighbours are missing.

    Files of one day are numbered from 1 without holes, so a hole is a missing file; a number above 1 right after a file
    of an earlier day misses the first ones. A file that does not begin with a start line was closed at midnight, so the
    one before it is of the day before; a cut archive misses its end.
    """
    if before.log_date is None or file.log_date is None:
        return False
    if before.outcome == "truncated":
        return True
    if file.log_sequence is not None:
        if file.log_date == before.log_date and before.log_sequence is not None:
            return file.log_sequence > before.log_sequence + 1
        if file.log_date > before.log_date and file.log_sequence > 1:
            return True
    return not begins_with_start and (file.log_date - before.log_date).days > 1


def _events(connection: Connection, server_uuid: uuid.UUID, file_keys: Sequence[str]) -> dict[str, list[SessionEvent]]:
    events: dict[str, list[SessionEvent]] = {}
    rows = connection.execute(
        f"""
        select file_key, line_number, logged_at, kind, player_name, player_uuid, detail from {EVENTS}
        where server_uuid = %s and file_key = any(%s) order by file_key, line_number
        """,
        (server_uuid, list(file_keys)),
    )
    for file_key, line_number, logged_at, kind, player, player_uuid, detail in rows:
        events.setdefault(file_key, []).append(
            SessionEvent(
                file_key=file_key,
                line_number=line_number,
                logged_at=logged_at,
                kind=kind,
                player=player,
                player_uuid=player_uuid,
                detail=detail,
            )
        )
    return events


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = {
    SESSIONS: {
        "server_uuid": "uuid",
        "session_key": "text",
        "player_name": "text",
        "player_uuid": "uuid",
        "joined_at": "timestamptz",
        "left_at": "timestamptz",
        "left_at_lower": "timestamptz",
        "left_at_upper": "timestamptz",
        "close_reason": "text",
        "close_detail": "text",
        "is_join_observed": "bool",
        "is_end_observed": "bool",
        "join_file_key": "text",
        "join_line_number": "int4",
        "leave_file_key": "text",
        "leave_line_number": "int4",
        "run_started_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "chat_messages": "int4",
        "commands": "int4",
        "deaths": "int4",
        "advancements": "int4",
        "_load_id": "uuid",
    },
    RUNS: {
        "server_uuid": "uuid",
        "run_key": "text",
        "started_at": "timestamptz",
        "ready_at": "timestamptz",
        "startup_seconds": "float8",
        "ended_at": "timestamptz",
        "ended_at_lower": "timestamptz",
        "ended_at_upper": "timestamptz",
        "end_reason": "text",
        "game_version": "text",
        "_load_id": "uuid",
    },
}

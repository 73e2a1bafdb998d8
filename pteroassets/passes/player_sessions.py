"""Derive sessions and runs from events, for the servers whose events changed.

The derivation is a pure function of a server's events (`pteroassets.sources.minecraft.sessions`). Sessions that end
before the last start line at or before the first changed file cannot change, so only what comes after is derived again.
"""

from __future__ import annotations

import dataclasses
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

from pteroassets.clock import Clock
from pteroassets.sources.minecraft.dates import date_of_file
from pteroassets.sources.minecraft.gaps import is_gap
from pteroassets.sources.minecraft.sessions import FileOfEvents, SessionEvent, build_sessions, rebuild_from
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import (
    LoadReport,
    copy_rows,
    lock_table_for_load,
    record_load,
    table_identifier,
)
from pteroassets.warehouse.log_files import EVENTS, FILES, LogFile, known_files, one_at_a_time, unread_paths

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
        with one_at_a_time(connection), connection.transaction():
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
    known = [file for file in known_files(connection, server_uuid).get(server_uuid, []) if file.parser_version]
    touched = [file.file_key for file in known if not file.sessions_built]
    # one that a newer parser takes for no log is left out, as if it had never been there
    files = [file for file in known if file.outcome != "not_a_server_log"]
    unread = _unread(connection, server_uuid)
    shapes = _with_gaps(files, _first_kinds(connection, server_uuid), unread)
    keys = {shape.file_key for shape in shapes}
    index = min((rebuild_from(shapes, key) if key in keys else 0 for key in touched), default=0)
    rebuilt = [shape.file_key for shape in shapes[index:]]
    events = _events(connection, server_uuid, rebuilt)
    build = build_sessions(
        [dataclasses.replace(shape, events=events.get(shape.file_key, [])) for shape in shapes[index:]]
    )
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
            (server_uuid, rebuilt, list(keys)),
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
    """Return the kind of the first event of each file; what names the software comes before the start line."""
    rows = connection.execute(
        f"select distinct on (file_key) file_key, kind from {EVENTS} "
        "where server_uuid = %s and kind <> 'server_software' order by file_key, line_number",
        (server_uuid,),
    ).fetchall()
    return dict(rows)


def _with_gaps(files: Sequence[LogFile], first_kinds: dict[str, str], unread: Sequence[_Place]) -> list[FileOfEvents]:
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
                is_proxy=file.is_proxy is True,
                gap_before=before is not None
                and (
                    (is_gap(before, file, begins_with_start=kind == "server_start") and not _goes_on(before, file))
                    or any(_place(before) < place < _place(file) for place in unread)
                ),
            )
        )
    return shapes


_Place = tuple[date, float]


def _place(file: LogFile) -> _Place:
    """Return where a file stands in its server's history; the end of one that grew is missing until it turns up."""
    if file.log_sequence is not None:
        number: float = file.log_sequence
    else:
        number = math.inf if file.is_live or file.is_listed else -1
    return file.log_date or date.min, number


def _unread(connection: Connection, server_uuid: uuid.UUID) -> list[_Place]:
    """Return the places of the dated files that lay in the folder and were not fetched yet."""
    names = [date_of_file(path) for path in unread_paths(connection, server_uuid)]
    return sorted(name for name in names if name is not None)


def _goes_on(before: LogFile, file: LogFile) -> bool:
    """Tell whether a file without a date in its name follows the one before it: such files hold many days."""
    if file.log_sequence is not None or before.last_line_at is None or file.first_line_at is None:
        return False
    return file.first_line_at - before.last_line_at < _SHORTEST_GAP


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


# files of a day and of the day after the next have at least a day of 23 hours between them
_SHORTEST_GAP = timedelta(hours=22)
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
        "is_proxy": "bool",
        "server_switches": "int4",
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
        "software": "text",
        "crash_cause": "text",
        "crash_report": "text",
        "overload_warnings": "int4",
        "is_proxy": "bool",
        "refused_entries": "int4",
        "fake_players": "int4",
        "_load_id": "uuid",
    },
}

"""Derive sessions and runs from events, for the servers whose events changed.

The derivation is a pure function of a server's events (`pteroassets.sources.minecraft.sessions`). Sessions that end
before the last start line at or before the first changed file cannot change, so only what comes after is derived again.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import set_json_loads

from pteroassets.clock import Clock
from pteroassets.landing.minecraft.collection import EVENT_ROWS, FILES, LOGS, LogFile, in_order_by_instants, named_of
from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.sources.minecraft.history import FileOfEvents, SessionEvent
from pteroassets.sources.minecraft.ordering import FileInHistory, gaps
from pteroassets.sources.minecraft.places import Numbered, read_name
from pteroassets.sources.minecraft.sessions import build_sessions, rebuild_from
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import (
    LoadReport,
    lock_table_for_load,
    record_load,
    stage_rows,
    table_identifier,
)

SESSIONS = "derived_minecraft.player_sessions"
RUNS = "derived_minecraft.server_runs"
SIGHTINGS = "derived_minecraft.name_sightings"


def derive_sessions(connection: Connection, *, clock: Clock, group: ServerGroup = EVERYBODY) -> list[LoadReport]:
    """Derive sessions and runs again where events of *group* changed, one transaction a server.

    Returns:
        What the loads of ``derived_minecraft.player_sessions``, of ``derived_minecraft.server_runs`` and of
        ``derived_minecraft.name_sightings`` did.
    """
    started = clock.now()
    load_id = uuid.uuid4()
    counts = {SESSIONS: _Counts(), RUNS: _Counts(), SIGHTINGS: _Counts()}
    changed = connection.execute(
        f"""
        select distinct server_uuid from {FILES}
        where not sessions_built and parser_version is not null and {group.condition("server_uuid")}
        """
    ).fetchall()
    for (server_uuid,) in changed:
        with LOGS.one_at_a_time(connection, ServerGroup.of_server(server_uuid)), connection.transaction():
            lock_table_for_load(connection, f"{SESSIONS}/{server_uuid}")
            _derive_server(connection, server_uuid, load_id, counts)
    reports = [
        LoadReport(
            load_id=load_id if table == SESSIONS else uuid.uuid4(),
            table=table,
            observed_at=started,
            rows_read=count.read,
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
    read: int = 0
    written: int = 0
    replaced: int = 0


def _derive_server(
    connection: Connection, server_uuid: uuid.UUID, load_id: uuid.UUID, counts: dict[str, _Counts]
) -> None:
    known = LOGS.known(connection, server_uuid, without=_NOT_NEEDED).get(server_uuid, [])
    known = [file for file in known if file.parser_version]
    # a file that a newer parser does not take for a log is left out, as if it were not there
    files = in_order_by_instants(file for file in known if file.outcome != "not_a_server_log")
    unread = _unread(connection, server_uuid)
    shapes = _with_gaps(files, unread)
    keys = {shape.file_key for shape in shapes}
    # a file that moved in the order counts as changed, and so do its neighbours
    neighbours = _neighbours(shapes)
    touched = {
        file.file_key: neighbours.get(file.file_key)
        for file in known
        if not file.sessions_built or file.neighbours != neighbours.get(file.file_key)
    }
    index = min((rebuild_from(shapes, key) if key in keys else 0 for key in touched), default=0)
    rebuilt = [shape.file_key for shape in shapes[index:]]
    kept = keys if _may_be_gone(known, keys) else None
    events = _events(connection, {file.file_id: file.file_key for file in files[index:]})
    build = build_sessions(
        [dataclasses.replace(shape, events=events.get(shape.file_key, [])) for shape in shapes[index:]]
    )
    for table, rows in (
        (SESSIONS, [_values(SESSIONS, server_uuid, row, load_id) for row in build.sessions]),
        (RUNS, [_values(RUNS, server_uuid, row, load_id) for row in build.runs]),
        (SIGHTINGS, [(server_uuid, *sighting, load_id) for sighting in _sightings(events)]),
    ):
        _replace(connection, table, server_uuid, rows, rebuilt=rebuilt, kept=kept, counts=counts[table])
    connection.execute(
        f"""
        update {FILES} as files set sessions_built = true, neighbours = stands.neighbours
        from unnest(%s::text[], %s::text[]) as stands (file_key, neighbours)
        where files.server_uuid = %s and files.file_key = stands.file_key
        """,
        (list(touched), list(touched.values()), server_uuid),
    )


def _values(table: str, server_uuid: uuid.UUID, row: object, load_id: uuid.UUID) -> tuple[Any, ...]:
    return (server_uuid, *(getattr(row, name) for name in list(_COLUMNS[table])[1:-1]), load_id)


def _replace(
    connection: Connection,
    table: str,
    server_uuid: uuid.UUID,
    rows: Iterable[Sequence[Any]],
    *,
    rebuilt: Collection[str],
    kept: Collection[str] | None,
    counts: _Counts,
) -> None:
    """Make *rows* what stands in *table* of the *rebuilt* files; rows that are the same again are left alone.

    Triggers record what changes, and the models are built by that (decision 23). The first column of a row's key, after
    the server, begins with the key of its file, by which rows are found. Rows of files that are not *kept* go; None
    says that all are, so that no other rows need be looked at.
    """
    key = _KEYS[table]
    columns = [name for name in _COLUMNS[table] if name != "_load_id"]
    staged = f"staged_{table.partition('.')[2]}"
    counts.read += stage_rows(connection, staged, table, _COLUMNS[table], rows)
    parts = {
        "table": table_identifier(table),
        "staged": sql.Identifier(staged),
        "of_files": sql.SQL(_OF_FILES if kept is None else f"({_OF_FILES} or not {{file}} = any(%(kept)s))").format(
            file=sql.SQL("{}" if table == SIGHTINGS else "split_part({}, ':', 1)").format(sql.Identifier("old", key[0]))
        ),
        "same": sql.SQL(" and ").join(sql.SQL("new.{0} = old.{0}").format(sql.Identifier(name)) for name in key),
        "new": sql.SQL(", ").join(sql.Identifier("new", name) for name in columns),
        "old": sql.SQL(", ").join(sql.Identifier("old", name) for name in columns),
        "columns": sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[table])),
    }
    counts.replaced += connection.execute(
        sql.SQL(
            """
            delete from {table} as old
            where old.server_uuid = %(server)s and {of_files}
                and not exists (select from {staged} as new where {same} and ({new}) is not distinct from ({old}))
            """
        ).format(**parts),
        {"server": server_uuid, "rebuilt": list(rebuilt), "kept": list(kept or ())},
    ).rowcount
    counts.written += connection.execute(
        sql.SQL(
            """
            insert into {table} ({columns})
            select {columns} from {staged} as new
            where not exists (select from {table} as old where old.server_uuid = new.server_uuid and {same})
            """
        ).format(**parts)
    ).rowcount
    connection.execute(sql.SQL("drop table {staged}").format(**parts))


def _sightings(
    events: Mapping[str, Sequence[SessionEvent]],
) -> Iterator[tuple[str, str, uuid.UUID, datetime, datetime]]:
    """Yield for each file, name and UUID that its lines show together when they do so first and last."""
    seen: dict[tuple[str, str, uuid.UUID], list[datetime]] = {}
    for file_key, lines in events.items():
        for event in lines:
            if event.player is not None and event.player_uuid is not None:
                seen.setdefault((file_key, event.player, event.player_uuid), []).append(event.logged_at)
    for key, times in seen.items():
        yield (*key, min(times), max(times))


def _may_be_gone(known: Sequence[LogFile], keys: Collection[str]) -> bool:
    """Return whether rows may stand there of a file that is not among *keys*, those of the server's history.

    At the last derivation each file noted its neighbours. One that is gone was the neighbour of a file that is still
    there, or of one that is gone as well, and so on, unless none is left of those that were there.
    """
    noted = {file.file_key: file.neighbours for file in known if file.neighbours is not None}
    named = {beside.removeprefix(_AFTER_A_GAP) for both in noted.values() for beside in both.split("|")}
    return not noted or not {*noted, *named} - {""} <= set(keys)


def _neighbours(shapes: Sequence[FileOfEvents]) -> dict[str, str]:
    """Return for each file, as text, its neighbours and whether files are missing in between."""
    beside = zip([None, *shapes], shapes, [*shapes[1:], None], strict=False)
    return {shape.file_key: f"{_beside(before, shape)}|{_beside(after, after)}" for before, shape, after in beside}


def _beside(other: FileOfEvents | None, later: FileOfEvents | None) -> str:
    if other is None or later is None:
        return ""
    return f"{_AFTER_A_GAP}{other.file_key}" if later.gap_before else other.file_key


def _with_gaps(files: Sequence[LogFile], unread: Sequence[Numbered]) -> list[FileOfEvents]:
    """Return the files with their first events only, and which of them follow a gap."""
    missing = gaps(
        [
            FileInHistory(
                log_date=file.log_date,
                named=named_of(file),
                first_at=file.first_line_at,
                is_listed=file.is_listed,
                is_whole=file.outcome != "truncated",
                is_beginning=file.log_sequence is None and not file.is_live and not file.is_listed,
                begins_with_start=file.first_kind == "server_start",
                goes_on=before is not None and _goes_on(before, file),
            )
            for before, file in zip([None, *files], files, strict=False)
        ],
        unread=unread,
    )
    return [
        FileOfEvents(
            file_key=file.file_key,
            first_line_at=file.first_line_at,
            last_line_at=file.last_line_at,
            events=_first_event(file),
            is_live=file.is_live,
            is_proxy=file.is_proxy is True,
            gap_before=is_missing,
        )
        for file, is_missing in zip(files, missing, strict=True)
    ]


def _first_event(file: LogFile) -> list[SessionEvent]:
    if file.first_kind is None:
        return []
    return [SessionEvent(file_key=file.file_key, line_number=0, logged_at=_EPOCH, kind=file.first_kind)]


def _unread(connection: Connection, server_uuid: uuid.UUID) -> list[Numbered]:
    """Return the days and numbers of the files in the folder that are not fetched yet."""
    names = [name for path in LOGS.unread_paths(connection, server_uuid) if (name := read_name(path)) is not None]
    return sorted(
        (name.log_date, name.sequence) for name in names if name.log_date is not None and name.sequence is not None
    )


def _goes_on(before: LogFile, file: LogFile) -> bool:
    """Return whether a file without a date in its name follows the one before it: such files hold many days."""
    if file.log_sequence is not None or before.last_line_at is None or file.first_line_at is None:
        return False
    return file.first_line_at - before.last_line_at < _SHORTEST_GAP


def _events(connection: Connection, files: Mapping[int | None, str]) -> dict[str, list[SessionEvent]]:
    """Return the events of *files*, keys by number, by key."""
    events: dict[str, list[SessionEvent]] = {}
    with connection.cursor(binary=True) as cursor:  # half of the columns are numbers and times
        set_json_loads(msgspec.json.decode, cursor)
        rows = cursor.execute(
            f"""
            select rows.file_id, rows.line_number, rows.logged_at, kinds.kind, players.player_name, players.player_uuid,
                rows.detail
            from {EVENT_ROWS} as rows
            inner join raw_minecraft.event_kinds as kinds on kinds.kind_id = rows.kind_id
            left join raw_minecraft.event_players as players on players.player_id = rows.player_id
            where rows.file_id = any(%s) order by rows.file_id, rows.line_number
            """,
            (list(files),),
        ).fetchall()
    for file_id, line_number, logged_at, kind, player, player_uuid, detail in rows:
        file_key = files[file_id]
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


# of a file's row, of which there is one for each day: the parser's state alone is larger than all the rest
_NOT_NEEDED = (
    *("parser_state", "parsed_bytes", "parsed_lines"),
    *("lines_understood", "lines_ignored", "lines_unknown", "lines_continuation"),
    *("software", "game_version", "layout", "reason"),
)
# files two days apart have at least a day of 23 hours between them
_SHORTEST_GAP = timedelta(hours=22)
_OF_FILES = "{file} = any(%(rebuilt)s)"
_AFTER_A_GAP = "gap "
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEYS = {SESSIONS: ["session_key"], RUNS: ["run_key"], SIGHTINGS: ["file_key", "player_name", "player_uuid"]}
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
    SIGHTINGS: {
        "server_uuid": "uuid",
        "file_key": "text",
        "player_name": "text",
        "player_uuid": "uuid",
        "first_seen_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "_load_id": "uuid",
    },
}

"""Lands what Twitch lists: streamers, the streams that are live, and clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from pteroassets.sources.twitch.records import Clip, Stream, TwitchUser
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, record_load

USERS: Final = "raw_twitch.users"
STREAMS: Final = "raw_twitch.streams"
CLIPS: Final = "raw_twitch.clips"
USERS_READ_EVERY: Final = timedelta(days=1)
LATE_CLIPS: Final = timedelta(hours=24)
"""How long after it was made a clip may show up in Twitch's list, beyond the time since the list was read."""
_LONGEST_LOOK_BACK: Final = timedelta(days=6)


def known_users(connection: Connection, logins: Sequence[str], now: datetime) -> dict[str, str]:
    """Return the ids of *logins* whose records were read within a day, by login."""
    rows = connection.execute(
        "select login, user_id from raw_twitch.users where login = any(%s) and read_at > %s",
        (list(logins), now - USERS_READ_EVERY),
    )
    return dict(rows.fetchall())


def new_streams(connection: Connection, streams: Sequence[Stream]) -> list[Stream]:
    """Return those of *streams* that were never landed."""
    rows = connection.execute(
        "select stream_id from raw_twitch.streams where stream_id = any(%s)", ([one.stream_id for one in streams],)
    )
    known = {row[0] for row in rows.fetchall()}
    return [one for one in streams if one.stream_id not in known]


def clips_since(connection: Connection, user_id: str, now: datetime) -> datetime:
    """Return from when on a streamer's clips are to be read: late ones too, and what was made while nobody read."""
    row = connection.execute("select clips_read_at from raw_twitch.users where user_id = %s", (user_id,)).fetchone()
    read_at: datetime = row[0] if row is not None and row[0] is not None else now
    return max(read_at - LATE_CLIPS, now - _LONGEST_LOOK_BACK)


def land_users(connection: Connection, users: Sequence[TwitchUser], now: datetime) -> LoadReport:
    """Land streamers' records, in the caller's transaction."""
    return _upsert(
        connection,
        USERS,
        "user_id",
        [{"user_id": one.user_id, "login": one.login, "record": Jsonb(one.record), "read_at": now} for one in users],
        now,
    )


def land_streams(connection: Connection, streams: Sequence[Stream], now: datetime) -> LoadReport:
    """Land the streams that are live, in the caller's transaction."""
    return _upsert(
        connection,
        STREAMS,
        "stream_id",
        [
            {
                "stream_id": one.stream_id,
                "user_id": one.user_id,
                "login": one.login,
                "record": Jsonb(one.record),
                "started_at": one.started_at,
                "last_seen_at": now,
            }
            for one in streams
        ],
        now,
    )


def land_clips(connection: Connection, clips: Mapping[str, Iterable[Clip]], now: datetime) -> LoadReport:
    """Land the clips of each streamer whose list was read, in the caller's transaction."""
    report = _upsert(
        connection,
        CLIPS,
        "clip_id",
        [
            {
                "clip_id": one.clip_id,
                "user_id": one.user_id,
                "record": Jsonb(one.record),
                "created_at": one.created_at,
            }
            for many in clips.values()
            for one in many
        ],
        now,
    )
    connection.execute("update raw_twitch.users set clips_read_at = %s where user_id = any(%s)", (now, list(clips)))
    return report


def _upsert(
    connection: Connection, table: str, key: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> LoadReport:
    """Write *rows*, each the newest of its *key*; the time at which one was seen first stays."""
    report = LoadReport(table=table, observed_at=now, rows_read=len(rows), rows_added=0)
    added = changed = 0
    for row in rows:
        given = {**row, "first_seen_at": now, "_load_id": report.load_id}
        columns, values = ", ".join(given), ", ".join(f"%({name})s" for name in given)
        newer = ", ".join(f"{name} = excluded.{name}" for name in given if name not in {key, "first_seen_at"})
        found = connection.execute(
            f"""
            insert into {table} as mine ({columns}) values ({values})
            on conflict ({key}) do update set {newer}, _loaded_at = now()
            where {_differs(row, key)}
            returning xmax = 0
            """,
            given,
        ).fetchone()
        if found is not None:
            added, changed = added + bool(found[0]), changed + (not found[0])
    report = LoadReport(
        load_id=report.load_id,
        table=table,
        observed_at=now,
        rows_read=len(rows),
        rows_added=added,
        rows_changed=changed,
    )
    if added or changed:
        record_load(connection, report)
    return report


def _differs(row: Mapping[str, Any], key: str) -> str:
    return " or ".join(f"mine.{name} is distinct from excluded.{name}" for name in row if name != key)

"""Notices of streams and clips: which are due, and what they say.

Of a stream one notice is given, unless one was given of the same streamer less than eight hours before: who loses the
connection and begins again is not announced again. When it ends the notice says so. Of a clip one notice is given,
however late Twitch lists it, unless it was made before its streamer was followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pteroassets.alarms.outbox import Embed, Field, Message, escaped, put
from pteroassets.warehouse.connection import Connection

BETWEEN_NOTICES: Final = timedelta(hours=8)
ENDED_AFTER: Final = timedelta(minutes=5)
"""A stream that Twitch has not listed for so long is over; it leaves streams out for a moment now and then."""
_LIVE_COLOUR: Final = 0x9146FF
_OVER_COLOUR: Final = 0x808080
_CLIP_COLOUR: Final = 0x3BA7A7


def give_notices(
    connection: Connection,
    targets: Sequence[str],
    *,
    now: datetime,
    mentions: tuple[str, ...] = (),
    pictures: Mapping[str, bytes] | None = None,
) -> list[str]:
    """Put the notices that are due into the outbox, in the caller's transaction; return their keys.

    Args:
        connection: To the warehouse, with what Twitch lists already landed.
        targets: Of the outbox.
        now: By the caller's clock.
        mentions: Who is told when somebody goes live.
        pictures: Previews as PNG, by the id of the stream; a notice without one has no picture.
    """
    return [
        *_of_streams(connection, targets, now, mentions, pictures or {}),
        *_of_ends(connection, targets, now),
        *_of_clips(connection, targets, now),
    ]


def _of_streams(
    connection: Connection,
    targets: Sequence[str],
    now: datetime,
    mentions: tuple[str, ...],
    pictures: Mapping[str, bytes],
) -> list[str]:
    rows = connection.execute(
        """
        select streams.stream_id, streams.login, streams.started_at, streams.record
        from raw_twitch.streams
        left join ops.stream_notices as given on given.notice_key = 'stream/' || streams.stream_id
        where streams.last_seen_at = %s and given.notice_key is null
        order by streams.started_at, streams.stream_id
        """,
        (now,),
    ).fetchall()
    keys = []
    for stream_id, login, started_at, record in rows:
        before = _last_told(connection, login)
        if before is not None and now - before < BETWEEN_NOTICES:
            reason = f"a notice of {login} was given at {before.isoformat(timespec='minutes')}"
            _decide(connection, f"stream/{stream_id}", login, now, reason)
            continue
        _decide(connection, f"stream/{stream_id}", login, now, None)
        key = f"stream/{login}/{started_at.isoformat()}"
        for target in targets:
            put(connection, live_message(key, target, record, started_at, mentions, pictures.get(stream_id)), at=now)
        keys.append(key)
    return keys


def _last_told(connection: Connection, login: str) -> datetime | None:
    row = connection.execute(
        "select max(decided_at) from ops.stream_notices where login = %s and told and notice_key like 'stream/%%'",
        (login,),
    ).fetchone()
    return row[0] if row is not None else None


def _decide(connection: Connection, key: str, login: str, now: datetime, reason: str | None) -> None:
    connection.execute(
        "insert into ops.stream_notices (notice_key, login, decided_at, told, reason) values (%s, %s, %s, %s, %s)",
        (key, login, now, reason is None, reason),
    )


def _of_ends(connection: Connection, targets: Sequence[str], now: datetime) -> list[str]:
    rows = connection.execute(
        """
        update ops.stream_notices as given set ended_at = streams.last_seen_at
        from raw_twitch.streams
        where given.notice_key = 'stream/' || streams.stream_id and given.told and given.ended_at is null
            and streams.last_seen_at < %s
        returning streams.login, streams.started_at, streams.last_seen_at, streams.record
        """,
        (now - ENDED_AFTER,),
    ).fetchall()
    keys = []
    for login, started_at, last_seen_at, record in rows:
        key = f"stream/{login}/{started_at.isoformat()}"
        for target in targets:
            put(connection, over_message(key, target, record, started_at, last_seen_at), at=now)
        keys.append(key)
    return keys


def _of_clips(connection: Connection, targets: Sequence[str], now: datetime) -> list[str]:
    rows = connection.execute(
        """
        select clips.clip_id, users.login, clips.record, clips.created_at < users.first_seen_at as is_older
        from raw_twitch.clips
        inner join raw_twitch.users using (user_id)
        left join ops.stream_notices as given on given.notice_key = 'clip/' || clips.clip_id
        where given.notice_key is null
        order by clips.created_at, clips.clip_id
        """
    ).fetchall()
    keys = []
    for clip_id, login, record, is_older in rows:
        key = f"clip/{clip_id}"
        _decide(connection, key, login, now, "it was made before its streamer was followed" if is_older else None)
        if not is_older:
            for target in targets:
                put(connection, clip_message(key, target, record, login), at=now)
            keys.append(key)
    return keys


# ---------------------------------------------------------------------- what they say


def _address(record: Mapping[str, Any]) -> str:
    return f"https://www.twitch.tv/{record['user_login']}"


def live_message(
    key: str,
    target: str,
    record: Mapping[str, Any],
    started_at: datetime,
    mentions: tuple[str, ...] = (),
    picture: bytes | None = None,
) -> Message:
    """Return the notice that somebody is live; *record* is that of ``/helix/streams``."""
    name = str(record["user_name"])
    embed = Embed(
        title=f"{escaped(name)} is live",
        url=_address(record),
        description=escaped(str(record["title"])),
        colour=_LIVE_COLOUR,
        fields=(Field(name="Category", value=escaped(str(record["game_name"]) or "none")),),
        image="preview.png" if picture is not None else None,
        footer="live since",
        at=started_at,
    )
    return Message(
        key=key,
        target=target,
        embeds=(embed,),
        mentions=mentions,
        images={"preview.png": picture} if picture is not None else {},
        text=f"{name} is live: {record['title']} ({record['game_name'] or 'no category'})\n{_address(record)}",
    )


def over_message(
    key: str, target: str, record: Mapping[str, Any], started_at: datetime, last_seen_at: datetime
) -> Message:
    """Return what the notice of a stream says once it is over."""
    minutes = round((last_seen_at - started_at).total_seconds() / 60)
    lasted = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 - an hour
    name = str(record["user_name"])
    embed = Embed(
        title=f"{escaped(name)} was live",
        url=_address(record),
        description=escaped(str(record["title"])),
        colour=_OVER_COLOUR,
        fields=(
            Field(name="Category", value=escaped(str(record["game_name"]) or "none")),
            Field(name="Lasted", value=lasted),
        ),
        footer="ended",
        at=last_seen_at,
    )
    return Message(key=key, target=target, embeds=(embed,), text=f"{name} was live for {lasted}.")


def clip_message(key: str, target: str, record: Mapping[str, Any], login: str) -> Message:
    """Return the notice of a clip; *record* is that of ``/helix/clips``."""
    embed = Embed(
        title=escaped(str(record["title"])) or "A clip",
        url=str(record["url"]),
        description=f"of [{escaped(str(record['broadcaster_name']))}](https://www.twitch.tv/{login})",
        colour=_CLIP_COLOUR,
        fields=(Field(name="Made by", value=escaped(str(record["creator_name"]) or "unknown")),),
        at=datetime.fromisoformat(str(record["created_at"])),
    )
    return Message(
        key=key,
        target=target,
        embeds=(embed,),
        text=f"A clip of {record['broadcaster_name']}: {record['title']}\n{record['url']}",
    )

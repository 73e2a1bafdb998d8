"""Digests of replays: which are told, each once, and what was told is edited when the site corrects the game.

What was decided stands in ``ops.replay_notices``, written with the message in one transaction: a kill between a landing
and its message leaves the replay to the next call, and one after that finds that it was told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from pteroassets.alarms.outbox import LONGEST_KEY, put
from pteroassets.alarms.replay_digests import Language, digest_message
from pteroassets.warehouse.connection import Connection

TOLD_WITHIN: Final = timedelta(days=3)
"""A game that was read later than this after it was played is history, and is not announced."""


def tell_replays(
    connection: Connection, targets: Sequence[str], *, least_players: int, language: Language, now: datetime
) -> list[str]:
    """Put the digests that are due into the outbox, each in its own transaction; return the keys of their messages.

    Args:
        connection: To the warehouse, outside of a transaction.
        targets: Of the outbox; without one nothing is told, now and later.
        least_players: Smaller games are not announced.
        language: Of the wording.
        now: By the caller's clock.
    """
    row = connection.execute("select to_regclass('marts.fct_arma3_replays') is not null").fetchone()
    if row is None or not row[0]:
        return []  # the models were not built yet
    due = connection.execute(
        """
        select replays.replay_key, replays.documents_digest, coalesce(given.told, false)
        from raw_arma3.replays
        left join ops.replay_notices as given on given.replay_key = replays.replay_key
        where replays.landed_at is not null and replays.documents_digest is distinct from given.documents_digest
        order by replays.started_at, replays.replay_key
        """
    ).fetchall()
    if not due:
        return []
    # all at once: of 3,500 replays the view takes two seconds, of one of them no less
    with connection.cursor(row_factory=dict_row) as cursor:
        query = "select * from marts.fct_arma3_replays where replay_key = any(%s)"
        found = {row["replay_key"]: row for row in cursor.execute(query, ([key for key, *_ in due],))}
    keys = []
    for replay_key, digest, was_told in due:
        if replay_key not in found:
            continue  # landed since the models were built in another form
        with connection.transaction():
            told = _tell(
                connection, found[replay_key], digest, targets, least_players, language, now, was_told=was_told
            )
        keys += [told] if told is not None else []
    return keys


def _tell(
    connection: Connection,
    row: Mapping[str, Any],
    digest: str,
    targets: Sequence[str],
    least_players: int,
    language: Language,
    now: datetime,
    *,
    was_told: bool,
) -> str | None:
    reason = None if was_told else _why_not(row, targets, least_players)
    key = _key(row)
    messages = [digest_message(key, target, row, language) for target in targets]
    text = messages[0].text if messages else digest_message(key, "channel:none", row, language).text
    connection.execute(
        """
        insert into ops.replay_notices (replay_key, documents_digest, decided_at, told, reason, text)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (replay_key) do update set
            documents_digest = excluded.documents_digest, decided_at = excluded.decided_at, told = excluded.told,
            reason = excluded.reason, text = excluded.text
        """,
        (row["replay_key"], digest, now, reason is None, reason, text),
    )
    if reason is not None:
        return None
    for message in messages:
        put(connection, message, at=now)
    return key


def _key(row: Mapping[str, Any]) -> str:
    """Return the key of a replay's message; the name of a recording, by which a site knows it, may be longer."""
    key = f"replay/{row['site']}/{row['replay_id']}"
    return key if len(key) <= LONGEST_KEY else f"replay/{hashlib.sha256(key.encode()).hexdigest()}"


def _why_not(row: Mapping[str, Any], targets: Sequence[str], least_players: int) -> str | None:
    if not targets:
        return "no target is set"
    players = row["players"] if row["players"] is not None else row["participants"]
    if players is None and least_players:
        return f"how many played is not known, and at least {least_players} are asked for"
    if players is not None and players < least_players:
        return f"{players} players are fewer than {least_players}"
    played = row["started_at"]
    if played is None and row["played_date"] is not None:
        zone = ZoneInfo(row["timezone"] or "UTC")
        played = datetime.combine(row["played_date"], time(), zone) + timedelta(days=1)
    if played is not None and row["landed_at"] - played.astimezone(UTC) > TOLD_WITHIN:
        return "it was played long before it was read"
    return None

"""The book of actions: who pressed what, when, and what came of it.

A row is written before the panel is asked and completed after. Of two people who press at once one wins: Postgres
allows one unfinished power signal a server, whichever process serves them. A row that a killed process left open is
closed as interrupted once it is older than the panel may take.
"""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args
from uuid import UUID

import psycopg
from psycopg import sql

from pteroassets.warehouse.connection import Connection

Signal = Literal["start", "stop", "restart"]
Command = Literal["start", "stop", "restart", "address", "place", "refresh", "purge", "acknowledge", "snooze"]
Outcome = Literal["done", "refused", "failed", "unanswered", "interrupted"]
SIGNALS: Final[tuple[Signal, ...]] = get_args(Signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for what; *role_id* is the role that allows it."""

    command: Command
    guild_id: int
    channel_id: int | None
    user_id: int
    user_name: str
    role_id: int | None = None
    server_uuid: UUID | None = None
    subject: str | None = None
    players_online: int | None = None
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Why a signal cannot be sent now: another one is under way, or the server cools down until *until*."""

    command: str
    user_id: int
    asked_at: datetime
    until: datetime | None


def begin(connection: Connection, asked: Asked, at: datetime) -> UUID:
    """Note that somebody asks for something, and return the key of the row."""
    return _insert(connection, asked, at)


def refuse(connection: Connection, asked: Asked, at: datetime, reason: str) -> None:
    """Note that somebody asked for what they may not, or what cannot be; so it keeps nobody else from acting."""
    _insert(connection, asked, at, refused=reason)


def _insert(connection: Connection, asked: Asked, at: datetime, *, refused: str | None = None) -> UUID:
    action_id = uuid.uuid4()
    row = {
        "action_id": action_id,
        **dataclasses.asdict(asked),
        "asked_at": at,
        **({} if refused is None else {"outcome": "refused", "reason": refused, "finished_at": at}),
    }
    statement = sql.SQL("insert into raw_discord.actions ({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
    )
    connection.execute(statement, row)
    return action_id


def claim(
    connection: Connection, asked: Asked, at: datetime, *, cool_down: timedelta, patience: timedelta
) -> UUID | Busy:
    """Note a power signal unless another one to the same server is under way or was sent less than *cool_down* ago.

    Args:
        connection: In autocommit mode.
        asked: Who asks for which signal to which server.
        at: Now.
        cool_down: Least time between the end of a signal and the next.
        patience: Longest that a signal can be under way; an older row is of a process that was killed.
    """
    close_interrupted(connection, at, patience)
    try:
        with connection.transaction():
            # one after the other, so that the second sees what the first one did
            connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 24))", (str(asked.server_uuid),))
            busy = _busy(connection, asked.server_uuid, at - cool_down)
            if busy is not None:
                until = None if busy[3] is None else busy[3] + cool_down
                return Busy(command=busy[0], user_id=busy[1], asked_at=busy[2], until=until)
            return begin(connection, asked, at)
    except psycopg.errors.UniqueViolation:  # a process that does not take the lock
        row = _busy(connection, asked.server_uuid, at - cool_down)
        if row is None:
            raise
        return Busy(command=row[0], user_id=row[1], asked_at=row[2], until=None)


def _busy(
    connection: Connection, server_uuid: UUID | None, since: datetime
) -> tuple[str, int, datetime, datetime] | None:
    row = connection.execute(
        """
        select command, user_id, asked_at, finished_at from raw_discord.actions
        where server_uuid = %s and command = any(%s)
            and (finished_at is null or (outcome in ('done', 'unanswered') and finished_at > %s))
        order by asked_at desc limit 1
        """,
        (server_uuid, [*SIGNALS], since),
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3])


def finish(
    connection: Connection,
    action_id: UUID,
    outcome: Outcome,
    at: datetime,
    *,
    reason: str | None = None,
    panel_status: int | None = None,
) -> None:
    """Note what came of an action; a row that is closed already stays as it is."""
    connection.execute(
        """
        update raw_discord.actions set outcome = %s, reason = %s, panel_status = %s, finished_at = %s
        where action_id = %s and finished_at is null
        """,
        (outcome, reason, panel_status, at, action_id),
    )


def close_interrupted(connection: Connection, at: datetime, patience: timedelta) -> int:
    """Close rows that a killed process left open; the panel may have got the signal or not. Return how many."""
    return connection.execute(
        """
        update raw_discord.actions set outcome = 'interrupted', finished_at = %s,
            reason = 'the bot ended before the panel answered: whether it got the signal is not known'
        where finished_at is null and asked_at < %s
        """,
        (at, at - patience),
    ).rowcount

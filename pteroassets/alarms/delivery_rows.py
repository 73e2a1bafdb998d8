"""The rows of the outbox as the delivery reads and marks them. Each function is one statement, or one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from pteroassets.alarms.outbox import Body, DeadOf, Outcome, Severity, body_of
from pteroassets.warehouse.connection import Connection

# a message of a card changes often, and each of its pictures is kept until no message shows it
_PICTURES_KEPT = timedelta(minutes=10)
_ATTEMPTS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A message whose target does not agree with it yet; the columns are those of ``ops.outbox``."""

    id: int
    key: str
    target: str
    stored_body: Any
    version: int
    announced_version: int
    severity: Severity
    withdrawn_at: datetime | None
    expires_at: datetime | None
    sent_version: int | None
    message_id: str | None
    further_ids: list[str]
    sending_since: datetime | None
    sending_digest: str | None
    posting: int
    doubtful_since: datetime | None
    doubtful_digests: list[str]
    attempts: int
    changed_at: datetime
    created_at: datetime

    @property
    def body(self) -> Body:
        """Return what the message ought to say."""
        return body_of(self.stored_body)

    @property
    def message_ids(self) -> list[str]:
        """Return the messages at the target, in their order."""
        return [] if self.message_id is None else [self.message_id, *self.further_ids]


_COLUMNS = """
    id, key, target, body as stored_body, version, announced_version, severity, withdrawn_at, expires_at, sent_version,
    message_id, further_ids, sending_since, sending_digest, posting, doubtful_since, doubtful_digests, attempts,
    changed_at, created_at
"""


def waiting(connection: Connection, targets: str, now: datetime, *, closed: Sequence[str]) -> list[int]:
    """Return the ids of rows that may be tried now, the gravest first and then the oldest.

    Args:
        connection: To the warehouse.
        targets: Of the way, as a pattern of ``like``.
        now: By the delivery's clock.
        closed: Targets that are passed over.
    """
    found = connection.execute(
        """
        select id from ops.outbox
        where target like %(targets)s and dead_at is null and sent_version is distinct from version
            and coalesce(not_before, '-infinity') <= %(now)s and target <> all(%(closed)s)
        order by array_position(array['critical', 'warning', 'info'], severity), changed_at, id
        limit 200
        """,
        {"targets": targets, "now": now, "closed": list(closed)},
    )
    return [row_id for (row_id,) in found]


def still_waiting(connection: Connection, row_id: int) -> Row | None:
    """Return the newest version of a row, unless its target agrees with it by now."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.outbox "
            "where id = %s and dead_at is null and sent_version is distinct from version",
            (row_id,),
        ).fetchone()


def to_look_at_again(connection: Connection, targets: str, now: datetime) -> list[Row]:
    """Return rows of which a double may have arrived late, when it is time to look."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from ops.outbox where target like %s and look_again_at <= %s order by id limit 50",
            (targets, now),
        ).fetchall()


def next_due(connection: Connection, targets: str) -> datetime | None:
    """Return when the next row that waits may be tried; None: none waits."""
    row = connection.execute(
        """
        select least(
            min(coalesce(not_before, changed_at))
                filter (where dead_at is null and sent_version is distinct from version),
            min(look_again_at)
        )
        from ops.outbox where target like %s
        """,
        (targets,),
    ).fetchone()
    return None if row is None else row[0]


def pictures(connection: Connection, body: Body) -> dict[str, bytes]:
    """Return the images of a body by name."""
    if not body.images:
        return {}
    found: dict[str, bytes] = dict(
        connection.execute(
            "select digest, png from ops.outbox_images where digest = any(%s)", (list(body.images.values()),)
        ).fetchall()
    )
    return {name: found[digest] for name, digest in body.images.items()}


def note_sending(connection: Connection, row: Row, digest: str, now: datetime) -> None:
    """Commit that a message is about to be posted, so that it is known after a kill."""
    connection.execute(
        "update ops.outbox set sending_since = %s, sending_digest = %s where id = %s", (now, digest, row.id)
    )


def note_ids(connection: Connection, row: Row, ids: Sequence[str]) -> None:
    """Commit which messages are at the target now; nothing is under way any more.

    Where there are fewer than before, what is posted later has another nonce than what was deleted.
    """
    connection.execute(
        """
        update ops.outbox
        set message_id = %(first)s, further_ids = %(further)s, sending_since = null, sending_digest = null,
            posting = posting + case when cardinality(%(further)s::text[]) < cardinality(further_ids) then 1 else 0 end
        where id = %(id)s
        """,
        {"first": ids[0] if ids else None, "further": list(ids[1:]), "id": row.id},
    )


def note_doubt(connection: Connection, row: Row, since: datetime, digest: str) -> None:
    """Commit that a message with *digest* may have arrived, or may still arrive, that we do not know."""
    connection.execute(
        """
        update ops.outbox
        set doubtful_since = least(doubtful_since, %s), doubtful_digests = array_append(doubtful_digests, %s),
            sending_since = null, sending_digest = null
        where id = %s
        """,
        (since, digest, row.id),
    )


def note_lost(connection: Connection, row: Row) -> None:
    """Commit that the messages at the target are gone, so that the next ones get other nonces."""
    connection.execute(
        "update ops.outbox set message_id = null, further_ids = '{}', posting = posting + 1 where id = %s", (row.id,)
    )


def note_agreement(
    connection: Connection,
    row: Row,
    outcome: Outcome,
    *,
    began_at: datetime,
    seconds: float,
    now: datetime,
    look_again_at: datetime,
    status: int | None,
    reason: str | None,
) -> None:
    """Commit that the target shows the row's version, and the attempt that made it so, in one statement."""
    connection.execute(
        """
        with agreed as (
            update ops.outbox
            set sent_version = %(version)s, sent_at = %(now)s, attempts = 0, not_before = null,
                sending_since = null, sending_digest = null,
                look_again_at = case
                    when doubtful_since is not null then coalesce(look_again_at, %(look_again_at)s)
                end,
                posting = posting + case when withdrawn_at is null then 0 else 1 end
            where id = %(id)s
            returning id, key, target
        )
        insert into ops.outbox_deliveries
            (outbox_id, key, target, version, outcome, http_status, reason, began_at, seconds)
        select id, key, target, %(version)s, %(outcome)s, %(status)s, %(reason)s, %(began_at)s, %(seconds)s from agreed
        """,
        {
            "version": row.version,
            "now": now,
            "look_again_at": look_again_at,
            "id": row.id,
            "outcome": outcome,
            "status": status,
            "reason": reason,
            "began_at": began_at,
            "seconds": seconds,
        },
    )


def note_looked(connection: Connection, row: Row) -> None:
    """Commit that no double is left."""
    connection.execute(
        "update ops.outbox set doubtful_since = null, doubtful_digests = '{}', look_again_at = null where id = %s",
        (row.id,),
    )


def note_deferral(connection: Connection, row: Row, not_before: datetime) -> None:
    """Commit that an attempt failed, and when the next one may be made."""
    connection.execute(
        "update ops.outbox set attempts = attempts + 1, not_before = %s where id = %s", (not_before, row.id)
    )


def note_nothing_sent(connection: Connection, row: Row) -> None:
    """Commit that an announced post was not made after all, or was refused."""
    connection.execute("update ops.outbox set sending_since = null, sending_digest = null where id = %s", (row.id,))


def note_look_again(connection: Connection, row: Row, at: datetime) -> None:
    """Commit that doubles are to be looked for later."""
    connection.execute("update ops.outbox set look_again_at = %s where id = %s", (at, row.id))


def note_death(connection: Connection, row: Row, now: datetime, *, of: DeadOf, reason: str) -> None:
    """Commit that the row is refused for good, unless it says something else by now."""
    connection.execute(
        """
        update ops.outbox set dead_at = %(now)s, dead_of = %(of)s, dead_reason = %(reason)s
        where id = %(id)s and (version = %(version)s or %(of)s = 'target')
        """,
        {"now": now, "of": of, "reason": reason, "id": row.id, "version": row.version},
    )


def unowned(connection: Connection, target: str, ids: Sequence[str]) -> set[str]:
    """Return those of *ids* that no row of the outbox has at this target."""
    rows = connection.execute(
        """
        select given.id from unnest(%(ids)s::text[]) as given (id)
        where not exists (
            select from ops.outbox
            where target = %(target)s and (message_id = given.id or given.id = any(further_ids))
        )
        """,
        {"ids": list(ids), "target": target},
    )
    return {found for (found,) in rows}


def record(
    connection: Connection,
    row: Row,
    outcome: Outcome,
    *,
    began_at: datetime,
    seconds: float,
    status: int | None = None,
    reason: str | None = None,
) -> None:
    """Add an attempt to ``ops.outbox_deliveries``."""
    connection.execute(
        """
        insert into ops.outbox_deliveries
            (outbox_id, key, target, version, outcome, http_status, reason, began_at, seconds)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (row.id, row.key, row.target, row.version, outcome, status, reason, began_at, seconds),
    )


def note_alive(connection: Connection, way: str, now: datetime) -> None:
    """Commit that a way is looked after."""
    connection.execute(
        "insert into ops.outbox_ways (way, alive_at) values (%s, %s) "
        "on conflict (way) do update set alive_at = excluded.alive_at",
        (way, now),
    )


def prune_pictures(connection: Connection, now: datetime) -> int:
    """Delete images that no message shows any more; return how many."""
    return connection.execute(
        """
        delete from ops.outbox_images as images
        where used_at < %s and not exists (
            select from ops.outbox where image_digests @> array[images.digest]
        )
        """,
        (now - _PICTURES_KEPT,),
    ).rowcount


def prune_messages(connection: Connection, before: datetime) -> int:
    """Forget messages that have not changed since *before*, unless they still wait; return how many.

    They stay where they were sent; who puts one of them again sends a new one.
    """
    return connection.execute(
        """
        delete from ops.outbox
        where changed_at < %s and look_again_at is null and (sent_version = version or dead_at is not null)
        """,
        (before,),
    ).rowcount


def prune_deliveries(connection: Connection, now: datetime) -> int:
    """Delete attempts that are older than a week; return how many."""
    return connection.execute("delete from ops.outbox_deliveries where began_at < %s", (now - _ATTEMPTS_KEPT,)).rowcount

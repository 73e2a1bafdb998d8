"""Make targets agree with the outbox: post, edit, delete, try again, give up.

One worker looks after one way out. It holds a lock of Postgres meanwhile, so that a second service waits until the
first one is gone. Before a message is posted that is committed, and what stands at the target is committed at once
after it. So after a kill in between, the row says that a message may have arrived: it is looked for among the newest
ones, by what it shows, and taken over. A double that arrives later still is looked for a minute afterwards and deleted.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pteroassets.alarms import delivery_rows as rows
from pteroassets.alarms.delivery_rows import Row
from pteroassets.alarms.outbox import Outcome
from pteroassets.alarms.parts import parts_of
from pteroassets.alarms.ways import (
    DeferredError,
    DeliveryError,
    EditableWay,
    MissingError,
    Notice,
    NotYetError,
    Part,
    RefusedError,
    SendingWay,
    Way,
    plain,
)
from pteroassets.clock import Clock
from pteroassets.warehouse.connection import Connection

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 120.0
# nobody waits for a mail of yesterday; a receiver that only sends may refuse for good without saying so
_SENDING_WAYS_GIVE_UP = timedelta(days=1)
_LOOK_AGAIN = timedelta(minutes=1)
_CLOCKS_DIFFER = timedelta(minutes=2)
_LONGEST_TITLE = 200

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Looks after one way.

    Attributes:
        connection: To the warehouse, in autocommit mode.
        name: Of the way: ``discord``, ``webhook:<name>`` or ``channel:<name>``.
        way: Makes the calls.
        clock: Gives the time.
    """

    connection: Connection
    name: str
    way: Way
    clock: Clock
    _closed: dict[str, datetime] = field(default_factory=dict)
    _all_closed_until: datetime | None = None

    @property
    def targets(self) -> str:
        """Return the targets of the way, as a pattern of ``like``."""
        return "discord:%" if self.name == "discord" else self.name.replace("_", r"\_")

    def make_pass(self, *, until: Callable[[], bool] = lambda: False) -> int:
        """Try each row that may be tried now, once; return how many were tried.

        Args:
            until: Is asked after each row whether to stop.
        """
        tried = 0
        rows.note_alive(self.connection, self.name, self.clock.now())
        now = self.clock.now()
        if self._all_closed_until is not None and self._all_closed_until > now:
            return tried
        closed = [target for target, closed_until in self._closed.items() if closed_until > now]
        for row_id in rows.waiting(self.connection, self.targets, now, closed=closed):
            row = rows.still_waiting(self.connection, row_id)
            if row is None or self._is_closed(row.target):
                continue
            self._try(row, self._agree)
            tried += 1
            if until():
                return tried
        if isinstance(self.way, SendingWay):
            return tried
        for row in rows.to_look_at_again(self.connection, self.targets, self.clock.now()):
            if not self._is_closed(row.target):
                self._try(row, self._look_again)
                tried += 1
        return tried

    def next_at(self) -> datetime | None:
        """Return when the next pass has something to do, by what is known now; None: nothing waits."""
        due = rows.next_due(self.connection, self.targets)
        if due is None:
            return None
        now = self.clock.now()
        closed = [until for until in self._closed.values() if until > now]
        if self._all_closed_until is not None and self._all_closed_until > due:
            return self._all_closed_until
        return min(closed) if due <= now and closed else due

    def _is_closed(self, target: str) -> bool:
        now = self.clock.now()
        if self._all_closed_until is not None and self._all_closed_until > now:
            return True
        until = self._closed.get(target)
        return until is not None and until > now

    def _try(self, row: Row, attempt: Callable[[Row], None]) -> None:
        """Make an attempt and commit what came of it."""
        began_at, begun = self.clock.now(), time.monotonic()
        try:
            attempt(row)
        except NotYetError as error:
            self._closed[row.target] = error.until
        except RefusedError as error:
            rows.note_death(self.connection, row, self.clock.now(), of=error.of, reason=str(error))
            self._record(row, "dead", began_at, begun, error)
            log.error(  # noqa: TRY400 - what matters is in the reason
                "the message %s for %s is dead: %s", row.key, row.target, error
            )
        except DeferredError as error:
            self._defer(row, error)
            self._record(row, "deferred", began_at, begun, error)

    def _defer(self, row: Row, error: DeferredError) -> None:
        now = self.clock.now()
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** min(row.attempts, 20), _LONGEST_PAUSE_SECONDS)
        until = now + timedelta(seconds=max(pause, error.wait_seconds))
        if error.whole_way:
            # the row itself may go first when the way is open again
            self._all_closed_until = now + timedelta(seconds=error.wait_seconds)
            until = self._all_closed_until
        if isinstance(self.way, SendingWay) and now - row.changed_at > _SENDING_WAYS_GIVE_UP:
            rows.note_death(self.connection, row, now, of="message", reason=f"it was refused for a day, last: {error}")
            return
        rows.note_deferral(self.connection, row, until)
        if row.attempts in (0, 9):
            log.warning("the message %s for %s waits: %s", row.key, row.target, error)

    def _record(
        self, row: Row, outcome: Outcome, began_at: datetime, begun: float, error: DeliveryError | None = None,
        reason: str | None = None,
    ) -> None:  # fmt: skip
        rows.record(
            self.connection,
            row,
            outcome,
            began_at=began_at,
            seconds=time.monotonic() - begun,
            status=error.status if error is not None else self.way.status,
            reason=str(error) if error is not None else reason,
        )

    def _agree(self, row: Row) -> None:
        """Make the target agree with *row*."""
        began_at, begun = self.clock.now(), time.monotonic()
        if row.withdrawn_at is None and not row.message_ids and row.sent_version is None and _is_late(row, began_at):
            raise RefusedError("it expired before it could be sent", of="message")
        if isinstance(self.way, SendingWay):
            outcome, reason = _send(self.way, row)
        else:
            outcome, reason = _Editing(self, self.way, row).agree()
        now = self.clock.now()
        rows.note_agreement(
            self.connection,
            row,
            outcome,
            began_at=began_at,
            seconds=time.monotonic() - begun,
            now=now,
            look_again_at=now + _LOOK_AGAIN,
            status=self.way.status,
            reason=reason,
        )

    def _look_again(self, row: Row) -> None:
        """Delete doubles that arrived after the message they are doubles of."""
        if isinstance(self.way, SendingWay) or row.doubtful_since is None:
            return
        began_at, begun = self.clock.now(), time.monotonic()
        editing = _Editing(self, self.way, row)
        try:
            editing.remove(editing.alike(row.doubtful_since, row.doubtful_digests))
        except DeferredError:
            rows.note_look_again(self.connection, row, self.clock.now() + _LOOK_AGAIN)
        except RefusedError as error:
            self._record(row, "kept", began_at, begun, reason=f"doubles cannot be looked for: {error}")
            rows.note_looked(self.connection, row)
        else:
            rows.note_looked(self.connection, row)


def _is_late(row: Row, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _send(way: SendingWay, row: Row) -> tuple[Outcome, str | None]:
    """Send a row over a way without edits, if this version is to be announced there."""
    if row.withdrawn_at is not None:
        return "kept", "what was sent cannot be taken back here"
    if row.sent_version is not None and row.announced_version <= row.sent_version:
        return "kept", "only announced versions are sent where nothing can be edited"
    text = plain(row.body)
    title = (row.body.embeds[0].title if row.body.embeds else "") or text.partition("\n")[0]
    way.send(
        Notice(
            # the same at each attempt, another one for each version that is announced
            id=row.key if row.announced_version == 1 else f"{row.key}#{row.announced_version}",
            key=row.key,
            severity=row.severity,
            title=title[:_LONGEST_TITLE],
            text=text,
            facts=row.body.facts,
        )
    )
    return "sent", None


@dataclass(slots=True)
class _Editing:
    """One row on its way to messages that can be edited."""

    delivery: Delivery
    way: EditableWay
    row: Row

    def agree(self) -> tuple[Outcome, str | None]:
        """Make the messages at the target say what the row says; return what that took."""
        row, connection = self.row, self.delivery.connection
        ids = row.message_ids
        reason = None
        if row.sending_since is not None and row.sending_digest is not None:
            ids, reason = self._take_up(row.sending_since, row.sending_digest, ids)
        if row.withdrawn_at is not None:
            self._delete(ids)
            rows.note_ids(connection, row, [])
            return ("deleted", reason) if ids else ("kept", "it was withdrawn before it was sent")
        parts = parts_of(row.body, rows.pictures(connection, row.body))
        had = len(ids)
        try:
            ids = self._edit_and_post(parts, ids)
        except MissingError as error:
            # what follows it goes, too: a new message stands at the end of the channel
            self._delete(ids)
            rows.note_lost(connection, row)
            rows.record(
                connection, row, "missing", began_at=self.delivery.clock.now(), seconds=0.0, status=error.status,
                reason=f"{error}; it is sent anew",
            )  # fmt: skip
            self.row = replace(row, message_id=None, further_ids=[], posting=row.posting + 1)
            had, ids = 0, self._edit_and_post(parts, [])
        self._delete(ids[len(parts) :])
        if len(ids) > len(parts):
            rows.note_ids(connection, row, ids[: len(parts)])
        return ("edited" if had else "sent"), reason

    def _edit_and_post(self, parts: Sequence[Part], ids: list[str]) -> list[str]:
        row, connection = self.row, self.delivery.connection
        for message_id, part in zip(ids, parts, strict=False):
            self.way.edit(row.target, message_id, part)
        known = list(ids)
        for part in parts[len(ids) :]:
            rows.note_sending(connection, row, part.digest, self.delivery.clock.now())
            try:
                posted = self.way.post(row.target, part, nonce=self._nonce(len(known)))
            except DeliveryError as error:
                if not (isinstance(error, DeferredError) and error.doubtful):
                    rows.note_nothing_sent(connection, row)
                raise
            known.append(posted.message_id)
            rows.note_ids(connection, row, known)
            if posted.digest != part.digest:  # an earlier attempt's, with what the row said then
                self.way.edit(row.target, posted.message_id, part)
        return known

    def _nonce(self, number: int) -> str:
        """Return the same text for each attempt to post this message, and no other message's; 24 characters."""
        row = self.row
        said = f"{row.key}\n{row.target}\n{row.created_at.isoformat()}\n{row.id}\n{row.posting}\n{number}"
        return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()

    def _take_up(self, since: datetime, digest: str, ids: list[str]) -> tuple[list[str], str | None]:
        """Look for the message of an attempt that was broken off; return the messages that are ours then."""
        row, connection = self.row, self.delivery.connection
        if not self.way.can_look:
            rows.note_nothing_sent(connection, row)
            return ids, "an earlier attempt may have arrived, too: a webhook cannot look"
        try:
            found = self.alike(since, [digest])
        except RefusedError as error:
            rows.note_nothing_sent(connection, row)
            return ids, f"an earlier attempt may have arrived, too, and cannot be looked for: {error}"
        with connection.transaction():
            if found:
                ids = [*ids, found[0]]
                rows.note_ids(connection, row, ids)
            rows.note_doubt(connection, row, since, digest)
        if found:
            rows.record(
                connection, row, "adopted", began_at=self.delivery.clock.now(), seconds=0.0, status=self.way.status,
                reason="an attempt that was broken off had arrived",
            )  # fmt: skip
            self.remove(found[1:])
        return ids, None

    def alike(self, since: datetime, digests: Sequence[str]) -> list[str]:
        """Return messages of ours at the target that show one of *digests* and belong to no row."""
        found = [
            one.message_id
            for one in self.way.look(self.row.target, since=since - _CLOCKS_DIFFER)
            if one.digest in digests
        ]
        free = rows.unowned(self.delivery.connection, self.row.target, found)
        return [message_id for message_id in found if message_id in free]

    def remove(self, ids: Sequence[str]) -> None:
        """Delete doubles."""
        for message_id in ids:
            self._delete([message_id])
            rows.record(
                self.delivery.connection, self.row, "double_removed", began_at=self.delivery.clock.now(), seconds=0.0,
                status=self.way.status, reason="an attempt that was broken off had arrived, too",
            )  # fmt: skip

    def _delete(self, ids: Sequence[str]) -> None:
        for message_id in ids:
            try:
                self.way.delete(self.row.target, message_id)
            except MissingError:
                continue  # that is what was wanted

"""Read the activity log of servers: what people, schedules and the panel did with them, each entry once.

Path of the data::

    client/servers/<uuid>/activity?sort=-timestamp --read_activity--> entries, newest first, and how far is known
    entries --privacy.Redactor--> ActivityEntry, without our own reads of files

The panel has no filter by time. So a log is read from its newest entry down to what is known, and a little further,
since a node hands in late what it saw. What is older than the first entry that is known is fetched a few pages at a
time, in this pass and the next ones, from the place at which the pass before stopped: entries come and go above and
below that place, and never move up.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pteroassets.privacy import Redactor
from pteroassets.sources.pterodactyl.client import PanelClient, ServerFlags, items
from pteroassets.sources.pterodactyl.errors import PanelError
from pteroassets.sources.pterodactyl.server_lists import Ask, ListRead, ServerAsker

# the panel's own cap
_PAGE: Final = 100
# nodes hand in once a minute what they saw, with the time at which they saw it; later if they cannot
_LATE: Final = timedelta(hours=6)
_OWN_EVENTS: Final = frozenset({"server:file.read", "server:file.download"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEntry:
    """One entry of a server's activity log.

    Attributes:
        activity_id: The panel's id, 40 hex digits; the same in every reading.
        server_uuid: The server.
        occurred_at: When it was done.
        event: What was done, such as ``server:power.start``.
        record: The entry as it arrived, minus secrets, personal data treated.
    """

    activity_id: str
    server_uuid: uuid.UUID
    occurred_at: datetime
    event: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How much of a server's activity log was read so far.

    Attributes:
        since: The oldest entry down to which nothing is missing; None before the first one.
        until: The newest entry.
        passed: Entries from the newest down to *since*, also those that are not landed.
        is_whole: Whether there was nothing older.
    """

    since: datetime | None = None
    until: datetime | None = None
    passed: int = 0
    is_whole: bool = False


@dataclass(slots=True, kw_only=True)
class ActivityPages:
    """Part of a server's activity log; *known* is what is known with it, also if a *failure* ended the reading."""

    known: Known
    rows: list[dict[str, Any]] = field(default_factory=list)
    failure: PanelError | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerActivity:
    """What one pass read of one server's activity log."""

    read: ListRead
    known: Known
    entries: Sequence[ActivityEntry] = ()


def own_name(panel: PanelClient) -> str | None:
    """Return the user name of the account that the client key belongs to.

    Raises:
        PanelError: The account could not be read.
    """
    name = (panel.client("account").get("attributes") or {}).get("username")
    return name if isinstance(name, str) else None


def read_activity(
    asker: ServerAsker, server: ServerFlags, known: Known, *, own: str | None, older_pages: int, redactor: Redactor
) -> ServerActivity:
    """Return the entries of *server* that are not *known*, and some that are, with how much is known now.

    Args:
        asker: Asks the panel.
        server: Whose log.
        known: How far it was read before.
        own: User name of our account, whose reads of files through the API are left out.
        older_pages: Pages, of 100 entries, that may be asked for below the first one that is known.
        redactor: Removes secrets from each entry.

    Raises:
        KeyRejectedError: The panel no longer accepts the key.
    """
    read, pages = asker.ask(server, lambda ask: _read(ask, server.uuid, known, older_pages))
    if pages is None:
        return ServerActivity(read=read, known=known)
    entries = []
    for row in pages.rows:
        entry = None if _is_own(row, own) else _entry(row, read.server_uuid, redactor)
        if entry is not None:
            entries.append(entry)
    if read.outcome == "ok" and not pages.known.is_whole:
        read = replace(
            read,
            outcome="budget_spent",
            reason=f"entries before {pages.known.since} are left for the next passes",
        )
    return ServerActivity(read=read, known=pages.known, entries=entries)


class _Log:
    """The activity log of one server while it is read."""

    def __init__(self, ask: Ask, server_uuid: str) -> None:
        self._ask = ask
        self._server_uuid = server_uuid
        self.rows: dict[str, dict[str, Any]] = {}
        self.times: dict[str, datetime] = {}
        self.problem: str | None = None
        self.total: int | None = None

    def page(self, number: int) -> tuple[list[datetime], bool]:
        """Read a page; return the times of its entries and whether it was the last.

        Raises:
            PanelError: Any answer except a readable list.
        """
        body = self._ask(
            f"servers/{self._server_uuid}/activity",
            sort="-timestamp",
            include="actor",
            per_page=_PAGE,
            page=number,
        )
        arrived = items(body)
        times = []
        for item in arrived:
            row = item.get("attributes") if isinstance(item, dict) else None
            at = _time_of(row) if isinstance(row, dict) else None
            if not isinstance(row, dict) or at is None or not isinstance(row.get("id"), str):
                # panels before 1.10 give no ids; without one an entry cannot be told from the next
                self.problem = f"page {number} has an entry without an id or a time"
                continue
            self.rows[row["id"]] = row
            self.times[row["id"]] = at
            times.append(at)
        pagination = (body.get("meta") or {}).get("pagination") or {}
        total = pagination.get("total")
        self.total = total if isinstance(total, int) else None
        return times, not arrived or number >= (pagination.get("total_pages") or 1)


def _read(ask: Ask, server_uuid: str, known: Known, older_pages: int) -> ActivityPages:
    log = _Log(ask, server_uuid)
    pages = ActivityPages(known=known)
    try:
        number = _read_newest(log, pages, known)
        _read_older(log, pages, number, older_pages)
        if known.until is None and pages.known.is_whole and log.total is not None and len(log.rows) < log.total:
            # entries of one second may change places between two pages: the next passes read them once more
            pages.problem = f"{len(log.rows)} entries came, but the panel counts {log.total}"
            pages.known = replace(pages.known, passed=0, is_whole=False)
    except PanelError as error:
        pages.failure = error
    pages.rows = list(log.rows.values())
    pages.problem = log.problem or pages.problem
    return pages


def _read_newest(log: _Log, pages: ActivityPages, known: Known) -> int:
    """Read down to what is *known*, or one page if nothing is, and return the number of the last page."""
    floor = None if known.until is None else known.until - _LATE
    number = 1
    times, is_last = log.page(number)
    while not is_last and floor is not None and (not times or min(times) >= floor):
        number += 1
        times, is_last = log.page(number)
    if not log.times:
        pages.known = replace(known, is_whole=True)
        return number
    newest, oldest = max(log.times.values()), min(log.times.values())
    if known.until is None:
        pages.known = Known(since=oldest, until=newest, passed=len(log.rows), is_whole=is_last)
    elif is_last and oldest > known.until:
        # what is known ends before what the panel still has: the panel deleted entries in between
        pages.known = Known(since=oldest, until=newest, passed=len(log.rows), is_whole=True)
    else:
        new = sum(at > known.until for at in log.times.values())
        pages.known = replace(
            known,
            since=oldest if known.since is None else min(known.since, oldest),
            until=max(newest, known.until),
            passed=known.passed + new,
            is_whole=known.is_whole or is_last,
        )
    return number


def _read_older(log: _Log, pages: ActivityPages, read_to: int, older_pages: int) -> None:
    """Go on below what is known, at most *older_pages*, and note after each page how far that went."""
    first = max(pages.known.passed // _PAGE, read_to) + 1
    for number in range(first, first + older_pages):
        if pages.known.is_whole:
            break
        times, is_last = log.page(number)
        since = min([*times, *([] if pages.known.since is None else [pages.known.since])], default=None)
        pages.known = replace(
            pages.known,
            since=since,
            passed=max(pages.known.passed, (number - 1) * _PAGE + len(times)),
            is_whole=is_last,
        )


def _time_of(row: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(row.get("timestamp")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _is_own(row: Mapping[str, Any], own: str | None) -> bool:
    return (
        own is not None
        and row.get("is_api") is True
        and row.get("event") in _OWN_EVENTS
        and _actor(row).get("username") == own
    )


def _actor(row: Mapping[str, Any]) -> Mapping[str, Any]:
    relationships = row.get("relationships")
    actor = relationships.get("actor") if isinstance(relationships, dict) else None
    attributes = actor.get("attributes") if isinstance(actor, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def _entry(row: dict[str, Any], owner: uuid.UUID, redactor: Redactor) -> ActivityEntry | None:
    at = _time_of(row)
    if at is None:
        return None
    record = redactor.activity(row)
    return ActivityEntry(
        activity_id=row["id"],
        server_uuid=owner,
        occurred_at=at,
        event=str(record.get("event")),
        record=record,
    )

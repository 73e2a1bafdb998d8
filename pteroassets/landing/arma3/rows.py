"""The tables of replays: how a replay is queued, replaced whole in one transaction, and noted when it was not read.

A replay's row is there from the moment that a site lists it; what is due is asked of that row and never of a highest
number, so that none is skipped. A correction that cannot be read leaves the rows of the last good reading as they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.landing.arma3.tables import PARTS, REPLAYS
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.landing.passes import GOES_ON
from pteroassets.sources.arma3.records import Listing, Reading, Replay, SourceName
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, copy_rows, record_load, table_identifier

#: How a replay stands: not asked for yet, else what came of asking for it or of reading it.
StandingOutcome = Literal[
    "waiting",
    "ok",
    "incomplete",
    "truncated",
    "not_a_replay",
    "not_found",
    "too_large",
    "unreadable",
    "needs_login",
    "rate_limited",
    "refused",
    "unavailable",
    "not_json",
]
#: What holds rows.
GOOD: Final = ("ok", "incomplete")
FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(days=1)
#: How long a replay that was read is left alone: as long as it has been here, from an hour to a month.
FIRST_CHECK: Final = timedelta(hours=1)
LAST_CHECK: Final = timedelta(days=30)

_HEAD: Final = tuple(
    one.name
    for one in fields(Replay)
    if one.name not in ("source", "replay_id", "site_number", "url", "outcome", "reason")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A replay that is due; *is_listed* says whether its site lists it, *is_landed* whether rows of it are there."""

    replay_key: int
    site: str
    replay_id: str
    site_number: int | None
    url: str
    listed: Mapping[str, Any] | None
    documents_digest: str | None
    is_listed: bool
    is_landed: bool
    landed_at: datetime | None
    next_try_at: datetime
    tries: int


_WANTED: Final = (
    "replay_key, site, replay_id, site_number, url, listed, documents_digest, is_listed, "
    "outcome = any(%(good)s) as is_landed, landed_at, next_try_at, tries"
)


@contextmanager
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """Keep every other process from reading sites meanwhile: the command line and Dagster may run at once."""
    connection.execute("select pg_advisory_lock(hashtext('pteroassets'), hashtext('raw_arma3'))")
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(hashtext('pteroassets'), hashtext('raw_arma3'))")


@contextmanager
def if_nobody_does(connection: Connection) -> Iterator[bool]:
    """As `one_at_a_time`, without waiting: give whether no other process reads sites now."""
    row = connection.execute("select pg_try_advisory_lock(hashtext('pteroassets'), hashtext('raw_arma3'))").fetchone()
    is_free = row is not None and bool(row[0])
    try:
        yield is_free
    finally:
        if is_free:
            connection.execute("select pg_advisory_unlock(hashtext('pteroassets'), hashtext('raw_arma3'))")


def enlist(
    connection: Connection,
    site: str,
    source: SourceName,
    listing: Listing,
    *,
    is_listed: bool = True,
    now: datetime,
    load_id: uuid.UUID,
) -> int:
    """Note what a site lists, in the caller's transaction; return how many replays are new or listed otherwise.

    Those are due at once. The place in the list is no part of the comparison, since it moves with each new replay.

    Args:
        connection: To the warehouse.
        site: Host of the site.
        source: Its kind.
        listing: Its whole list; or replays that somebody asks for by their numbers.
        is_listed: Whether the site lists them; what it does not list any more is noted then.
        now: By the caller's clock.
        load_id: Of the pass.
    """
    changed = 0
    for one in listing.replays:
        line = {name: value for name, value in asdict(one).items() if name != "position"}
        line = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in line.items()}
        changed += connection.execute(
            """
            insert into raw_arma3.replays as mine
                (site, source, replay_id, site_number, url, listed, is_listed, reason, first_seen_at, next_try_at,
                _load_id)
            values (%(site)s, %(source)s, %(id)s, %(number)s, %(url)s, %(line)s, %(is_listed)s, 'not asked for yet',
                %(now)s, %(now)s, %(load)s)
            on conflict (site, source, replay_id) do update set
                site_number = excluded.site_number, url = excluded.url, listed = excluded.listed,
                is_listed = excluded.is_listed, next_try_at = least(mine.next_try_at, excluded.next_try_at),
                _load_id = excluded._load_id, _loaded_at = now()
            where (mine.listed, mine.is_listed) is distinct from (excluded.listed, excluded.is_listed)
            """,
            {
                "site": site,
                "source": one.source,
                "id": one.replay_id,
                "number": one.site_number,
                "url": one.url,
                "line": Jsonb(_clean(line)),
                "is_listed": is_listed,
                "now": now,
                "load": load_id,
            },
        ).rowcount
    if is_listed:
        connection.execute(
            "update raw_arma3.replays set is_listed = false, _load_id = %s, _loaded_at = now() "
            "where site = %s and source = %s and is_listed and replay_id <> all(%s)",
            (load_id, site, source, [one.replay_id for one in listing.replays]),
        )
    return changed


def has_gap(connection: Connection, site: str, source: SourceName, listing: Listing) -> bool:
    """Return whether something may have been listed after the last reading and before what *listing* has.

    That is where nothing that it lists is known although something of the site is.
    """
    row = connection.execute(
        "select count(*) > 0 and not coalesce(bool_or(replay_id = any(%s)), false) from raw_arma3.replays "
        "where site = %s and source = %s and is_listed",
        ([one.replay_id for one in listing.replays], site, source),
    ).fetchone()
    return bool(row and row[0])


def due(connection: Connection, site: str, source: SourceName, *, now: datetime, most: int) -> list[Wanted]:
    """Return the replays of a site that are due: first those never read, the newest first, then those longest due."""
    rows = connection.execute(
        f"""
        select {_WANTED} from raw_arma3.replays where site = %(site)s and source = %(source)s and next_try_at <= %(now)s
        order by landed_at is not null, tries, case when tries = 0 then site_number end desc nulls last, next_try_at,
            replay_key
        limit %(most)s
        """,
        {"site": site, "source": source, "now": now, "most": most, "good": list(GOOD)},
    ).fetchall()
    return [_wanted(row) for row in rows]


def known(connection: Connection, site: str, source: SourceName, numbers: Sequence[int] | None = None) -> list[Wanted]:
    """Return the replays of a site, due or not; only those with *numbers* where given."""
    rows = connection.execute(
        f"select {_WANTED} from raw_arma3.replays where site = %(site)s and source = %(source)s "
        "and (%(numbers)s::bigint[] is null or site_number = any(%(numbers)s)) order by site_number, replay_key",
        {"site": site, "source": source, "numbers": None if numbers is None else list(numbers), "good": list(GOOD)},
    ).fetchall()
    return [_wanted(row) for row in rows]


def _wanted(row: Sequence[Any]) -> Wanted:
    return Wanted(**dict(zip((one.name for one in fields(Wanted)), row, strict=True)))


def replace(
    connection: Connection, wanted: Wanted, reading: Reading, digest: str, *, hidden: OptOuts, now: datetime
) -> LoadReport:
    """Replace all rows of a replay, in one transaction that writes the ledger too.

    Args:
        connection: To the warehouse.
        wanted: The replay.
        reading: What its documents say.
        digest: Of the documents.
        hidden: Players who are to be forgotten.
        now: By the caller's clock.
    """
    parts = {part: getattr(reading, part) for part in PARTS}
    report = LoadReport(
        table=REPLAYS,
        observed_at=now,
        is_complete=False,
        problems=[{"scope": "", "reason": GOES_ON}],
        rows_read=1 + sum(map(len, parts.values())),
        rows_added=int(not wanted.is_landed),
        rows_changed=int(wanted.is_landed),
        shown={"replay": wanted.replay_id},
    )
    head = {name: getattr(reading.replay, name) for name in _HEAD}
    head |= {"grid_metres": reading.roll_up.grid_metres, "step_seconds": reading.roll_up.step_seconds}
    head |= {"outcome": reading.replay.outcome, "reason": reading.replay.reason or _why_not_ok(reading.replay)}
    head |= {name: Jsonb(_text(dict(head[name]), hidden)) for name in ("versions", "missing", "counts")}
    head |= {name: _text(value, hidden) for name, value in head.items() if isinstance(value, str)}
    with connection.transaction():
        for part, columns in PARTS.items():
            table = table_identifier(f"raw_arma3.{part}")
            connection.execute(sql.SQL("delete from {} where replay_key = %s").format(table), (wanted.replay_key,))
            rows = (
                (wanted.replay_key, *(_text(getattr(row, name), hidden) for name in columns), report.load_id)
                for row in parts[part]
            )
            copy_rows(connection, table, {"replay_key": "int8", **columns, "_load_id": "uuid"}, rows)
        connection.execute(
            sql.SQL(
                "update raw_arma3.replays set {}, last_outcome = null, last_reason = null, tries = 0, "
                "tried_at = %(now)s, landed_at = coalesce(landed_at, %(now)s), documents_digest = %(digest)s, "
                "next_try_at = %(next)s, "
                "_load_id = %(load)s, _loaded_at = now() where replay_key = %(key)s"
            ).format(
                sql.SQL(", ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in head
                )
            ),
            {
                **head,
                "now": now,
                "digest": digest,
                "next": _next_check(wanted, now),
                "load": report.load_id,
                "key": wanted.replay_key,
            },
        )
        record_load(connection, report)
    return report


def is_of_json(connection: Connection, wanted: Wanted) -> bool:
    """Return whether the rows of a recording were read from another form than chunks."""
    row = connection.execute(
        "select generation is distinct from 'chunked' from raw_arma3.replays where replay_key = %s",
        (wanted.replay_key,),
    ).fetchone()
    return row is not None and bool(row[0])


def note_unchanged(connection: Connection, wanted: Wanted, *, now: datetime) -> None:
    """Note that a replay's documents say what its rows say."""
    connection.execute(
        "update raw_arma3.replays set tried_at = %s, tries = 0, last_outcome = null, last_reason = null, "
        "next_try_at = %s where replay_key = %s",
        (now, _next_check(wanted, now), wanted.replay_key),
    )


def note_failure(
    connection: Connection,
    wanted: Wanted,
    outcome: StandingOutcome,
    reason: str,
    *,
    now: datetime,
    load_id: uuid.UUID,
    not_before: datetime | None = None,
) -> datetime:
    """Note that a replay could not be read, and return when it is tried again: after a pause that doubles each time.

    A game that the site took back is looked at ever more seldom; a number that it never had, once a month. Both are due
    at once where the list names them.
    """
    is_gone = outcome == "not_found" and (wanted.is_landed or not wanted.is_listed)
    pause = min(FIRST_PAUSE * float(2 ** min(wanted.tries, 20)), LAST_CHECK if is_gone else LONGEST_PAUSE)
    if is_gone and not wanted.is_landed:
        pause = LAST_CHECK
    again = max(now + pause, not_before or now)
    held = ("last_outcome", "last_reason") if wanted.is_landed else ("outcome", "reason")
    connection.execute(
        f"update raw_arma3.replays set {held[0]} = %s, {held[1]} = %s, tries = tries + 1, tried_at = %s, "
        "next_try_at = %s, _load_id = %s, _loaded_at = now() where replay_key = %s",
        (outcome, _clean(reason), now, again, load_id, wanted.replay_key),
    )
    return again


def _next_check(wanted: Wanted, now: datetime) -> datetime:
    age: timedelta = now - (wanted.landed_at or now)
    return now + min(max(age, FIRST_CHECK), LAST_CHECK)


def _why_not_ok(replay: Replay) -> str | None:
    return None if replay.outcome == "ok" else "some of it is missing: " + ", ".join(sorted(replay.missing))


def _text(value: Any, hidden: OptOuts) -> Any:
    return hidden.value(_clean(value)) if hidden else _clean(value)


def _clean(value: Any) -> Any:
    """Return a value that Postgres can store: a text of UTF-8 without the character of code zero."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, Mapping):
        return {_clean(name): _clean(member) for name, member in value.items()}
    return [_clean(member) for member in value] if isinstance(value, list | tuple) else value

"""A pass over the panel's entities: read the lists, land versions of their records, and what is gone.

Path of the data::

    panel --read_estate--> Reading --land_entities--> raw_pterodactyl.<entity>, ops.loads

Each entity has one table of versions in ``raw_pterodactyl``. A record that differs from its current version
closes that one and opens another; a record that is gone is marked, never dropped. Only a list read completely can
declare a record gone, and only on two readings in a row.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from pteroassets.clock import Clock
from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.servers import LogTimezones, land_timezones
from pteroassets.privacy import Redactor
from pteroassets.sources.pterodactyl.application import ENTITIES, EntityRecord, Reading, read_estate
from pteroassets.sources.pterodactyl.client import ALL_KEYS, PanelClient
from pteroassets.sources.pterodactyl.errors import NothingReadError
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, lock_table_for_load, record_load, stage_rows, table_identifier

_STAGED = {
    "key": "text",
    "id": "int8",
    "uuid": "uuid",
    "scope": "text",
    "record": "jsonb",
    "digest": "text",
    "_record_digest": "bytea",
}
_encoded = msgspec.json.Encoder(order="deterministic").encode
# A list of four that loses two is life; a list of two hundred that loses a hundred is a fault.
_SMALLEST_SHRINK = 5
_LARGEST_SHARE_GONE = 0.5


class ShrinkRefusedError(Exception):
    """A reading lacks so many known records that it is taken for a fault."""


def land_estate(
    panel: PanelClient,
    connection: Connection,
    *,
    redactor: Redactor,
    clock: Clock,
    zones: LogTimezones,
    entities: Collection[str] = ENTITIES,
    allow_shrink: bool = False,
) -> Iterator[tuple[str, LoadReport]]:
    """Read *entities* and land each in its own transaction, yielding a report for each load.

    Nothing is yielded before a list was read, so a pass that read none does not count as a reading; the ledger keeps
    its loads with what went wrong.

    Raises:
        ShrinkRefusedError: A list lacks more than half of what was there before.
        NothingReadError: No list could be read at all.
        PanelError: The panel refused the key.
    """
    held: list[tuple[str, LoadReport]] = []
    was_read = False
    for reading in read_estate(panel, redactor=redactor, clock=clock, entities=entities):
        report = land_entities(connection, reading, allow_shrink=allow_shrink)
        if reading.entity == "servers":
            land_timezones(connection, zones)
        held.append((reading.entity, report))
        was_read = was_read or bool(reading.records) or (reading.is_complete and reading.requests > 0)
        if was_read:
            yield from held
            held.clear()
    reasons = [problem["reason"] for _, report in held for problem in report.problems]
    if reasons:
        raise NothingReadError(
            f"none of the lists {', '.join(entity for entity, _ in held)} could be read from the panel {panel.name}; "
            f"the first says: {reasons[0]}"
        )
    yield from held  # this kind of panel has none of these


def land_entities(
    connection: Connection,
    reading: Reading,
    *,
    allow_shrink: bool = False,
    replaces: bool = False,
    problems: Sequence[Mapping[str, str]] | None = None,
) -> LoadReport:
    """Land *reading* in one transaction and return what changed.

    Args:
        connection: To the warehouse.
        reading: What was read.
        allow_shrink: Whether most of the active records may be missing.
        replaces: Whether new records take the place of old ones, as backups do: then only those that are missing
            without a new one in their place count as a shrinking.
        problems: What the ledger is to say was wrong; by default each unread scope.

    Landing the same reading again changes nothing but columns that begin with ``_``. A reading older than the
    newest one in the ledger is refused, since versions only grow forward.

    Raises:
        ShrinkRefusedError: More than half of the active records, and at least five, would be missing.
        ValueError: The reading is older than the table's newest.
    """
    load_id, table = uuid.uuid4(), _table(reading)
    unread = [{"scope": scope, "reason": reason} for scope, reason in reading.unread_scopes.items()]
    parameters = {"now": reading.observed_at, "load_id": load_id, "source": reading.source}
    with connection.transaction():
        lock_table_for_load(connection, table)
        _refuse_older(connection, reading)
        changed = _changed(connection, table, reading.records)
        counts = dict.fromkeys(_ARRIVALS, 0)
        if changed:
            stage_rows(connection, "arrived", table, _STAGED, changed)
            counts = {
                name: connection.execute(_statement(text, table), parameters).rowcount
                for name, text in _ARRIVALS.items()
            }
        connection.execute(
            "create temporary table present on commit drop as select unnest(%s::text[]) as key",
            ([row.key for row in reading.records],),
        )
        gone = 0
        # an unread scope without a name is the list itself: then missing records prove nothing
        if reading.is_complete or (reading.unread_scopes and "" not in reading.unread_scopes):
            replaced = counts["added"] if replaces else None
            gone = _mark_missing(connection, reading, allow_shrink=allow_shrink, replaced=replaced)
        total = connection.execute(
            _statement("select count(*) from {table} where valid_to is null and is_active", table)
        ).fetchone()
        report = LoadReport(
            load_id=load_id,
            table=table,
            observed_at=reading.observed_at,
            is_complete=reading.is_complete,
            rows_read=len(reading.records),
            rows_expected=reading.rows_expected,
            rows_added=counts["added"],
            rows_changed=counts["opened"] + counts["corrected"],
            rows_gone=gone,
            rows_total=total[0] if total else None,
            requests=reading.requests,
            seconds=reading.seconds,
            rate_limit_remaining=reading.rate_limit_remaining,
            problems=unread if problems is None else problems,
        )
        record_load(connection, report)
    return report


def _changed(connection: Connection, table: str, records: Iterable[EntityRecord]) -> list[Sequence[Any]]:
    """Return of *records* those to be compared, in the order of `_STAGED`.

    The others are current versions to the last byte: they stay here, since to copy and to compare documents is what a
    reading without news would take most of its time for.
    """
    known = {
        key: (scope, digest, whole)
        for key, scope, digest, whole in connection.execute(
            _statement(
                "select key, scope, digest, _record_digest from {table} "
                "where valid_to is null and is_active and missing_since is null",
                table,
            ),
            binary=True,
        )
    }
    changed: list[Sequence[Any]] = []
    for row in records:
        whole = hashlib.blake2b(_encoded(row.record), digest_size=16).digest()
        if known.get(row.key) != (row.scope, row.digest, whole):
            own = row.uuid and uuid.UUID(row.uuid)
            changed.append((row.key, row.id, own, row.scope, Jsonb(row.record), row.digest, whole))
    return changed


def _table(reading: Reading) -> str:
    return f"raw_pterodactyl.{reading.entity}"


def _statement(text: str, table: str) -> sql.Composed:
    return sql.SQL(text).format(table=table_identifier(table))


def _refuse_older(connection: Connection, reading: Reading) -> None:
    row = connection.execute(
        "select max(observed_at) from ops.loads where table_name = %s", (_table(reading),)
    ).fetchone()
    newest = row[0] if row else None
    if newest is not None and reading.observed_at < newest:
        raise ValueError(
            f"{_table(reading)} was already read at {newest.isoformat()}; a reading of "
            f"{reading.observed_at.isoformat()} came too late and is not landed (was this machine's clock set back?)"
        )


# Order matters: versions are closed before their successors are opened. A version that began at this very
# instant is corrected in place, since a version without duration means nothing.
_ARRIVALS = {
    "corrected": """
        update {table} as known
        set record = arrived.record, digest = arrived.digest, scope = arrived.scope,
            _record_digest = arrived._record_digest, _load_id = %(load_id)s,
            _loaded_at = now(), is_active = true, missing_since = null, deleted_at = null
        from arrived
        where known.key = arrived.key and known.valid_to is null and known.valid_from = %(now)s
            and (known.digest <> arrived.digest or known.scope <> arrived.scope or not known.is_active)
    """,
    "closed": """
        update {table} as known set valid_to = %(now)s, _loaded_at = now()
        from arrived
        where known.key = arrived.key and known.valid_to is null and known.valid_from < %(now)s
            and (known.digest <> arrived.digest or known.scope <> arrived.scope or not known.is_active)
    """,
    "opened": """
        insert into {table} (key, valid_from, id, uuid, scope, record, digest, _record_digest, _source, _load_id)
        select arrived.key, %(now)s, arrived.id, arrived.uuid, arrived.scope, arrived.record, arrived.digest,
            arrived._record_digest, %(source)s, %(load_id)s
        from arrived
        where not exists (select from {table} as known where known.key = arrived.key and known.valid_to is null)
            and exists (select from {table} as known where known.key = arrived.key)
    """,
    "added": """
        insert into {table} (key, valid_from, id, uuid, scope, record, digest, _record_digest, _source, _load_id)
        select arrived.key, %(now)s, arrived.id, arrived.uuid, arrived.scope, arrived.record, arrived.digest,
            arrived._record_digest, %(source)s, %(load_id)s
        from arrived
        where not exists (select from {table} as known where known.key = arrived.key)
    """,
    # fields outside change detection (updated_at, allocated_resources, hashed e-mails) follow in place
    "refreshed": """
        update {table} as known
        set record = arrived.record, _record_digest = arrived._record_digest, missing_since = null,
            _load_id = %(load_id)s, _loaded_at = now()
        from arrived
        where known.key = arrived.key and known.valid_to is null
            and (known._record_digest is distinct from arrived._record_digest or known.missing_since is not null)
    """,
}

_MISSING = """
    from {table} as known
    where known.valid_to is null and known.is_active and not known.scope = any(%(unread)s)
        and not exists (select from present where present.key = known.key)
"""


def _mark_missing(connection: Connection, reading: Reading, *, allow_shrink: bool, replaced: int | None) -> int:
    parameters = {"unread": list(reading.unread_scopes), "now": reading.observed_at}
    # where new records replace old ones, those of the reading before are not yet called gone
    of_this_reading = "" if replaced is None else " and known.missing_since is null"
    ((missing, active),) = connection.execute(
        _statement(
            "select (select count(*) " + _MISSING + of_this_reading + "), "
            "(select count(*) from {table} as known where valid_to is null and is_active" + of_this_reading + ")",
            _table(reading),
        ),
        parameters,
    ).fetchall()
    lost, known = missing - (replaced or 0), active - (replaced or 0)
    if not allow_shrink and lost >= _SMALLEST_SHRINK and lost > known * _LARGEST_SHARE_GONE:
        raise ShrinkRefusedError(
            f"{_table(reading)}: {lost} of {known} records are missing from this reading, probably through a "
            "fault of the panel or of the key's permissions; nothing was changed. If they really are gone, set "
            "PTEROASSETS_ALLOW_SHRINK=true for one run"
        )
    gone = connection.execute(
        _statement(
            "update {table} as target set is_active = false, deleted_at = target.missing_since, _loaded_at = now() "
            "where (target.key, target.valid_from) in (select known.key, known.valid_from "
            + _MISSING
            + " and known.missing_since < %(now)s)",
            _table(reading),
        ),
        parameters,
    ).rowcount
    connection.execute(
        _statement(
            "update {table} as target set missing_since = %(now)s, _loaded_at = now() "
            "where (target.key, target.valid_from) in (select known.key, known.valid_from "
            + _MISSING
            + " and known.missing_since is null)",
            _table(reading),
        ),
        parameters,
    )
    return gone


def read_entities(
    landing: Landing, connection: Connection, *, entities: tuple[str, ...] = ENTITIES, allow_shrink: bool = False
) -> Iterator[tuple[str, LoadReport]]:
    """Read the panel's lists and land a version for each record that changed, and the zone of each server."""
    with landing.panel() as panel:
        yield from land_estate(
            panel,
            connection,
            redactor=landing.redactor,
            clock=landing.clock,
            zones=landing.zones,
            entities=entities,
            allow_shrink=allow_shrink or landing.settings.pteroassets_allow_shrink,
        )


ENTITIES_PASS = Pass(
    name="entities",
    description="Read the panel's entities and rebuild what they feed.",
    tables=(*(f"raw_pterodactyl.{entity}" for entity in ENTITIES), "ops.server_timezones"),
    read=lambda landing, connection, _interval: (report for _, report in read_entities(landing, connection)),
    feeds=" ".join(f"source:pterodactyl.{entity}+" for entity in ENTITIES),
    rhythms={
        "fresh": Rhythm(
            cron="0 * * * *",
            every=timedelta(hours=1),
            warn_after=timedelta(hours=2, minutes=15),
            stale_after=timedelta(hours=3),
        ),
        # a night of a clock change makes twelve hours thirteen
        "stiv": Rhythm(
            cron="0 6,12,18 * * *",
            every=timedelta(hours=6),
            warn_after=timedelta(hours=13, minutes=30),
            stale_after=timedelta(hours=14),
        ),
    },
    needs=ALL_KEYS,
    ends_with=f"raw_pterodactyl.{ENTITIES[-1]}",
    history_step=timedelta(hours=12),
)

"""A pass over the panel's entities: read the lists, land the versions.

Path of the data::

    panel --read_estate--> Reading --land_entities--> raw_pterodactyl.<entity>, ops.loads
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pteroassets.clock import Clock
from pteroassets.landing.pterodactyl.entities import EntityReading, EntityRow, land_entities
from pteroassets.landing.pterodactyl.timezones import LogTimezones, land_timezones
from pteroassets.privacy import Redactor
from pteroassets.sources.pterodactyl.application import ENTITIES, Reading, read_estate
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.errors import NothingReadError
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport


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
    """Read *entities* and land each in its own transaction, yielding what each load did.

    Nothing is yielded before a list was read, so a pass that read none is nowhere taken for a reading; the ledger keeps
    its loads with what went wrong.

    Raises:
        ShrinkRefusedError: A list lacks more than half of what was there before.
        NothingReadError: No list could be read at all.
        PanelError: The panel refused the key.
    """
    held: list[tuple[str, LoadReport]] = []
    was_read = False
    for reading in read_estate(panel, redactor=redactor, clock=clock, entities=entities):
        report = land_entities(connection, _to_rows(panel, reading), allow_shrink=allow_shrink)
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
    yield from held  # the panel is of a kind that has none of these


def _to_rows(panel: PanelClient, reading: Reading) -> EntityReading:
    return EntityReading(
        table=f"raw_pterodactyl.{reading.entity}",
        observed_at=reading.observed_at,
        rows=[
            EntityRow(
                key=record.key,
                id=record.id,
                uuid=record.uuid,
                scope=record.scope,
                record=record.record,
                digest=record.digest,
            )
            for record in reading.records
        ],
        is_complete=reading.is_complete,
        unread_scopes=reading.unread_scopes,
        rows_expected=reading.rows_expected,
        requests=reading.requests,
        seconds=reading.seconds,
        rate_limit_remaining=reading.rate_limit_remaining,
        source=panel.name,
    )

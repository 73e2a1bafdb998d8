"""What is read of a warehouse each noon: how old backups are."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from pteroassets.alarms.incidents.reading import Span, read
from pteroassets.warehouse.connection import Connection
from tests.alarms.incidents.saying import NOON

pytestmark = pytest.mark.postgres

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEPT, EMPTY, WITHOUT_LIMIT, UNREAD = (uuid.UUID(int=number) for number in range(1, 5))


def land_server(warehouse: Connection, server: uuid.UUID, *, backups: int, is_read: bool = True) -> None:
    record = {"name": f"Lobby {server.int}", "feature_limits": {"backups": backups}}
    warehouse.execute(
        "insert into raw_pterodactyl.servers (key, valid_from, id, uuid, record, digest, _source, _load_id) "
        "values (%s, %s, %s, %s, %s, '', '', %s)",
        (str(server), NOON - 30 * DAY, server.int, server, json.dumps(record), server),
    )
    warehouse.execute(
        "insert into raw_pterodactyl.list_reads (server_uuid, list_name, observed_at, outcome, rows_read, read_at, "
        "_load_id) values (%s, 'backups', %s, 'ok', 0, %s, %s)",
        (server, NOON, NOON if is_read else None, server),
    )


def land_backup(warehouse: Connection, made_at: datetime, *, gone_at: datetime | None = None, **changes: Any) -> None:
    record = {
        "created_at": made_at.isoformat(),
        "completed_at": (made_at + timedelta(minutes=5)).isoformat(),
        "is_successful": True,
    }
    backup = uuid.uuid4()
    warehouse.execute(
        "insert into raw_pterodactyl.backups (key, valid_from, uuid, scope, record, digest, is_active, missing_since, "
        "deleted_at, _source, _load_id) values (%s, %s, %s, %s, %s, '', %s, %s, %s, '', %s)",
        (
            str(backup), made_at, backup, f"server:{KEPT}", json.dumps(record | changes), gone_at is None, gone_at,
            gone_at, backup,
        ),
    )  # fmt: skip


def newest_at_noons(warehouse: Connection, days: int) -> list[dict[str, datetime | None]]:
    since = NOON - HOUR
    span = Span(
        since=since, loads_since=since, logs_since=since, hours_since=since, days_since=since,
        until=NOON + (days - 1) * DAY + HOUR,
    )  # fmt: skip
    return [
        {one.server.uuid: one.newest_good_at for one in readings.backups}
        for readings in read(warehouse, span)
        if readings.backups is not None
    ]


def test_at_each_noon_the_newest_good_backup_counts_that_is_there(warehouse: Connection) -> None:
    land_server(warehouse, KEPT, backups=3)
    land_server(warehouse, EMPTY, backups=3)
    land_server(warehouse, WITHOUT_LIMIT, backups=0)
    land_server(warehouse, UNREAD, backups=3, is_read=False)
    # one that stays, a newer one that makes room after the second noon, and what is no good backup
    land_backup(warehouse, NOON - 2 * DAY)
    land_backup(warehouse, NOON + 2 * HOUR, gone_at=NOON + DAY + HOUR)
    land_backup(warehouse, NOON - HOUR, is_successful=False)
    land_backup(warehouse, NOON - HOUR, completed_at=None)
    assert newest_at_noons(warehouse, 3) == [
        {str(KEPT): NOON - 2 * DAY, str(EMPTY): None},
        {str(KEPT): NOON + 2 * HOUR, str(EMPTY): None},
        {str(KEPT): NOON - 2 * DAY, str(EMPTY): None},
    ]

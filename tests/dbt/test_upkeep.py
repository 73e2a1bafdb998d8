"""What staging makes of backups, schedules and activity: unread is not empty, a failed backup has no size."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pteroassets.warehouse.connection import Connection

from .world import SERVERS

pytestmark = pytest.mark.postgres


def test_a_backup_is_made_failed_or_being_made_and_only_one_that_is_made_has_a_size(built: Connection) -> None:
    assert built.execute(
        "select server_uuid::text, backup_state, size_bytes, completed_at is null "
        "from staging.stg_pterodactyl__backups order by created_at"
    ).fetchall() == [
        (SERVERS["a"], "ok", 1000, False),
        (SERVERS["a"], "failed", None, False),
        (SERVERS["a"], "running", None, True),
    ]


def test_a_server_without_backups_is_told_from_one_whose_list_was_not_read(built: Connection) -> None:
    found = built.execute(
        "select reads.server_uuid::text, reads.is_read, reads.reason, count(backups.backup_uuid) "
        "from staging.stg_pterodactyl__list_reads as reads "
        "left join staging.stg_pterodactyl__backups as backups using (server_uuid) "
        "where reads.list_name = 'backups' group by 1, 2, 3 order by 1 limit 3"
    ).fetchall()
    assert found == [
        (SERVERS["a"], True, None, 3),
        (SERVERS["b"], True, None, 0),
        (SERVERS["c"], False, "the panel lists the server as suspended", 0),
    ]


def test_a_schedule_comes_apart_into_its_tasks(built: Connection) -> None:
    assert built.execute(
        "select schedules.server_uuid::text, cron_hour, is_enabled, next_run_at, task_number, action, payload "
        "from staging.stg_pterodactyl__schedules as schedules "
        "inner join staging.stg_pterodactyl__schedule_tasks using (schedule_id)"
    ).fetchall() == [(SERVERS["a"], "4", True, datetime(2026, 10, 27, 4, tzinfo=UTC), 1, "power", "restart")]


def test_what_the_panel_did_by_itself_has_no_actor(built: Connection) -> None:
    assert built.execute(
        "select event, actor_name, actor_uuid is null, ip_address, is_api "
        "from staging.stg_pterodactyl__activity order by activity_id"
    ).fetchall() == [
        ("server:power.restart", "user1", False, "hmac:00", False),
        ("server:backup.fail", None, True, None, False),
    ]

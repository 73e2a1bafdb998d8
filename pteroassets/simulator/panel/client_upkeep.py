"""The Client API's backups and schedules of a server."""

from __future__ import annotations

from typing import Any, Final

from pteroassets.simulator.panel.answers import Answer, success
from pteroassets.simulator.panel.client import require
from pteroassets.simulator.panel.context import ServerRow, View, fields, iso
from pteroassets.simulator.panel.listing import Query, page_of, shuffled
from pteroassets.simulator.world import upkeep
from pteroassets.simulator.world.upkeep import Backup, Schedule, Task

_BACKUPS_DEFAULT: Final = 20
_BACKUPS_CAP: Final = 50


def _backup(view: View, row: Backup) -> dict[str, Any]:
    shown = {
        **fields(row, "uuid", "is_successful", "is_locked", "name"),
        "ignored_files": list(row.ignored_files),
        "checksum": row.checksum,
        "bytes": row.size,
        "created_at": iso(row.created_at),
        "completed_at": None if row.completed_at is None else iso(row.completed_at),
    }
    if view.stage.is_pelican:
        shown["is_scheduled"] = not row.is_locked
    return {"object": "backup", "attributes": shown}


def backups(view: View, row: ServerRow, query: Query) -> Answer:
    """Answer the backups of a server, in an arbitrary order."""
    require(view, row, "backup.read")
    rows = upkeep.backups(view.world.seed, row[0], view.now)
    cut, pagination = page_of(
        shuffled(rows, view.world.seed, lambda backup: backup.created_at),
        query,
        default=_BACKUPS_DEFAULT,
        cap=_BACKUPS_CAP,
        url=f"{view.stage.panel_url}/api/client/servers/{row[0].uuid}/backups",
        keeps_query=False,
    )
    return success(
        {
            "object": "list",
            "data": [_backup(view, backup) for backup in cut],
            "meta": {"backup_count": sum(not backup.is_failed for backup in rows), "pagination": pagination},
        }
    )


def _task(schedule: Schedule, row: Task) -> dict[str, Any]:
    return {
        "object": "schedule_task",
        "attributes": {
            "id": row.id,
            "sequence_id": row.place,
            "action": row.action,
            "payload": row.payload,
            "time_offset": row.offset,
            "is_queued": False,
            "continue_on_failure": False,
            "created_at": iso(schedule.created_at),
            "updated_at": iso(schedule.updated_at),
        },
    }


def _schedule(view: View, row: Schedule) -> dict[str, Any]:
    last = row.last_run(view.now)
    return {
        "object": "server_schedule",
        "attributes": {
            "id": row.id,
            "name": row.name,
            "cron": {
                "day_of_week": "*",
                "day_of_month": "*",
                "month": "*",
                "hour": str(row.hour),
                "minute": str(row.minute),
            },
            "is_active": row.is_active,
            "is_processing": False,
            "only_when_online": row.only_when_online,
            "last_run_at": None if last is None else iso(last),
            "next_run_at": iso(row.next_run(view.now)),
            "created_at": iso(row.created_at),
            "updated_at": iso(max(row.updated_at, last or 0)),
            "relationships": {"tasks": {"object": "list", "data": [_task(row, task) for task in row.tasks]}},
        },
    }


def schedules(view: View, row: ServerRow) -> Answer:
    """Answer the schedules of a server with their tasks; this list has no pages."""
    require(view, row, "schedule.read")
    server, _ = row
    restart = view.world.restarts_at(server)
    rows = upkeep.schedules(view.world.seed, server, view.now, restart=restart)
    return success({"object": "list", "data": [_schedule(view, schedule) for schedule in rows]})

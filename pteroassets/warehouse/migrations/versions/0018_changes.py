"""Record what changes in sessions, runs, sightings of names and zones, so that models build that and no more."""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0016"

_WATCHED = {
    "derived_minecraft.player_sessions": ("server_uuid", "player_name"),
    "derived_minecraft.name_sightings": ("server_uuid", "player_name"),
    "derived_minecraft.server_runs": ("server_uuid", "run_key"),
    "ops.server_timezones": ("server_uuid",),
}
_ROWS = {
    "rows_came": "after insert on {} referencing new table as changed",
    "rows_went": "after delete on {} referencing old table as changed",
    "rows_became": "after update on {} referencing new table as changed",
    "rows_were": "after update on {} referencing old table as changed",
}
_SIGHTINGS = """
insert into derived_minecraft.name_sightings (
    server_uuid, file_key, player_name, player_uuid, first_seen_at, last_seen_at, _load_id
)
select server_uuid, file_key, player_name, player_uuid, min(logged_at), max(logged_at), min(_load_id::text)::uuid
from {} where player_uuid is not null and player_name is not null
group by server_uuid, file_key, player_name, player_uuid
on conflict do nothing
"""


def upgrade() -> None:
    bind = op.get_bind()
    # exec_driver_sql: the file's colons are no parameters
    bind.exec_driver_sql((Path(__file__).parent / "0018_changes.sql").read_text(encoding="utf-8"))
    # a file's events are moved whole, after the migrations, to where the view reads them
    for events in ("raw_minecraft.events", "raw_minecraft.events_to_move"):
        if bind.exec_driver_sql(f"select to_regclass('{events}') is not null").scalar():
            bind.exec_driver_sql(_SIGHTINGS.format(events))
    for table, columns in _WATCHED.items():
        told = ", ".join(f"'{column}'" for column in columns)
        for name, when in _ROWS.items():
            bind.exec_driver_sql(
                f"create trigger {name} {when.format(table)} "
                f"for each statement execute function ops.record_row_changes({told})"
            )

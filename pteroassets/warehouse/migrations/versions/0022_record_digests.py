"""Keep beside each current version a digest of its whole record, by which a reading finds what is unchanged.

Versions that are there get theirs with the next reading.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

_ENTITIES = (
    "locations", "nodes", "allocations", "nests", "eggs", "servers", "users", "subusers", "server_databases", "backups",
    "schedules",
)  # fmt: skip


def upgrade() -> None:
    for entity in _ENTITIES:
        op.get_bind().exec_driver_sql(f"alter table raw_pterodactyl.{entity} add column _record_digest bytea")

"""Move sessions and runs, which are derived from events, out of the schema of what was read."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0009_derived.sql").read_text(encoding="utf-8"))

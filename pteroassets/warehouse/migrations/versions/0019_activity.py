"""Create the table of the servers' activity, and note how much of each server's is known."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0019_activity.sql").read_text(encoding="utf-8"))

"""Create the tables of backups and schedules, and of what came of asking for each server's."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0016_upkeep.sql").read_text(encoding="utf-8"))

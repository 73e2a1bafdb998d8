"""Note which days of which servers are to be built again, and find by index what is asked of each server."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0011"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0013_server_days.sql").read_text(encoding="utf-8"))

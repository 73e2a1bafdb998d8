"""Add what logs of every server software say, and how much of them was read."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0003_logs.sql").read_text(encoding="utf-8"))

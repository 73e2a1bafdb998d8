"""Number the loads, and note which of them the incremental models have taken in."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0004_loads.sql").read_text(encoding="utf-8"))

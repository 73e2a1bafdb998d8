"""Create the table of every position of a recording, for those who want more than squares."""

from pathlib import Path

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0033_full_positions.sql").read_text(encoding="utf-8"))

"""Store samples narrow, by month; the rows that are there are moved afterwards, in steps (decision 21)."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0010_samples.sql").read_text(encoding="utf-8"))

"""Create the raw schemas, the ledger of loads and the request budget."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    # exec_driver_sql: the file's colons are casts, not parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0001_raw.sql").read_text(encoding="utf-8"))

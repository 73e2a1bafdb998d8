"""Create the outbox: what messages ought to say at their targets, what stands there, and each attempt."""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0023_outbox.sql").read_text(encoding="utf-8"))

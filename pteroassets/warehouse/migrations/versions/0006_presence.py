"""Add whether a proxy wrote a log, how many entries were refused, and how many players were fake."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0006_presence.sql").read_text(encoding="utf-8"))

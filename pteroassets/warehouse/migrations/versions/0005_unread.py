"""Let a listing tell of packed logs that are not unpacked here."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0005_unread.sql").read_text(encoding="utf-8"))

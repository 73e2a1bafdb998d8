"""Note which offsets of the lake's tables are loaded, and allow dead letters of a game that is not known."""

from pathlib import Path

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0036_stream.sql").read_text(encoding="utf-8"))

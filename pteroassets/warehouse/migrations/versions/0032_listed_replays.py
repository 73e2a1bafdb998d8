"""Tell replays that their site lists from numbers that were only asked for."""

from pathlib import Path

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0032_listed_replays.sql").read_text(encoding="utf-8"))

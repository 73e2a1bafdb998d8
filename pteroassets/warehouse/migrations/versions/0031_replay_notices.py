"""Create the table of what was decided to tell of replays."""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0031_replay_notices.sql").read_text(encoding="utf-8"))

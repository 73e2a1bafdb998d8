"""Create the tables of events that games push, and of what was refused of them."""

from pathlib import Path

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0035_events.sql").read_text(encoding="utf-8"))

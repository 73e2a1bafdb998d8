"""Create the incidents, what happened to each, and what is remembered between two evaluations."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0025_incidents.sql").read_text(encoding="utf-8"))

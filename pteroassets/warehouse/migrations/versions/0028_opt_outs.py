"""Make the list of players who are to be forgotten."""

from pathlib import Path

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0028_opt_outs.sql").read_text(encoding="utf-8"))

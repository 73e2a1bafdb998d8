"""Create the table of ratings of players of Arma 3."""

from pathlib import Path

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0034_ratings.sql").read_text(encoding="utf-8"))

"""Create the tables of Arma 3's replays, and the schema of the views for those who queried WRTD-ETL's tables."""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0030_arma3.sql").read_text(encoding="utf-8"))

"""Create the tables of Twitch's streamers, streams and clips, and of the notices given of them."""

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0027_twitch.sql").read_text(encoding="utf-8"))

"""Make the tables of cards in Discord and of what people there did with servers."""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0026_discord.sql").read_text(encoding="utf-8"))

"""Note which months of samples were archived, and make the table into which they are restored."""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0021_archive.sql").read_text(encoding="utf-8"))

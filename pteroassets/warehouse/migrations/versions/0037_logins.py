"""Record in which files lines of logins came, went or changed, so that models read those and no others."""

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0037_logins.sql").read_text(encoding="utf-8"))

"""Remember between which files each log file stood when sessions were last derived."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("alter table raw_minecraft.log_files add column neighbours text")

"""Let each model say by which relations' changes it goes, so that others' changes need not wait for it."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    # null until the model's next build: all changes wait for it, as before
    op.execute("alter table ops.changes_taken add column relations text[]")

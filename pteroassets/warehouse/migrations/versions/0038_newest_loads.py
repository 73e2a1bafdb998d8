"""Let the newest load of a table be found by an index alone, however long the ledger is."""

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    # behind a condition that an index lacks, Postgres reads all loads in the order of time for a table that has none
    op.execute("create index loads_complete on ops.loads (table_name, observed_at desc) where is_complete")
    op.execute(
        "create index loads_in_part on ops.loads (table_name, observed_at desc) where is_complete or rows_read > 0"
    )

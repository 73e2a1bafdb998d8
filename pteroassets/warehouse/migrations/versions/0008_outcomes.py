"""Refuse outcomes of a reading of logs that nothing has ever written."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """
        alter table raw_minecraft.log_reads
            drop constraint log_reads_outcome_check,
            add constraint log_reads_outcome_check check (outcome in ('ok', 'no_log_folder', 'not_minecraft',
                'suspended', 'installing', 'install_failed', 'restoring_backup', 'transferring', 'maintenance',
                'node_unreachable', 'rate_limited', 'too_large', 'budget_spent', 'unreadable', 'error'))
        """
    )

"""Create the schema that customers read, and say whose servers a login may see (decision 0035).

No role is created: an operator makes a login for each customer (docs/reading-the-data.md).
"""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0020_customers.sql").read_text(encoding="utf-8"))

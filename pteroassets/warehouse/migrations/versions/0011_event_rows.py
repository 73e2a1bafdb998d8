"""Keep events in narrow rows; the rows that stand are moved after the migrations, in steps."""

from pathlib import Path

from alembic import op

from pteroassets.warehouse.moving import redirected_views

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # exec_driver_sql: the file's colons are no parameters
    op.get_bind().exec_driver_sql((Path(__file__).parent / "0011_event_rows.sql").read_text(encoding="utf-8"))
    op.get_bind().exec_driver_sql(
        redirected_views("raw_minecraft.events_to_move", "raw_minecraft.events").replace("%", "%%")
    )

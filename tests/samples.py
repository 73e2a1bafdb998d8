"""Write samples by SQL in the shape in which they are read, for tests that make many or odd ones."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.folding import fold_samples

_ARRIVING = """
create temporary table arriving (like raw_pterodactyl.utilization_samples) on commit drop;
alter table arriving alter _loaded_at set default now(), alter is_suspect set default false;
"""


def insert_samples(connection: Connection, statement: str, parameters: Any = None) -> None:
    """Add the samples that *statement* inserts into ``arriving``, a table with the columns of the view."""
    with connection.transaction():
        connection.execute(_ARRIVING)
        connection.execute(statement, parameters)
        fold_samples(connection, sql.Identifier("arriving"))
        connection.execute("drop table arriving")


def delete_samples(connection: Connection, condition: str) -> None:
    """Delete the samples whose *server_uuid* and *pass_at* meet *condition*."""
    connection.execute(
        f"""
        delete from raw_pterodactyl.sample_measures as measures
        where exists (
            select from (
                select answers.server_uuid, raw_pterodactyl.pass_time(measures.pass_number) as pass_at
                from raw_pterodactyl.sample_answers as answers where answers.answer_id = measures.answer_id
            ) as found
            where {condition}
        )
        """
    )

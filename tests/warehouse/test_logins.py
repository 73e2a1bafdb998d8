"""Files in which lines of logins came, went or changed are noted for the models, and no others."""

from __future__ import annotations

import uuid

import pytest

from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres

SERVER = uuid.UUID("00000000-0000-4000-8000-00000000000a")
_FILES = """
insert into raw_minecraft.log_files (
    server_uuid, file_key, path, is_live, is_listed, listed_size, listed_modified_at, outcome, fetched_at, _load_id
)
select %s, file_key, '/logs/latest.log', false, false, 1, '2026-10-24', 'ok', '2026-10-24', gen_random_uuid()
from unnest(array['logins', 'chat', 'both']) as made (file_key);
"""
_ROWS = """
insert into raw_minecraft.event_rows (logged_at, file_id, line_number, event_load_id, utc_offset_seconds, kind_id)
select '2026-10-24', file_id, line_number, 1, 0, kind_id
from (values ('logins', 1, 'player_login'), ('logins', 2, 'player_login'), ('chat', 1, 'player_chat'),
    ('both', 1, 'login_refused'), ('both', 2, 'player_chat')) as lines (file_key, line_number, kind)
inner join raw_minecraft.log_files using (file_key)
inner join raw_minecraft.event_kinds using (kind)
"""


def noted(connection: Connection) -> list[str]:
    """Take the notes: the files that they name, each with its server."""
    rows = connection.execute(
        "delete from ops.row_changes where relation = 'raw_minecraft.logins' returning touched"
    ).fetchall()
    assert all(touched["server_uuid"] == str(SERVER) for (touched,) in rows)
    return sorted(touched["file_key"] for (touched,) in rows)


def test_files_are_noted_whose_lines_of_logins_came_changed_or_went(warehouse: Connection) -> None:
    warehouse.execute(_FILES, (SERVER,))
    warehouse.execute(
        "insert into raw_minecraft.event_kinds (kind) values ('player_login'), ('login_refused'), ('player_chat')"
    )
    of = "file_id = (select file_id from raw_minecraft.log_files where file_key = %s)"
    warehouse.execute(_ROWS)
    assert noted(warehouse) == ["both", "logins"]
    warehouse.execute(
        f"update raw_minecraft.event_rows set detail = '{{}}' where line_number = 1 and {of}", ("logins",)
    )
    assert noted(warehouse) == ["logins"]
    warehouse.execute("delete from raw_minecraft.event_rows where line_number = 2")
    assert noted(warehouse) == ["logins"]
    warehouse.execute(f"delete from raw_minecraft.event_rows where {of}", ("chat",))
    assert noted(warehouse) == []
    warehouse.execute(f"delete from raw_minecraft.event_rows where {of}", ("both",))
    assert noted(warehouse) == ["both"]

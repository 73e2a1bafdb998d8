"""Rows that a migration set aside are moved in steps, whatever kills it in between."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from pteroassets.warehouse import moving_events
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.moving import move_rows, redirected_views
from pteroassets.warehouse.moving_events import EVENTS_MOVE

pytestmark = pytest.mark.postgres

OLD = "raw_minecraft.events_to_move"
COLUMNS = (
    "server_uuid, file_key, line_number, logged_at, logged_at_local, log_date, kind, player_name, player_uuid, detail, "
    "parser_version, _load_id, _loaded_at"
)
FILES, LINES = 5, 40


@pytest.fixture
def old(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The rows of five files of two servers, as they stood before migration 11; a step takes one or two files."""
    monkeypatch.setattr(moving_events, "_STEP_ROWS", 2 * LINES)
    warehouse.execute(
        f"""
        create table {OLD} (
            server_uuid uuid, file_key text, line_number integer, logged_at timestamptz, logged_at_local timestamp,
            log_date date, kind text, player_name text, player_uuid uuid, detail jsonb, parser_version text,
            _load_id uuid, _loaded_at timestamptz, primary key (server_uuid, file_key, line_number)
        );
        insert into raw_minecraft.log_files (
            server_uuid, file_key, path, log_date, is_live, is_listed, listed_size, listed_modified_at, outcome,
            parser_version, lines_understood, fetched_at, _load_id
        )
        select md5((file % 2)::text)::uuid, 'file ' || file, '', date '2026-05-01' + file, false, true, 1, now(), 'ok',
            '5', {LINES}, now(), gen_random_uuid()
        from generate_series(1, {FILES}) as files (file);
        insert into {OLD}
        select server_uuid, file_key, line, moment, moment at time zone 'UTC' + interval '1 second' * (line * 900 - 7),
            log_date, case when line = 1 then 'server_software' when line % 7 = 0 then 'of a later parser'
            else 'player_join' end, names.name, names.uuid, case when line % 3 = 0 then '{{"a": 1}}'::jsonb end,
            '5', md5(file_key || (line > 9))::uuid, now() - interval '1 day' * (line > 9)::integer
        from raw_minecraft.log_files
        cross join generate_series(1, {LINES}) as lines (line)
        cross join lateral (values (timestamptz '2026-05-01 00:00:00.5+00' + line * interval '1 minute')) as at (moment)
        inner join (values
            (0, 'Al', null::uuid), (1, 'Al', '77777777-0000-4000-8000-000000000007'), (2, null, null), (3, '', null),
            (4, null, '77777777-0000-4000-8000-000000000007')
        ) as names (number, name, uuid) on names.number = line % 5
        """
    )
    return rows(warehouse, OLD)


def rows(connection: Connection, relation: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        f"select {COLUMNS} from {relation} order by server_uuid, file_key, line_number"
    ).fetchall()


def ignored(_done: int, _total: int) -> None:
    """Of how far something is."""


def test_each_row_is_moved_once_however_often_it_is_killed(warehouse: Connection, old: list[tuple[Any, ...]]) -> None:
    told: list[tuple[int, int]] = []
    for steps in itertools.count():
        left = itertools.count(-steps)

        def killed(connection: Connection, after: Any, left: itertools.count[int] = left) -> tuple[int, Any] | None:
            moved = EVENTS_MOVE.step(connection, after)
            if next(left) == 0:
                raise KeyboardInterrupt
            return moved

        try:
            move_rows(warehouse, dataclasses.replace(EVENTS_MOVE, step=killed), lambda *far: told.append(far))
        except KeyboardInterrupt:
            assert sorted([*rows(warehouse, OLD), *rows(warehouse, "raw_minecraft.events")], key=str) == sorted(
                old, key=str
            )
        else:
            break
    assert steps > 2
    assert told[0][1] == FILES * LINES
    assert any(0 < done < of for done, of in told)
    assert rows(warehouse, "raw_minecraft.events") == old
    assert warehouse.execute("select to_regclass(%s)", (OLD,)).fetchone() == (None,)
    assert warehouse.execute("select distinct first_kind from raw_minecraft.log_files").fetchall() == [("player_join",)]
    assert move_rows(warehouse, EVENTS_MOVE, ignored) == 0


def test_rows_that_name_no_file_stay_where_they_are(warehouse: Connection, old: list[tuple[Any, ...]]) -> None:
    warehouse.execute("delete from raw_minecraft.log_files where file_key = 'file 3'")
    assert move_rows(warehouse, EVENTS_MOVE, ignored) == (FILES - 1) * LINES
    assert rows(warehouse, OLD) == [row for row in old if row[1] == "file 3"]
    assert rows(warehouse, "raw_minecraft.events") == [row for row in old if row[1] != "file 3"]


@pytest.mark.usefixtures("old")
def test_views_of_the_old_table_read_the_new_one(warehouse: Connection) -> None:
    warehouse.execute(f"create view staging.seen as select kind as told, player_name from {OLD} where line_number > 1")
    warehouse.execute("create view staging.seen_by_seen as select told from staging.seen")
    warehouse.execute(redirected_views(OLD, "raw_minecraft.events").encode())
    assert move_rows(warehouse, EVENTS_MOVE, ignored) == FILES * LINES
    assert warehouse.execute("select count(*) from staging.seen_by_seen").fetchone() == (FILES * (LINES - 1),)

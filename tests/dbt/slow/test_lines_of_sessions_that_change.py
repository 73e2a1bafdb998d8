"""Lines stay with the session that has them first, whichever of two sessions comes or goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied
from tests.dbt.conftest import dbt_environment
from tests.dbt.test_changes import MODELS, rows
from tests.dbt.world import SERVERS
from tests.parsed import run_dbt

pytestmark = pytest.mark.postgres

SERVER, NAME = SERVERS["a"], "Player1"
BUILT = (*MODELS[: MODELS.index("int_minecraft__sessions") + 1], "fct_player_events")
EVENTS = "marts.fct_player_events"
OF_ZERO, OF_ONE, SET_BACK = 100001, 100002, 100003


def test_a_line_is_of_the_first_session_that_has_it_whatever_changed(
    built_settings: ConnectionSettings, dbt_target: Path
) -> None:
    with copied(built_settings) as settings:
        environment = dbt_environment(settings)

        def build(models: Sequence[str], *options: str) -> None:
            run_dbt(["run", *options, "--select", *models], environment, target=dbt_target)

        with connect(settings, autocommit=True) as connection:
            opened = first_line_at(connection)
            hours = [opened + timedelta(hours=number) for number in range(1, 5)]
            session_comes(connection, "zero", hours[0], hours[1])
            session_comes(connection, "one", hours[1], hours[2])
            line_comes(connection, OF_ZERO, hours[1])
            line_comes(connection, OF_ONE, hours[2])
            # the clock was behind for a while
            before = opened - timedelta(hours=5)
            session_comes(connection, "before", before, before + timedelta(hours=1))
            line_comes(connection, SET_BACK, before)
            file_is_read_anew(connection)
            build(BUILT)
            assert sessions_of_deaths(connection) == ["before", "one", "zero"]

            session_comes(connection, "two", hours[2], hours[3])
            build(BUILT)
            assert sessions_of_deaths(connection) == ["before", "one", "zero"]

            session_goes(connection, "one")
            build(BUILT)
            assert sessions_of_deaths(connection) == ["before", "two", "zero"]

            connection.execute("delete from raw_minecraft.event_rows where line_number = %s", (SET_BACK,))
            file_is_read_anew(connection)
            build(BUILT)
            assert sessions_of_deaths(connection) == ["two", "zero"]
            by_change = rows(connection)[EVENTS]
            build(["fct_player_events"], "--full-refresh")
            assert by_change == rows(connection)[EVENTS]


def first_line_at(connection: Connection) -> datetime:
    row = connection.execute(
        "select first_line_at from raw_minecraft.log_files where server_uuid = %s", (SERVER,)
    ).fetchone()
    assert row is not None
    found = row[0]
    assert isinstance(found, datetime)
    return found


def session_comes(connection: Connection, key: str, came: datetime, went: datetime) -> None:
    connection.execute(
        "insert into derived_minecraft.player_sessions (server_uuid, session_key, player_name, joined_at, left_at, "
        "left_at_lower, left_at_upper, close_reason, is_join_observed, is_end_observed, last_seen_at, is_proxy, "
        "_load_id) "
        "values (%(server)s, %(key)s, %(name)s, %(came)s, %(went)s, %(went)s, %(went)s, 'left', true, true, %(went)s, "
        "false, gen_random_uuid())",
        {"server": SERVER, "key": key, "name": NAME, "came": came, "went": went},
    )


def session_goes(connection: Connection, key: str) -> None:
    connection.execute(
        "delete from derived_minecraft.player_sessions where server_uuid = %s and session_key = %s", (SERVER, key)
    )


def line_comes(connection: Connection, line_number: int, logged_at: datetime) -> None:
    connection.execute("insert into raw_minecraft.event_kinds (kind) values ('player_death') on conflict do nothing")
    connection.execute(
        """
        insert into raw_minecraft.event_rows (
            logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
        )
        select %s, file_id, %s, event_load_id, 0, player_id, kind_id, '{"cause": "fall"}'
        from raw_minecraft.log_files
        cross join (select player_id from raw_minecraft.event_players where player_name = %s limit 1) as players
        cross join raw_minecraft.event_kinds
        cross join (select event_load_id from raw_minecraft.event_loads limit 1) as loads
        where server_uuid = %s and kind = 'player_death'
        """,
        (logged_at, line_number, NAME, SERVER),
    )


def file_is_read_anew(connection: Connection) -> None:
    connection.execute(
        "insert into ops.row_changes (relation, change, touched) select 'raw_minecraft.event_rows', 1, "
        "jsonb_build_object('server_uuid', server_uuid, 'file_key', file_key) "
        "from raw_minecraft.log_files where server_uuid = %s",
        (SERVER,),
    )


def sessions_of_deaths(connection: Connection) -> list[str]:
    """Keys of the sessions of all deaths of the server, one for each row."""
    return [
        key
        for (key,) in connection.execute(
            "select keys.session_key from marts.fct_player_events as events "
            "left join unnest(array['before', 'zero', 'one', 'two']) as keys (session_key) "
            "on events.session_id = md5(events.server_uuid::text || '/' || keys.session_key)::uuid "
            "where events.server_uuid = %s and events.event_kind = 'death' order by 1",
            (SERVER,),
        )
    ]

"""Sessions, players and the network, built by what changed, are what they are where everything is built anew."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied
from tests.parsed import run_dbt

from .conftest import dbt_environment
from .world import SERVERS

pytestmark = pytest.mark.postgres

TABLES = (
    *(
        f"intermediate.int_minecraft__{name}"
        for name in (
            *("sessions_on_servers", "proxy_candidates", "proxy_pairs", "proxy_matches", "connected_accounts"),
            *("network_identities", "sessions", "session_days", "sessions_daily", "network_sessions"),
            *("network_session_days", "network_sessions_daily", "logins"),
        )
    ),
    *(f"marts.{name}" for name in ("fct_player_sessions", "fct_network_sessions", "dim_players", "fct_server_runs")),
    *(
        f"marts.{name}"
        for name in (
            *("fct_player_events", "fct_player_daily", "fct_players_hourly", "fct_player_servers"),
            *("fct_logins_daily", "fct_login_bursts"),
        )
    ),
)
VIEWS = (
    "int_minecraft__names_on_proxies",
    "int_minecraft__peak_concurrency",
    "int_minecraft__network_peak_concurrency",
)
MODELS = (*(table.partition(".")[2] for table in TABLES), *VIEWS)
ROUNDS = 2

PROXY, BEHIND = SERVERS["e"], [SERVERS["f"], SERVERS["g"]]
SINCE = datetime(2026, 10, 23, tzinfo=UTC)
NAMES = ["Wanda", "wanda", "Xaver", "Yara", "Player1"]
UUIDS = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-3333-8333-333333333333",
    "00000000-0000-0000-0009-000000000001",
]
COLUMNS = (
    *("server_uuid", "session_key", "player_name", "player_uuid", "joined_at", "left_at", "left_at_lower"),
    *("left_at_upper", "close_reason", "is_join_observed", "is_end_observed", "last_seen_at", "is_proxy"),
)


def test_a_build_by_what_changed_equals_a_full_one(built_settings: ConnectionSettings, dbt_target: Path) -> None:
    compare_after_changes(built_settings, dbt_target, seed=1)


def compare_after_changes(built_settings: ConnectionSettings, dbt_target: Path, *, seed: int) -> None:
    """Change what the models read as *seed* wants it, build by that, build all of it anew and compare."""
    chance = random.Random(seed)
    with copied(built_settings) as settings:
        environment = dbt_environment(settings)
        with connect(settings, autocommit=True) as connection:
            before = rows(connection)
        for _ in range(ROUNDS):
            with connect(settings, autocommit=True) as connection:
                for _ in range(chance.choice([3, 10, 30])):
                    change(connection, chance)
            run_dbt(["run", "--select", *MODELS], environment, target=dbt_target)
        with connect(settings, autocommit=True) as connection:
            by_change, kept = rows(connection), written(connection)
            assert first_date_to_test(connection) == first_date_written(connection)
        run_dbt(["run", "--full-refresh", "--select", *MODELS], environment, target=dbt_target)
        with connect(settings, autocommit=True) as connection:
            anew = rows(connection)
    assert before["marts.fct_player_sessions"] != by_change["marts.fct_player_sessions"]
    assert kept > 1, "one transaction wrote every row, so nothing was left as it was"
    for table in TABLES:
        assert by_change[table] == anew[table], table


def rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: connection.execute(f"select row::text from {table} as row order by 1").fetchall() for table in TABLES
    }


def written(connection: Connection) -> int:
    """By how many transactions the rows of the sessions were written."""
    row = connection.execute("select count(distinct xmin::text) from intermediate.int_minecraft__sessions").fetchone()
    assert row is not None
    return int(row[0])


def first_date_to_test(connection: Connection) -> tuple[Any, ...] | None:
    """The day from which on the tests of the sessions look at what the last build wrote."""
    return connection.execute(
        "select first_date from ops.builds_to_test where model = 'int_minecraft__sessions' order by build_number desc"
    ).fetchone()


def first_date_written(connection: Connection) -> tuple[Any, ...] | None:
    return connection.execute(
        "select min(seen_at)::date from intermediate.int_minecraft__sessions "
        "group by xmin::text::bigint order by xmin::text::bigint desc"
    ).fetchone()


def change(connection: Connection, chance: random.Random) -> None:
    """Do one of what lines, files, parsers and operators do to what the models read."""
    kinds = {
        session_comes: 10,
        sessions_go: 3,
        uuid_becomes_known: 2,
        name_is_seen: 2,
        sightings_go: 1,
        zone_changes: 1,
        run_comes: 2,
        runs_go: 1,
        line_is_read: 1,
        deaths_are_read: 2,
        logins_are_read: 3,
        folder_is_listed: 1,
    }
    (kind,) = chance.choices([*kinds], weights=[*kinds.values()])
    kind(connection, chance)


def some_server(chance: random.Random) -> str:
    return chance.choice([PROXY, *BEHIND, *BEHIND, SERVERS["a"]])


def some_key(chance: random.Random) -> str:
    return f"file:{chance.randrange(200, 260)}"


def session_comes(connection: Connection, chance: random.Random) -> None:
    """A session on a server, in place of one of the same line, and mostly one on the proxy around it."""
    server, key, name = some_server(chance), some_key(chance), chance.choice(NAMES)
    came = SINCE + timedelta(minutes=chance.randrange(0, 4 * 1440, 20), seconds=chance.randrange(40))
    went = came + timedelta(minutes=chance.choice([0, 1, 30, 61, 400]), seconds=chance.randrange(60))
    joined_at = came if chance.random() < 0.85 else None
    ends = chance.choice(
        [
            (went, went, went, "left"),
            (went, went, went, "left"),
            (None, went, went + timedelta(minutes=5), "server_crashed"),
            (None, None, None, None),
        ]
    )
    player_uuid = None if server == PROXY else chance.choice([None, *UUIDS])
    places = [(server, name, player_uuid)]
    if server != PROXY and chance.random() < 0.8:
        places.append((PROXY, chance.choice([name, name.lower()]), None))
    for place, shown, uuid in places:
        connection.execute(
            "delete from derived_minecraft.player_sessions where server_uuid = %s and session_key = %s", (place, key)
        )
        values = (place, key, shown, uuid, joined_at, *ends, joined_at is not None, ends[0] is not None, went)
        connection.execute(
            sql.SQL(
                "insert into derived_minecraft.player_sessions ({}, _load_id) values ({}, gen_random_uuid())"
            ).format(
                sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), sql.SQL(", ").join(sql.Placeholder() * len(COLUMNS))
            ),
            (*values, place == PROXY),
        )


def sessions_go(connection: Connection, chance: random.Random) -> None:
    connection.execute(
        "delete from derived_minecraft.player_sessions where (server_uuid, session_key) in (select server_uuid, "
        "session_key from derived_minecraft.player_sessions order by md5(server_uuid || session_key || %s) limit 3)",
        (str(chance.random()),),
    )


def uuid_becomes_known(connection: Connection, chance: random.Random) -> None:
    connection.execute(
        "update derived_minecraft.player_sessions set player_uuid = %s where (server_uuid, session_key) in ("
        "select server_uuid, session_key from derived_minecraft.player_sessions where not is_proxy "
        "order by md5(server_uuid || session_key || %s) limit 2)",
        (chance.choice([None, *UUIDS]), str(chance.random())),
    )


def name_is_seen(connection: Connection, chance: random.Random) -> None:
    first = SINCE + timedelta(hours=chance.randrange(80))
    connection.execute(
        "insert into derived_minecraft.name_sightings values (%s, %s, %s, %s, %s, %s, gen_random_uuid()) "
        "on conflict do nothing",
        (
            *(some_server(chance), some_key(chance), chance.choice(NAMES), chance.choice(UUIDS)),
            *(first, first + timedelta(hours=chance.randrange(20))),
        ),
    )


def sightings_go(connection: Connection, chance: random.Random) -> None:
    connection.execute(
        "delete from derived_minecraft.name_sightings where server_uuid = %s and player_name = %s",
        (some_server(chance), chance.choice(NAMES)),
    )


def zone_changes(connection: Connection, chance: random.Random) -> None:
    zone = chance.choice(["Asia/Tokyo", "UTC", "America/New_York"])
    if chance.random() < 0.3:  # that of the host
        connection.execute("update ops.server_timezones set timezone = %s where source = 'default'", (zone,))
    else:
        connection.execute(
            "update ops.server_timezones set timezone = %s where server_uuid = %s", (zone, some_server(chance))
        )


def run_comes(connection: Connection, chance: random.Random) -> None:
    ended = chance.choice([(None, None), (SINCE + timedelta(hours=3), "stopped")])
    connection.execute(
        "insert into derived_minecraft.server_runs (server_uuid, run_key, started_at, ended_at, end_reason, _load_id) "
        "values (%s, %s, %s, %s, %s, gen_random_uuid()) on conflict (server_uuid, run_key) "
        "do update set ended_at = excluded.ended_at, end_reason = excluded.end_reason",
        (some_server(chance), some_key(chance), SINCE, *ended),
    )


def runs_go(connection: Connection, chance: random.Random) -> None:
    connection.execute(
        "delete from derived_minecraft.server_runs where server_uuid = %s and run_key > 'file:2'",
        (some_server(chance),),
    )


def line_is_read(connection: Connection, chance: random.Random) -> None:
    connection.execute(
        "update raw_minecraft.log_files set last_line_at = last_line_at + interval '1 minute' where server_uuid = %s",
        (some_server(chance),),
    )


def deaths_are_read(connection: Connection, chance: random.Random) -> None:
    """A file is read anew, and deaths are found in it or are there no more, which the parser notes."""
    server = some_server(chance)
    connection.execute("insert into raw_minecraft.event_kinds (kind) values ('player_death') on conflict do nothing")
    connection.execute(
        "delete from raw_minecraft.event_rows where line_number > 100000 and file_id in ("
        "select file_id from raw_minecraft.log_files where server_uuid = %s)",
        (server,),
    )
    connection.execute(
        """
        insert into raw_minecraft.event_rows (
            logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
        )
        select coalesce(joined_at, left_at), file_id, 100000 + row_number() over (order by session_key), event_load_id,
            0, player_id, kind_id, '{"cause": "fall"}'
        from derived_minecraft.player_sessions
        inner join raw_minecraft.log_files using (server_uuid)
        inner join raw_minecraft.event_players using (player_name)
        cross join raw_minecraft.event_kinds
        cross join (select event_load_id from raw_minecraft.event_loads limit 1) as loads
        where server_uuid = %s and kind = 'player_death' and coalesce(joined_at, left_at) is not null
            and md5(session_key || %s) < '8'
            -- no parser gives a line a time further from those of its file than a clock is set back
            and coalesce(joined_at, left_at)
                between first_line_at - interval '1 day' and last_line_at + interval '1 day'
        """,
        (server, str(chance.random())),
    )
    connection.execute(
        "insert into ops.row_changes (relation, change, touched) select 'raw_minecraft.event_rows', 1, "
        "jsonb_build_object('server_uuid', server_uuid, 'file_key', file_key) "
        "from raw_minecraft.log_files where server_uuid = %s",
        (server,),
    )


def logins_are_read(connection: Connection, chance: random.Random) -> None:
    """A file has other logins than before, some of them close together; triggers note which file it is."""
    server, number = some_server(chance), chance.randrange(3)
    file = "(select file_id from raw_minecraft.log_files where server_uuid = %s limit 1)"
    connection.execute(
        f"delete from raw_minecraft.event_rows where file_id = {file} and line_number %% 3 = %s "
        "and line_number between 50000 and 59999",
        (server, number),
    )
    connection.execute(
        f"""
        insert into raw_minecraft.event_rows (
            logged_at, file_id, line_number, event_load_id, utc_offset_seconds, player_id, kind_id, detail
        )
        select %s + made * interval '20 seconds', {file}, 50001 + 3 * made + %s, event_load_id, 0, player_id, kind_id,
            %s
        from generate_series(1, %s) as made
        cross join (
            select player_id from raw_minecraft.event_players where player_name = any(%s) order by player_id limit 1
        ) as players
        cross join (select kind_id from raw_minecraft.event_kinds where kind = %s) as kinds
        cross join (select event_load_id from raw_minecraft.event_loads limit 1) as loads
        """,
        (
            *(SINCE + timedelta(minutes=chance.randrange(0, 4 * 1440, 7)), server, number),
            *(chance.choice([None, '{"cause": "full", "address": "hmac:1"}']), chance.randrange(1, 40)),
            *([chance.choice(NAMES), "Player1"], chance.choice(["player_login", "login_refused"])),
        ),
    )


def folder_is_listed(connection: Connection, chance: random.Random) -> None:
    """The log is known for longer, or since earlier."""
    at = chance.choice([SINCE - timedelta(days=3), SINCE + timedelta(days=4, hours=chance.randrange(80))])
    connection.execute(
        "insert into raw_minecraft.log_reads (server_uuid, observed_at, path, outcome, _load_id) "
        "values (%s, %s, '', 'ok', gen_random_uuid()) on conflict do nothing",
        (some_server(chance), at),
    )

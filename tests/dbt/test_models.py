"""What the models say of the small world, and what building one of them leaves of the others."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.parsed import run_dbt

from .conftest import dbt_environment
from .world import SERVERS

pytestmark = pytest.mark.postgres


def test_the_day_on_which_clocks_go_back_has_25_hours_and_is_covered_for_all_of_them(built: Connection) -> None:
    rows = built.execute(
        "select day_hours, minutes_expected, minutes_sampled, coverage_ratio from marts.fct_server_daily "
        "where server_uuid = %s and local_date = '2026-10-25'",
        (SERVERS["a"],),
    ).fetchall()
    assert rows == [(25, 1500, 1500, 1)]


def test_minutes_of_every_kind_add_up_to_the_expected_ones(built: Connection) -> None:
    rows = built.execute(
        "select server_uuid::text, sum(minutes_expected), sum(minutes_sampled), sum(minutes_gated), "
        "sum(minutes_failed), sum(minutes_suspect) from marts.fct_server_daily "
        "where server_uuid = any(%s::uuid[]) group by server_uuid order by 1",
        ([SERVERS[name] for name in "abcd"],),
    ).fetchall()
    passes = 144 * 30
    assert rows == [
        (SERVERS["a"], passes, passes - 30, 0, 0, 30),
        # its tomorrow has not begun, so the ten minutes of it for which the last sample stands are not yet counted
        (SERVERS["b"], passes - 10, passes - 10 - 30 - 11 * 30 - 5 * 30, 11 * 30, 5 * 30, 30),
        (SERVERS["c"], passes, passes, 0, 0, 0),
        # gone at 09:02, in the middle of what its last sample would have stood for
        (SERVERS["d"], 56 * 60 + 52, 56 * 60 + 52 - 30, 0, 0, 30),
    ]


def test_a_server_without_a_limit_has_no_part_of_it(built: Connection) -> None:
    rows = built.execute(
        "select distinct server_uuid::text, memory_limit_mebibytes, memory_p95_limit_ratio is null "
        "from marts.fct_server_daily where server_uuid in (%s, %s) and minutes_sampled > 0 order by 1",
        (SERVERS["a"], SERVERS["b"]),
    ).fetchall()
    assert rows == [(SERVERS["a"], 1024, False), (SERVERS["b"], None, True)]


def test_a_server_whose_log_is_not_read_has_unknown_sessions(built: Connection) -> None:
    rows = built.execute(
        "select distinct sessions_started, player_hours, peak_concurrent_players, is_log_known "
        "from marts.fct_server_daily where server_uuid = %s",
        (SERVERS["d"],),
    ).fetchall()
    assert rows == [(None, None, None, False)]


def test_sessions_of_a_name_become_those_of_its_uuid(built: Connection) -> None:
    rows = built.execute(
        "select player_name, identity_kind, player_uuid::text, servers_total from marts.dim_players "
        "where player_name in ('Player0', 'Early') order by 1"
    ).fetchall()
    assert rows == [
        ("Early", "name", None, 1),
        ("Player0", "account_uuid", "55555555-0000-4000-8000-000000000005", 3),
    ]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-{text}+00:00")


WANDA = "77777777-0000-4000-8000-000000000007"
NAMESAKE = "88888888-0000-4000-8000-000000000008"
XAVER = "99999999-0000-3000-8000-000000000009"
YARA = "aaaaaaaa-0000-4000-8000-00000000000a"
BEHIND_OR_PROXY = [SERVERS[name] for name in "efg"]


def test_a_player_behind_a_proxy_is_counted_once_on_the_network(built: Connection) -> None:
    rows = built.execute(
        "select player_name, player_uuid::text, entry_server_uuid::text, proxy_server_uuid is not null, joined_at, "
        "counted_until, close_reason, servers_visited, server_switches, backend_sessions, is_open "
        "from marts.fct_network_sessions where entry_server_uuid = any(%s::uuid[]) order by joined_at",
        (BEHIND_OR_PROXY,),
    ).fetchall()
    proxy, behind = SERVERS["e"], SERVERS["g"]
    assert rows == [
        ("Wanda", WANDA, proxy, True, at("24 20:00"), at("24 21:00"), "left", 2, 1, 2, False),
        ("Wanda", NAMESAKE, behind, False, at("24 20:10"), at("24 20:20"), "left", 1, 0, 1, False),
        ("Wendy", WANDA, proxy, True, at("25 10:00"), at("25 11:00"), "left", 1, 0, 1, False),
        ("Zoe", None, proxy, True, at("25 11:00"), at("25 11:30"), "kicked", None, 0, 0, False),
        # the proxy's last line was at 12:05, the server behind it lost him at 12:20
        ("Xaver", XAVER, proxy, True, at("25 12:00"), at("25 12:20"), "server_crashed", 1, 0, 1, False),
        ("Xaver", XAVER, behind, False, at("26 08:00"), at("26 09:00"), "left", 1, 0, 1, False),
        ("Yara", YARA, proxy, True, at("26 22:00"), at("26 22:45"), None, 1, 0, 1, True),
    ]


def test_a_proxy_makes_nobody_a_second_player(built: Connection) -> None:
    rows = built.execute(
        "select player_name, identity_kind, player_uuid::text, server_uuid::text, names_total, servers_total, "
        "first_seen_at, last_seen_at from marts.dim_players where player_id in "
        "(select player_id from marts.fct_player_sessions where server_uuid = any(%s::uuid[])) order by 1, 4",
        (BEHIND_OR_PROXY,),
    ).fetchall()
    assert rows == [
        ("Wanda", "account_uuid", NAMESAKE, None, 1, 1, at("24 20:10"), at("24 20:20")),
        ("Wendy", "account_uuid", WANDA, None, 3, 2, at("24 20:00"), at("25 11:00:01")),
        # a UUID made from the name counts within its server: two servers, two players, and none of them the proxy's
        ("Xaver", "offline_uuid", XAVER, SERVERS["g"], 1, 1, at("26 08:00"), at("26 09:00")),
        ("Xaver", "offline_uuid", XAVER, SERVERS["f"], 1, 1, at("25 12:00"), at("25 12:20")),
        ("Yara", "account_uuid", YARA, None, 1, 1, at("26 22:00"), at("26 22:45")),
        ("Zoe", "name", None, SERVERS["e"], 1, 0, at("25 11:00"), at("25 11:30")),
    ]


def test_server_marts_keep_a_proxy_apart_from_the_servers_behind_it(built: Connection) -> None:
    rows = built.execute(
        "select server_uuid::text, is_proxy, sessions_started, distinct_players, round(player_hours * 60) "
        "from marts.fct_server_daily where server_uuid = any(%s::uuid[]) and local_date = '2026-10-24' "
        "order by is_proxy desc, server_uuid desc",
        (BEHIND_OR_PROXY,),
    ).fetchall()
    assert rows == [
        (SERVERS["e"], True, 1, 1, 60),
        (SERVERS["f"], False, 1, 1, 30),
        (SERVERS["g"], False, 2, 2, 40),
    ]


def test_the_network_day_is_that_of_the_hosts_zone_and_counts_no_session_of_a_server_behind_a_proxy_twice(
    built: Connection,
) -> None:
    network = built.execute(
        "select timezone, day_hours, servers_log_known, sessions_started, round(player_hours::numeric, 6) "
        "from marts.fct_network_daily where local_date = '2026-10-25'"
    ).fetchall()
    parts = built.execute(
        "select count(*) from marts.fct_player_sessions where session_id = network_session_id "
        "and joined_at >= '2026-10-24 22:00Z' and joined_at < '2026-10-25 23:00Z'"
    ).fetchall()
    hours = built.execute(
        """
        select round(sum(extract(epoch from least(counted_until, '2026-10-25 23:00Z')
            - greatest(counted_from, '2026-10-24 22:00Z')))::numeric / 3600, 6)
        from marts.fct_network_sessions
        where counted_until > '2026-10-24 22:00Z' and counted_from < '2026-10-25 23:00Z'
        """
    ).fetchall()
    assert network == [("Europe/Berlin", 25, 6, parts[0][0], hours[0][0])]


def test_a_run_tells_how_it_ended_and_what_ran(built: Connection) -> None:
    rows = built.execute(
        "select started_at, end_reason, crash_cause, counted_minutes, longest_minutes, software, game_version, "
        "is_running from marts.fct_server_runs where server_uuid = %s order by started_at",
        (SERVERS["e"],),
    ).fetchall()
    assert rows == [
        (at("24 12:00"), "crashed", "exception", 24 * 60 + 5, 25 * 60, "Velocity", "3.2.0", False),
        (at("25 13:00"), None, None, 33 * 60 + 45, None, "Velocity", "3.3.0", True),
    ]


def test_a_server_has_the_software_of_its_newest_run(built: Connection) -> None:
    rows = built.execute(
        "select server_uuid::text, software, game_version, is_proxy from marts.dim_servers "
        "left join marts.dim_server_software using (server_uuid) order by server_id"
    ).fetchall()
    assert rows == [
        (SERVERS["a"], None, None, False),
        (SERVERS["b"], None, None, False),
        (SERVERS["c"], None, None, False),
        (SERVERS["d"], None, None, None),
        (SERVERS["e"], "Velocity", "3.3.0", True),
        (SERVERS["f"], "Paper", "1.21.4", False),
        # its run's start names none, a line of its file does
        (SERVERS["g"], "Fabric", "1.21.4", False),
    ]


def test_coverage_of_a_log_is_of_its_lines_and_of_the_bytes_last_listed(built: Connection) -> None:
    rows = built.execute(
        "select local_date::text, lines_read, understood_ratio, bytes_present, bytes_read_ratio "
        "from marts.fct_log_coverage where server_uuid = %s order by 1",
        (SERVERS["f"],),
    ).fetchall()
    # the folder was listed at 23:45 in Berlin; the listing after that was not read
    assert rows == [("2026-10-24", 150, 0.9, 1000, 0.25), ("2026-10-26", None, None, 1000, 1.0)]


@pytest.fixture(scope="module")
def built_again(built_settings: ConnectionSettings, dbt_target: Path) -> None:
    """Some views are built again, of which one has other columns now."""
    with connect(built_settings, autocommit=True) as connection:
        connection.execute("drop view pterodactyl.last_update")
        connection.execute("create view pterodactyl.last_update as select 1 as other")
    run_dbt(
        ["run", "--select", "stg_pterodactyl__servers", "stg_minecraft__events", "compat_pterodactyl__last_update"],
        dbt_environment(built_settings),
        target=dbt_target,
    )


@pytest.mark.usefixtures("built_again")
def test_building_a_staging_view_again_leaves_the_views_that_read_it(built: Connection) -> None:
    for view in ("pterodactyl.servers", "minecraft.activity", "intermediate.int_server_terms"):
        assert built.execute("select to_regclass(%s) is not null", (view,)).fetchone() == (True,), view


@pytest.mark.usefixtures("built_again")
def test_a_view_whose_columns_changed_is_made_anew_with_its_description_and_its_readers(built: Connection) -> None:
    described = built.execute("select obj_description('pterodactyl.last_update'::regclass)").fetchone()
    assert described is not None
    assert described[0].startswith("One row")
    built.execute("set local role analyst")
    assert built.execute("select date is not null from pterodactyl.last_update").fetchone() == (True,)


def test_days_of_each_zone_are_those_of_its_clock(built: Connection) -> None:
    rows = built.execute(
        "select timezone, local_date, day_starts_at, day_ends_at, day_hours, is_clock_change, iso_year, iso_week, "
        "weekday_number, weekday_name, week_start, month_start, is_today, is_ahead from marts.dim_dates"
    ).fetchall()
    lengths = defaultdict(set)
    for name, day, since, until, hours, is_change, *calendar, is_today, is_ahead in rows:
        zone = ZoneInfo(name)
        midnights = [first_instant(each, zone) for each in (day, day + timedelta(days=1))]
        assert [since, until] == midnights, (name, day)
        assert hours == (midnights[1] - midnights[0]).total_seconds() / 3600, (name, day)
        assert is_change == (hours != 24)
        assert calendar == [
            *day.isocalendar(), f"{day:%A}", day - timedelta(days=day.weekday()), day.replace(day=1)
        ]  # fmt: skip
        today = datetime(2026, 10, 26, 23, 50, tzinfo=UTC).astimezone(zone).date()
        assert (is_today, is_ahead) == (day == today, day > today), (name, day)
        lengths[name].add(hours)
    assert lengths["Europe/Berlin"] == lengths["Atlantic/Azores"] == {23, 24, 25}
    assert lengths["Asia/Kathmandu"] == lengths["UTC"] == {24}
    days = {day for name, day, *_ in rows if name == "Europe/Berlin"}
    assert len(days) == (max(days) - min(days)).days + 1 > 366


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return when *day* begins on the clock of *zone*, by asking it step by step."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(zone).date() < day:
        at += timedelta(hours=1)
    at -= timedelta(hours=1)
    while at.astimezone(zone).date() < day:
        at += timedelta(minutes=15)
    return at

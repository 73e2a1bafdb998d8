"""What the models say of the small world, and what building one of them leaves of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pteroassets.runtime import run_dbt
from pteroassets.warehouse.connection import Connection, ConnectionSettings

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
        "sum(minutes_failed), sum(minutes_suspect) from marts.fct_server_daily group by server_uuid order by 1"
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


def test_building_a_staging_view_again_leaves_the_views_that_read_it(
    built: Connection, built_settings: ConnectionSettings, dbt_target: Path
) -> None:
    run_dbt(
        ["run", "--select", "stg_pterodactyl__servers", "stg_minecraft__events"],
        dbt_environment(built_settings),
        target=dbt_target,
    )
    for view in ("pterodactyl.servers", "minecraft.activity", "intermediate.int_server_terms"):
        assert built.execute("select to_regclass(%s) is not null", (view,)).fetchone() == (True,), view

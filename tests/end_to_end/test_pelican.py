"""A Pelican panel from its lists to the marts: every model and every test of dbt holds, and what it lacks is NULL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR, NewPlatform

pytestmark = [pytest.mark.postgres]


def test_the_marts_of_a_pelican_panel_hold_what_is_true_of_it(new_platform: NewPlatform) -> None:
    platform = new_platform(history=timedelta(days=2), is_pelican=True)
    platform.clock.move_to(ANCHOR)
    platform.everything()
    platform.build()
    truth = platform.simulation.truth.entities(ANCHOR)
    with connect(platform.settings, autocommit=True) as connection:
        servers = connection.execute(
            "select server_id, server_name, egg_id, nest_id, nest_name, location_code, memory_limit_mebibytes "
            "from marts.dim_servers where is_active"
        ).fetchall()
        eggs = connection.execute("select egg_id, nest_id, nest_name from marts.dim_eggs").fetchall()
        nodes = connection.execute("select node_id, location_id, location_code from marts.dim_nodes").fetchall()
        sessions = connection.execute("select count(*) from marts.fct_player_sessions").fetchall()
        outcomes = connection.execute("select distinct outcome from raw_pterodactyl.utilization_samples").fetchall()
    assert sorted(servers) == sorted(
        (row["id"], row["name"], row["egg_id"], None, None, None, row["memory"] or None) for row in truth["servers"]
    )
    assert sorted(eggs) == sorted((row["id"], None, None) for row in truth["eggs"])
    assert sorted(nodes) == sorted((row["id"], None, None) for row in truth["nodes"])
    assert sessions[0][0] > 0
    assert ("ok",) in outcomes

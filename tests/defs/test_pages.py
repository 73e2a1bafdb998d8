"""The schedules of the pages."""

from __future__ import annotations

import dagster as dg
import pytest

from pteroassets.definitions import defs
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import located
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres


def test_a_page_waits_until_what_it_reads_was_built(
    warehouse_settings: ConnectionSettings, warehouse: Connection, tmp_path: object
) -> None:
    settings = located(Settings(_env_file=None), warehouse=warehouse_settings, home=tmp_path)  # type: ignore[call-arg,arg-type]
    (schedule,) = (one for one in defs().schedules or () if one.name == "page_players_schedule")
    assert isinstance(schedule, dg.ScheduleDefinition)

    def tick() -> dg.ScheduleExecutionData:
        with dg.build_schedule_context(resources={"landing": Landing(settings=settings)}) as context:
            return schedule.evaluate_tick(context)

    waits = tick()
    assert not waits.run_requests
    assert "not built yet: " in (waits.skip_message or "")
    assert "marts.fct_network_sessions" in (waits.skip_message or "")
    for name in ("fct_network_daily", "fct_network_sessions", "fct_player_sessions", "dim_players", "dim_servers"):
        warehouse.execute(f"create table marts.{name} ()")
    assert len(tick().run_requests or ()) == 1

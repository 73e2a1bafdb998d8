"""The schedules of the pages."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pteroassets.definitions import defs
from pteroassets.defs.pages import page_assets
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import located
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from tests.dashboards.pages import write

pytestmark = pytest.mark.postgres


def test_a_page_that_fails_fails_the_run_and_the_others_are_made(
    warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    books = tmp_path / "notebooks"
    books.mkdir()
    write(books, "good", '\n# %%\nkit.note("hello")\n')
    write(books, "broken", "\n# %%\n1 / 0\n")
    settings = located(Settings(_env_file=None), warehouse=warehouse_settings, home=tmp_path)  # type: ignore[call-arg]
    result = dg.materialize(
        [page_assets(books)], resources={"landing": Landing(settings=settings)}, raise_on_error=False
    )
    assert not result.success
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [dg.AssetKey(["pages", "good"])]
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    assert "broken: ZeroDivisionError in cell 2" in str(failure.event_specific_data.error)  # type: ignore[union-attr]
    assert (tmp_path / "pages" / "good.html").is_file()
    assert "ZeroDivisionError" in (tmp_path / "pages" / "index.html").read_text()


def test_a_page_waits_until_what_it_reads_was_built(
    warehouse_settings: ConnectionSettings, warehouse: Connection, tmp_path: Path
) -> None:
    settings = located(Settings(_env_file=None), warehouse=warehouse_settings, home=tmp_path)  # type: ignore[call-arg]
    (schedule,) = (one for one in defs().schedules or () if one.name == "page_players_schedule")
    assert isinstance(schedule, dg.ScheduleDefinition)

    def tick() -> dg.ScheduleExecutionData:
        with dg.build_schedule_context(resources={"landing": Landing(settings=settings)}) as context:
            return schedule.evaluate_tick(context)

    waits = tick()
    assert not waits.run_requests
    assert "not built yet: " in (waits.skip_message or "")
    assert "marts.fct_network_daily" in (waits.skip_message or "")
    of_the_top = {"marts.fct_server_daily", "staging.stg_ops__loads"}
    for name in {*(waits.skip_message or "").removeprefix("not built yet: ").split(", ")} - of_the_top:
        warehouse.execute(f"create table {name} ()")
    assert not tick().run_requests  # the top of each page asks more
    warehouse.execute("create table marts.fct_server_daily (); create table staging.stg_ops__loads ()")
    assert len(tick().run_requests or ()) == 1

"""The passes as Dagster runs them: what the UI shows of each table is what stands in it."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from pteroassets.defs.minecraft import (
    RELOAD_JOB,
    RELOAD_OF_DAY,
    CollectingConfig,
    collected_logs,
    derived_sessions,
    events,
)
from pteroassets.defs.pterodactyl import panel_entities, panel_upkeep, utilization_samples
from pteroassets.defs.raw import raw_tables
from pteroassets.sources.pterodactyl.application import ENTITIES
from pteroassets.warehouse.connection import connect
from tests.harness import Platform

pytestmark = pytest.mark.postgres


def test_each_raw_asset_shows_the_rows_and_described_columns_of_its_table(platform: Platform) -> None:
    settings = platform.settings
    result = dg.materialize(
        [panel_entities, panel_upkeep, utilization_samples, collected_logs, events, derived_sessions],
        resources={"landing": platform.landing},
    )
    assert result.success
    shown = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    tables = {name: metadata["dagster/table_name"].value for name, metadata in shown.items()}
    # a sensor writes what Twitch says, the bot its actions, and incidents are found in what these assets land; the
    # replays of Arma 3, what is derived from them and pushed events have tests of their own
    elsewhere = ("raw_twitch.", "raw_discord.", "raw_arma3.", "derived_arma3.", "raw_events.")
    others = {name for name in raw_tables() if name.startswith(elsewhere)} | {"ops.incidents"}
    assert set(tables.values()) == raw_tables().keys() - others - {
        "ops.incident_state",
        "ops.loads",
        "ops.replay_notices",
        "ops.stream_notices",
    }
    assert tables["ops/server_timezones"] == "ops.server_timezones"
    with connect(settings, autocommit=True) as connection:
        for name, metadata in shown.items():
            count = connection.execute(f"select count(*) from {tables[name]}").fetchone()
            assert count is not None
            assert metadata["dagster/row_count"].value == count[0], name
            columns = metadata["dagster/column_schema"].value.columns  # type: ignore[union-attr] # a table's schema
            assert all(column.description for column in columns), name
        assert shown["ops/server_timezones"]["dagster/row_count"].value > 0
        current = connection.execute("select count(*) from raw_pterodactyl.servers where valid_to is null").fetchone()
    assert current is not None
    assert shown["pterodactyl/servers"]["current_records"].value == current[0]
    assert {f"pterodactyl/{entity}" for entity in ENTITIES} < shown.keys()


def test_a_reload_fetches_the_files_of_its_date_again_and_no_others(platform: Platform) -> None:
    def fetched(job: dg.JobDefinition, **launched: Any) -> set[str]:
        before = len(platform.simulation.requests.entries)
        result = job.execute_in_process(raise_on_error=False, **launched)
        assert result.success, result.all_events
        entries = platform.simulation.requests.entries[before:]
        return {str(entry) for entry in entries if "/files/contents" in entry.path}

    definitions = dg.Definitions(
        assets=[panel_entities, collected_logs],
        jobs=[dg.define_asset_job(RELOAD_JOB, [collected_logs], config=RELOAD_OF_DAY), dg.define_asset_job("first")],
        resources={"landing": platform.landing},
    )
    assert fetched(definitions.resolve_job_def("first"))
    with connect(platform.settings, autocommit=True) as connection:
        ((day, closed),) = connection.execute(
            "select log_date, count(*) from raw_minecraft.log_files where not is_live group by log_date "
            "order by log_date desc limit 1"
        ).fetchall()
    reload = definitions.resolve_job_def(RELOAD_JOB)
    config = {"ops": {"collected_logs": {"config": {"reload_dates": [day.isoformat()]}}}}
    by_partition = fetched(reload, partition_key=day.isoformat())
    assert len(by_partition) >= closed
    assert len(fetched(reload, run_config=config)) == len(by_partition)
    # as a script launches it: the partition alone
    assert len(fetched(reload, run_config={}, tags={"dagster/partition": day.isoformat()})) == len(by_partition)
    other = {"ops": {"collected_logs": {"config": {"reload_dates": ["2015-01-01"]}}}}
    assert fetched(reload, run_config=other) == set()


def test_a_reload_without_a_date_says_where_to_write_one() -> None:
    reload = dg.Definitions(
        assets=[collected_logs],
        jobs=[dg.define_asset_job(RELOAD_JOB, [collected_logs])],
        resources={"landing": object()},
    ).resolve_job_def(RELOAD_JOB)
    failed = reload.execute_in_process(raise_on_error=False)
    (failure,) = failed.get_step_failure_events()
    assert "write the dates in names of files under reload_dates" in str(failure.step_failure_data.user_failure_data)


def test_a_date_to_reload_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"'2026-33-01' is not a date: write dates as 2026-03-01"):
        CollectingConfig(reload_dates=["2026-03-01", "2026-33-01"])

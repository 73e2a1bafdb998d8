"""Samples land once, and a failed one gives way to one that was measured."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from pteroassets.defs.pterodactyl_checks import every_node_answers, unknown_is_not_zero
from pteroassets.landing.pterodactyl.utilization import TABLE, land_samples
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.samples import SAMPLE_COLUMNS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVER = uuid.UUID("7d0c7a0e-53a5-4c8f-8f3f-0d4f2c5a9e01")

pytestmark = pytest.mark.postgres


def sample(outcome: str, cpu: float | None) -> list[object]:
    values = dict.fromkeys(SAMPLE_COLUMNS)
    values |= {
        "server_uuid": SERVER, "pass_at": NOON, "sampled_at": NOON, "interval_seconds": 300, "outcome": outcome,
        "cpu_percent": cpu, "is_suspect": False,
    }  # fmt: skip
    return list(values.values())


def rows(warehouse: Connection) -> list[tuple[object, ...]]:
    return warehouse.execute(f"select outcome, cpu_percent from {TABLE}").fetchall()


def test_a_pass_landed_twice_stands_once(warehouse: Connection) -> None:
    for _ in range(2):
        land_samples(warehouse, [sample("ok", 12.5)], observed_at=NOON)
    assert rows(warehouse) == [("ok", 12.5)]


def test_a_measurement_takes_the_place_of_a_failed_sample_but_not_the_other_way(warehouse: Connection) -> None:
    land_samples(warehouse, [sample("node_unreachable", None)], observed_at=NOON)
    land_samples(warehouse, [sample("ok", 12.5)], observed_at=NOON)
    land_samples(warehouse, [sample("error", None)], observed_at=NOON)
    assert rows(warehouse) == [("ok", 12.5)]


def test_a_load_that_fails_leaves_no_row(warehouse: Connection) -> None:
    with pytest.raises(Exception, match="sample_answers_outcome_check"):
        land_samples(warehouse, [sample("no such outcome", None)], observed_at=NOON)
    assert rows(warehouse) == []
    assert warehouse.execute("select count(*) from ops.loads").fetchone() == (0,)


def verdict(check: Any, settings: ConnectionSettings) -> dg.AssetCheckResult:
    landing = SimpleNamespace(connect=lambda: connect(settings, autocommit=True))
    return cast("dg.AssetCheckResult", check(landing=landing))


def test_a_node_that_did_not_answer_is_named(warehouse: Connection, warehouse_settings: ConnectionSettings) -> None:
    land_samples(warehouse, [sample("ok", 12.5)], observed_at=NOON)
    assert verdict(every_node_answers, warehouse_settings).passed
    warehouse.execute(
        "update raw_pterodactyl.sample_answers "
        "set outcome = 'node_unreachable', reason = 'no route', node_name = 'ams-1'"
    )
    result = verdict(every_node_answers, warehouse_settings)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    named = [{"node": "ams-1", "outcome": "node_unreachable", "servers": 1, "for_example": "no route"}]
    assert result.metadata["unsampled"].value == named


def test_a_figure_without_a_measurement_and_a_gap_without_a_reason_are_faults(
    warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    land_samples(warehouse, [sample("ok", 12.5)], observed_at=NOON)
    assert verdict(unknown_is_not_zero, warehouse_settings).passed
    warehouse.execute("update raw_pterodactyl.sample_answers set outcome = 'node_unreachable'")
    result = verdict(unknown_is_not_zero, warehouse_settings)
    assert not result.passed
    assert {name: value.value for name, value in result.metadata.items()} == {
        "figures_without_a_measurement": 1, "outcomes_without_a_reason": 1, "running_with_memory_0": 0,
    }  # fmt: skip

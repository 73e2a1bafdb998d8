"""Samples land once, and a failed one gives way to one that was measured."""

import uuid
from datetime import UTC, datetime

import pytest

from pteroassets.landing.pterodactyl.utilization import SAMPLE_COLUMNS, TABLE, land_samples
from pteroassets.warehouse.connection import Connection

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
    with pytest.raises(Exception, match="utilization_samples_outcome_check"):
        land_samples(warehouse, [sample("no such outcome", None)], observed_at=NOON)
    assert rows(warehouse) == []
    assert warehouse.execute("select count(*) from ops.loads").fetchone() == (0,)

"""Samples are stored narrow, and read as they were landed."""

from __future__ import annotations

import dataclasses
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from pteroassets.landing.pterodactyl.utilization import TABLE, land_samples
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.folding import SAMPLES_MOVE, move_step
from pteroassets.warehouse.load import KnownAnswers, put_samples
from pteroassets.warehouse.moving import move_rows
from pteroassets.warehouse.samples import SAMPLE_COLUMNS, ManyLoadsError
from tests.samples import insert_samples

pytestmark = pytest.mark.postgres

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = ", ".join(SAMPLE_COLUMNS)


def sample(number: int = 0, **values: Any) -> tuple[Any, ...]:
    return tuple(
        (
            dict.fromkeys(SAMPLE_COLUMNS)
            | {"server_uuid": uuid.UUID(int=number), "pass_at": NOON, "sampled_at": NOON, "interval_seconds": 300,
               "outcome": "ok", "state": "running", "is_suspect": False}
            | values
        ).values()
    )  # fmt: skip


def measured(number: int, pass_at: datetime) -> tuple[Any, ...]:
    return sample(
        number, pass_at=pass_at, sampled_at=pass_at + timedelta(seconds=2, microseconds=number), node_name="node-1",
        cpu_percent=number + 0.125, memory_bytes=2**33 + number, disk_bytes=2**35, network_rx_bytes=2**41,
        network_tx_bytes=2**42, uptime_milliseconds=2**32,
    )  # fmt: skip


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {COLUMNS} from {TABLE} order by pass_at, server_uuid").fetchall()


def test_a_sample_is_read_as_it_was_landed_whatever_of_it_is_unknown(warehouse: Connection) -> None:
    rows = [
        measured(0, NOON),
        sample(1, outcome="offline", state="offline", disk_bytes=2**40),
        sample(2, outcome="error", state=None, reason="why " * 2000, node_name=None),
        sample(3, cpu_percent=2_147_483.647, memory_bytes=0, is_suspect=True, uptime_milliseconds=1),
        # further from the pass than four bytes of microseconds reach, and before it
        sample(4, sampled_at=NOON + timedelta(hours=9, microseconds=1)),
        sample(5, sampled_at=NOON - timedelta(microseconds=1)),
        sample(6, interval_seconds=20),
    ]
    report = land_samples(warehouse, rows, observed_at=NOON)
    assert (report.rows_added, report.rows_changed) == (7, 0)
    assert stored(warehouse) == rows


@pytest.mark.parametrize(
    "values",
    [{"pass_at": NOON + timedelta(seconds=3)}, {"cpu_percent": 2_147_483.7}, {"cpu_percent": float("nan")}],
)
def test_what_does_not_fit_is_refused_and_not_bent(warehouse: Connection, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"multiple of 10 seconds|percent of a core"):
        land_samples(warehouse, [sample(**values)], observed_at=NOON)
    assert stored(warehouse) == []


def test_each_load_that_brings_something_is_known_and_no_more_than_sixty_four(warehouse: Connection) -> None:
    reports = [
        # all but the first two servers are there already
        land_samples(warehouse, [sample(server) for server in range(2 * load + 2)], observed_at=NOON)
        for load in range(64)
    ]
    assert [report.rows_added for report in reports] == [2] * 64
    found = warehouse.execute(
        f"select _load_id, count(*), max(_loaded_at) from {TABLE} group by 1 order by 3"
    ).fetchall()
    assert [(load_id, count) for load_id, count, _ in found] == [(report.load_id, 2) for report in reports]
    assert land_samples(warehouse, [sample(5)], observed_at=NOON).rows_added == 0
    with pytest.raises(ManyLoadsError):
        land_samples(warehouse, [sample(140)], observed_at=NOON)


def test_a_server_has_one_row_in_a_pass(warehouse: Connection) -> None:
    failed = sample(1, outcome="error", state=None, reason="no answer")
    land_samples(warehouse, [measured(0, NOON), measured(0, NOON), failed], observed_at=NOON)
    report = land_samples(warehouse, [measured(0, NOON), measured(1, NOON), sample(2)], observed_at=NOON)
    assert (report.rows_added, report.rows_changed) == (1, 1)
    assert land_samples(warehouse, [failed], observed_at=NOON).rows_changed == 0
    assert stored(warehouse) == [measured(0, NOON), measured(1, NOON), sample(2)]


def test_answers_of_a_load_that_was_undone_are_not_used_by_the_next(warehouse: Connection) -> None:
    answers = KnownAnswers()
    with pytest.raises(ValueError, match="percent of a core"):
        land_samples(warehouse, [sample(1), sample(2, cpu_percent=float("nan"))], observed_at=NOON, answers=answers)
    for _ in range(2):  # the second time they are kept
        land_samples(warehouse, [sample(1)], observed_at=NOON, answers=answers)
    later = NOON + timedelta(minutes=5)
    rows = [sample(number, pass_at=later, sampled_at=later) for number in (1, 3)]
    land_samples(warehouse, rows, observed_at=later, answers=answers)
    assert stored(warehouse) == [sample(1), *rows]
    assert warehouse.execute("select count(*) from raw_pterodactyl.sample_answers").fetchone() == (2,)


@pytest.mark.parametrize("minutes", [0, 5])
def test_loads_of_samples_wait_for_each_other(
    warehouse: Connection, warehouse_settings: ConnectionSettings, minutes: int
) -> None:
    at = NOON + timedelta(minutes=minutes)  # also another pass: it may bring the same answers

    def land() -> int:
        rows = [sample(number, pass_at=at, sampled_at=at) for number in (1, 2)]
        with connect(warehouse_settings, autocommit=True) as connection:
            return land_samples(connection, rows, observed_at=at).rows_added

    with ThreadPoolExecutor() as beside, connect(warehouse_settings) as first:
        rows = [sample(1)]
        assert put_samples(first, rows, load_id=uuid.uuid4(), replaced=(), answers=KnownAnswers()) == (1, 0)
        second = beside.submit(land)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        first.commit()
        assert second.result(timeout=30) == (2 if minutes else 1)
    assert warehouse.execute("select count(*) from raw_pterodactyl.sample_answers").fetchone() == (2,)


def test_a_sample_takes_ninety_bytes_with_all_that_belongs_to_it(warehouse: Connection) -> None:
    sizes = []
    for hour in range(4):
        for step in range(12):
            at = NOON + hour * timedelta(hours=1) + step * timedelta(minutes=5)
            land_samples(warehouse, [measured(number, at) for number in range(500)], observed_at=at)
        warehouse.execute("vacuum (analyze) raw_pterodactyl.sample_measures")
        ((size,),) = warehouse.execute(
            "select sum(pg_total_relation_size(oid)) from pg_class "
            "where relkind = 'r' and relname ~ '^sample_' and pg_relation_size(oid) > 0"
        ).fetchall()
        sizes.append(size)
    # what grows: some pages are there from the first row on
    assert (sizes[-1] - sizes[0]) / (3 * 12 * 500) <= 90


def test_a_condition_on_the_pass_reads_its_month_alone(warehouse: Connection) -> None:
    for month in (1, 2, 3):
        at = datetime(2026, month, 3, tzinfo=UTC)
        land_samples(warehouse, [sample(pass_at=at, sampled_at=at)], observed_at=at)
    plan = str(warehouse.execute(f"explain select * from {TABLE} where pass_at >= '2026-03-01 00:00+00'").fetchall())
    assert "sample_measures_2026_03" in plan
    assert "sample_measures_2026_02" not in plan
    # as models ask: the time is known when the query runs
    plan = str(
        warehouse.execute(
            f"explain (analyze, timing off) select * from {TABLE} "
            "where pass_at >= (select max(pass_at) from ops.sampling_passes)"
        ).fetchall()
    )
    assert plan.count("never executed") >= 2, plan


UNMOVED = """
create table raw_pterodactyl.utilization_samples_unmoved (like raw_pterodactyl.utilization_samples);
alter table raw_pterodactyl.utilization_samples_unmoved drop column _pass_at;
create view raw_pterodactyl.samples_moved as {moved};
create or replace view raw_pterodactyl.utilization_samples as
    select * from raw_pterodactyl.samples_moved
    union all select *, pass_at from raw_pterodactyl.utilization_samples_unmoved;
insert into raw_pterodactyl.utilization_samples_unmoved
select md5(server::text)::uuid, pass_at, pass_at + server * interval '1 second', 300, 'node', 'ok', 'running',
    server + 0.001, 1, 2, 3, 4, 5, false, null, md5(pass_at::text)::uuid, pass_at + interval '1 minute'
from generate_series(1, 10) as server,
    generate_series(timestamptz '2026-01-30', '2026-02-02', interval '1 hour') as pass_at;
"""


class KilledError(Exception):
    pass


def test_samples_of_earlier_versions_are_moved_in_steps_and_stand_once_at_each_time(
    warehouse: Connection, warehouse_settings: ConnectionSettings
) -> None:
    ((view,),) = warehouse.execute(f"select pg_get_viewdef('{TABLE}'::regclass)").fetchall()
    warehouse.execute(UNMOVED.format(moved=view))

    def read(connection: Connection) -> list[tuple[Any, ...]]:
        return connection.execute(
            f"select {COLUMNS}, _load_id, _loaded_at from {TABLE} order by pass_at, server_uuid"
        ).fetchall()

    before = read(warehouse)
    assert len(before) == 730
    steps = []

    def killed(done: int, of: int) -> None:
        steps.append((done, of))
        with connect(warehouse_settings) as reader:
            assert read(reader) == before
        if len(steps) == 2:
            raise KilledError

    in_small_steps = dataclasses.replace(SAMPLES_MOVE, step=partial(move_step, step_rows=200))
    with pytest.raises(KilledError), connect(warehouse_settings, autocommit=True) as connection:
        move_rows(connection, in_small_steps, killed)
    assert steps == [(200, 730), (400, 730)]
    with connect(warehouse_settings, autocommit=True) as connection:
        assert move_rows(connection, in_small_steps, killed) == 330
        assert read(warehouse) == before
        assert move_rows(connection, SAMPLES_MOVE, killed) == 0
    assert warehouse.execute("select to_regclass('raw_pterodactyl.utilization_samples_unmoved')").fetchone() == (None,)


def test_samples_inserted_by_sql_are_numbered_as_landed_ones_are(warehouse: Connection) -> None:
    land_samples(warehouse, [sample(1)], observed_at=NOON)
    insert_samples(
        warehouse,
        f"insert into arriving (server_uuid, pass_at, sampled_at, interval_seconds, outcome, _load_id) "
        f"values ('{uuid.UUID(int=2)}', '{NOON}', '{NOON}', 300, 'offline', gen_random_uuid())",
    )
    land_samples(warehouse, [sample(2), sample(3)], observed_at=NOON)
    assert [row[0].int for row in stored(warehouse)] == [1, 2, 3]

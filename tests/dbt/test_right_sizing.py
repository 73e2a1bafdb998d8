"""Limits that are recommended for two weeks of made-up use, against the rule computed in Python."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport, record_load
from tests.databases import copied
from tests.parsed import run_dbt
from tests.right_sizing import DAYS, Used, figures, recommended
from tests.samples import insert_samples

from .conftest import dbt_environment
from .world import SERVERS

pytestmark = pytest.mark.postgres

SINCE, UNTIL = datetime(2026, 10, 8, tzinfo=UTC), datetime(2026, 10, 26, 23, 40, tzinfo=UTC)
"""The small world's last pass is the newest one here, too."""
CHANGED = datetime(2026, 10, 24, tzinfo=UTC)
STEP = timedelta(minutes=30)
MIB = 1048576
MODELS = (
    "int_server_utilization_daily", "int_minecraft__server_runs", "fct_server_runs", "fct_server_daily", "dim_servers",
    "fct_right_sizing",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Made:
    """A made-up server: (memory, processor, disk), each 0 for unlimited, how it is used and what its log tells."""

    name: str
    limits: tuple[int, int, int] = (8192, 400, 20480)
    limits_before: tuple[int, int, int] | None = None
    busy: float = 0.3
    days_running: int = 99
    crashes: int | None = None

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))


WORLD = (
    Made(name="far below"),
    Made(name="at the limit", busy=0.93),
    Made(name="out of memory", crashes=2, busy=0.5),
    Made(name="never crashed", crashes=0, busy=0.5),
    Made(name="idle", busy=0.0),
    Made(name="without limits", limits=(0, 0, 0)),
    Made(name="changed of late", limits_before=(4096, 400, 20480)),
    Made(name="seldom on", days_running=6),
    Made(name="on for a week", days_running=7),
)


def land(connection: Connection, made: Made, number: int, chance: random.Random, load: uuid.UUID) -> Used:
    """Land a server with its samples; return what of them lies in its window."""
    versions = [(made.limits_before, SINCE, CHANGED), (made.limits, CHANGED, None)] if made.limits_before else [
        (made.limits, SINCE, None)
    ]  # fmt: skip
    for limits, since, until in versions:
        memory, cpu, disk = limits or made.limits
        connection.execute(
            "insert into raw_pterodactyl.servers "
            "(key, valid_from, valid_to, id, uuid, record, digest, _source, _load_id) "
            "select %(uuid)s::text, %(since)s::timestamptz, %(until)s::timestamptz, %(id)s::int, %(uuid)s::text::uuid, "
            "record || jsonb_build_object('id', %(id)s::int, 'limits', record -> 'limits' || "
            "jsonb_build_object('memory', %(memory)s::int, 'cpu', %(cpu)s::int, 'disk', %(disk)s::int)), "
            "%(since)s::timestamptz::text, _source, _load_id from raw_pterodactyl.servers "
            "where uuid = %(of)s::text::uuid",
            {
                "uuid": made.uuid, "since": since, "until": until, "id": number, "memory": memory, "cpu": cpu,
                "disk": disk, "of": SERVERS["a"],
            },
        )  # fmt: skip
    used = Used(since=CHANGED if made.limits_before else UNTIL - timedelta(days=DAYS), until=UNTIL)
    rows = []
    at = SINCE + timedelta(minutes=10)
    while at <= UNTIL:
        is_on = UNTIL.date() - at.date() < timedelta(days=made.days_running)
        peak = chance.random() ** 6
        memory = (made.limits[0] or 4096) * min(made.busy * (0.8 + 0.4 * peak), 0.99)
        cpu = round((made.limits[1] or 300) * made.busy * peak, 3)
        disk = 3000.0 + len(rows)
        rows.append((at, is_on, cpu, int(memory * MIB) if made.busy else MIB, int(disk * MIB)))
        if at >= used.since:
            used.disk.append(rows[-1][4] / MIB)
            if is_on:
                used.ran.append((at, cpu, rows[-1][3] / MIB))
        at += STEP
    insert_samples(
        connection,
        "insert into arriving (server_uuid, pass_at, sampled_at, interval_seconds, node_name, outcome, state, "
        "cpu_percent, memory_bytes, disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, _load_id) "
        "select %s::uuid, at, at, 1800, 'one', case when is_on then 'ok' else 'offline' end, "
        "case when is_on then 'running' else 'offline' end, case when is_on then cpu end, "
        "case when is_on then memory end, disk, case when is_on then 0 end, case when is_on then 0 end, "
        "case when is_on then 60000 end, %s::uuid "
        "from unnest(%s::timestamptz[], %s::boolean[], %s::float8[], %s::bigint[], %s::bigint[]) "
        "as rows (at, is_on, cpu, memory, disk)",
        (made.uuid, load, *(list(column) for column in zip(*rows, strict=True))),
    )
    if made.crashes is not None:
        connection.execute(
            "insert into raw_minecraft.log_reads (server_uuid, observed_at, path, outcome, _load_id) "
            "select %s, at, '', 'ok', gen_random_uuid() from unnest(%s::timestamptz[]) as listed (at)",
            (made.uuid, [SINCE, UNTIL]),
        )
        for crash in range(made.crashes):
            connection.execute(
                "insert into derived_minecraft.server_runs (server_uuid, run_key, started_at, ended_at_lower, "
                "ended_at_upper, end_reason, crash_cause, _load_id) values (%s, %s, %s, %s, %s, 'crashed', "
                "'java.lang.OutOfMemoryError', gen_random_uuid())",
                (made.uuid, f"file:{crash}", *(CHANGED + timedelta(hours=crash * 9 + hour) for hour in (0, 1, 2))),
            )
    return used


@pytest.fixture(scope="module")
def judged(
    built_settings: ConnectionSettings, dbt_target: Path
) -> Iterator[tuple[Connection, dict[str, tuple[Made, Used]]]]:
    chance, load = random.Random(5), uuid.uuid4()
    with copied(built_settings) as settings:
        with connect(settings, autocommit=True) as connection, connection.transaction():
            used = {
                made.uuid: (made, land(connection, made, 90 + number, chance, load))
                for number, made in enumerate(WORLD)
            }
            record_load(
                connection,
                LoadReport(
                    load_id=load,
                    table="raw_pterodactyl.utilization_samples",
                    observed_at=SINCE,
                    rows_read=1,
                    rows_added=1,
                ),
            )
        run_dbt(["run", "--select", *MODELS], dbt_environment(settings), target=dbt_target)
        with connect(settings, autocommit=True) as connection:
            yield connection, used


def test_a_limit_is_recommended_by_the_rule(judged: tuple[Connection, dict[str, tuple[Made, Used]]]) -> None:
    connection, world = judged
    rows = connection.execute(
        "select server_uuid::text, memory_recommended_mebibytes, memory_reason, cpu_recommended_percent, cpu_reason, "
        "disk_recommended_mebibytes, disk_reason, coverage_ratio, out_of_memory_crashes, memory_freed_gibibytes, "
        "cpu_samples_above_ratio, memory_samples, memory_mebibytes_p99 "
        "from marts.fct_right_sizing where server_uuid = any(%s::uuid[])",
        ([*world],),
    ).fetchall()
    assert {row[0] for row in rows} == world.keys()
    told = {}
    for server, memory, no_memory, cpu, no_cpu, disk, no_disk, coverage, crashes, freed, above, count, p99 in rows:
        made, used = world[server]
        assert coverage > 0.99, made.name
        assert crashes == made.crashes, made.name
        limits = (made.limits[0] or None, made.limits[1] or None, made.limits[2] or None)
        expected = recommended(used, limits, made.crashes)
        if made.limits_before:
            expected = ((None, "history_too_short"),) * 3
        assert ((memory, no_memory), (cpu, no_cpu), (disk, no_disk)) == expected, made.name
        assert (count, p99) == (len(used.ran), pytest.approx(figures(used.memory)[2])), made.name
        assert freed == (None if memory is None else pytest.approx((made.limits[0] - memory) / 1024)), made.name
        if cpu is not None:
            assert above == pytest.approx(sum(each > cpu for each in used.cpu) / len(used.cpu)), made.name
        told[made.name] = (memory, no_memory)
    assert told["far below"][0] < 4096
    assert told["at the limit"][0] > 8192
    assert told["out of memory"][0] > 8192 > told["never crashed"][0]
    assert told["seldom on"] == (None, "seldom_running")
    assert told["on for a week"][0] is not None
    assert {reason for _, reason in told.values()} == {None, "unlimited", "history_too_short", "seldom_running"}

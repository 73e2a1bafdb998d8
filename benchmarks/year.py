"""A year of history against a week: all built from nothing, sessions derived, and what a dashboard reads.

The history is made up (`made_history`) and ends at the same moment for both, equally dense. What a pass builds is
measured in `growth`. A query is read as often as it takes to cost half a second; its CPU is that of Postgres and of
this process, which fetches every row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import Cost, CpuMeter, postmaster_pid
from benchmarks.frame.turns import in_turns, median, median_ratio
from benchmarks.made_history import UNTIL, History, made_history
from pteroassets.clock import SystemClock
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.warehouse.connection import Connection, connect

SERVERS, DAYS = {Size.SHORT: 10, Size.FULL: 100}, {Size.SHORT: 90, Size.FULL: 365}
_WEEK = 7
_ROUNDS = 3
_CPU_SECONDS = 0.5
_BUILD_SECONDS = 600
_MOST_GROWTH = 1.2

_DAY = f"date '{UNTIL:%Y-%m-%d}'"
QUERIES = {
    "the fleet today": f"""
        select server_name, node_name, status, player_hours, peak_concurrent_players, memory_p95_limit_ratio,
            uptime_ratio, coverage_ratio
        from marts.dim_servers left join marts.fct_server_daily using (server_uuid)
        where is_active and local_date = {_DAY} - 1
    """,
    "a server's last week by hour": f"""
        select hour_at, cpu_percent_mean, cpu_percent_p95, memory_mebibytes_p95, coverage_ratio
        from marts.fct_utilization_hourly
        where server_uuid = (select server_uuid from marts.dim_servers order by server_id limit 1)
            and hour_at >= {_DAY} - 7
        order by hour_at
    """,
    "who is online at which hour, last week": f"""
        select extract(isodow from hour), extract(hour from hour), count(*)
        from marts.fct_player_sessions,
            generate_series(date_trunc('hour', counted_from), counted_until, interval '1 hour') as hour
        where joined_at >= {_DAY} - 7
        group by 1, 2
    """,
    "the network's last week by day": f"""
        select local_date, distinct_players, player_hours, sessions_started
        from marts.fct_network_daily
        where local_date >= {_DAY} - 7
        order by local_date
    """,
    "a server's ten most loyal players, last week": f"""
        select player_name, count(*), sum(counted_minutes)
        from marts.fct_player_sessions
        where server_uuid = (select server_uuid from marts.dim_servers order by server_id desc limit 1)
            and joined_at >= {_DAY} - 7
        group by player_name order by 3 desc limit 10
    """,
}


def measure(size: Size) -> Iterator[Measurement]:
    servers, days = SERVERS[size], DAYS[size]
    with ExitStack() as stack:
        histories = {kept: stack.enter_context(made_history(servers, kept)) for kept in (_WEEK, days)}
        for history in histories.values():
            yield from _built(history, size)
            history.keep_house()
        yield from _sessions(size, histories)
        for history in histories.values():
            history.keep_house()
        connections = {
            kept: stack.enter_context(connect(history.settings, autocommit=True)) for kept, history in histories.items()
        }
        ((sessions,),) = connections[days].execute("select count(*) from marts.fct_player_sessions")
        meter = CpuMeter([postmaster_pid(history.settings) for history in histories.values()])
        for name, query in QUERIES.items():
            times = _times(connections[days], query, meter)
            costs = in_turns(
                {str(kept): partial(_read, one, query, times) for kept, one in connections.items()},
                rounds=_ROUNDS,
                meter=meter,
            )
            ours, week = costs[str(days)], costs[str(_WEEK)]
            yield Measurement(
                claim=f"read: {name}",
                unit="ms CPU",
                ours=median(ours) / times * 1000,
                baseline="a week's history",
                baseline_value=median(week) / times * 1000,
                ratio=median_ratio(ours, week),
                note=f"{servers} servers, {days} days, {sessions:,} sessions",
            )


def _built(history: History, size: Size) -> Iterator[Measurement]:
    """Build all models, in the full size with all tests."""
    command = "build" if size is Size.FULL else "run"
    meter = CpuMeter([postmaster_pid(history.settings)])
    with meter.measured() as costs:
        history.dbt(command, threads=2)
    (cost,) = costs
    tests = "with all tests" if size is Size.FULL else "without tests"
    note = f"{history.servers} servers, {tests}, {cost.wall:.0f} s by the clock"
    yield Measurement(
        claim="all models from nothing", unit="CPU-s", ours=cost.cpu, note=note, x=history.days, x_unit="days"
    )
    if size is Size.FULL and history.days == DAYS[size]:
        yield Measurement(
            claim="all models and tests from nothing, by the clock", unit="s", ours=cost.wall, target=_BUILD_SECONDS,
            judged="ours", note=note,
        )  # fmt: skip


def _sessions(size: Size, histories: dict[int, History]) -> Iterator[Measurement]:
    days = DAYS[size]
    costs = {kept: [_derived(history) for _ in range(_ROUNDS)] for kept, history in histories.items()}
    yield Measurement(
        claim="the sessions of every server, derived after its newest log",
        unit="CPU-s",
        ours=median(costs[days]),
        baseline="a week's history",
        baseline_value=median(costs[_WEEK]),
        target=_MOST_GROWTH,
        note=f"{SERVERS[size]} servers, {days} days",
    )


def _derived(history: History) -> Cost:
    """Derive what the newest log of each server changes, as if it had just been parsed."""
    with connect(history.settings, autocommit=True) as connection:
        connection.execute(
            "update raw_minecraft.log_files set sessions_built = false where (server_uuid, last_line_at) in "
            "(select server_uuid, max(last_line_at) from raw_minecraft.log_files group by server_uuid)"
        )
        with CpuMeter([postmaster_pid(history.settings)]).measured() as costs:
            derive_sessions(connection, clock=SystemClock())
    return costs[0]


def _times(connection: Connection, query: str, meter: CpuMeter) -> int:
    """Return how often the *query* is read until it took half a second of CPU; it is read once before."""
    _read(connection, query, 1)
    before, times = meter.seconds(), 0
    while meter.seconds() - before < _CPU_SECONDS:
        _read(connection, query, 10)
        times += 10
    return times


def _read(connection: Connection, query: str, times: int) -> None:
    for _ in range(times):
        connection.execute(query).fetchall()

"""Bytes an event takes with its indexes and names, and deriving sessions with a long history and with a short one.

Both are of made histories (`made_history`). The rows of the older build are those of the view, in a table as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.frame.checkout import BASELINE_NAME
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import CpuMeter, postmaster_pid
from benchmarks.frame.turns import in_turns, median, median_ratio
from benchmarks.made_history import History, fill
from pteroassets.clock import SystemClock
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.warehouse.connection import connect

_SERVERS = {Size.SHORT: 3, Size.FULL: 20}
_DAYS = {Size.SHORT: 60, Size.FULL: 365}
_WEEK = 7
_DERIVATIONS, _ROUNDS = 20, 3
_NARROW = ("event_rows", "event_players", "event_kinds", "event_loads")
_AS_IT_WAS = """
create table events_as_they_were (
    server_uuid uuid not null, file_key text not null, line_number integer not null, logged_at timestamptz not null,
    logged_at_local timestamp not null, log_date date not null, kind text not null, player_name text, player_uuid uuid,
    detail jsonb, parser_version text not null, _load_id uuid not null, _loaded_at timestamptz not null,
    primary key (server_uuid, file_key, line_number)
);
create index on events_as_they_were (server_uuid, logged_at);
create index on events_as_they_were (log_date);
insert into events_as_they_were
select * from raw_minecraft.events order by _loaded_at, server_uuid, file_key, line_number
"""


def bytes_of_an_event(history: History) -> tuple[float, float]:
    """Return the bytes an event takes, and those that it took in a row with all names."""
    with connect(history.settings, autocommit=True) as connection:
        connection.execute(_AS_IT_WAS)
        ((count, now, before),) = connection.execute(
            "select (select count(*) from raw_minecraft.event_rows), "
            "(select sum(pg_total_relation_size(('raw_minecraft.' || name)::regclass)) "
            "from unnest(%s::text[]) as name), "
            "pg_total_relation_size('events_as_they_were')",
            (list(_NARROW),),
        )
        connection.execute("drop table events_as_they_were")
    return float(now) / count, before / count


def derive_again(history: History) -> None:
    """Derive the sessions of each server after its live log has grown, some times."""
    with connect(history.settings, autocommit=True) as connection:
        for _ in range(_DERIVATIONS):
            connection.execute("update raw_minecraft.log_files set sessions_built = false where is_live")
            derive_sessions(connection, clock=SystemClock())


def measure(size: Size) -> Iterator[Measurement]:
    servers, days = _SERVERS[size], _DAYS[size]
    with EmbeddedPostgres.temporary() as server:
        long = fill(server, servers=servers, days=days, database="long")
        now, before = bytes_of_an_event(long)
        yield Measurement(
            claim="an event with its indexes",
            unit="bytes/row",
            ours=now,
            baseline=f"the table of {BASELINE_NAME}",
            baseline_value=before,
            target=180,
            direction="at most",
            judged="ours",
            note=f"{servers} servers, {days} days",
        )
        short = fill(server, servers=servers, days=_WEEK, database="short")
        costs = in_turns(
            {"long": partial(derive_again, long), "short": partial(derive_again, short)},
            rounds=_ROUNDS,
            meter=CpuMeter([postmaster_pid(server)]),
        )
    yield Measurement(
        claim="sessions derived after a live log has grown",
        unit="CPU-s",
        ours=median(costs["long"]) / _DERIVATIONS,
        baseline=f"the same with {_WEEK} days",
        baseline_value=median(costs["short"]) / _DERIVATIONS,
        ratio=median_ratio(of=costs["long"], to=costs["short"]),
        target=1.2,
        direction="at most",
        note=f"{servers} servers, {days} days",
    )

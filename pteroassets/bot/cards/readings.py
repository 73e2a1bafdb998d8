"""What the warehouse knows of each server now: one query for all cards, whatever their number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pteroassets.warehouse.connection import Connection

#: Samples that a card shows one by one.
SHORT_SAMPLES: Final = 6
_LOOK_BACK = timedelta(days=2)
_NETWORK_DAYS: Final = 7
_MISSED_PASSES: Final = 3
_SLACK = timedelta(minutes=1)
_NEEDED: Final = (
    "marts.dim_servers",
    "marts.fct_utilization_hourly",
    "marts.fct_player_sessions",
    "marts.fct_network_sessions",
    "staging.stg_pterodactyl__utilization_samples",
    "intermediate.int_minecraft__known_logs",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one server consumed at one moment; figures that were not measured are None.

    Memory and disk are in mebibytes, traffic in bytes since the container started, processor use in percent of a core.
    """

    pass_at: datetime
    sampled_at: datetime
    interval_seconds: int
    group: str
    outcome: str
    state: str | None = None
    reason: str | None = None
    cpu_percent: float | None = None
    memory_mebibytes: float | None = None
    disk_mebibytes: float | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    uptime_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a server does; *since* and *reason* are given where that is not known, *since* None where it never was."""

    name: str
    since: datetime | None = None
    reason: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the newest sample says it."""
        return self.name != "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Players:
    """Players online by the log as of a time, or for another *reason*; *count* is None where that is why not."""

    count: int | None
    as_of: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One server as the warehouse knows it; limits are None where there are none. *samples* ascend in time."""

    server_uuid: UUID
    name: str
    egg: str | None = None
    node: str | None = None
    is_active: bool = True
    is_proxy: bool = False
    memory_limit_mebibytes: float | None = None
    disk_limit_mebibytes: float | None = None
    cpu_limit_percent: float | None = None
    samples: tuple[Sample, ...] = ()
    last_known_at: datetime | None = None
    open_sessions: int = 0
    logs_known_until: datetime | None = None

    @property
    def newest(self) -> Sample | None:
        """The newest sample."""
        return self.samples[-1] if self.samples else None

    @property
    def measured(self) -> Sample | None:
        """The newest sample if it measured something."""
        return self.newest if self.newest is not None and self.newest.group == "measured" else None

    @property
    def memory_ratio(self) -> float | None:
        """Memory in use of the limit; None without either."""
        if self.measured is None or self.measured.memory_mebibytes is None or not self.memory_limit_mebibytes:
            return None
        return self.measured.memory_mebibytes / self.memory_limit_mebibytes

    def state(self, now: datetime) -> State:
        """Return what the server does at *now*, or since when and why that is not known. Never offline for unknown."""
        newest = self.newest
        if not self.is_active:
            return State(name="gone", reason="the panel lists it no more")
        if newest is None:
            return State(name="unknown", since=self.last_known_at, reason="no sample of it was taken lately")
        late = _MISSED_PASSES * timedelta(seconds=newest.interval_seconds) + _SLACK
        if now - newest.pass_at > late:
            return State(name="unknown", since=newest.sampled_at, reason="no sample was taken since")
        if newest.group == "failed":
            known = [sample.sampled_at for sample in self.samples if sample.group != "failed"]
            since = known[-1] if known else self.last_known_at
            return State(name="unknown", since=since, reason=newest.reason or newest.outcome.replace("_", " "))
        if newest.group == "gated":
            return State(name=newest.outcome)
        return State(name=newest.state or newest.outcome)

    def rates(self) -> tuple[float | None, float | None]:
        """Return bytes a second received and sent between the last two samples; None where that is not known.

        As in the mart fct_utilization_hourly: counters begin at nothing when a container starts, and what lies further
        apart than two intervals is not counted.
        """
        last = self.measured
        if last is None or last.rx_bytes is None or last.tx_bytes is None:
            return None, None
        before = next((sample for sample in reversed(self.samples[:-1]) if sample.group == "measured"), None)
        uptime = last.uptime_seconds or 0.0
        has_restarted = (
            before is None or uptime < (before.uptime_seconds or 0.0) or last.rx_bytes < (before.rx_bytes or 0)
        )
        if has_restarted or before is None:
            base, seconds = (0, 0), uptime
        else:
            base = (before.rx_bytes or 0, before.tx_bytes or 0)
            seconds = (last.sampled_at - before.sampled_at).total_seconds()
        if not 0 < seconds <= 2 * last.interval_seconds:
            return None, None
        return (last.rx_bytes - base[0]) / seconds, (last.tx_bytes - base[1]) / seconds

    def players(self, now: datetime, *, log_lag: timedelta) -> Players:
        """Return who is online by the log, unless it was last read more than *log_lag* ago."""
        state, until = self.state(now), self.logs_known_until
        if state.name == "offline" and self.newest is not None:
            return Players(count=0, reason="it is off")
        if until is None:
            return Players(count=None, reason="no log of it is read")
        if now - until > log_lag:
            return Players(count=None, as_of=until, reason="its log was not read since")
        return Players(count=self.open_sessions, as_of=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """An hour of a server: means while it ran, None where nothing was measured."""

    hour_at: datetime
    cpu_percent: float | None
    cpu_percent_max: float | None
    memory_mebibytes: float | None
    memory_mebibytes_max: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The servers behind a proxy, by the stays of the last week, and the stays that are open."""

    proxy_uuid: UUID
    servers: frozenset[UUID]
    open_stays: int


def missing_models(connection: Connection) -> list[str]:
    """Return the models that cards need and that are not built yet."""
    rows = connection.execute(
        "select name from unnest(%s::text[]) as name where to_regclass(name) is null", ([*_NEEDED],)
    )
    return [name for (name,) in rows]


def newest_pass(connection: Connection) -> datetime | None:
    """Return when samples were landed last, by which it is known whether there is anything new to show."""
    row = connection.execute("select max(_loaded_at) from raw_pterodactyl.sample_passes").fetchone()
    return row[0] if row else None


_READINGS: Final = """
with passes as (
    select distinct pass_at
    from ops.sampling_passes
    where pass_at <= %(now)s and pass_at > %(now)s - interval '1 day'
    order by pass_at desc
    limit %(passes)s
),

reach as (
    select min(pass_at) as first_at from passes
),

recent as (
    select
        samples.server_uuid,
        jsonb_agg(
            jsonb_build_array(
                samples.pass_at, samples.sampled_at, samples.interval_seconds, samples.outcome_group, samples.outcome,
                samples.state, samples.reason, samples.cpu_percent, samples.memory_mebibytes, samples.disk_mebibytes,
                samples.network_rx_bytes, samples.network_tx_bytes, samples.uptime_seconds
            ) order by samples.pass_at
        ) as samples
    from staging.stg_pterodactyl__utilization_samples as samples
    where
        samples.pass_at >= (select reach.first_at from reach)
        and samples._pass_at >= (select reach.first_at from reach)
        and samples.pass_at <= %(now)s
        and (%(servers)s::uuid[] is null or samples.server_uuid = any(%(servers)s::uuid[]))
    group by samples.server_uuid
),

open_sessions as (
    select server_uuid, count(*) as sessions
    from marts.fct_player_sessions
    where is_open
    group by server_uuid
)

select
    servers.server_uuid,
    servers.server_name,
    servers.egg_name,
    servers.node_name,
    servers.is_active,
    coalesce(software.is_proxy, false),
    servers.memory_limit_mebibytes,
    servers.disk_limit_mebibytes,
    servers.cpu_limit_percent,
    recent.samples,
    coalesce(open_sessions.sessions, 0),
    logs.logs_known_until
from marts.dim_servers as servers
left join recent on servers.server_uuid = recent.server_uuid
left join open_sessions on servers.server_uuid = open_sessions.server_uuid
left join marts.dim_server_software as software on servers.server_uuid = software.server_uuid
left join intermediate.int_minecraft__known_logs as logs on servers.server_uuid = logs.server_uuid
where servers.server_uuid = any(%(servers)s::uuid[]) or (%(servers)s::uuid[] is null and servers.is_active)
"""


def read_servers(
    connection: Connection, now: datetime, servers: Collection[UUID] | None = None
) -> Mapping[UUID, Reading]:
    """Return the readings at *now* of *servers*, or of all that the panel lists."""
    wanted = None if servers is None else [*servers]
    rows = connection.execute(_READINGS, {"now": now, "servers": wanted, "passes": SHORT_SAMPLES + 1}).fetchall()
    readings = {row[0]: _reading(row) for row in rows}
    lost = [uuid for uuid, reading in readings.items() if _is_lost(reading)]
    if not lost:
        return readings
    for uuid, at in connection.execute(
        """
        select server_uuid, max(sampled_at) from staging.stg_pterodactyl__utilization_samples
        where
            pass_at > %(from)s and _pass_at > %(from)s
            and server_uuid = any(%(servers)s)
            and outcome_group <> 'failed'
        group by server_uuid
        """,
        {"from": now - _LOOK_BACK, "servers": lost},
    ):
        readings[uuid] = replace(readings[uuid], last_known_at=at)
    return readings


def _is_lost(reading: Reading) -> bool:
    return reading.is_active and all(sample.group == "failed" for sample in reading.samples)


def _reading(row: Sequence[Any]) -> Reading:
    uuid, name, egg, node, is_active, is_proxy, memory, disk, cpu, samples, sessions, logs_until = row
    return Reading(
        server_uuid=uuid,
        name=name,
        egg=egg,
        node=node,
        is_active=is_active,
        is_proxy=is_proxy,
        memory_limit_mebibytes=memory,
        disk_limit_mebibytes=disk,
        cpu_limit_percent=cpu,
        samples=tuple(_sample(one) for one in samples or ()),
        open_sessions=sessions,
        logs_known_until=logs_until,
    )


def _sample(row: Sequence[Any]) -> Sample:
    pass_at, sampled_at, interval, group, outcome, state, reason, cpu, memory, disk, rx, tx, uptime = row
    return Sample(
        pass_at=datetime.fromisoformat(pass_at),
        sampled_at=datetime.fromisoformat(sampled_at),
        interval_seconds=interval,
        group=group,
        outcome=outcome,
        state=state,
        reason=reason,
        cpu_percent=cpu,
        memory_mebibytes=memory,
        disk_mebibytes=disk,
        rx_bytes=rx,
        tx_bytes=tx,
        uptime_seconds=uptime,
    )


def read_hours(connection: Connection, now: datetime, servers: Collection[UUID]) -> dict[UUID, list[Hour]]:
    """Return the last 24 hours of each of *servers* that are known, oldest first."""
    found: dict[UUID, list[Hour]] = {}
    for uuid, *figures in connection.execute(
        """
        select
            server_uuid, hour_at, cpu_percent_mean, cpu_percent_max, memory_mebibytes_mean, memory_mebibytes_max
        from marts.fct_utilization_hourly
        where server_uuid = any(%s) and hour_at > %s and hour_at <= %s
        order by server_uuid, hour_at
        """,
        ([*servers], now - timedelta(hours=24), now),
    ):
        hour_at, cpu, cpu_max, memory, memory_max = figures
        found.setdefault(uuid, []).append(
            Hour(
                hour_at=hour_at,
                cpu_percent=cpu,
                cpu_percent_max=cpu_max,
                memory_mebibytes=memory,
                memory_mebibytes_max=memory_max,
            )
        )
    return found


def read_networks(connection: Connection, now: datetime) -> Mapping[UUID, Network]:
    """Return each network of which somebody was a player in the last week, by its proxy."""
    rows = connection.execute(
        """
        select
            stays.proxy_server_uuid,
            array_remove(array_agg(distinct sessions.server_uuid), stays.proxy_server_uuid),
            count(distinct stays.network_session_id) filter (where stays.is_open)
        from marts.fct_network_sessions as stays
        inner join marts.fct_player_sessions as sessions on stays.network_session_id = sessions.network_session_id
        where stays.proxy_server_uuid is not null and (stays.is_open or stays.counted_until > %s)
        group by stays.proxy_server_uuid
        """,
        (now - timedelta(days=_NETWORK_DAYS),),
    )
    return {
        proxy: Network(proxy_uuid=proxy, servers=frozenset(servers), open_stays=open_stays)
        for proxy, servers, open_stays in rows
    }


def players_of_host(connection: Connection) -> int:
    """Return how many players are on the host by the logs, each counted once."""
    row = connection.execute(
        "select count(distinct player_id) from marts.fct_network_sessions where is_open"
    ).fetchone()
    return int(row[0]) if row else 0

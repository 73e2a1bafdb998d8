"""What is judged once an hour or once a day: growing disks, unusual hours, and backups against play.

Each is a query or two over the whole span. Backups are judged at noon UTC, when the lists of the night were read.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from pteroassets.alarms.incidents.model import BackupState, DiskTrend, HourOfWeek, Readings
from pteroassets.alarms.incidents.terms import Terms
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.samples import SAMPLES

_LEAST_HOURS: Final = 6
"""Hours of which a disk must be known before its growth is judged."""
_WEEKS: Final = 8
"""Weeks before an hour that tell what is usual in it."""
_KNOWN_AFTER: Final = timedelta(hours=1)
"""After its end an hour is whole: the pass over logs that shows its last players was made, and models were built."""
_PLAY_LOOKS_BACK: Final = timedelta(days=31)
_HOUR: Final = timedelta(hours=1)
_NOON: Final = 12


def hourly(
    connection: Connection, terms: Terms, since: datetime, until: datetime, known_at: datetime | None
) -> Iterator[Readings]:
    """Yield at each full hour in (*since*, *until*] how disks grow, and how usual the hour before the last was."""
    instants = [*_steps(since, until)]
    if not instants:
        return
    disks = _disks(connection, terms, instants)
    hours = _hours_of_week(connection, terms, instants)
    for at in instants:
        yield Readings(at=at, known_at=known_at, hours_at=at, disks=disks.get(at, []), hours=hours.get(at, []))


def _steps(since: datetime, until: datetime) -> Iterator[datetime]:
    at = since.replace(minute=0, second=0, microsecond=0) + _HOUR
    while at <= until:
        yield at
        at += _HOUR


def _disks(connection: Connection, terms: Terms, instants: list[datetime]) -> dict[datetime, list[DiskTrend]]:
    """Return by hour how much disks hold, and how they grew in the day before, by the last pass of each hour."""
    rows = connection.execute(
        f"""
        with passes as (
            select date_trunc('hour', pass_at) + interval '1 hour' as hour, max(pass_at) as pass_at
            from ops.sampling_passes
            where pass_at >= %(from)s and pass_at < %(until)s
            group by 1
        ),
        points as (
            select passes.hour, samples.server_uuid, samples.disk_bytes
            from passes
            inner join {SAMPLES} as samples
                on samples.pass_at = passes.pass_at and samples._pass_at = passes.pass_at
            where samples.disk_bytes is not null
        ),
        grown as (
            select
                hour,
                server_uuid::text,
                disk_bytes,
                regr_slope(disk_bytes, extract(epoch from hour) / 3600) over day as slope,
                count(*) over day as hours
            from points
            window day as (
                partition by server_uuid order by hour range between interval '23 hours' preceding and current row
            )
        )
        select * from grown where hour >= %(first)s order by hour, server_uuid
        """,
        {"first": instants[0], "from": instants[0] - timedelta(hours=24), "until": instants[-1]},
    ).fetchall()
    found: dict[datetime, list[DiskTrend]] = defaultdict(list)
    for hour, server_uuid, used, slope, hours in rows:
        is_known = hours >= _LEAST_HOURS and slope is not None
        found[hour].append(
            DiskTrend(
                server=terms.at(server_uuid, hour),
                at=hour,
                used_bytes=used,
                bytes_an_hour=float(slope) if is_known else None,
                reason=None if is_known else f"its disk is known of {hours} hours of the last day",
            )
        )
    return found


def _hours_of_week(connection: Connection, terms: Terms, instants: list[datetime]) -> dict[datetime, list[HourOfWeek]]:
    """Return by instant the hour that became whole then, beside that hour of earlier weeks on the server's clock."""
    marts = connection.execute(
        "select to_regclass('marts.fct_utilization_hourly') is not null and to_regclass('marts.fct_players_hourly') "
        "is not null"
    ).fetchone()
    if marts != (True,):
        return {}  # nothing was modelled yet
    known = connection.execute("select server_uuid::text, timezone from ops.server_timezones").fetchall()
    zones: dict[str, str] = dict(known)
    judged = [at - _KNOWN_AFTER - _HOUR for at in instants]
    # clocks may have changed in between, by an hour
    around = {
        hour - timedelta(weeks=week) + shift
        for hour in judged
        for week in range(_WEEKS + 1)
        for shift in (-_HOUR, timedelta(), _HOUR)
    }
    rows = connection.execute(
        """
        select hour_at, server_uuid::text, 'cpu_percent', cpu_percent_mean
        from marts.fct_utilization_hourly where hour_at = any(%(hours)s) and cpu_percent_mean is not null
        union all
        select hour_at, server_uuid::text, 'players', peak_concurrent_players
        from marts.fct_players_hourly where hour_at = any(%(hours)s) and peak_concurrent_players is not null
        """,
        {"hours": [*around]},
    ).fetchall()
    values: dict[tuple[str, Any], dict[datetime, float]] = defaultdict(dict)
    for hour, server_uuid, measure, value in rows:
        values[server_uuid, measure][hour] = float(value)
    found: dict[datetime, list[HourOfWeek]] = defaultdict(list)
    for (server_uuid, measure), by_hour in sorted(values.items()):
        zone = ZoneInfo(zones.get(server_uuid, "UTC"))
        for hour in judged:
            if hour in by_hour:
                before = [by_hour[same] for same in _same_hours(hour, zone) if same in by_hour]
                median = statistics.median(before) if before else None
                found[hour + _HOUR + _KNOWN_AFTER].append(
                    HourOfWeek(
                        server=terms.at(server_uuid, hour),
                        hour=hour,
                        measure=measure,
                        value=by_hour[hour],
                        weeks=len(before),
                        median=median,
                        deviation=None
                        if median is None
                        else statistics.median(abs(value - median) for value in before),
                        reason=None if before else "no earlier week is known",
                    )
                )
    return found


def _same_hours(hour: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the same hour of the clock of *zone* in each of the weeks before."""
    clock = hour.astimezone(zone).replace(tzinfo=None)
    for week in range(1, _WEEKS + 1):
        yield (clock - timedelta(weeks=week)).replace(tzinfo=zone).astimezone(UTC)


def daily(
    connection: Connection, terms: Terms, since: datetime, until: datetime, known_at: datetime | None
) -> Iterator[Readings]:
    """Yield at each noon in (*since*, *until*] how old backups are against play since, where both are known.

    A server without a limit for backups, or with one of none, is left out: nobody could make one there.
    """
    noons = [at for at in _steps(since, until) if at.hour == _NOON]
    if not noons:
        return
    servers = connection.execute(
        """
        select reads.server_uuid::text, exists (
            select from raw_minecraft.log_files as files where files.server_uuid = reads.server_uuid
        )
        from raw_pterodactyl.list_reads as reads
        inner join raw_pterodactyl.servers as servers on servers.uuid = reads.server_uuid and servers.valid_to is null
        where reads.list_name = 'backups' and reads.read_at is not null
            and (servers.record #>> '{feature_limits,backups}')::integer > 0
        order by 1
        """
    ).fetchall()
    backups = connection.execute(
        """
        select split_part(scope, ':', 2), (record ->> 'created_at')::timestamptz, deleted_at
        from raw_pterodactyl.backups
        where valid_to is null and (record ->> 'is_successful')::boolean and record ->> 'completed_at' is not null
        order by 1, 2
        """
    ).fetchall()
    sessions = connection.execute(
        """
        select server_uuid::text, joined_at, coalesce(left_at, left_at_lower, last_seen_at, joined_at)
        from derived_minecraft.player_sessions
        where joined_at > %s and joined_at <= %s and not is_proxy
        order by 1
        """,
        (noons[0] - _PLAY_LOOKS_BACK, until),
    ).fetchall()
    good = {server: [*rows] for server, rows in groupby(backups, key=lambda row: row[0])}
    stays = {server: [*rows] for server, rows in groupby(sessions, key=lambda row: row[0])}
    for at in noons:
        states = []
        for server_uuid, has_log in servers:
            made = (
                begun
                for _, begun, gone_at in good.get(server_uuid, ())
                if begun <= at and (gone_at is None or at < gone_at)
            )
            newest = max(made, default=None)
            states.append(
                BackupState(
                    server=terms.at(server_uuid, at),
                    at=at,
                    newest_good_at=newest,
                    hours_played=_hours(stays.get(server_uuid, ()), newest, at) if has_log else None,
                    reason=None if has_log else "its log is not read",
                )
            )
        yield Readings(at=at, known_at=known_at, day_at=at, backups=states)


def _hours(stays: Iterable[tuple[Any, ...]], since: datetime | None, until: datetime) -> float:
    """Return the hours of all stays together between *since* and *until*, as far as play is looked back to."""
    begin = since or until - _PLAY_LOOKS_BACK
    lengths = (min(left, until) - max(joined, begin) for _, joined, left in stays)
    return sum(max(float(length.total_seconds()), 0.0) for length in lengths) / 3600

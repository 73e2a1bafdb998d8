"""Read from the warehouse what became known, instant by instant, for the passes and for a replay.

Each part is read for the whole span by one query, in the order of time; the parts are then put together.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from pteroassets.alarms.incidents import slow_reading
from pteroassets.alarms.incidents.model import Crash, PassState, Readings, Sample
from pteroassets.alarms.incidents.terms import Terms, read_terms
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.samples import SAMPLES

#: What a load says that is followed by another one of the same pass.
_GOES_ON: Final = '[{"reason": "part of a pass that went on"}]'
_CRASHES_LOOK_BACK: Final = timedelta(days=1)
_LIVE_WITHIN: Final = "1 hour"
"""A load that Postgres took in later than this after its reading is one of a back-fill, and nobody was late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What to read.

    Attributes:
        since: Samples of passes after this.
        loads_since: Loads of passes after this.
        loads_seen: The newest load of each pass that was judged, by the pass' name; each has its own rhythm, so what is
            new of a fast one is not what is new of a slow one. A pass without one is read after *loads_since*.
        logs_since: Ends of runs, if logs were read after this.
        hours_since: Disks and usual use at full hours after this.
        days_since: Backups at noons after this.
        until: Up to this.
        now: When all of it became known; None in a replay, where each instant is known at its time.
        logs_every: The time between two passes over logs, at which a replay takes the ends of runs as known.
        late_after: How old the newest load of each pass may get, by the table whose load ends the pass.
    """

    since: datetime
    loads_since: datetime
    logs_since: datetime
    hours_since: datetime
    days_since: datetime
    until: datetime
    now: datetime | None = None
    logs_every: timedelta = timedelta(minutes=15)
    late_after: Mapping[str, tuple[str, timedelta]] = field(default_factory=dict)
    loads_seen: Mapping[str, datetime] = field(default_factory=dict)


def read(connection: Connection, span: Span) -> Iterator[Readings]:
    """Yield what became known in *span*, in the order of time, each instant once."""
    terms = read_terms(connection, span.since)
    parts = [
        _samples(connection, terms, span),
        _crashes(connection, terms, span),
        _passes(connection, span),
        slow_reading.hourly(connection, terms, span.hours_since, span.until, span.now),
        slow_reading.daily(connection, terms, span.days_since, span.until, span.now),
    ]
    merged = heapq.merge(*parts, key=attrgetter("at"))
    for _, of_instant in itertools.groupby(merged, key=attrgetter("at")):
        yield _together([*of_instant])


def _together(parts: Sequence[Readings]) -> Readings:
    """Return the parts of one instant as one."""

    def first(name: str) -> Any:
        return next((value for part in parts if (value := getattr(part, name)) is not None), None)

    names = (
        "pass_at",
        "known_at",
        "logs_at",
        "hours_at",
        "day_at",
        "samples",
        "crashes",
        "passes",
        "disks",
        "backups",
        "hours",
    )
    return parts[0] if len(parts) == 1 else Readings(at=parts[0].at, **{name: first(name) for name in names})


def _samples(connection: Connection, terms: Terms, span: Span) -> Iterator[Readings]:
    """Yield each pass that is over: one that is spread over minutes lands in parts."""
    with connection.cursor() as cursor:
        rows = cursor.execute(
            f"""
            select
                pass_at, server_uuid::text, node_name, outcome, sampled_at, state, is_suspect, cpu_percent,
                memory_bytes, disk_bytes, uptime_milliseconds
            from {SAMPLES}
            where pass_at > %(since)s and _pass_at > %(since)s and pass_at <= %(until)s and _pass_at <= %(until)s
                and pass_at <= (
                    select max(observed_at) from ops.loads
                    where table_name = %(table)s and not problems @> %(goes_on)s
                )
            order by pass_at, server_uuid
            """,
            {"since": span.since, "until": span.until, "table": SAMPLES, "goes_on": _GOES_ON},
        )
        for pass_at, of_pass in itertools.groupby(rows, key=lambda row: row[0]):
            samples = [_sample(terms, row) for row in of_pass]
            yield Readings(
                at=max(*(sample.sampled_at for sample in samples), pass_at),
                pass_at=pass_at,
                known_at=span.now,
                samples=samples,
            )


def _sample(terms: Terms, row: Sequence[Any]) -> Sample:
    pass_at, server_uuid, node, outcome, sampled_at, state, is_suspect, cpu, memory, disk, uptime = row
    server = terms.at(server_uuid, pass_at)
    return Sample(
        # the list of servers that the pass read is newer than the record
        server=server if node in {None, server.node_name} else dataclasses.replace(server, node_name=node),
        node_name=node,
        outcome=outcome,
        sampled_at=sampled_at,
        state=state,
        # a node that lost a container's statistics did not measure them
        cpu_percent=None if is_suspect else cpu,
        memory_bytes=None if is_suspect else memory,
        disk_bytes=disk,
        uptime_seconds=None if uptime is None else uptime / 1000,
    )


def _crashes(connection: Connection, terms: Terms, span: Span) -> Iterator[Readings]:
    """Yield the crashes as the passes over logs make them known.

    A process that a person killed by the panel did not crash, where the panel's activity was read that far.
    """
    logs_at = _newest_logs(connection, span)
    if logs_at is None:
        return
    since = span.since - span.logs_every if span.now is None else span.now - _CRASHES_LOOK_BACK
    rows = connection.execute(
        """
        select
            runs.server_uuid::text,
            coalesce(runs.ended_at, runs.ended_at_lower, runs.ended_at_upper),
            coalesce(runs.ended_at, runs.ended_at_upper, runs.ended_at_lower) as latest,
            runs.crash_cause,
            following.started_at
        from derived_minecraft.server_runs as runs
        left join lateral (
            select min(later.started_at) as started_at
            from derived_minecraft.server_runs as later
            where later.server_uuid = runs.server_uuid
                and later.started_at >= coalesce(runs.ended_at, runs.ended_at_upper, runs.ended_at_lower)
        ) as following on true
        where runs.end_reason = 'crashed'
            and coalesce(runs.ended_at, runs.ended_at_upper, runs.ended_at_lower) > %(since)s
            and coalesce(runs.ended_at, runs.ended_at_upper, runs.ended_at_lower) <= %(until)s
            and not (
                runs.crash_cause is null
                and exists (
                    select from raw_pterodactyl.activity as acts
                    where acts.server_uuid = runs.server_uuid
                        and acts.event = 'server:power.kill'
                        and acts.occurred_at between
                            coalesce(runs.ended_at, runs.ended_at_lower) - interval '5 minutes'
                            and coalesce(runs.ended_at, runs.ended_at_upper) + interval '10 seconds'
                )
            )
        order by latest
        """,
        {"since": since, "until": span.until},
    ).fetchall()
    found: dict[datetime, list[Crash]] = defaultdict(list)
    for server_uuid, earliest, latest, cause, back_at in rows:
        server = terms.at(server_uuid, latest)
        for known_at in {_known_at(span, latest), _known_at(span, back_at or latest)}:
            seen = back_at if back_at is not None and back_at <= known_at else None
            found[known_at].append(Crash(server=server, earliest=earliest, latest=latest, cause=cause, back_at=seen))
    if span.now is not None:
        yield Readings(at=span.now, logs_at=logs_at, crashes=found.get(span.now, []))
        return
    at = _known_at(span, span.since)
    while at <= span.until:
        yield Readings(at=at, crashes=found.get(at, []))
        at += span.logs_every


def _known_at(span: Span, at: datetime) -> datetime:
    """Return when the pass over logs that shows what happened at *at* is over."""
    if span.now is not None:
        return span.now
    every = span.logs_every.total_seconds()
    return datetime.fromtimestamp(-(-at.timestamp() // every) * every, UTC)


def _newest_logs(connection: Connection, span: Span) -> datetime | None:
    """Return when logs were last read, if that was after what the span begins with; in a replay its end."""
    if span.now is None:
        return span.until
    row = connection.execute(
        """
        select max(observed_at) from ops.loads
        where table_name = 'derived_minecraft.server_runs' and observed_at > %s
        """,
        (span.logs_since,),
    ).fetchone()
    return None if row is None else row[0]


def _passes(connection: Connection, span: Span) -> Iterator[Readings]:
    """Yield each load that ends a pass, and when the next one was due."""
    names = {table: name for table, (name, _) in span.late_after.items()}
    rows = connection.execute(
        """
        select
            table_name, observed_at, is_complete, problems -> 0,
            array(
                select distinct substr(problem ->> 'scope', 6) from jsonb_array_elements(problems) as problem
                where (
                    select bool_and(one ->> 'scope' like 'node %%') from jsonb_array_elements(problems) as one
                )
            )
        from ops.loads
        where table_name = any(%(tables)s) and observed_at <= %(until)s and not problems @> %(goes_on)s
            and _loaded_at - observed_at < %(live)s::interval
            and observed_at >= coalesce(
                (
                    select max(before.observed_at) from ops.loads as before
                    where before.table_name = loads.table_name and before.observed_at <= %(since)s
                ),
                %(since)s
            )
        order by observed_at, load_number
        """,
        {
            "tables": [*span.late_after],
            "since": span.loads_since,
            "until": span.until,
            "goes_on": _GOES_ON,
            "live": _LIVE_WITHIN,
        },
    ).fetchall()
    states: dict[str, list[PassState]] = defaultdict(list)
    for table, observed_at, is_complete, problem, nodes in rows:
        states[table].append(
            PassState(
                name=names[table],
                newest_at=observed_at,
                late_from=observed_at + span.late_after[table][1],
                is_complete=is_complete,
                problem=None if problem is None else f"{problem['scope']}: {problem['reason']}".removeprefix(": "),
                nodes=frozenset(nodes),
            )
        )
    instants: dict[datetime, list[PassState]] = defaultdict(list)
    for of_table in states.values():
        seen = span.loads_seen.get(of_table[0].name, span.loads_since)
        for state, following in itertools.zip_longest(of_table, of_table[1:]):
            if state.newest_at > seen:
                instants[state.newest_at].append(state)
            until = span.until if following is None else following.newest_at
            if seen < state.late_from < until:
                instants[state.late_from].append(state)
    if span.now is not None:
        newest = [of_table[-1] for of_table in states.values()]
        instants = {at: found for at, found in instants.items() if at < span.now}
        instants[span.now] = newest
    for at, found in sorted(instants.items()):
        yield Readings(at=at, known_at=span.now, passes=found)

"""Sampling: what every server consumes, as often as the plan says.

Path of a run::

    client?type=admin-all --list_servers--> servers --plan_sampling--> path and interval
    servers --PanelReader or NodeReader--> samples --land_samples--> one load, or one a minute of a long pass

A scheduled run makes one pass, or several where the interval is shorter than the schedule's, which costs less than a
run for each. The plan is a pure function of what is known, counted in requests a minute, since that is what a panel
announces; a node has no such limit.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Literal

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import BROKE_OFF, GOES_ON
from pteroassets.settings import PresetName, Settings
from pteroassets.sources.outcomes import UNANSWERED
from pteroassets.sources.pterodactyl.client import PAGE_SIZE, PanelClient, list_servers
from pteroassets.sources.pterodactyl.node_utilization import NodeReader
from pteroassets.sources.pterodactyl.utilization import (
    STEP_SECONDS,
    PanelReader,
    SamplingPass,
    UtilizationReader,
    UtilizationSample,
    sample_servers,
)
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import KnownAnswers, LoadReport, put_samples, record_load
from pteroassets.warehouse.samples import SAMPLE_COLUMNS, SAMPLES

TABLE = SAMPLES
_row_of = attrgetter(*SAMPLE_COLUMNS)
# how much of a long pass a kill may cost
_PART_SECONDS = 60.0
#: How often log files are looked at, which costs a list and a file for each server.
LOGS_EVERY: Final[dict[PresetName, timedelta]] = {"fresh": timedelta(minutes=15), "stiv": timedelta(days=1)}
#: The panel keeps an answer for 20 s: at a shorter interval most samples would repeat the one before.
LEAST_INTERVAL_SECONDS = 20
#: Of the interval: a pass is spread over so much of it, and has landed before the next one begins.
SPREAD_SHARE = 0.8
# of what may be used: a pass that needs no more is sent at once, since others hardly notice it
_BURST_SHARE = 0.25
# of what may be used: other passes can ask for no more than this, and wait for what they lack
_OTHERS_AT_MOST = 0.5

Path = Literal["panel", "nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan is made from.

    Attributes:
        servers: That exist.
        nodes: They run on.
        node_access: Whether the nodes themselves may be asked.
        client_limit: Requests a minute to the client API, as announced; None if unknown.
        application_limit: The same of the application API, which gives the nodes' tokens.
        share: Of the limits that may be used.
        others_per_minute: Requests to the client API that other passes need.
        wanted_seconds: The interval that the operator wants.
        schedule_seconds: From one scheduled run to the next.
    """

    servers: int
    nodes: int
    node_access: bool
    client_limit: int | None
    application_limit: int | None
    share: float
    others_per_minute: float
    wanted_seconds: int
    schedule_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """How samples are taken.

    Attributes:
        path: Who is asked.
        wanted_seconds: The interval that the operator wants.
        least_seconds: The shortest that the limits allow, before it is fitted into the schedule; None if unknown.
        interval_seconds: The interval that is kept.
        requests: To the panel's client API, in one pass.
        allowed_per_minute: Of those, after the other passes' needs; None if the limit is unknown.
        spread_seconds: Over which the requests of a pass are spread; 0: all at once.
        free_requests: That are sent at once even so.
        why: One paragraph for people.
    """

    path: Path
    wanted_seconds: int
    least_seconds: float | None
    interval_seconds: int
    requests: int
    allowed_per_minute: float | None
    spread_seconds: float
    free_requests: int
    why: str

    @property
    def is_as_wanted(self) -> bool:
        """Whether samples come as often as the operator wants."""
        return self.interval_seconds <= self.wanted_seconds


def plan_sampling(found: Circumstances) -> SamplingPlan:
    """Return the path and the interval: the wanted one or else the next longer one that the limits allow.

    A run samples several times if the interval is shorter than the schedule's, so it divides that; a longer one is a
    multiple of it.
    """
    path: Path = "nodes" if found.node_access else "panel"
    pages = max(math.ceil(found.servers / PAGE_SIZE), 1)
    requests = pages + (0 if path == "nodes" else found.servers)
    allowed = others = None
    needs: list[float] = [LEAST_INTERVAL_SECONDS]
    if found.client_limit is not None:
        usable = found.client_limit * found.share
        others = min(found.others_per_minute, usable * _OTHERS_AT_MOST)
        allowed = usable - others
        needs.append(requests * 60 / allowed)
    if path == "nodes" and found.application_limit is not None:
        # tokens are read once a run, which lasts for a schedule's interval or longer
        tokens = found.nodes + math.ceil(found.nodes / PAGE_SIZE)
        seconds = tokens * 60 / (found.application_limit * found.share)
        needs += [seconds] if seconds > found.schedule_seconds else []
    is_known = found.client_limit is not None
    least = max(needs) if is_known else None
    interval = _fitted(max(found.wanted_seconds, math.ceil(least or 0), LEAST_INTERVAL_SECONDS), found.schedule_seconds)
    free = 0 if found.client_limit is None else int(found.client_limit * found.share * _BURST_SHARE)
    is_spread = is_known and path == "panel" and requests > free
    return SamplingPlan(
        path=path,
        wanted_seconds=found.wanted_seconds,
        least_seconds=least,
        interval_seconds=interval,
        requests=requests,
        allowed_per_minute=allowed,
        spread_seconds=interval * SPREAD_SHARE if is_spread else 0.0,
        free_requests=free,
        why=_why(found, path, requests, allowed, others, least, interval),
    )


def _fitted(seconds: int, schedule: int) -> int:
    """Return the shortest interval of *seconds* or more that divides *schedule*, or is a multiple of it."""
    if seconds >= schedule:
        return math.ceil(seconds / schedule) * schedule
    steps = range(STEP_SECONDS, schedule + 1, STEP_SECONDS)
    return next((step for step in steps if step >= seconds and schedule % step == 0), schedule)


def _why(
    found: Circumstances,
    path: Path,
    requests: int,
    allowed: float | None,
    others: float | None,
    least: float | None,
    interval: int,
) -> str:
    if path == "nodes":
        text = (
            f"Each node ({found.nodes:,}) is asked once for all of its servers, as PTEROASSETS_NODE_ACCESS allows; the "
            f"panel is asked only for its list of servers ({found.servers:,}), in {requests:,} requests a pass."
        )
    else:
        text = f"The panel is asked for each server ({found.servers:,}), in {requests:,} requests a pass with its list."
    if allowed is None or others is None or least is None:
        return (
            f"{text} The panel announces no limit, so requests go out one at a time and the interval stays at "
            f"{interval} s."
        )
    text += (
        f" It announces {found.client_limit} requests a minute, of which a share of {found.share:g} may be used; "
        f"{others:,.0f} a minute are kept for log files and {allowed:,.0f} are left for samples, so an interval of "
        f"{least:,.0f} s is the least."
    )
    if interval == found.wanted_seconds:
        return f"{text} The wanted {found.wanted_seconds} s are kept."
    if least <= found.wanted_seconds:
        return (
            f"{text} The wanted {found.wanted_seconds} s become {interval} s, so that the runs of every "
            f"{found.schedule_seconds} s hold whole passes."
        )
    remedy = (
        "Let the panel allow more requests (APP_API_CLIENT_RATELIMIT)"
        if path == "nodes"
        else "Allow node access (PTEROASSETS_NODE_ACCESS) or let the panel allow more requests "
        "(APP_API_CLIENT_RATELIMIT)"
    )
    return f"{text} The wanted {found.wanted_seconds} s are not possible: {interval} s are kept. {remedy} for less."


def circumstances(
    settings: Settings,
    *,
    servers: int,
    nodes: int,
    client_limit: int | None,
    application_limit: int | None,
    schedule: timedelta,
) -> Circumstances:
    """Return what a plan for so many *servers* on so many *nodes* is made from."""
    seconds = int(schedule.total_seconds())
    logs = 0 if settings.pteroassets_node_access else min(2 * servers, settings.pteroassets_log_requests_per_pass)
    return Circumstances(
        servers=servers,
        nodes=nodes,
        node_access=settings.pteroassets_node_access,
        client_limit=client_limit,
        application_limit=application_limit,
        share=settings.pteroassets_request_share,
        others_per_minute=logs / (LOGS_EVERY[settings.pteroassets_schedules] / timedelta(minutes=1)),
        wanted_seconds=settings.pteroassets_sample_interval or seconds,
        schedule_seconds=seconds,
    )


def read_utilization(landing: Landing, connection: Connection, interval: timedelta) -> Iterator[LoadReport]:
    """Sample what every server consumes, once or several times until the next run, which comes after *interval*.

    Raises:
        PanelError: The list of servers could not be read.
    """
    clock = landing.clock
    begun, answers = clock.now(), KnownAnswers()
    with landing.panel() as panel:
        is_allowed = landing.settings.pteroassets_node_access
        reader: UtilizationReader = NodeReader(panel) if is_allowed else PanelReader(panel)
        while True:
            at = clock.now()
            sampler = _Sampler(
                landing=landing,
                panel=panel,
                connection=connection,
                reader=reader,
                schedule=interval,
                answers=answers,
            )
            yield from sampler.make_pass()
            kept = timedelta(seconds=sampler.interval_seconds)
            following = max(at + kept, clock.now())
            if following - begun > interval - kept + timedelta(seconds=1):
                return
            clock.sleep((following - clock.now()).total_seconds())


@dataclass(slots=True, kw_only=True)
class _Sampler:
    """One pass; one that is spread over minutes lands what it has once a minute, so that a kill costs no more."""

    landing: Landing
    panel: PanelClient
    connection: Connection
    reader: UtilizationReader
    schedule: timedelta
    answers: KnownAnswers
    interval_seconds: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pending: list[UtilizationSample] = field(default_factory=list)
    _parts: list[LoadReport] = field(default_factory=list)
    _began_at: datetime | None = None
    _part_began_at: datetime | None = None

    def make_pass(self) -> Sequence[LoadReport]:
        """Sample and land; return the loads, the one that ends the pass last."""
        self._began_at = self._part_began_at = self.landing.clock.now()
        requests_before = self.panel.requests_made
        listing = list_servers(self.panel)
        asked = [server for server in listing.servers if server.outcome is None]
        plan = plan_sampling(
            circumstances(
                self.landing.settings,
                servers=len(asked),
                nodes=len({server.node_name for server in asked}),
                client_limit=self.panel.limits.get("client"),
                application_limit=self.panel.limits.get("application"),
                schedule=self.schedule,
            )
        )
        self.interval_seconds = plan.interval_seconds
        try:
            sampling = sample_servers(
                self.panel,
                clock=self.landing.clock,
                interval_seconds=plan.interval_seconds,
                reader=self.reader,
                listing=listing,
                spread_seconds=plan.spread_seconds,
                free_requests=plan.free_requests,
                taken=self._take,
            )
        except Exception:
            self._land_part(BROKE_OFF)
            raise
        return [*self._parts, self._land_rest(sampling, plan, self.panel.requests_made - requests_before)]

    def _take(self, sample: UtilizationSample) -> None:
        with self._lock:
            self._pending.append(sample)
            since = self._part_began_at
            if since is not None and (sample.sampled_at - since).total_seconds() >= _PART_SECONDS:
                self._land_part(GOES_ON)

    def _land_part(self, why: str) -> None:
        if self._pending:
            self._parts.append(self._land(problems=[{"scope": "", "reason": why}], is_complete=False))

    def _land_rest(self, sampling: SamplingPass, plan: SamplingPlan, requests: int) -> LoadReport:
        seconds = (self.landing.clock.now() - self._start).total_seconds()
        problems = _problems(sampling)
        if seconds > plan.interval_seconds:
            problems.insert(
                0,
                {
                    "scope": "",
                    "reason": f"the pass took {seconds:.0f} s, longer than its interval of {plan.interval_seconds} s",
                },
            )
        report = self._land(
            is_complete=sampling.listing_complete and sampling.halted is None,
            rows_expected=len(self._pending) if sampling.listing_complete else None,
            requests=requests,
            seconds=seconds,
            rate_limit_remaining=sampling.rate_limit_remaining,
            problems=problems,
        )
        return dataclasses.replace(
            report,
            shown={
                "path": plan.path,
                "interval_wanted_seconds": plan.wanted_seconds,
                "interval_kept_seconds": plan.interval_seconds,
                "plan": plan.why,
            },
        )

    def _land(
        self,
        *,
        is_complete: bool,
        problems: Sequence[dict[str, str]],
        rows_expected: int | None = None,
        requests: int = 0,
        seconds: float = 0.0,
        rate_limit_remaining: int | None = None,
    ) -> LoadReport:
        samples, self._pending = sorted(self._pending, key=lambda sample: sample.server_uuid), []
        self._part_began_at = self.landing.clock.now()
        return land_samples(
            self.connection,
            [*map(_row_of, samples)],
            observed_at=self._start,
            is_complete=is_complete,
            rows_expected=rows_expected,
            requests=requests,
            seconds=seconds,
            rate_limit_remaining=rate_limit_remaining,
            problems=problems,
            answers=self.answers,
        )

    @property
    def _start(self) -> datetime:
        assert self._began_at is not None  # noqa: S101 - a pass begins before anything lands
        return self._began_at


def land_samples(
    connection: Connection,
    rows: Sequence[Sequence[Any]],
    *,
    observed_at: datetime,
    is_complete: bool = True,
    rows_expected: int | None = None,
    requests: int = 0,
    seconds: float = 0.0,
    rate_limit_remaining: int | None = None,
    problems: Sequence[dict[str, str]] = (),
    answers: KnownAnswers | None = None,
) -> LoadReport:
    """Land *rows* (in the order of `SAMPLE_COLUMNS`) in one transaction; *answers* of loads before need no look-up.

    A pass that is run again for the same time keeps what was measured and replaces samples that failed.

    Raises:
        ManyLoadsError: This pass was loaded too often.
        ValueError: A pass does not begin at a multiple of ten seconds.
    """
    load_id = uuid.uuid4()
    with connection.transaction():
        added, changed = put_samples(
            connection,
            rows,
            load_id=load_id,
            replaced=UNANSWERED,
            answers=KnownAnswers() if answers is None else answers,
        )
        report = LoadReport(
            load_id=load_id,
            table=TABLE,
            observed_at=observed_at,
            is_complete=is_complete,
            rows_read=len(rows),
            rows_expected=rows_expected,
            rows_added=added,
            rows_changed=changed,
            requests=requests,
            seconds=seconds,
            rate_limit_remaining=rate_limit_remaining,
            problems=problems,
        )
        record_load(connection, report)
    return report


def summed(reports: Sequence[LoadReport]) -> LoadReport:
    """Return the loads of a run as one, for people; the ledger has each of them.

    Raises:
        IndexError: There were none.
    """
    newest = reports[-1]
    passes = [report for report in reports if report.shown]
    problems = {(one["scope"], one["reason"]): one for report in passes for one in report.problems}
    return dataclasses.replace(
        newest,
        is_complete=all(report.is_complete for report in passes),
        rows_read=sum(report.rows_read for report in reports),
        rows_expected=None,
        rows_added=sum(report.rows_added for report in reports),
        rows_changed=sum(report.rows_changed for report in reports),
        requests=sum(report.requests for report in reports),
        seconds=sum(report.seconds for report in reports),
        problems=list(problems.values()),
        shown={"passes": len(passes), **newest.shown},
    )


def _problems(sampling: SamplingPass) -> list[dict[str, str]]:
    grouped: Counter[tuple[str, str, str]] = Counter(
        (sample.outcome, sample.node_name or "unknown node", sample.reason or sample.outcome)
        for sample in sampling.samples
        if sample.outcome in UNANSWERED
    )
    problems = [
        {"scope": f"node {node}", "reason": f"{counted(count, 'server')} {outcome}: {reason}"}
        for (outcome, node, reason), count in sorted(grouped.items())
    ]
    problems += [{"scope": f"node {node}", "reason": what} for node, what in sampling.notes]
    return [{"scope": "", "reason": sampling.problem}, *problems] if sampling.problem else problems

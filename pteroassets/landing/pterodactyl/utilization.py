"""Sampling: what every server consumes, as often as the plan says.

Path of a run::

    client?type=admin-all --list_servers--> servers --plan_sampling--> path and interval
    servers --PanelReader or NodeReader--> samples --land_samples--> one load, or one a minute of a long pass

A scheduled run makes one pass, or several where the interval is shorter than the schedule's, which costs less than a
run for each.
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
from typing import Any, Final
from urllib.parse import urlsplit

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.settings import PresetName, Settings
from pteroassets.sources.outcomes import UNANSWERED
from pteroassets.sources.pterodactyl.client import ALL_KEYS, PanelClient, list_servers
from pteroassets.sources.pterodactyl.node_utilization import NodeReader
from pteroassets.sources.pterodactyl.sampling_plan import Circumstances, SamplingPlan, plan_sampling
from pteroassets.sources.pterodactyl.utilization import (
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
            self._land_part("the pass broke off")
            raise
        return [*self._parts, self._land_rest(sampling, plan, self.panel.requests_made - requests_before)]

    def _take(self, sample: UtilizationSample) -> None:
        with self._lock:
            self._pending.append(sample)
            since = self._part_began_at
            if since is not None and (sample.sampled_at - since).total_seconds() >= _PART_SECONDS:
                self._land_part("part of a pass that went on")

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


def why_not_now(landing: Landing, connection: Connection, interval: timedelta) -> str | None:
    """Return why a run that is due by the schedule of *interval* is left out; None if it is to be made.

    The limits may allow only a longer interval than the schedule's: then its runs in between are left out, rather than
    queued behind a pass that is spread over all that time.
    """
    panel = urlsplit(str(landing.settings.pterodactyl_url)).netloc.rpartition("@")[2]
    row = connection.execute(
        """
        select
            (select announced_limit from ops.request_budgets where panel = %(panel)s and api = 'client'),
            (select count(*) from raw_pterodactyl.servers where valid_to is null),
            (select max(observed_at) from ops.loads where table_name = %(table)s)
        """,
        {"panel": panel, "table": TABLE},
    ).fetchone()
    limit, servers, newest = row or (None, 0, None)
    plan = plan_sampling(
        circumstances(
            landing.settings,
            servers=servers,
            nodes=0,
            client_limit=limit,
            application_limit=None,
            schedule=interval,
        )
    )
    kept = timedelta(seconds=plan.interval_seconds)
    # runs begin some seconds sooner or later, so half an interval tells one tick from the next
    if newest is None or kept <= interval or landing.clock.now() >= newest + kept - interval / 2:
        return None
    minutes = math.ceil(kept / timedelta(minutes=1))
    return f"samples are taken every {minutes} minutes, next at {newest + kept:%H:%M} UTC. {plan.why}"


UTILIZATION_PASS = Pass(
    name="utilization",
    description="Sample what every server consumes and rebuild what that feeds.",
    tables=(TABLE,),
    read=read_utilization,
    why_not_now=why_not_now,
    feeds="source:pterodactyl.utilization_samples+ compat_pterodactyl__last_update",
    rhythms={
        "fresh": Rhythm(
            cron="*/5 * * * *",
            every=timedelta(minutes=5),
            warn_after=timedelta(minutes=15),
            stale_after=timedelta(minutes=20),
        ),
        "stiv": Rhythm(
            cron="*/30 * * * *",
            every=timedelta(minutes=30),
            warn_after=timedelta(minutes=70),
            stale_after=timedelta(minutes=95),
        ),
    },
    needs=ALL_KEYS,
    ends_with=TABLE,
    history_step=timedelta(minutes=30),
)

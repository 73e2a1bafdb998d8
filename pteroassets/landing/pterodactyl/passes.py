"""The sampling pass as one value, and when its schedule leaves a run out."""

from __future__ import annotations

import math
from datetime import timedelta
from urllib.parse import urlsplit

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.pterodactyl.utilization import (
    TABLE,
    SamplingPlan,
    circumstances,
    plan_sampling,
    read_utilization,
)
from pteroassets.sources.pterodactyl.client import ALL_KEYS
from pteroassets.warehouse.connection import Connection


def why_not_now(landing: Landing, connection: Connection, interval: timedelta) -> str | None:
    """Return why a run that is due by the schedule of *interval* is left out; None if it is to be made.

    The limits may allow only a longer interval than the schedule's: then its runs in between are left out, rather than
    queued behind a pass that is spread over all that time.
    """
    plan = _plan(landing, connection, interval)
    (newest,) = connection.execute(
        "select max(observed_at) from ops.loads where table_name = %s", (TABLE,)
    ).fetchone() or (None,)
    kept = timedelta(seconds=plan.interval_seconds)
    # runs begin some seconds sooner or later, so half an interval tells one tick from the next
    if newest is None or kept <= interval or landing.clock.now() >= newest + kept - interval / 2:
        return None
    minutes = math.ceil(kept / timedelta(minutes=1))
    return f"samples are taken every {minutes} minutes, next at {newest + kept:%H:%M} UTC. {plan.why}"


def interval_kept(landing: Landing, connection: Connection, interval: timedelta) -> timedelta:
    """Return the time between two runs: the schedule's *interval*, or the longer one of the samples."""
    return max(interval, timedelta(seconds=_plan(landing, connection, interval).interval_seconds))


def _plan(landing: Landing, connection: Connection, interval: timedelta) -> SamplingPlan:
    """Return the plan by what earlier passes found of the panel."""
    panel = urlsplit(str(landing.settings.pterodactyl_url)).netloc.rpartition("@")[2]
    row = connection.execute(
        """
        select
            (select announced_limit from ops.request_budgets where panel = %(panel)s and api = 'client'),
            (select count(*) from raw_pterodactyl.servers where valid_to is null)
        """,
        {"panel": panel},
    ).fetchone()
    limit, servers = row or (None, 0)
    return plan_sampling(
        circumstances(
            landing.settings,
            servers=servers,
            nodes=0,
            client_limit=limit,
            application_limit=None,
            schedule=interval,
        )
    )


UTILIZATION_PASS = Pass(
    name="utilization",
    description="Sample what every server consumes and rebuild what that feeds.",
    tables=(TABLE,),
    read=read_utilization,
    why_not_now=why_not_now,
    interval_kept=interval_kept,
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

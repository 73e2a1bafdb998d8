"""A sampling pass: what every server consumes now, one row a server."""

from __future__ import annotations

from collections import Counter

from pteroassets.clock import Clock
from pteroassets.landing.pterodactyl.samples import SAMPLE_COLUMNS, land_samples
from pteroassets.sources.outcomes import UNANSWERED
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.utilization import SamplingPass, sample_servers
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport


def land_utilization(panel: PanelClient, connection: Connection, *, clock: Clock, interval_seconds: int) -> LoadReport:
    """Sample every server of the panel once and land the pass in one transaction.

    Args:
        panel: Whose servers.
        connection: To the warehouse.
        clock: Gives the sample times.
        interval_seconds: The time to the next pass: how long a sample stands for at the most.

    Raises:
        PanelError: The list of servers could not be read.
    """
    observed_at = clock.now()
    sampling = sample_servers(panel, clock=clock, interval_seconds=interval_seconds)
    return land_samples(
        connection,
        [tuple(getattr(sample, name) for name in SAMPLE_COLUMNS) for sample in sampling.samples],
        observed_at=observed_at,
        is_complete=sampling.listing_complete and sampling.halted is None,
        rows_expected=len(sampling.samples) if sampling.listing_complete else None,
        requests=sampling.requests,
        seconds=sampling.seconds,
        rate_limit_remaining=sampling.rate_limit_remaining,
        problems=_problems(sampling),
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
    return [{"scope": "", "reason": sampling.problem}, *problems] if sampling.problem else problems

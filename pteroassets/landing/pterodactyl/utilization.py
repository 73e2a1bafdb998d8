"""A sampling pass: what every server consumes now, one row for each server."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pteroassets.clock import Clock
from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.sources.outcomes import UNANSWERED
from pteroassets.sources.pterodactyl.client import ALL_KEYS, PanelClient
from pteroassets.sources.pterodactyl.node_utilization import NodeReader
from pteroassets.sources.pterodactyl.utilization import SamplingPass, sample_servers
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, lock_table_for_load, record_load, stage_rows

TABLE = "raw_pterodactyl.utilization_samples"
SAMPLE_COLUMNS = {
    "server_uuid": "uuid",
    "pass_at": "timestamptz",
    "sampled_at": "timestamptz",
    "interval_seconds": "int4",
    "node_name": "text",
    "outcome": "text",
    "state": "text",
    "cpu_percent": "float8",
    "memory_bytes": "int8",
    "disk_bytes": "int8",
    "network_rx_bytes": "int8",
    "network_tx_bytes": "int8",
    "uptime_milliseconds": "int8",
    "is_suspect": "bool",
    "reason": "text",
}


def land_utilization(
    panel: PanelClient, connection: Connection, *, clock: Clock, interval_seconds: int, node_access: bool = False
) -> LoadReport:
    """Sample every server of the panel once and land the pass in one transaction.

    Args:
        panel: Its servers are read.
        connection: To the warehouse.
        clock: Gives the sample times.
        interval_seconds: The time to the next pass: the longest time that a sample stands for.
        node_access: Ask the nodes themselves, with the tokens that the panel gives for them; if that does not work the
            panel is asked, and the load's problems say why.

    Raises:
        PanelError: The list of servers could not be read.
    """
    observed_at = clock.now()
    sampling = sample_servers(
        panel, clock=clock, interval_seconds=interval_seconds, reader=NodeReader(panel) if node_access else None
    )
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
) -> LoadReport:
    """Land *rows* (in the order of `SAMPLE_COLUMNS`) in one transaction.

    A pass that is run again for the same minute keeps what was measured and replaces samples that failed.
    """
    load_id = uuid.uuid4()
    columns = ", ".join(SAMPLE_COLUMNS)
    with connection.transaction():
        lock_table_for_load(connection, TABLE)
        stage_rows(connection, "arrived", TABLE, SAMPLE_COLUMNS, rows)
        changed = connection.execute(
            f"""
            update {TABLE} as known
            set ({columns}, _load_id) = (select {", ".join("arrived." + name for name in SAMPLE_COLUMNS)}, %(load)s),
                _loaded_at = now() -- by which incremental models find it
            from arrived
            where known.server_uuid = arrived.server_uuid and known.pass_at = arrived.pass_at
                and known.outcome = any(%(unanswered)s)
                and arrived.outcome <> all(%(unanswered)s)
            """,
            {"load": load_id, "unanswered": list(UNANSWERED)},
        ).rowcount
        added = connection.execute(
            f"insert into {TABLE} ({columns}, _load_id) select {columns}, %s from arrived on conflict do nothing",
            (load_id,),
        ).rowcount
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


def read_utilization(landing: Landing, connection: Connection, interval: timedelta) -> Iterator[LoadReport]:
    """Sample what every server consumes; a sample holds for *interval* at the most."""
    with landing.panel() as panel:
        yield land_utilization(
            panel,
            connection,
            clock=landing.clock,
            interval_seconds=int(interval.total_seconds()),
            node_access=landing.settings.pteroassets_node_access,
        )


UTILIZATION_PASS = Pass(
    name="utilization",
    description="Sample what every server consumes and rebuild what that feeds.",
    tables=(TABLE,),
    read=read_utilization,
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

"""A job for each source that keeps history: fetch all of it, by groups of servers, on one machine or on several."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg

from pteroassets.defs.distribution import executor_of
from pteroassets.defs.metadata import table_metadata
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass
from pteroassets.landing.servers import ServerGroup
from pteroassets.settings import Settings

GROUPS = 16  # more than machines, so that one that is slow or dies holds up little


def backfill_job(one: Pass, settings: Settings) -> dg.JobDefinition:
    """Return the job that fetches all history of the pass *one*."""
    begin = [_group_op(one, ServerGroup(number, GROUPS)) for number in range(GROUPS)]
    end = _end_op(one)

    @dg.job(
        name=f"{one.name}_backfill",
        description=f"Fetch all history that the source of {one.name} still has, as `pteroassets backfill {one.name}` "
        "does, with Celery's workers where there are some.",
        executor_def=executor_of(settings),
    )
    def job() -> None:
        end([op() for op in begin])

    return job


def _group_op(one: Pass, group: ServerGroup) -> dg.OpDefinition:
    fetch = one.backfill
    assert fetch is not None  # noqa: S101 - jobs are only made of such passes

    # no pool: the locks of the rows keep groups apart, and let those without a server in common go on together
    @dg.op(
        name=f"{one.name}_of_group_{group.number}",
        out=dg.Out(dg.Nothing),
        retry_policy=dg.RetryPolicy(max_retries=2, delay=30),
    )
    def fetch_group(context: dg.OpExecutionContext, landing: dg.ResourceParam[Landing]) -> Iterator[dg.Output[Any]]:
        """Fetch all history of a group of servers."""
        landing.require(*one.needs)
        reports = fetch(landing, partial(_say, context), group)
        yield dg.Output(
            None,
            metadata={
                "group": f"{group.number} of {group.of}",
                "passes": len(reports),
                "rows_added": sum(report.rows_added for report in reports),
                "requests": sum(report.requests for report in reports),
                "unread": dg.JsonMetadataValue(
                    [dict(problem) for report in reports[-1:] for problem in report.problems]
                ),
            },
        )

    return fetch_group


def _end_op(one: Pass) -> dg.OpDefinition:
    @dg.op(name=f"{one.name}_fetched", ins={"fetched": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
    def report_tables(context: dg.OpExecutionContext, landing: dg.ResourceParam[Landing]) -> None:
        """Tell Dagster that the pass's tables have new rows."""
        with landing.connect() as connection:
            for table in one.tables:
                context.log_event(
                    dg.AssetMaterialization(raw_tables()[table].key, metadata=table_metadata(connection, table))
                )

    return report_tables


def _say(context: dg.OpExecutionContext, done: int, total: int) -> None:
    if done == total:  # once a pass: each file would be a row of Dagster's database
        context.log.info("%d bytes of this pass are fetched", done)

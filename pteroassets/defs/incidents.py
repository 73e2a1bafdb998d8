"""Incidents: evaluated after each pass over samples or logs, and by the clock for what does not come."""

from datetime import UTC, datetime

import dagster as dg

from pteroassets.alarms.incidents.failures import failure_ended
from pteroassets.alarms.incidents.live import Circumstances, Outcome, evaluate_now
from pteroassets.alarms.incidents.rules import read_rules
from pteroassets.alarms.incidents.store import load_incidents
from pteroassets.defs.metadata import table_metadata
from pteroassets.defs.raw import raw_tables
from pteroassets.landing.context import Landing
from pteroassets.landing.sources import PASSES, late_after
from pteroassets.warehouse.connection import Connection

_TABLE = "ops.incidents"
FED_BY = frozenset({"raw_pterodactyl.utilization_samples", "derived_minecraft.server_runs"})
"""Tables in which incidents are found: the passes that land them end with an evaluation."""
_BY_THE_CLOCK_SECONDS = 300


def evaluate(landing: Landing, connection: Connection) -> Outcome:
    """Bring the incidents up to what the warehouse knows.

    Raises:
        RulesFault: The file of rules has faults.
    """
    settings = landing.settings
    return evaluate_now(
        connection,
        read_rules(settings.pteroassets_incident_rules, ways=settings.ways()),
        Circumstances(
            targets=settings.alarm_targets(),
            late_after=late_after(settings, connection),
            logs_every=PASSES["logs"].rhythms[settings.pteroassets_schedules].every,
        ),
        now=landing.clock.now(),
    )


@dg.asset(
    key=raw_tables()[_TABLE].key,
    **raw_tables()[_TABLE].definition(),
    deps=[["pterodactyl", "utilization_samples"], ["minecraft", "server_runs"]],
)
def incidents(landing: dg.ResourceParam[Landing]) -> dg.MaterializeResult:
    """One row for each root cause of trouble, from when it began to when it was over."""
    with landing.connect() as connection:
        done = evaluate(landing, connection)
        return dg.MaterializeResult(
            metadata={
                **table_metadata(connection, _TABLE),
                "opened": done.opened,
                "closed": done.closed,
                "still_open": done.still_open,
                "messages": done.messages,
            }
        )


def close_what_runs_again(instance: dg.DagsterInstance, connection: Connection) -> None:
    """Close incidents of jobs that have succeeded since they failed."""
    for incident in load_incidents(connection, closed_after=datetime.max.replace(tzinfo=UTC)):
        if incident.kind != "run_failing":
            continue
        succeeded = instance.get_run_records(
            dg.RunsFilter(
                job_name=incident.subject.key,
                statuses=[dg.DagsterRunStatus.SUCCESS],
                created_after=incident.opened_at,
            ),
            limit=1,
            ascending=True,
        )
        if succeeded:
            ended_at = succeeded[0].end_time
            at = datetime.now(UTC) if ended_at is None else datetime.fromtimestamp(ended_at, UTC)
            failure_ended(connection, kind="run_failing", subject=incident.subject.key, at=at)


@dg.sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=_BY_THE_CLOCK_SECONDS,
    description="Opens incidents of data that do not come: no pass ends with an evaluation while none is made.",
)
def incidents_by_the_clock(context: dg.SensorEvaluationContext, landing: dg.ResourceParam[Landing]) -> dg.SkipReason:
    """Evaluate incidents without a run."""
    with landing.connect() as connection:
        close_what_runs_again(context.instance, connection)
        done = evaluate(landing, connection)
    return dg.SkipReason(f"opened {done.opened}, closed {done.closed}, open {done.still_open}")


defs = dg.Definitions(assets=[incidents], sensors=[incidents_by_the_clock])

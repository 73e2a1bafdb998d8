"""Each failed run and each check that begins to fail is reported to a person, once.

Path of the data::

    Dagster's event log --report_failures--> Failure --put--> ops.outbox --delivery--> where the operator wants it

The cursor is the last event that was handled. What a tick found is written in one transaction. Dagster keeps the cursor
in a database of its own and after it, so a tick that was killed in between is made again, and finds its messages there.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import dagster as dg

from pteroassets.alarms.failures import SEVERITIES, Failure
from pteroassets.alarms.incidents.failures import failure_began, failure_ended
from pteroassets.alarms.incidents.rules import RulesFault, read_rules
from pteroassets.alarms.outbox import put
from pteroassets.alarms.redaction import redact
from pteroassets.defs.private import event_records
from pteroassets.defs.queries import TOLD_AS
from pteroassets.landing.context import Landing
from pteroassets.warehouse.connection import Connection

_RUNS_PER_TICK = 50
_EVALUATIONS_PER_TICK = 2_000  # ten builds
_FIRST_TICK_LOOKS_BACK = timedelta(minutes=10)
_LONGEST_DETAIL = 400
# what every result of a dbt test has, passed or not
_NOT_TELLING = ("unique_id", "invocation_id", "status", "Execution Duration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Where failures are reported.

    Attributes:
        targets: Of messages, as the outbox names them; none: failures are logged only.
        ui_url: Address at which people open this UI, for links to it.
    """

    targets: tuple[str, ...] = ()
    ui_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """How far the event log was read, and which checks fail."""

    after: int
    failing: Mapping[str, str] = field(default_factory=dict)

    def as_cursor(self) -> str:
        return json.dumps({"after": self.after, "failing": dict(self.failing)})


def failure_sensor(
    *, secrets: Collection[str] = (), settled_after: timedelta = timedelta(seconds=2)
) -> dg.SensorDefinition:
    """Return the sensor that reports failures.

    Args:
        secrets: Texts that no message may contain.
        settled_after: Age at which an event is read; after a younger one, an event with a smaller number may
            still come from a longer transaction.
    """

    @dg.sensor(
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        description="Reports each failed run once, and of each check when it begins to fail or fails more severely; "
        "a retry of a failed run is not reported again.",
    )
    def report_failures(
        context: dg.SensorEvaluationContext, alarms: dg.ResourceParam[Alarms], landing: dg.ResourceParam[Landing]
    ) -> dg.SensorResult:
        """Write what failed to the log and, for each target, into the outbox."""
        now = datetime.now(UTC)
        progress, since = _progress_of(context.cursor, now)
        found: list[Failure] = []
        ended: list[tuple[str, datetime]] = []
        for record in _events(context.instance, after=progress.after, since=since):
            if record.timestamp > (now - settled_after).timestamp():
                break
            failure, failing = _failure_of(context, record, progress.failing, alarms, landing)
            found += [failure] if failure is not None else []
            ended += [(check, _moment(record)) for check in progress.failing if check not in failing]
            progress = replace(progress, after=record.storage_id, failing=failing)
        if alarms.targets and (found or ended):
            with landing.connect() as connection, connection.transaction():
                _record(connection, found, ended, secrets)
                for failure in found:
                    for target in alarms.targets:
                        put(connection, failure.as_message(target, secrets), at=now)
        for failure in found:
            _log(context, failure, secrets)
        said = f"failures reported: {len(found)}" if found else "nothing failed"
        return dg.SensorResult(cursor=progress.as_cursor(), skip_reason=said)

    return report_failures


def _record(
    connection: Connection,
    found: Collection[Failure],
    ended: Collection[tuple[str, datetime]],
    secrets: Collection[str],
) -> None:
    """Record failures as incidents, and the checks that pass again as their end; of runs their next success is it."""
    for failure in found:
        failure_began(
            connection,
            kind="run_failing" if failure.kind == "run_failure" else "check_failing",
            subject=failure.subject,
            at=failure.occurred_at,
            severity=SEVERITIES[failure.severity],
            cause=redact(failure.message, secrets)[:_LONGEST_DETAIL],
        )
    for check, at in ended:
        failure_ended(connection, kind="check_failing", subject=check, at=at)


def _moment(record: dg.EventLogRecord) -> datetime:
    return datetime.fromtimestamp(record.timestamp, UTC)


def _progress_of(cursor: str | None, now: datetime) -> tuple[_Progress, float | None]:
    """Return where to continue, and from which time if nothing was read before."""
    if cursor is None:
        return _Progress(after=0), (now - _FIRST_TICK_LOOKS_BACK).timestamp()
    known = json.loads(cursor)
    return _Progress(after=known["after"], failing=known["failing"]), None


def _events(instance: dg.DagsterInstance, *, after: int, since: float | None) -> Iterator[dg.EventLogRecord]:
    """Yield failures of runs and results of checks in the order in which they were written."""
    found: list[dg.EventLogRecord] = []
    complete_up_to: list[int] = []
    for kind, limit in (
        (dg.DagsterEventType.RUN_FAILURE, _RUNS_PER_TICK),
        (dg.DagsterEventType.ASSET_CHECK_EVALUATION, _EVALUATIONS_PER_TICK),
    ):
        records = event_records(instance, kind, after=after, since=since, limit=limit)
        found += records
        if len(records) == limit:
            complete_up_to.append(records[-1].storage_id)
    last = min(complete_up_to, default=None)
    yield from (
        record for record in sorted(found, key=lambda one: one.storage_id) if last is None or record.storage_id <= last
    )


def _failure_of(
    context: dg.SensorEvaluationContext,
    record: dg.EventLogRecord,
    failing: Mapping[str, str],
    alarms: Alarms,
    landing: Landing,
) -> tuple[Failure | None, Mapping[str, str]]:
    """Return the failure that an event tells of, and which checks fail after it."""
    ui_url = alarms.ui_url
    if record.event_log_entry.get_dagster_event().event_type is dg.DagsterEventType.RUN_FAILURE:
        return _of_run(context, record, ui_url), failing
    evaluation = record.event_log_entry.get_dagster_event().asset_check_evaluation_data
    check = f"{evaluation.asset_key.to_user_string()}:{evaluation.check_name}"
    if evaluation.passed:
        return None, {name: severity for name, severity in failing.items() if name != check}
    severity: Literal["ERROR", "WARN"] = "ERROR" if evaluation.severity is dg.AssetCheckSeverity.ERROR else "WARN"
    known = failing.get(check)
    if TOLD_AS in evaluation.metadata and _is_told(landing, alarms.targets, evaluation.metadata[TOLD_AS].value):
        context.log.info("%s failed, of which an incident tells: %s", check, evaluation.metadata[TOLD_AS].value)
        return None, failing
    if known in (severity, "ERROR"):
        return None, {**failing, check: severity}
    return _of_check(context, record, evaluation, severity, ui_url), {**failing, check: severity}


def _is_told(landing: Landing, targets: tuple[str, ...], kind: Any) -> bool:
    """Return whether the rules tell anybody of incidents of *kind*; rules that cannot be read tell of none."""
    try:
        rules = read_rules(landing.settings.pteroassets_incident_rules, ways=landing.settings.ways())
    except RulesFault:
        return False
    rule = rules.rule(kind)
    return bool(rule.enabled and rules.targets(kind, rule.severity, None, targets))


def _of_run(context: dg.SensorEvaluationContext, record: dg.EventLogRecord, ui_url: str) -> Failure | None:
    run_id = record.event_log_entry.run_id
    run = context.instance.get_run_by_id(run_id)
    if run is None:
        context.log.warning("run %s failed and was deleted since", run_id)
        return None
    if run.parent_run_id is not None and "dagster/retry_number" in run.tags:
        context.log.info("run %s is a retry of %s, which was reported", run_id, run.parent_run_id)
        return None
    return Failure(
        id=f"run/{run_id}",
        kind="run_failure",
        severity="ERROR",
        run_id=run_id,
        what=f"run {run_id} of job {run.job_name}",
        occurred_at=datetime.fromtimestamp(record.timestamp, UTC),
        message=_first_error(context.instance, record),
        link=f"{ui_url.rstrip('/')}/runs/{run_id}" if ui_url else None,
        subject=run.job_name,
    )


def _first_error(instance: dg.DagsterInstance, record: dg.EventLogRecord) -> str:
    """Return why the first failed step failed; a run that failed outside its steps has its own message."""
    steps = instance.get_records_for_run(
        record.event_log_entry.run_id, of_type=dg.DagsterEventType.STEP_FAILURE
    ).records
    for step in steps:
        event = step.event_log_entry.get_dagster_event()
        error = event.step_failure_data.error
        if error is not None:
            return f"{event.step_key}: {(error.cause or error).message.strip()}"
    return record.event_log_entry.get_dagster_event().message or "no reason was recorded"


def _of_check(
    context: dg.SensorEvaluationContext,
    record: dg.EventLogRecord,
    evaluation: Any,
    severity: Literal["ERROR", "WARN"],
    ui_url: str,
) -> Failure:
    asset, name = evaluation.asset_key, evaluation.check_name
    graph = context.repository_def.asset_graph if context.repository_def is not None else None
    key = dg.AssetCheckKey(asset, name)
    demanded = graph.get(key).description if graph is not None and key in graph.asset_check_keys else None
    parts = [f"demanded: {demanded}" if demanded else "", evaluation.description or "", _details(evaluation.metadata)]
    query = f"?view=checks&checkDetail={quote(name, safe='')}"
    page = "/".join(quote(part, safe="") for part in asset.path)
    return Failure(
        id=f"check/{record.storage_id}",
        kind="check_failure",
        severity=severity,
        run_id=record.event_log_entry.run_id,
        what=f"check {name} of {asset.to_user_string()}",
        occurred_at=datetime.fromtimestamp(record.timestamp, UTC),
        message=" ".join(filter(None, parts)) or "the check gives no details",
        link=f"{ui_url.rstrip('/')}/assets/{page}{query}" if ui_url else None,
        subject=f"{asset.to_user_string()}:{name}",
    )


def _details(metadata: Mapping[str, dg.MetadataValue]) -> str:
    told = {
        name.rpartition("/")[2]: value.value
        for name, value in sorted(metadata.items())
        if name not in _NOT_TELLING and value.value is not None
    }
    return "; ".join(f"{name.replace('_', ' ')}: {_said(value)}"[:_LONGEST_DETAIL] for name, value in told.items())


def _said(value: Any) -> str:
    """Return a value as a person would say it; a problem of a load begins with its scope."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(map(_said, value))
    if isinstance(value, dict) and value.keys() == {"scope", "reason"}:
        return ", ".join(filter(None, (str(value["scope"]), str(value["reason"]))))
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_said(one)}" for name, one in value.items())
    return json.dumps(value, default=str)


def _log(context: dg.SensorEvaluationContext, failure: Failure, secrets: Collection[str]) -> None:
    say = context.log.error if failure.severity == "ERROR" else context.log.warning
    say("%s failed: %s", failure.what, redact(failure.message, secrets))

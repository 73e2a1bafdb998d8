"""Each failed run and each check that begins to fail is reported to a person, once.

Path of the data::

    Dagster's event log --report_failures--> FailureMessage --webhook--> the receiver that the operator set

The cursor is the last event that was handled. It does not move past a message that was not accepted, so the next tick
begins with that one.
"""

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import dagster as dg

from pteroassets.alarms.webhook import DeliveryError, FailureMessage, deliver, redact
from pteroassets.defs.private import event_records

_RUNS_PER_TICK = 50
_EVALUATIONS_PER_TICK = 2_000  # ten builds
_FIRST_TICK_LOOKS_BACK = timedelta(minutes=10)
_DELIVERING_SECONDS = 20.0  # of the sixty seconds that Dagster gives a tick
_LONGEST_DETAIL = 400
# what every result of a dbt test has, passed or not
_NOT_TELLING = ("unique_id", "invocation_id", "status", "Execution Duration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Where failures are reported.

    Attributes:
        webhook: URL that each failure is sent to as JSON; empty: it is logged only.
        ui_url: Address at which people open this UI, for links to it.
    """

    webhook: str = field(default="", repr=False)
    ui_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """How far the event log was read, which checks fail, and how long the webhook asked us to wait."""

    after: int
    failing: Mapping[str, str] = field(default_factory=dict)
    not_before: float = 0.0

    def as_cursor(self) -> str:
        return json.dumps({"after": self.after, "failing": dict(self.failing), "not_before": self.not_before})


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
    def report_failures(context: dg.SensorEvaluationContext, alarms: dg.ResourceParam[Alarms]) -> dg.SensorResult:
        """Write what failed to the log and, if a webhook is set, send it there."""
        now = datetime.now(UTC)
        begun = time.monotonic()
        progress, since = _progress_of(context.cursor, now)
        if progress.not_before > now.timestamp():
            return _done(progress, "the webhook asked us to wait")
        told = 0
        for record in _events(context.instance, after=progress.after, since=since):
            if record.timestamp > (now - settled_after).timestamp():
                break
            message, failing = _message_of(context, record, progress.failing, alarms.ui_url)
            if message is not None:
                refusal = _delivered(message, alarms.webhook, secrets)
                if refusal is not None:
                    context.log.error(
                        "the webhook of PTEROASSETS_ALARM_WEBHOOK did not accept the message %s (%s): %s; it is sent "
                        "again at the next tick",
                        message.id,
                        message.what,
                        refusal,
                    )
                    progress = replace(progress, not_before=now.timestamp() + refusal.wait_seconds)
                    return _done(progress, f"{told} reported, one waits: {refusal}")
                _log(context, message, secrets)
                told += 1
            progress = replace(progress, after=record.storage_id, failing=failing)
            if time.monotonic() - begun > _DELIVERING_SECONDS:
                break
        return _done(progress, f"failures reported: {told}" if told else "nothing failed")

    return report_failures


def _progress_of(cursor: str | None, now: datetime) -> tuple[_Progress, float | None]:
    """Return where to continue, and from which time if nothing was read before."""
    if cursor is None:
        return _Progress(after=0), (now - _FIRST_TICK_LOOKS_BACK).timestamp()
    return _Progress(**json.loads(cursor)), None


def _done(progress: _Progress, reason: str) -> dg.SensorResult:
    return dg.SensorResult(cursor=progress.as_cursor(), skip_reason=reason)


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


def _message_of(
    context: dg.SensorEvaluationContext, record: dg.EventLogRecord, failing: Mapping[str, str], ui_url: str
) -> tuple[FailureMessage | None, Mapping[str, str]]:
    """Return the message for an event, and which checks fail after it."""
    if record.event_log_entry.get_dagster_event().event_type is dg.DagsterEventType.RUN_FAILURE:
        return _of_run(context, record, ui_url), failing
    evaluation = record.event_log_entry.get_dagster_event().asset_check_evaluation_data
    check = f"{evaluation.asset_key.to_user_string()}:{evaluation.check_name}"
    if evaluation.passed:
        return None, {name: severity for name, severity in failing.items() if name != check}
    severity: Literal["ERROR", "WARN"] = "ERROR" if evaluation.severity is dg.AssetCheckSeverity.ERROR else "WARN"
    known = failing.get(check)
    if known in (severity, "ERROR"):
        return None, {**failing, check: severity}
    return _of_check(context, record, evaluation, severity, ui_url), {**failing, check: severity}


def _of_run(context: dg.SensorEvaluationContext, record: dg.EventLogRecord, ui_url: str) -> FailureMessage | None:
    run_id = record.event_log_entry.run_id
    run = context.instance.get_run_by_id(run_id)
    if run is None:
        context.log.warning("run %s failed and was deleted since", run_id)
        return None
    if run.parent_run_id is not None and "dagster/retry_number" in run.tags:
        context.log.info("run %s is a retry of %s, which was reported", run_id, run.parent_run_id)
        return None
    return FailureMessage(
        id=f"run/{run_id}",
        kind="run_failure",
        severity="ERROR",
        run_id=run_id,
        what=f"run {run_id} of job {run.job_name}",
        occurred_at=datetime.fromtimestamp(record.timestamp, UTC),
        message=_first_error(context.instance, record),
        link=f"{ui_url.rstrip('/')}/runs/{run_id}" if ui_url else None,
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
) -> FailureMessage:
    asset, name = evaluation.asset_key, evaluation.check_name
    graph = context.repository_def.asset_graph if context.repository_def is not None else None
    key = dg.AssetCheckKey(asset, name)
    demanded = graph.get(key).description if graph is not None and key in graph.asset_check_keys else None
    parts = [f"demanded: {demanded}" if demanded else "", evaluation.description or "", _details(evaluation.metadata)]
    query = f"?view=checks&checkDetail={quote(name, safe='')}"
    page = "/".join(quote(part, safe="") for part in asset.path)
    return FailureMessage(
        id=f"check/{record.storage_id}",
        kind="check_failure",
        severity=severity,
        run_id=record.event_log_entry.run_id,
        what=f"check {name} of {asset.to_user_string()}",
        occurred_at=datetime.fromtimestamp(record.timestamp, UTC),
        message=" ".join(filter(None, parts)) or "the check gives no details",
        link=f"{ui_url.rstrip('/')}/assets/{page}{query}" if ui_url else None,
    )


def _details(metadata: Mapping[str, dg.MetadataValue]) -> str:
    told = {
        name.rpartition("/")[2]: value.value for name, value in sorted(metadata.items()) if name not in _NOT_TELLING
    }
    return "; ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, default=str)}"[:_LONGEST_DETAIL]
        for name, value in told.items()
    )


def _delivered(message: FailureMessage, webhook: str, secrets: Collection[str]) -> DeliveryError | None:
    """Send *message* if there is a webhook; return why it was not accepted."""
    try:
        if webhook:
            deliver(webhook, message, secrets=secrets)
    except DeliveryError as error:
        return error
    return None


def _log(context: dg.SensorEvaluationContext, message: FailureMessage, secrets: Collection[str]) -> None:
    say = context.log.error if message.severity == "ERROR" else context.log.warning
    say("%s failed: %s", message.what, redact(message.message, secrets))

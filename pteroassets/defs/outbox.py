"""The outbox as an asset, and the check that its messages arrive.

A sensor makes the check, since a run every few minutes for one query would cost a hundred times as much. That a check
fails is told through the outbox itself; PTEROASSETS_HEARTBEAT_URL is for the case that this does not work.
"""

import json
from datetime import timedelta

import dagster as dg

from pteroassets.alarms.heartbeat import State, state_of
from pteroassets.landing.context import Landing

KEY = dg.AssetKey(["ops", "outbox"])
_SAID_AGAIN = timedelta(hours=1)

OUTBOX = dg.AssetSpec(
    KEY,
    description="One row for each message at one target: what it ought to say, and what stands there.",
    group_name="ops",
    kinds={"postgres"},
    metadata={"dagster/table_name": "ops.outbox"},
)


def state(landing: Landing) -> State:
    """Return how the outbox stands now."""
    with landing.connect() as connection:
        return state_of(connection, landing.settings.ways(), landing.clock.now())


def verdict(found: State) -> dg.AssetCheckResult:
    """Return the check's result: an error where messages do not arrive, a warning where some are dead."""
    faults = found.faults
    dead = f"{found.dead} refused for good within a day: pteroassets outbox list --dead says why" if found.dead else ""
    return dg.AssetCheckResult(
        passed=not faults and not dead,
        severity=dg.AssetCheckSeverity.ERROR if faults else dg.AssetCheckSeverity.WARN,
        description="; ".join(filter(None, [*faults, dead])) or None,
        metadata={"waiting": found.waiting, "dead": found.dead, "silent": ", ".join(found.silent)},
    )


@dg.asset_check(
    asset=KEY,
    description="No message waits for more than ten minutes, each way out is looked after, and none was refused for "
    "good within a day.",
)
def messages_arrive(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when the alarm path is silent."""
    return verdict(state(landing))


@dg.sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=120,
    description="Reports whether messages arrive: when that changes, and once an hour.",
)
def watch_outbox(context: dg.SensorEvaluationContext, landing: dg.ResourceParam[Landing]) -> dg.SensorResult:
    """Make the check without a run; write it down when it changed, or an hour after the last time."""
    found = state(landing)
    result = verdict(found)
    said = {"passed": result.passed, "severity": result.severity.value}
    known = json.loads(context.cursor) if context.cursor else {}
    is_due = found.now.timestamp() - known.get("at", 0.0) >= _SAID_AGAIN.total_seconds()
    if not is_due and said == {name: known.get(name) for name in said}:
        return dg.SensorResult(cursor=context.cursor, skip_reason="nothing changed")
    event = dg.AssetCheckEvaluation(
        asset_key=KEY,
        check_name="messages_arrive",
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
    )
    return dg.SensorResult(
        cursor=json.dumps({**said, "at": found.now.timestamp()}),
        asset_events=[event],
        skip_reason=result.description or "messages arrive",
    )


def definitions() -> dg.Definitions:
    """Return the asset, its check and the sensor."""
    return dg.Definitions(assets=[OUTBOX], asset_checks=[messages_arrive], sensors=[watch_outbox])

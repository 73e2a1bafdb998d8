"""The code location with a sampling schedule that ticks each minute, so that no test waits five for a tick."""

import dagster as dg

from pteroassets import definitions as shipped


@dg.definitions
def defs() -> dg.Definitions:
    """Give the shipped definitions, of whose schedules one has another time."""
    found = shipped.defs()
    (replaced,) = [schedule for schedule in found.schedules or () if schedule.name == "utilization_schedule"]
    hurried = dg.ScheduleDefinition(
        name=replaced.name,
        job_name=replaced.job_name,
        cron_schedule="* * * * *",
        default_status=replaced.default_status,
    )
    kept = [schedule for schedule in found.schedules or () if schedule is not replaced]
    return dg.Definitions(
        assets=found.assets,
        asset_checks=found.asset_checks,
        schedules=[*kept, hurried],
        sensors=found.sensors,
        jobs=found.jobs,
        resources=found.resources,
        executor=found.executor,
    )

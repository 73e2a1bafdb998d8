"""The code location: what stands in ``defs/``, in the order in which the data flows, bound to the environment."""

import os
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource

from pteroassets.defs import alarms, automation, dbt, maintenance, minecraft, pterodactyl
from pteroassets.defs.dbt_project import DBT_EXECUTABLE, DBT_PROJECT
from pteroassets.defs.raw import raw_tables
from pteroassets.defs.resources import Logs, Panel, Privacy, Time, Warehouse
from pteroassets.settings import read_settings


def _optional(name: str, default: Any) -> Any:
    # an EnvVar shows its name in the UI and never its value, but has no default of its own
    return dg.EnvVar(name) if os.environ.get(name) else default


@dg.definitions
def defs() -> dg.Definitions:
    """Merge the definitions and bind the resources to the environment."""
    settings = read_settings()
    chosen = automation.preset(settings.pteroassets_schedules, settings.tz)
    # in the order in which the data flows
    parts = (pterodactyl.defs, minecraft.defs)
    models = dbt.dbt_models()
    found: list[Any] = [*(asset for part in parts for asset in part.assets or ()), models]
    policies = automation.freshness_policies(found, automation.paths(models), chosen)
    assets = dg.map_asset_specs(
        lambda spec: spec.replace_attributes(
            freshness_policy=policies.get(spec.key), owners=spec.owners or settings.owners()
        ),
        found,
    )
    return dg.Definitions.merge(
        dg.Definitions(assets=assets, asset_checks=[check for part in parts for check in part.asset_checks or ()]),
        maintenance.defs,
        dg.Definitions(
            assets=[
                # every load writes it, so it has no producer of its own
                raw_tables()["ops.loads"].spec("ops").replace_attributes(owners=settings.owners()),
            ],
            jobs=automation.jobs(models),
            schedules=[
                *automation.schedules(chosen),
                maintenance.maintenance_schedule(settings.pteroassets_run_retention_days),
            ],
            sensors=[alarms.failure_sensor(secrets=settings.secrets())],
            # a step's own process costs five seconds of imports; the work is waiting and SQL
            executor=dg.in_process_executor,
            resources={
                "panel": Panel(
                    url=dg.EnvVar("PTERODACTYL_URL"),
                    application_key=dg.EnvVar("PTERODACTYL_APP_KEY"),
                    client_key=dg.EnvVar("PTERODACTYL_CLI_KEY"),
                    request_share=settings.pteroassets_request_share,
                    allow_shrink=settings.pteroassets_allow_shrink,
                    sampling_seconds=int(chosen.utilization_interval.total_seconds()),
                ),
                "warehouse": Warehouse(
                    host=dg.EnvVar("POSTGRES_HOST"),
                    port=dg.EnvVar.int("POSTGRES_PORT"),
                    database=dg.EnvVar("POSTGRES_DATABASE"),
                    username=dg.EnvVar("POSTGRES_USERNAME"),
                    password=dg.EnvVar("POSTGRES_PASSWORD"),
                ),
                "privacy": Privacy(mode=settings.pteroassets_pii, key=_optional("PTEROASSETS_PII_KEY", "")),
                "logs": Logs(
                    store_location=dg.EnvVar("PTEROASSETS_LOG_STORE"),
                    default_timezone=settings.pteroassets_log_timezone or "",
                    timezones=_optional("PTEROASSETS_LOG_TIMEZONES", "{}"),
                    paths=_optional("PTEROASSETS_LOG_PATHS", "{}"),
                    requests_per_pass=settings.pteroassets_log_requests_per_pass,
                    bytes_per_pass=settings.pteroassets_log_bytes_per_pass,
                    node_access=settings.pteroassets_node_access,
                    land_text=settings.pteroassets_land_text,
                ),
                "alarms": alarms.Alarms(
                    webhook=_optional("PTEROASSETS_ALARM_WEBHOOK", ""), ui_url=settings.pteroassets_ui_url or ""
                ),
                "time": Time(fixed_at=_optional("PTEROASSETS_FIXED_TIME", "")),
                "dbt": DbtCliResource(
                    project_dir=str(DBT_PROJECT),
                    profiles_dir=str(DBT_PROJECT),
                    dbt_executable=DBT_EXECUTABLE,
                ),
            },
        ),
    )

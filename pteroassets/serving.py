"""Start the services, build everything that is not built yet, and say where to look.

The demo and ``pteroassets up`` end here, with the same processes, schedules and pages.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dagster_graphql import DagsterGraphQLClient
from rich.console import Console

from pteroassets.loopback import remembered_port
from pteroassets.runtime import DBT_TARGET_VARIABLE, DIGEST_NAME, RuntimeFault, build_docs, parse_dbt, progress_bar
from pteroassets.services.home_lock import note_address
from pteroassets.services.platform import (
    DagsterPlace,
    dagster_code_server,
    dagster_daemon,
    dagster_webserver,
    docs_server,
)
from pteroassets.services.supervisor import Supervisor
from pteroassets.settings import CHECKOUT
from pteroassets.sql import psql_to_show
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.logins import Login

LOCATION = "pteroassets"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_BUILD_SECONDS = 900
_BUILT = "built.txt"  # beside the digest of the project that was parsed: of the one that was built

# Each line of the summary: what it says, and the query that finds its figures.
_SUMMARY = (
    (
        "{} servers on {} nodes, {} of them suspended, {} gone",
        """
        select count(*) filter (where is_active), count(distinct node_id) filter (where is_active),
            count(*) filter (where is_active and is_suspended), count(*) filter (where not is_active)
        from marts.dim_servers
        """,
    ),
    (
        "{} users of the panel, {} of them own a server",
        """
        select count(*), count(*) filter (
            where user_id in (select owner_user_id from marts.dim_servers where is_active)
        ) from marts.dim_users where is_active
        """,
    ),
    (
        "{} eggs, {} in use",
        """
        select count(*), count(*) filter (where egg_id in (select egg_id from marts.dim_servers where is_active))
        from marts.dim_eggs where is_active
        """,
    ),
    (
        "{} samples from {} to {} UTC, {} % of the expected minutes covered",
        """
        select (select count(*) from raw_pterodactyl.utilization_samples),
            (select to_char(min(pass_at), 'YYYY-MM-DD') from raw_pterodactyl.utilization_samples),
            (select to_char(max(pass_at), 'YYYY-MM-DD HH24:MI') from raw_pterodactyl.utilization_samples),
            round((100 * sum(minutes_sampled) / nullif(sum(minutes_expected), 0))::numeric, 1)
        from marts.fct_server_daily
        """,
    ),
    (
        "{} log files with {} lines, {} of them events",
        """
        select count(*), coalesce(sum(parsed_lines), 0), (select count(*) from raw_minecraft.events)
        from raw_minecraft.log_files
        """,
    ),
    (
        "{} players in {} sessions, {} player-hours",
        """
        select (select count(*) from marts.dim_players), (select count(*) from marts.fct_network_sessions),
            round(sum(player_hours)::numeric, 1) from marts.fct_network_daily
        """,
    ),
    (
        "busiest: {} with {} player-hours and {} players at once",
        """
        select server_name, round(sum(player_hours)::numeric, 1), max(peak_concurrent_players)
        from marts.fct_server_daily inner join marts.dim_servers using (server_uuid)
        where player_hours is not null and not fct_server_daily.is_proxy group by server_name order by 2 desc limit 1
        """,
    ),
    (
        "closest to its memory limit: {} with {} % at the 95th percentile on {}",
        """
        select server_name, round((100 * memory_p95_limit_ratio)::numeric), local_date
        from marts.fct_server_daily inner join marts.dim_servers using (server_uuid)
        where memory_p95_limit_ratio is not null order by memory_p95_limit_ratio desc limit 1
        """,
    ),
    (
        "{} sessions ended in a crash, {} are open now",
        """
        select count(*) filter (where close_reason = 'server_crashed'), count(*) filter (where is_open)
        from marts.fct_network_sessions
        """,
    ),
    (
        "{} servers had no player in the last week",
        """
        select count(*) from (
            select server_uuid from marts.fct_server_daily inner join marts.dim_servers using (server_uuid)
            where is_active and local_date > current_date - 7
            group by server_uuid having sum(player_hours) = 0
        ) as idle
        """,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is to be served, and from where."""

    supervisor: Supervisor
    variables: Mapping[str, str]
    warehouse: ConnectionSettings
    dagster_database: str
    home: Path
    dagster_port: int | None = None
    docs_port: int | None = None
    extra_urls: Mapping[str, str] = field(default_factory=dict)
    reader: Login | None = None
    """Who reads the embedded Postgres; on a Postgres of the operator's own we make no login."""
    history: Mapping[str, int] | None = None
    """Passes of each kind that a back-fill just made, to be told to Dagster."""


def serve(serving: Serving, console: Console, *, once: bool) -> None:
    """Start Dagster, build what is missing, publish the docs, and stay until Ctrl-C unless *once*.

    Raises:
        RuntimeFault: A service did not start or the first build failed.
    """
    os.environ.update(serving.variables)
    parse_dbt(serving.variables)
    dagster_port = serving.dagster_port or remembered_port(serving.home / "dagster.port")
    os.environ.setdefault("PTEROASSETS_UI_URL", f"http://127.0.0.1:{dagster_port}")
    docs_port = serving.docs_port or remembered_port(serving.home / "docs.port")
    note_address(serving.home, f"http://127.0.0.1:{dagster_port}")
    console.print("starting the Dagster webserver and daemon")
    place = DagsterPlace(
        checkout=CHECKOUT,
        warehouse=serving.warehouse,
        database=serving.dagster_database,
        artifacts=serving.home / "artifacts",
        code_server_port=remembered_port(serving.home / "code-server.port"),
    )
    os.environ.update(place.environment())
    if serving.history is not None:
        report_history(serving.warehouse, serving.history)
    serving.supervisor.start(dagster_code_server(place))
    serving.supervisor.start(dagster_webserver(place, port=dagster_port), dagster_daemon(place))
    target = Path(serving.variables[DBT_TARGET_VARIABLE])
    if once or not _is_built(serving.warehouse, target):
        _build_everything(dagster_port, console)
        shutil.copyfile(target / DIGEST_NAME, target / _BUILT)
    docs = serving.home / "docs"
    if once or not (docs / "index.html").exists():
        with console.status("generating the dbt docs"):
            build_docs(
                serving.variables,
                docs,
                target=serving.home / "docs_target",
                parsed_in=target,
            )
    serving.supervisor.start(docs_server(docs, port=docs_port))
    for line in summary(serving.warehouse):
        console.print(line, highlight=False, soft_wrap=True)
    urls = {
        "Dagster UI": f"http://127.0.0.1:{dagster_port}",
        "asset graph": f"http://127.0.0.1:{dagster_port}/asset-groups",
        "dbt docs": f"http://127.0.0.1:{docs_port}",
        **serving.extra_urls,
        **how_to_read(serving.reader),
    }
    for name, url in urls.items():
        console.print(f"{name + ':':18}{url}", highlight=False, markup=False, soft_wrap=True)
    if once:
        return
    console.print("Ctrl-C stops everything and keeps the data.")
    try:
        serving.supervisor.wait()
    except KeyboardInterrupt:
        console.print("stopping")


def how_to_read(reader: Login | None) -> dict[str, str]:
    """Return the commands that open the warehouse, as a person types them."""
    here = Path(sys.argv[0])
    command = "pteroassets" if shutil.which("pteroassets") else os.path.relpath(here) if here.exists() else here.name
    ways = {"SQL": f"{command} sql"}
    if reader is not None:
        ways["SQL by psql"] = f"{reader.command(psql_to_show())}"
        ways["its password"] = f"in {reader.password_file}, for other tools too: docs/reading-the-data.md"
    return ways


def summary(warehouse: ConnectionSettings) -> list[str]:
    """Return what was found, in ten lines."""
    lines = []
    with connect(warehouse, autocommit=True) as connection:
        for text, query in _SUMMARY:
            row = connection.execute(query).fetchone()
            if row is not None:
                lines.append(text.format(*("unknown" if value is None else value for value in row)))
    return lines


def report_history(warehouse: ConnectionSettings, made: Mapping[str, int]) -> None:
    """Tell Dagster what a back-fill landed, as one materialization of each table that it filled."""
    import dagster as dg  # noqa: PLC0415 - a second of imports that only the first start needs

    with connect(warehouse, autocommit=True) as connection:
        loads = connection.execute(
            """
            select table_name, count(*), sum(rows_read), sum(rows_added), sum(rows_changed), sum(rows_gone),
                min(observed_at), max(observed_at)
            from ops.loads group by table_name
            """
        ).fetchall()
    with dg.DagsterInstance.get() as instance:
        for table, passes, read, added, changed, gone, first, last in loads:
            schema, _, name = table.partition(".")
            instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    asset_key=[schema.removeprefix("raw_"), name],
                    description="Back-fill of the history, by the same passes as the schedules'.",
                    metadata={
                        "passes": int(passes),
                        "rows_read": int(read),
                        "added": int(added),
                        "changed": int(changed),
                        "gone": int(gone),
                        "from": dg.TimestampMetadataValue(first.timestamp()),
                        "until": dg.TimestampMetadataValue(last.timestamp()),
                        "passes_of_all_kinds": dict(made),
                    },
                )
            )


def _is_built(warehouse: ConnectionSettings, target: Path) -> bool:
    """Tell whether every model was built from the dbt project as it is: a path builds its own models alone.

    After an upgrade one of them may read a model of another path, which is not there yet.
    """
    built = target / _BUILT
    if not built.exists() or built.read_text() != (target / DIGEST_NAME).read_text():
        return False
    with connect(warehouse, autocommit=True) as connection:
        row = connection.execute("select to_regclass('marts.fct_server_daily') is not null").fetchone()
    return bool(row and row[0])


def _build_everything(dagster_port: int, console: Console) -> None:
    client = DagsterGraphQLClient("127.0.0.1", port_number=dagster_port)
    run_id = client.submit_job_execution("everything", repository_location_name=LOCATION)
    with progress_bar(console) as bar:
        task = bar.add_task("running every pass and building every model", total=None)
        deadline = time.monotonic() + _BUILD_SECONDS
        while (status := client.get_run_status(run_id).value) not in _ENDED:
            if time.monotonic() > deadline:
                raise RuntimeFault(f"run {run_id} of the job everything did not end within {_BUILD_SECONDS} seconds")
            bar.update(task, description=f"running every pass and building every model ({status.lower()})")
            time.sleep(0.5)
    if status != "SUCCESS":
        raise RuntimeFault(
            f"run {run_id} of the job everything ended with {status}: its page in the Dagster UI says why; start again "
            "and open it under Runs"
        )

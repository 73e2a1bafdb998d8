"""Run the platform against a real panel: check, migrate, serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from pteroassets.clock import SystemClock
from pteroassets.landing.context import Landing
from pteroassets.platform.check import (
    check_names,
    check_nodes,
    check_panel,
    check_postgres,
    check_settings,
    check_variables,
    holds_application_key,
)
from pteroassets.platform.environment import (
    RuntimeFault,
    external_postgres,
    home_of,
    located,
    make_folder,
    prepare_databases,
    warehouse_of,
)
from pteroassets.platform.finding import Finding
from pteroassets.platform.home_lock import sole_platform
from pteroassets.platform.incidents import check_rules
from pteroassets.platform.loopback import require_free
from pteroassets.platform.outbox import check_ways
from pteroassets.platform.plan import check_sampling
from pteroassets.platform.postgres.logins import reader_login
from pteroassets.platform.serve import Serving, begin, serve
from pteroassets.platform.supervisor import Supervisor, unwinding
from pteroassets.settings import Settings, names_set
from pteroassets.sources.pterodactyl.errors import PanelError
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits


def has_database(home: Path) -> bool:
    """Return whether an embedded Postgres exists for *home*, without creating one."""
    return (home / "postgres" / "PG_VERSION").exists() or (home / "postgres.place").exists()


def run_check(settings: Settings) -> Iterator[Finding]:
    """Yield the findings of all checks; the panel's only if its settings are there."""
    missing = list(check_settings(settings))
    yield from missing
    yield from check_variables(names_set())
    yield from check_rules(settings)
    if settings.pterodactyl_url is not None and (settings.pterodactyl_cli_key or settings.pterodactyl_app_key):
        landing = Landing(settings=settings)
        budget = AnnouncedLimits(landing.clock)
        try:
            with landing.client(budget, patience_seconds=0) as panel:  # a person waits for the answer
                for finding in check_panel(panel, budget):
                    if not (finding.subject == "client key" and holds_application_key(settings)):  # said already
                        yield finding
                yield from check_nodes(panel)
                yield from check_names(panel, settings, landing.clock)
                yield from check_sampling(panel, settings)
        except PanelError as error:
            yield Finding(subject="PTERODACTYL_URL", status="fault", detail=error.problem, remedy=error.remedy)
    yield from check_ways(settings)
    own = external_postgres(settings)
    if own is not None:
        yield from check_postgres(own)
    elif has_database(home_of(settings)):
        with warehouse_of(settings) as embedded:
            yield from check_postgres(embedded)
    else:
        yield Finding(
            subject="Postgres",
            status="ok",
            detail=f"POSTGRES_HOST is not set: `up` will create an embedded one in {home_of(settings)}",
        )


def run_migrations(settings: Settings, console: Console) -> None:
    """Migrate the operator's Postgres, or the embedded one, to the newest revision."""
    with warehouse_of(settings) as warehouse:
        prepare_databases(warehouse, settings.pteroassets_dagster_database, console)


def run_up(settings: Settings, console: Console, *, once: bool) -> None:
    """Run the platform until Ctrl-C.

    Raises:
        RuntimeFault: A setting is missing, the data folder is in use, or a service did not start.
    """
    missing = [
        f"{finding.subject} {finding.detail}: {finding.remedy}"
        for finding in (*check_settings(settings), *check_rules(settings))
        if finding.status == "fault"
    ]
    if missing:
        raise RuntimeFault("settings are missing or wrong\n  " + "\n  ".join(missing))
    home = make_folder(home_of(settings))
    with unwinding(), sole_platform(home, SystemClock()):
        require_free(
            {
                "PTEROASSETS_DAGSTER_PORT": settings.pteroassets_dagster_port,
                "PTEROASSETS_DOCS_PORT": settings.pteroassets_docs_port,
                "PTEROASSETS_EVENT_PORT": (
                    None if settings.pteroassets_event_keys is None else settings.pteroassets_event_port
                ),
            }
        )
        with warehouse_of(settings) as warehouse, Supervisor(home / "logs") as supervisor:
            prepare_databases(warehouse, settings.pteroassets_dagster_database, console)
            serve(
                Serving(
                    begun=begin(supervisor, located(settings, warehouse=warehouse, home=home), home),
                    reader=reader_login(warehouse, home) if external_postgres(settings) is None else None,
                ),
                console,
                once=once,
            )

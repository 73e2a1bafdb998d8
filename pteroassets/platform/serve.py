"""Start the services, build everything that is not built yet, and print the addresses.

The demo and ``pteroassets up`` end here, with the same processes, schedules and pages.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from pteroassets.bot.config import is_wanted
from pteroassets.defs.dbt_docs import DIAGRAM, describes
from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE, DIGEST_NAME, prepare_manifest
from pteroassets.landing.context import Landing
from pteroassets.landing.sources import rhythms
from pteroassets.platform.environment import RuntimeFault, build_docs, environment
from pteroassets.platform.failures import FailedRuns, failed_checks
from pteroassets.platform.home_lock import note_address
from pteroassets.platform.loopback import HOST, remembered_port
from pteroassets.platform.postgres.logins import Login
from pteroassets.platform.progress import under_way
from pteroassets.platform.services import (
    BOT,
    DagsterPlace,
    begin_daemon,
    begin_webserver,
    dagster_code_server,
    discord_bot,
    docs_server,
    event_collector,
    event_stream,
    outbox_service,
)
from pteroassets.platform.sql import psql_to_show
from pteroassets.platform.summary import figures, findings
from pteroassets.platform.supervisor import Service, Supervisor
from pteroassets.platform.webserver import UnansweredError, launch, status
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import ConnectionSettings, connect

LOCATION = "pteroassets"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_BUILD_SECONDS = 900
BUILT = "built.txt"  # digest of the project that was built
_FAILURES_EVERY_SECONDS = 5.0
_SHOWN_OF_A_KIND = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The code server under way, and where the rest of the platform is going to be."""

    supervisor: Supervisor
    settings: Settings
    home: Path
    place: DagsterPlace
    service: Service
    dagster_port: int
    docs_port: int


def begin(supervisor: Supervisor, settings: Settings, home: Path) -> Begun:
    """Begin to load the definitions, which takes a while in which other work can be done, and return at once."""
    os.environ.update(environment(settings, home))
    dagster_port = settings.pteroassets_dagster_port or remembered_port(home / "dagster.port")
    os.environ.setdefault("PTEROASSETS_UI_URL", f"http://{HOST}:{dagster_port}")
    place = DagsterPlace(
        checkout=CHECKOUT,
        warehouse=Landing(settings=settings).warehouse,
        database=settings.pteroassets_dagster_database,
        artifacts=home / "artifacts",
        code_server_port=remembered_port(home / "code-server.port"),
    )
    os.environ.update(place.environment())
    service = dagster_code_server(place)
    supervisor.begin(service)
    if settings.pteroassets_event_keys is not None:
        # first, since it stands alone and games may wait
        supervisor.begin(event_collector(settings.pteroassets_event_port))
    if settings.pteroassets_event_brokers is not None and settings.pteroassets_lake is not None:
        supervisor.begin(*event_stream())
    return Begun(
        supervisor=supervisor,
        settings=settings,
        home=home,
        place=place,
        service=service,
        dagster_port=dagster_port,
        docs_port=settings.pteroassets_docs_port or remembered_port(home / "docs.port"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What to serve, and from where."""

    begun: Begun
    extra_urls: Mapping[str, str] = field(default_factory=dict)
    reader: Login | None = None
    """Who reads the embedded Postgres; on a Postgres of the operator's own we make no login."""
    history: Mapping[str, int] | None = None
    """Passes of each kind that a back-fill just made, to be told to Dagster."""


def serve(serving: Serving, console: Console, *, once: bool) -> None:
    """Start Dagster, build what is missing, publish the docs, and stay until Ctrl-C unless *once*.

    Raises:
        DbtFailedError: The dbt project cannot be parsed.
        RuntimeFault: A service did not start or the first build failed.
    """
    begun = serving.begun
    settings, supervisor, dagster_port = begun.settings, begun.supervisor, begun.dagster_port
    variables = environment(settings, begun.home)
    warehouse = begun.place.warehouse
    note_address(begun.home, f"http://{HOST}:{dagster_port}")
    console.print("starting the Dagster webserver and daemon")
    prepare_manifest()  # by the code server, unless it failed: then this says why
    supervisor.wait_until_ready(begun.service)
    if settings.pteroassets_event_keys is not None:
        supervisor.wait_until_ready(event_collector(settings.pteroassets_event_port))
    if serving.history is not None:
        report_history(warehouse, serving.history)
    if settings.ways():
        supervisor.start(outbox_service())
    begin_daemon(begun.place)
    begin_webserver(supervisor, begun.place, port=dagster_port)
    interface = f"http://{HOST}:{dagster_port}"
    _say(console, f"Dagster UI:       {interface}")
    teller = _Teller(FailedRuns(dagster_port, since=datetime.now(tz=UTC)), console)
    target = Path(variables[DBT_TARGET_VARIABLE])
    if once or not is_built(warehouse, target):
        (target / BUILT).unlink(missing_ok=True)
        if _build_everything(dagster_port, console, teller, once=once):
            shutil.copyfile(target / DIGEST_NAME, target / BUILT)
    assert settings.pteroassets_docs is not None  # noqa: S101 - it is located
    docs = publish_docs(settings.pteroassets_docs, begun.home, variables, target, console)
    supervisor.start(docs_server(docs, port=begun.docs_port, pages=settings.pteroassets_pages))
    if is_built(warehouse, target):
        _show_what_was_found(serving, dagster_port, console)
    addresses = {
        "Dagster UI": interface,
        "asset graph": f"{interface}/asset-groups",
        "pages": f"http://{HOST}:{begun.docs_port}/pages/",
        "dbt docs": f"http://{HOST}:{begun.docs_port}",
        "entity diagram": f"http://{HOST}:{begun.docs_port}/{DIAGRAM}",
        **(
            {}
            if settings.pteroassets_event_keys is None
            else {"events": f"http://{HOST}:{settings.pteroassets_event_port}/v1/events"}
        ),
        **serving.extra_urls,
        **how_to_read(serving.reader),
    }
    for name, address in addresses.items():
        _say(console, f"{name + ':':18}{address}")
    if once:
        return
    if is_wanted(settings):
        supervisor.begin(discord_bot())
        _say(console, f"the bot serves guild {settings.pteroassets_discord_guild}: {supervisor.log_of(BOT)}")
    _say(console, "Ctrl-C stops everything and keeps the data. Runs that fail are named here as they do.")
    try:
        supervisor.wait(until=teller)
    except KeyboardInterrupt:
        console.print("stopping")


class _Teller:
    """Prints failures as they happen."""

    def __init__(self, failures: FailedRuns, console: Console) -> None:
        self._failures = failures
        self._console = console
        self._next_at = 0.0
        self._answered = True

    def __call__(self) -> bool:
        """Look every few seconds; return False, so that the wait goes on."""
        if time.monotonic() >= self._next_at:
            self.look()
        return False

    def look(self) -> None:
        """Print the runs that failed since the last look."""
        try:
            for line in self._failures.news():
                _say(self._console, line)
            self._answered = True
        except UnansweredError as error:
            if self._answered:
                _say(self._console, f"{error}; runs that fail meanwhile are named when it does")
            self._answered = False
        self._next_at = time.monotonic() + _FAILURES_EVERY_SECONDS


def _show_what_was_found(serving: Serving, dagster_port: int, console: Console) -> None:
    warehouse = serving.begun.place.warehouse
    for line in figures(warehouse):
        _say(console, line)
    found = [*findings(warehouse, rhythms(serving.begun.settings)), *failed_checks(dagster_port)]
    if not found:
        return
    _say(console, "")
    _say(console, f"{counted(len(found), 'thing')} to look at:")
    sql = how_to_read(serving.reader)["SQL"]
    for kind in dict.fromkeys(finding.kind for finding in found):
        alike = [finding for finding in found if finding.kind == kind]
        for finding in alike[:_SHOWN_OF_A_KIND]:
            _say(console, f"  {kind}: {finding.text}")
            _say(console, f"      {finding.look}" if "://" in finding.look else f'      {sql} -c "{finding.look}"')
        if len(alike) > _SHOWN_OF_A_KIND:
            _say(console, f"  {kind}: {len(alike) - _SHOWN_OF_A_KIND} more")
    _say(console, "")


def _say(console: Console, text: str) -> None:
    """Print a line as it is: never wrapped, so that it can be copied, and without markup from names."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def how_to_read(reader: Login | None) -> dict[str, str]:
    """Return the commands that open the warehouse, as a person types them."""
    here = Path(sys.argv[0])
    command = "pteroassets" if shutil.which("pteroassets") else os.path.relpath(here) if here.exists() else here.name
    ways = {"SQL": f"{command} sql"}
    if reader is not None:
        ways["SQL by psql"] = f"{reader.command(psql_to_show())}"
        ways["its password"] = f"in {reader.password_file}, for other tools too: docs/reading-the-data.md"
    return ways


def report_history(warehouse: ConnectionSettings, made: Mapping[str, int]) -> None:
    """Report to Dagster what a back-fill landed, as one materialization of each table."""
    import dagster as dg  # noqa: PLC0415 - a second of imports that only the first start needs

    from pteroassets.defs.raw import raw_tables  # noqa: PLC0415 - the same

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
            instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    asset_key=raw_tables()[table].key,
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


def publish_docs(docs: Path, home: Path, variables: Mapping[str, str], target: Path, console: Console) -> Path:
    """Return the folder *docs*, made here if its asset did not make it of this project, as when a run failed."""
    if not describes(docs, (target / DIGEST_NAME).read_text()):
        with under_way(console, "generating the dbt docs"):
            build_docs(variables, docs, target=home / "docs_target", parsed_in=target)
    return docs


def _is_of_project(note: Path, target: Path) -> bool:
    """Return whether *note* has the digest of the dbt project as last parsed into *target*."""
    return note.exists() and note.read_text() == (target / DIGEST_NAME).read_text()


def is_built(warehouse: ConnectionSettings, target: Path) -> bool:
    """Return whether every model was built from the current dbt project: a pass builds only its own models.

    After an upgrade one of them may read another pass's model that is not built yet.
    """
    if not _is_of_project(target / BUILT, target):
        return False
    with connect(warehouse, autocommit=True) as connection:
        row = connection.execute("select to_regclass('marts.fct_server_daily') is not null").fetchone()
    return bool(row and row[0])


def _build_everything(dagster_port: int, console: Console, teller: _Teller, *, once: bool) -> bool:
    """Run every pass and every model; return whether that succeeded. If not, the schedules go on, unless *once*.

    Raises:
        RuntimeFault: It failed with *once*.
    """
    run_id, ended = _run_everything(dagster_port, console, meanwhile=teller)
    teller.look()
    if ended != "SUCCESS" and once:
        raise _unbuilt(run_id, ended)
    if ended != "SUCCESS":
        _say(
            console,
            f"the first build ended with {ended}; the schedules go on, and its page says why: "
            f"http://{HOST}:{dagster_port}/runs/{run_id}",
        )
    return ended == "SUCCESS"


def build_everything(dagster_port: int, console: Console, *, host: str) -> None:
    """Have the Dagster of the webserver on *host* run every pass and every model.

    Raises:
        RuntimeFault: It failed.
    """
    run_id, ended = _run_everything(dagster_port, console, host=host)
    if ended != "SUCCESS":
        raise _unbuilt(run_id, ended)


def _run_everything(
    dagster_port: int, console: Console, *, host: str = HOST, meanwhile: Callable[[], object] = lambda: None
) -> tuple[str, str]:
    """Run the job and return its run's id and how it ended."""
    run_id = launch(dagster_port, "everything", location=LOCATION, host=host)
    with under_way(console, "running every pass and building every model"):
        deadline = time.monotonic() + _BUILD_SECONDS
        while (ended := status(dagster_port, run_id, host=host)) not in _ENDED:
            if time.monotonic() > deadline:
                raise RuntimeFault(f"run {run_id} of the job everything did not end within {_BUILD_SECONDS} seconds")
            meanwhile()
            time.sleep(0.5)
    return run_id, ended


def _unbuilt(run_id: str, ended: str) -> RuntimeFault:
    return RuntimeFault(
        f"run {run_id} of the job everything ended with {ended}: its page in the Dagster UI says why; start again "
        "and open it under Runs"
    )

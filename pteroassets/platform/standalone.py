"""Be one service of the platform, in a container or in a unit of systemd of its own: ``pteroassets service NAME``.

``up`` starts the same services as its children. Here another program starts them, restarts them and says which
addresses they have; they share the data folder, where the code server's socket for the launcher is, too.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE, DIGEST_NAME
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import environment, home_of, located, make_folder
from pteroassets.platform.health import GUESTS_PREFIX, PORTS, StandaloneName, answers
from pteroassets.platform.loopback import HOST
from pteroassets.platform.serve import BUILT, build_everything, is_built, publish_docs
from pteroassets.platform.services import (
    DagsterPlace,
    daemon_arguments,
    dagster_code_server,
    docs_server,
    webserver_arguments,
)
from pteroassets.platform.webserver import UnansweredError
from pteroassets.settings import CHECKOUT, Settings

_WEBSERVER_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a service listens, and where it finds those that it asks.

    Without *port* it is the service's usual one. *code_server* and *webserver* are host and port.
    """

    listen: str = HOST
    port: int | None = None
    code_server: tuple[str, int] = (HOST, PORTS["code-server"])
    webserver: tuple[str, int] = (HOST, PORTS["webserver"])


def run_service(name: StandaloneName, settings: Settings, addresses: Addresses, console: Console) -> None:
    """Become the process of the service called *name*, or do its work and return.

    Raises:
        RuntimeFault: A setting is missing, or the work failed.
    """
    home = make_folder(home_of(settings))
    settings, place = _placed(settings, home, addresses)
    variables = {**environment(settings, home), **place.environment()}
    if name == "build":
        os.environ.update(variables)
        _build(settings, home, addresses, console)
        return
    command, more = service_command(name, settings, place, home, addresses)
    os.chdir(CHECKOUT)
    os.execve(command[0], command, {**os.environ, **variables, **more})  # noqa: S606 - our interpreter, or beside it


def _placed(settings: Settings, home: Path, addresses: Addresses) -> tuple[Settings, DagsterPlace]:
    landing = Landing(settings=settings)
    landing.require("postgres_host")  # the embedded one belongs to the process that starts it
    host, port = addresses.code_server
    place = DagsterPlace(
        checkout=CHECKOUT,
        warehouse=landing.warehouse,
        database=settings.pteroassets_dagster_database,
        artifacts=home / "artifacts",
        code_server_port=port,
        code_server_host=host,
    )
    return located(settings, warehouse=place.warehouse, home=home), place


def service_command(
    name: StandaloneName, settings: Settings, place: DagsterPlace, home: Path, addresses: Addresses
) -> tuple[list[str], dict[str, str]]:
    """Return the command of a service, and what it needs in its environment beside what all have.

    Args:
        name: Of the service.
        settings: With the places of the log store and the pages.
        place: Where Dagster is.
        home: The data folder.
        addresses: Where it listens.
    """
    port = addresses.port or PORTS.get(name, 0)
    beside = Path(sys.executable).parent
    match name:
        case "code-server":
            own = DagsterPlace(
                checkout=place.checkout,
                warehouse=place.warehouse,
                database=place.database,
                artifacts=place.artifacts,
                code_server_port=port,
            )
            service = dagster_code_server(own, listen=addresses.listen)
            return [str(part) for part in service.command], dict(service.environment)
        case "site":
            docs = make_folder(settings.pteroassets_docs or home / "docs")
            service = docs_server(docs, port=port, pages=settings.pteroassets_pages, listen=addresses.listen)
            return [str(part) for part in service.command], {}
        case "outbox" | "bot":
            return [str(beside / "pteroassets"), name], {}
        case "collector":
            port = addresses.port or settings.pteroassets_event_port
            return [str(beside / "pteroassets"), name, "--listen", addresses.listen, "--port", str(port)], {}
        case "daemon":
            return [str(beside / "dagster-daemon"), *daemon_arguments(place)], {}
        case _:
            command = [str(beside / "dagster-webserver")]
            command += webserver_arguments(place, host=addresses.listen, port=port)
            return [*command, *(["--read-only", "--path-prefix", GUESTS_PREFIX] if name == "guests" else [])], {}


def _build(settings: Settings, home: Path, addresses: Addresses, console: Console) -> None:
    """Run every pass and every model unless that was done for this dbt project, and make the dbt docs."""
    host, port = addresses.webserver
    target = Path(os.environ[DBT_TARGET_VARIABLE])
    wait_for(f"http://{host}:{port}/server_info", "the Dagster webserver")
    warehouse = Landing(settings=settings).warehouse
    if is_built(warehouse, target):
        console.print("every model is built")
    else:
        build_everything(port, console, host=host)
        shutil.copyfile(target / DIGEST_NAME, target / BUILT)
    publish_docs(settings.pteroassets_docs or home / "docs", home, os.environ, target, console)


def wait_for(address: str, what: str) -> None:
    """Return when *what* answers at *address*.

    Raises:
        UnansweredError: It did not in time.
    """
    deadline = time.monotonic() + _WEBSERVER_SECONDS
    while not answers(address):
        if time.monotonic() > deadline:
            raise UnansweredError(f"{what} did not answer at {address} within {_WEBSERVER_SECONDS} seconds")
        time.sleep(1)

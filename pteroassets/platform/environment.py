"""What ``demo`` and ``up`` share: databases, migrations, the dbt manifest and the services.

Both give the same environment to the same processes, so that the demo shows what runs against a real panel.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from rich.console import Console

from pteroassets.alarms.incidents.rules import RulesFault
from pteroassets.defs.dbt_docs import GENERATE, publish
from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE, DIGEST_NAME, DbtFailedError, run_dbt
from pteroassets.defs.diagram import DiagramError
from pteroassets.landing.context import Landing, MissingSettingError
from pteroassets.landing.files.store import LogStoreError
from pteroassets.landing.minecraft.passes import WaitingLogsError
from pteroassets.platform.loopback import PortHeldError
from pteroassets.platform.postgres.binaries import EmbeddedPostgresError
from pteroassets.platform.postgres.embedded import EmbeddedPostgres, data_dir_below
from pteroassets.platform.progress import rows_under_way
from pteroassets.platform.stream import StreamFault
from pteroassets.platform.supervisor import ServiceError
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.sources.pterodactyl.errors import PanelError
from pteroassets.warehouse.connection import ConnectionSettings
from pteroassets.warehouse.migrate import UnsuitablePostgresError, ensure_database, upgrade

DEMO_DATABASE = "pteroassets"
DEMO_WORLD = "world.json"  # in the data folder of a demo
_PARSED = "partial_parse.msgpack"  # in a target folder; dbt parses no file again that is unchanged in it


class RuntimeFault(Exception):  # noqa: N818 - operators see only its message
    """Something outside the code stops the platform; the message names it and says what to do."""


# what an operator can fix from the message: the command line shows it without a stack trace
OPERATOR_FAULTS = (
    RuntimeFault,
    RulesFault,
    MissingSettingError,
    WaitingLogsError,
    DbtFailedError,
    DiagramError,
    ServiceError,
    EmbeddedPostgresError,
    UnsuitablePostgresError,
    PanelError,
    LogStoreError,
    StreamFault,
    PortHeldError,
    psycopg.OperationalError,
)


def make_folder(path: Path) -> Path:
    """Create a folder that only its owner may read, and return it.

    Raises:
        RuntimeFault: It cannot be created or written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise RuntimeFault(
            f"the data folder {path} cannot be written ({error.strerror}): free some space, or name another folder in "
            "PTEROASSETS_HOME"
        ) from error
    return path


def home_of(settings: Settings) -> Path:
    """Return the data folder of ``up``."""
    return settings.pteroassets_home or CHECKOUT / ".pteroassets" / "up"


def demo_home_of(settings: Settings) -> Path:
    """Return the data folder of the demo, unless its command line names another."""
    return settings.pteroassets_home or CHECKOUT / ".pteroassets" / "demo"


def external_postgres(settings: Settings) -> ConnectionSettings | None:
    """Return the operator's own Postgres, or None when the embedded one is to be used."""
    return None if settings.postgres_host is None else Landing(settings=settings).warehouse


@contextmanager
def warehouse_of(settings: Settings) -> Iterator[ConnectionSettings]:
    """Give the warehouse's address, with the embedded Postgres running meanwhile."""
    own = external_postgres(settings)
    if own is not None:
        yield own
        return
    home = make_folder(home_of(settings))
    with EmbeddedPostgres(data_dir_below(home), bindir=settings.pteroassets_postgres_bindir) as server:
        yield server.with_database(settings.postgres_database)


@contextmanager
def landing_of(settings: Settings) -> Iterator[Landing]:
    """Give what passes and archives need, on a migrated warehouse, with the embedded Postgres running meanwhile."""
    with warehouse_of(settings) as warehouse:
        ensure_database(warehouse, warehouse.database)
        upgrade(warehouse)
        yield Landing(settings=located(settings, warehouse=warehouse, home=home_of(settings)))


def located(settings: Settings, *, warehouse: ConnectionSettings, home: Path, **others: Any) -> Settings:
    """Return *settings* with the places of the warehouse, logs, pages and docs, and with *others* changed."""
    return settings.model_copy(
        update={
            "postgres_host": warehouse.host,
            "postgres_port": warehouse.port,
            "postgres_database": warehouse.database,
            "postgres_username": warehouse.username,
            "postgres_password": SecretStr(warehouse.password),
            "pteroassets_log_store": settings.pteroassets_log_store or str(home / "log_store"),
            "pteroassets_pages": settings.pteroassets_pages or str(home / "pages"),
            "pteroassets_docs": settings.pteroassets_docs or home / "docs",
            **others,
        }
    )


def environment(settings: Settings, home: Path) -> dict[str, str]:
    """Return the variables that every process of the platform is started with, on top of the caller's own."""
    return {
        **settings.environment(),
        DBT_TARGET_VARIABLE: str(home / "dbt_target" / settings.postgres_database),
        # by default below the project, where dbt ends without a word if it may not write
        "DBT_LOG_PATH": str(home / "logs" / "dbt"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def prepare_databases(warehouse: ConnectionSettings, dagster_database: str, console: Console) -> None:
    """Create the warehouse's and Dagster's databases if missing, and migrate the warehouse.

    That rows are moved, which may take minutes, is shown on *console*.

    Raises:
        UnsuitablePostgresError: The server is too old or the account may not create them.
    """
    ensure_database(warehouse, warehouse.database)
    ensure_database(warehouse, dagster_database)
    with rows_under_way(console, "moving rows to where they take less room") as advance:
        upgrade(warehouse, advance)


def generated_key(home: Path, name: str) -> str:
    """Return the random key kept in *home* under *name*, made on the first call, readable only by its owner."""
    path = home / name
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text()


def build_docs(variables: Mapping[str, str], folder: Path, *, target: Path, parsed_in: Path | None = None) -> Path:
    """Generate the dbt docs as one page into *folder*, with the entity diagram, and return the folder.

    Args:
        variables: The environment.
        folder: Where they are put.
        target: Folder in which dbt works.
        parsed_in: Another such folder, in which the project was parsed; without it the docs count as of no project.
    """
    digest = ""
    if parsed_in is not None and (parsed := parsed_in / _PARSED).exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(parsed, target / _PARSED)
        digest = (parsed_in / DIGEST_NAME).read_text()
    run_dbt(list(GENERATE), variables, target=target)
    publish(target, make_folder(folder), digest=digest)
    return folder

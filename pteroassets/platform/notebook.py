"""``pteroassets notebook``: the notebooks of the pages in JupyterLab, on the warehouse, which they can only read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pteroassets.dashboards.context import CONTEXT_VARIABLE, Context, reading_options, reading_variables
from pteroassets.dashboards.notebook import NOTEBOOKS, notebooks
from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE
from pteroassets.defs.pages import ages, metrics_of_project
from pteroassets.platform.environment import (
    DEMO_DATABASE,
    DEMO_WORLD,
    RuntimeFault,
    external_postgres,
)
from pteroassets.platform.loopback import HOST, free_port
from pteroassets.platform.postgres.embedded import EmbeddedPostgres, data_dir_below
from pteroassets.platform.postgres.logins import reader_login
from pteroassets.platform.sql import home_with_data
from pteroassets.settings import Settings

# JupyterLab opens a Python file as text unless told otherwise, and asks its maker's hosts for news
_LAB_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "docmanager-extension/plugin": {"defaultViewers": {"python": "Jupytext Notebook"}},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
_KERNEL = "pteroassets"


def run_notebook(settings: Settings, *, lab: Path, home: Path | None, open_browser: bool = True) -> int:
    """Run JupyterLab until Ctrl-C and return its exit status.

    Args:
        settings: The operator's.
        lab: The program ``jupyter`` of an environment that has JupyterLab.
        home: Data folder of a demo or of ``up``; None for the one with data.
        open_browser: Whether a browser is opened at its address.

    Raises:
        RuntimeFault: There is no warehouse yet, or no JupyterLab.
    """
    if not lab.is_file():
        raise RuntimeFault(f"there is no JupyterLab at {lab}: run make notebook, which installs it")
    with _warehouse(settings, home) as variables, tempfile.TemporaryDirectory() as folder:
        context = Context(
            now=datetime.now(UTC), metrics=metrics_of_project(), passes=ages(settings), pages=tuple(notebooks())
        )
        place = Path(folder)
        environment = {**os.environ, **variables, **prepare(place, context)}
        command = lab_command(lab, port=free_port(), open_browser=open_browser)
        return subprocess.run(command, env=environment, check=False).returncode


def lab_command(lab: Path, *, port: int, open_browser: bool) -> list[str]:
    """Return the command that serves JupyterLab on loopback; it makes a token of its own, and prints its address."""
    return [
        str(lab),
        "lab",
        f"--ip={HOST}",
        f"--port={port}",
        f"--ServerApp.root_dir={NOTEBOOKS}",
        "--LabApp.extension_manager=readonly",
        "--KernelManager.transport=ipc",
        f"--MultiKernelManager.default_kernel_name={_KERNEL}",
        *([] if open_browser else ["--no-browser"]),
        *(["--allow-root"] if os.geteuid() == 0 else []),  # the rest of the platform runs as root, too
    ]


def prepare(folder: Path, context: Context) -> dict[str, str]:
    """Write JupyterLab's settings, the kernel and *context* into *folder*; return the variables that name them."""
    for name, values in _LAB_SETTINGS.items():
        _write(folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings", values)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    _write(
        folder / "data" / "kernels" / _KERNEL / "kernel.json",
        {"argv": command, "display_name": "Pteroassets", "language": "python"},
    )
    # else it leaves copies beside the notebooks
    aside = {"checkpoint_dir": str(folder / "checkpoints")}
    _write(folder / "config" / "jupyter_server_config.json", {"FileCheckpoints": aside, "AsyncFileCheckpoints": aside})
    _write(folder / "context.json", context.as_json())
    return {
        CONTEXT_VARIABLE: str(folder / "context.json"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTER_PATH": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@contextmanager
def _warehouse(settings: Settings, home: Path | None) -> Iterator[dict[str, str]]:
    """Give libpq's variables of a connection that only reads, with the embedded Postgres running meanwhile."""
    own = external_postgres(settings) if home is None else None
    if own is not None:
        yield reading_variables(own)
        return
    home = home if home is not None else home_with_data(settings)
    data_dir = data_dir_below(home)
    if EmbeddedPostgres(data_dir).status == "absent":
        raise RuntimeFault(f"there is no data in {home} yet: run make demo, or make up for your own panel")
    database = DEMO_DATABASE if (home / DEMO_WORLD).exists() else settings.postgres_database
    with EmbeddedPostgres(data_dir, bindir=settings.pteroassets_postgres_bindir) as server:
        login = reader_login(server.with_database(database), home)
        os.environ.setdefault(DBT_TARGET_VARIABLE, str(home / "dbt_target" / database))
        yield {
            "PGHOST": login.host,
            "PGPORT": str(login.port),
            "PGUSER": login.username,
            "PGPASSFILE": str(login.password_file),
            "PGDATABASE": login.database,
            "PGOPTIONS": reading_options(role=None),
        }

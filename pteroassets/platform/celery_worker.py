"""A worker of Celery: another machine, or process, that does its share of back-fills."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from pteroassets.landing.context import Landing
from pteroassets.platform.environment import environment, home_of, make_folder
from pteroassets.platform.services import DagsterPlace
from pteroassets.settings import CHECKOUT, Settings


def become_worker(settings: Settings, *, name: str | None, processes: int) -> NoReturn:
    """Become the process of a worker, which ends as Celery's do: SIGTERM lets it finish what it has begun.

    Raises:
        MissingSettingError: The broker, or what all machines must share, is not set.
    """
    command, variables = worker_command(settings, name=name or socket.gethostname(), processes=processes)
    os.execve(command[0], command, {**os.environ, **variables})  # noqa: S606 - a program beside our interpreter


def worker_command(settings: Settings, *, name: str, processes: int) -> tuple[list[str], dict[str, str]]:
    """Return the command of a worker and the variables that it needs on top of the caller's own.

    Raises:
        MissingSettingError: The broker, or what all machines must share, is not set.
    """
    landing = Landing(settings=settings)
    # a store below the data folder would be on this machine alone, and so would the embedded Postgres
    landing.require("pteroassets_celery_broker", "postgres_host", "pteroassets_log_store")
    home = make_folder(home_of(settings))
    place = DagsterPlace(
        checkout=CHECKOUT,
        warehouse=landing.warehouse,
        database=settings.pteroassets_dagster_database,
        artifacts=home / "artifacts",
        code_server_port=0,  # a worker asks none
    )
    celery = str(Path(sys.executable).with_name("celery"))
    command = [celery, "--quiet", "-A", "pteroassets.defs.celery_app:app", "worker", "--queues", "dagster"]
    command += ["--hostname", f"{name}@%h", "--concurrency", str(processes), "--loglevel", "INFO"]
    return command, {**environment(settings, home), **place.environment()}

"""Let the process that has everything loaded execute the runs, and notice when it, or a run's own process, is gone.

Where that process was not started (``dagster dev``), the code server executes them, as with Dagster's default launcher.
Neither reports its runs when it is killed, so run monitoring asks this launcher; a run that it fails is retried.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from dagster import DagsterRun, DefaultRunLauncher

from pteroassets.defs.private import (
    HIDDEN_TAG_PREFIX,
    CheckRunHealthResult,
    LaunchRunContext,
    WorkerStatus,
    code_server_of,
    executes,
)
from pteroassets.platform.dagster.worker_socket import SOCKET_VARIABLE, ask

_SOCKET_TAG = f"{HIDDEN_TAG_PREFIX}pteroassets_run_socket"
_CONNECT_SECONDS = 5


class WatchingRunLauncher(DefaultRunLauncher):
    """The default launcher, but runs begin with everything loaded, and it knows whether they are executed."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Have the run executed by the process behind the socket that the environment names, if it names one."""
        path, run = os.environ.get(SOCKET_VARIABLE), context.dagster_run
        if path is None:
            super().launch_run(context)
            return
        self._instance.add_run_tags(run.run_id, {_SOCKET_TAG: path})
        ask(Path(path), {"action": "launch", "run_id": run.run_id})

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run; its process is killed if it does not end."""
        run = self._instance.get_run_by_id(run_id) if self.has_instance else None
        if run is None or run.is_finished or (path := run.tags.get(_SOCKET_TAG)) is None:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        try:
            return ask(Path(path), {"action": "terminate", "run_id": run_id})["is_executed"]
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True, so that run monitoring asks."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the process that *run* was given to.

        One that is only slow counts as alive: otherwise a living run would run twice.
        """
        if (path := run.tags.get(_SOCKET_TAG)) is not None:
            return _health_behind(Path(path), run.run_id)
        server = code_server_of(run)
        if server is None:  # executed without a launcher, in an unknown process
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if server.get("port") and _refuses(server["host"], server["port"]):
            return CheckRunHealthResult(WorkerStatus.FAILED, "the code server that executed it is gone")
        if executes(server, run.run_id, timeout=_CONNECT_SECONDS):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the code server does not execute it")


def _health_behind(path: Path, run_id: str) -> CheckRunHealthResult:
    try:
        is_executed = ask(path, {"action": "find", "run_id": run_id})["is_executed"]
    except (ConnectionRefusedError, FileNotFoundError):
        return CheckRunHealthResult(WorkerStatus.FAILED, "the process that executed it is gone")
    except OSError:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    if is_executed:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.FAILED, "its worker is gone")


def _refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return False
    return False

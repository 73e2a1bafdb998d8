"""Launch runs as Dagster's default launcher does, and notice when a run's process is gone.

A run worker is a process of the code server, which reports a worker that was killed. When the code server itself is
killed nothing reports its runs, and since the default launcher does not know whether runs live, they stay "started".
Run monitoring asks this launcher instead; a run that it fails is retried.
"""

from __future__ import annotations

import socket

from dagster import DagsterRun, DefaultRunLauncher

from pteroassets.defs.private import CheckRunHealthResult, WorkerStatus, code_server_of, executes

_CONNECT_SECONDS = 5


class WatchingRunLauncher(DefaultRunLauncher):
    """The default launcher, which also knows whether the code server of a run still executes it."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True, so that run monitoring asks."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that *run* was given to.

        A code server that is only slow counts as alive: otherwise a living run would run twice.
        """
        server = code_server_of(run)
        if server is None:  # executed without a launcher, in an unknown process
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if server.get("port") and _refuses(server["host"], server["port"]):
            return CheckRunHealthResult(WorkerStatus.FAILED, "the code server that executed it is gone")
        if executes(server, run.run_id, timeout=_CONNECT_SECONDS):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the code server does not execute it")


def _refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return False
    return False

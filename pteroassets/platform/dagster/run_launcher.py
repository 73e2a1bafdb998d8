"""Launch runs as Dagster's default launcher does, and find out when nobody executes one any more.

A run worker is a process of the code server, which reports a worker that was killed. When the code server itself is
killed nobody reports its runs, and since the default launcher cannot tell whether a run is alive they stay "started".
Run monitoring asks this launcher instead; a run that it fails is retried.
"""

from __future__ import annotations

import json
import socket

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

_CONNECT_SECONDS = 5


class WatchingRunLauncher(DefaultRunLauncher):
    """The default launcher, which also knows whether the code server of a run still executes it."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Tell run monitoring to ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that *run* was given to.

        A code server that is only slow counts as alive: failing a living run would have it run twice.
        """
        if GRPC_INFO_TAG not in run.tags:  # executed without a launcher, in a process that we do not know
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        server = json.loads(run.tags[GRPC_INFO_TAG])
        if server.get("port") and _refuses(server["host"], server["port"]):
            return CheckRunHealthResult(WorkerStatus.FAILED, "the code server that executed it is gone")
        client = DagsterGrpcClient(
            host=server["host"],
            port=server.get("port"),
            socket=server.get("socket"),
            use_ssl=server.get("use_ssl", False),
        )
        answer = deserialize_value(
            client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=_CONNECT_SECONDS),
            CanCancelExecutionResult,
        )
        if answer.can_cancel:
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

"""Which runs are given up, asked of a code server that is there, or is not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from dagster import DagsterRun
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import instance_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.server import GrpcServerProcess
from dagster._utils import file_relative_path

from pteroassets.platform.dagster.run_launcher import WatchingRunLauncher
from pteroassets.platform.loopback import free_port


def run_on(server: dict[str, object] | None) -> DagsterRun:
    return DagsterRun(job_name="a_job", tags={} if server is None else {GRPC_INFO_TAG: json.dumps(server)})


@pytest.fixture(scope="module")
def code_server() -> Iterator[int]:
    with (
        instance_for_test() as instance,
        GrpcServerProcess(
            instance_ref=instance.get_ref(),
            location_name="empty",
            loadable_target_origin=LoadableTargetOrigin(python_file=file_relative_path(__file__, "empty_location.py")),
            force_port=True,
            wait_on_exit=True,
        ) as server,
    ):
        assert server.port is not None
        yield server.port


def test_a_run_whose_code_server_is_gone_has_failed() -> None:
    health = WatchingRunLauncher().check_run_worker_health(run_on({"host": "127.0.0.1", "port": free_port()}))
    assert health.status is WorkerStatus.FAILED


def test_a_run_that_its_code_server_does_not_know_has_failed(code_server: int) -> None:
    health = WatchingRunLauncher().check_run_worker_health(run_on({"host": "127.0.0.1", "port": code_server}))
    assert health.status is WorkerStatus.FAILED


def test_a_run_without_a_code_server_is_left_alone() -> None:
    assert WatchingRunLauncher().check_run_worker_health(run_on(None)).status is WorkerStatus.RUNNING


def test_monitoring_is_told_that_it_may_ask() -> None:
    assert WatchingRunLauncher().supports_check_run_worker_health

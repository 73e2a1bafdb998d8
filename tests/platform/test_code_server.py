"""The process from which runs are forked: what it answers, what it ends, and who may ask it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterRun
from dagster._core.launcher import WorkerStatus

from pteroassets.platform.dagster.run_launcher import _SOCKET_TAG, WatchingRunLauncher
from pteroassets.platform.dagster.worker_socket import ask, listen
from pteroassets.settings import CHECKOUT

# a parent of workers whose runs sleep: "stubborn" ignores an interrupt, "broken" ends with status 3
PARENT = textwrap.dedent(
    """
    import os, signal, sys, time
    from pathlib import Path
    from pteroassets.platform.dagster import code_server
    from pteroassets.platform.dagster.worker_socket import listen

    noted = Path(sys.argv[2])

    def execute_run(run_id):
        if run_id == "broken":
            os._exit(3)
        if run_id == "stubborn":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        noted.with_name(run_id).write_text(str(os.getpid()))
        time.sleep(600)

    def report_lost_run(run_id, status):
        noted.with_name(f"{run_id}.lost").write_text(str(status))

    def execute(program, arguments):
        if arguments == ["fails"]:
            raise RuntimeError("as it should")
        noted.with_name(program).write_text(" ".join([str(os.getpid()), *arguments]))
        time.sleep(600)

    def serve():
        noted.with_name("server").write_text(str(os.getpid()))
        time.sleep(600)

    code_server.execute = execute
    code_server.execute_run = execute_run
    code_server.report_lost_run = report_lost_run
    code_server._TERMINATION_SECONDS = 1
    with listen(Path(sys.argv[1])) as listener:
        sys.exit(code_server.CodeServer(listener, serve).run())
    """
)


def until(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.02)
    return path.read_text()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # one that ended and is not waited for is gone, too
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.02)


def start(path: Path, folder: Path) -> subprocess.Popen[str]:
    """A parent that listens on *path* and has its children note in *folder* who they are."""
    command = [sys.executable, "-c", PARENT, str(path), str(folder / "noted")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("parent")
    # longer than the address of a Unix socket may be
    path = folder / ("deep" * 25) / "run.socket"
    process = start(path, folder)
    yield path, folder
    # killed, it takes the code server and every worker with it
    ask(path, {"action": "launch", "run_id": "last"})
    worker = int(until(folder / "last"))
    process.kill()
    process.wait()
    until_gone(worker)
    assert health(path, "last") is WorkerStatus.FAILED


def health(path: Path, run_id: str) -> WorkerStatus:
    run = DagsterRun(job_name="a_job", run_id=run_id, tags={_SOCKET_TAG: str(path)})
    return WatchingRunLauncher().check_run_worker_health(run).status


def test_a_run_is_executed_once_by_a_child_and_is_known_until_that_ends(parent: tuple[Path, Path]) -> None:
    path, folder = parent
    assert health(path, "calm") is WorkerStatus.FAILED
    for _ in range(2):
        assert ask(path, {"action": "launch", "run_id": "calm"}) == {"is_executed": True}
    worker = int(until(folder / "calm"))
    assert health(path, "calm") is WorkerStatus.RUNNING
    os.kill(worker, signal.SIGKILL)
    assert until(folder / "calm.lost") == str(-signal.SIGKILL)
    assert health(path, "calm") is WorkerStatus.FAILED


@pytest.mark.parametrize("run_id", ["obedient", "stubborn"])
def test_a_run_that_is_terminated_ends_even_if_it_ignores_that(parent: tuple[Path, Path], run_id: str) -> None:
    path, folder = parent
    ask(path, {"action": "launch", "run_id": run_id})
    worker = int(until(folder / run_id))
    assert ask(path, {"action": "terminate", "run_id": run_id}) == {"is_executed": True}
    until_gone(worker)
    deadline = time.monotonic() + 60
    while ask(path, {"action": "find", "run_id": run_id})["is_executed"]:  # until its parent has noticed
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ask(path, {"action": "terminate", "run_id": run_id}) == {"is_executed": False}


def test_a_run_whose_process_breaks_is_reported(parent: tuple[Path, Path]) -> None:
    path, folder = parent
    ask(path, {"action": "launch", "run_id": "broken"})
    assert until(folder / "broken.lost") == "3"


def test_a_program_of_dagsters_is_executed_once_and_its_end_is_the_end_of_all(tmp_path: Path) -> None:
    path = tmp_path / "run.socket"
    process = start(path, tmp_path)
    for program, arguments in (("dagster-webserver", ["--port", "1"]), ("dagster-daemon", ["run"])) * 2:
        ask(path, {"action": "begin", "program": program, "arguments": arguments})  # type: ignore[typeddict-item]
    ask(path, {"action": "launch", "run_id": "under_way"})
    daemon, *run = until(tmp_path / "dagster-daemon").split()
    webserver, *port = until(tmp_path / "dagster-webserver").split()
    assert (run, port) == (["run"], ["--port", "1"])
    worker = int(until(tmp_path / "under_way"))
    # beside the code server, whose pages it needs
    assert int(daemon) == int(until(tmp_path / "server"))
    assert int(webserver) != int(daemon)
    os.kill(int(daemon), signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == "the code server ended with status -9\n"
    for pid in (int(webserver), worker):
        until_gone(pid)


def test_when_the_daemon_fails_all_end_and_it_is_said_why(tmp_path: Path) -> None:
    path = tmp_path / "run.socket"
    process = start(path, tmp_path)
    ask(path, {"action": "begin", "program": "dagster-daemon", "arguments": ["fails"]})
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-2:] == ["RuntimeError: as it should", "the code server ended with status 1"]


def test_whoever_ends_it_waits_for_its_programs_and_not_for_runs(tmp_path: Path) -> None:
    path = tmp_path / "run.socket"
    process = start(path, tmp_path)
    ask(path, {"action": "begin", "program": "dagster-daemon", "arguments": []})
    ask(path, {"action": "launch", "run_id": "stubborn"})
    daemon, worker = int(until(tmp_path / "dagster-daemon")), int(until(tmp_path / "stubborn"))
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert not is_alive(daemon)
    until_gone(worker)


def test_only_its_owner_may_ask(parent: tuple[Path, Path]) -> None:
    path, _ = parent
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_process_that_is_only_slow_counts_as_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pteroassets.platform.dagster.worker_socket._SECONDS", 0.2)
    path = tmp_path / "run.socket"
    with listen(path):  # accepts, and says nothing
        assert health(path, "any") is WorkerStatus.RUNNING
    assert health(path, "any") is WorkerStatus.FAILED


def test_one_that_hangs_up_in_the_middle_counts_as_alive(tmp_path: Path) -> None:
    path = tmp_path / "run.socket"
    with listen(path) as listener:

        def hang_up() -> None:
            connection: socket.socket
            connection, _ = listener.accept()
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert health(path, "any") is WorkerStatus.RUNNING
        thread.join()


# as the process does before it forks, with what it weighs before it has anything of ours, and then
LOADING = textwrap.dedent(
    """
    import importlib, json, os, re, sys
    from pathlib import Path
    from pteroassets.defs.private import keep_programs
    from pteroassets.platform.dagster import code_server

    def weight():
        return int(re.search(r"^Anonymous: +([0-9]+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)[1])

    keep_programs()
    for name in ("dagster_dbt", "dagster_postgres", "dbt.task.build", "dbt.adapters.postgres.impl"):
        importlib.import_module(name)
    libraries = weight()
    code_server.load("pteroassets.definitions")
    found = {"libraries": libraries, "all": weight(), "modules": sorted(sys.modules)}
    print(json.dumps({**found, "threads": len(os.listdir("/proc/self/task"))}))
    """
)
# what only a page, a notebook, an archive, a worker of another machine or the simulated panel needs
_HEAVY = {
    "IPython", "altair", "celery", "docker", "jupytext", "kombu", "kubernetes", "matplotlib", "nbconvert", "nbformat",
    "pandas", "polars", "pyarrow", "pteroassets.simulator", "pytest", "s3fs", "scipy",
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_what_is_forked_has_no_thread_nothing_that_only_some_run_needs_and_little_of_ours() -> None:
    given = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as its service has it
    command = [sys.executable, "-c", LOADING]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=True, cwd=CHECKOUT)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["threads"] == 1
    assert {name for name in found["modules"] if name in _HEAVY} == set()
    # all children hold it: the definitions, the manifest and the project weigh less than the libraries
    assert found["all"] < found["libraries"] * 1.7

"""Serve the definitions, and execute the runs: ``python -m pteroassets.platform.dagster.code_server``.

This process loads the definitions, dbt and its parsed project once, and has no threads. It forks Dagster's own code
server, in whose process the daemon runs when it is asked for, likewise the webserver, and a run worker for each run
that the launcher asks for (decisions 20 and 41). So all of them share what is loaded, and what a worker breaks or leaks
ends with it. Code that changed shows when the platform is started again.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import NoReturn

import click
import dagster as dg

from pteroassets.defs.private import (
    execute_run,
    keep_instance,
    keep_programs,
    keep_repository,
    keep_signals,
    keep_workspace,
    report_lost_run,
)
from pteroassets.platform.dagster.shared_pages import keep_giving_back, settle
from pteroassets.platform.dagster.worker_socket import Answer, ProgramRequest, Request, listen, receive, send
from pteroassets.platform.loopback import HOST

_LOG = logging.getLogger(__name__)
_BESIDE_SERVER = "dagster-daemon"
"""What the process of the code server executes too, in a thread: what both need of a page is copied once."""
_TERMINATION_SECONDS = 20
_REQUEST_SECONDS = 5
_ENDING_SECONDS = 8  # the supervisor kills the whole group after ten


@dataclass(slots=True)
class _Worker:
    run_id: str
    kill_at: float | None = None
    """When a worker that was asked to end is killed."""


class CodeServer:
    """The parent of the code server, which executes *serve*, of Dagster's other programs and of all run workers.

    When one of the programs ends, all end.
    """

    def __init__(self, listener: socket.socket, serve: Callable[[], None]) -> None:
        self._listener = listener
        self._workers: dict[int, _Worker] = {}
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._ended_by: int | None = None
        self._server, asked = socket.socketpair()
        self._is_server_asked = False
        self._programs = {self._fork(lambda: _serve(serve, asked)): "the code server"}
        asked.close()

    def run(self) -> int:
        """Answer requests until a signal or the end of a program; return the exit status."""
        while self._ended_by is None:
            ready, _, _ = select.select([self._listener, self._woken], [], [], self._patience())
            if self._woken in ready:
                self._woken.recv(4096)
            if self._listener in ready:
                self._answer()
            self._kill_the_stubborn()
            if self._reap():
                return 1
        for pid in self._workers:
            _signal(pid, signal.SIGKILL)  # a run that is interrupted would fail for good; one that is killed is retried
        for pid in self._programs:
            _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + _ENDING_SECONDS
        while self._programs and time.monotonic() < deadline:
            select.select([self._woken], [], [], 0.1)
            self._reap()
        return 0

    def _end(self, number: int, _frame: object) -> None:
        self._ended_by = number

    def _patience(self) -> float | None:
        due = [worker.kill_at for worker in self._workers.values() if worker.kill_at is not None]
        return max(min(due) - time.monotonic(), 0) if due else None

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(_REQUEST_SECONDS)
            try:
                send(connection, self._obey(receive(connection)))
            except OSError as error:  # whoever asked went away: it asks again, or finds the run executed
                _LOG.warning("a request was not answered: %s", error)

    def _obey(self, request: Request | ProgramRequest) -> Answer:
        if request["action"] == "begin":
            name, arguments = request["program"], request["arguments"]
            if name == _BESIDE_SERVER:
                if not self._is_server_asked:
                    self._server.sendall(json.dumps(arguments).encode() + b"\n")
                    self._is_server_asked = True
            elif name not in self._programs.values():
                self._programs[self._fork(lambda: execute(name, arguments))] = name
            return {"is_executed": True}
        run_id = request["run_id"]
        pid = next((pid for pid, worker in self._workers.items() if worker.run_id == run_id), None)
        match request["action"]:
            case "launch":
                if pid is None:
                    pid = self._fork(lambda: execute_run(run_id))
                    self._workers[pid] = _Worker(run_id)
            case "terminate":
                if pid is not None:
                    _signal(pid, signal.SIGINT)
                    self._workers[pid].kill_at = time.monotonic() + _TERMINATION_SECONDS
        return {"is_executed": pid is not None}

    def _kill_the_stubborn(self) -> None:
        for pid, worker in self._workers.items():
            if worker.kill_at is not None and time.monotonic() >= worker.kill_at:
                _signal(pid, signal.SIGKILL)

    def _reap(self) -> bool:
        """Take note of processes that ended; return whether a program did."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if (program := self._programs.pop(pid, None)) is not None:
                if self._ended_by is None:
                    click.echo(f"{program} ended with status {os.waitstatus_to_exitcode(status)}", err=True)
                return True
            worker = self._workers.pop(pid, None)
            if worker is not None and status != 0:
                run_id, code = worker.run_id, os.waitstatus_to_exitcode(status)
                self._fork(lambda run_id=run_id, code=code: report_lost_run(run_id, code))  # type: ignore[misc]

    def _fork(self, work: Callable[[], None]) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(work, parent)
        return pid

    def _become(self, work: Callable[[], None], parent: int) -> NoReturn:
        """Do *work* in this process, a child of *parent*, and end it."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for end in (self._listener, self._woken, self._wake, self._server):
                end.close()
            end_with(parent)
            work()
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:  # noqa: BLE001 - it is printed, and the parent reports the run
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _serve(serve: Callable[[], None], asked: socket.socket) -> None:
    """Be the code server, and the daemon when it is *asked* for, with its arguments."""
    threading.Thread(target=_execute_beside, args=(asked,), name=_BESIDE_SERVER, daemon=True).start()
    serve()


def _execute_beside(asked: socket.socket) -> None:
    """Be the daemon in a thread of this process, which ends when it does."""
    with asked, asked.makefile("rb") as lines:
        line = lines.readline()
    if not line:  # the parent is gone, and the kernel ends this process
        return
    keep_signals()
    try:
        execute(_BESIDE_SERVER, json.loads(line))
    except BaseException:  # noqa: BLE001 - it is printed, and the parent ends all
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def end_with(parent: int) -> None:
    """Let the kernel kill this process when *parent* is gone; elsewhere than on Linux its process group is stopped."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - there is no such call elsewhere

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def execute(program: str, arguments: Sequence[str]) -> None:
    """Be the command *program* of an installed package in this process, which has much of it loaded."""
    (command,) = entry_points(group="console_scripts", name=program)
    sys.argv = [program, *arguments]
    keep_giving_back()
    command.load()()


def load(module: str) -> None:
    """Import *module* and make its definitions and jobs, once for all that is forked."""
    loaded = importlib.import_module(module)
    kept = sys.modules.get("pteroassets.defs.dbt_run")
    if kept is not None:
        kept.keep_project()  # before definitions are made: what parsing needs for a while, they take over
    for name, value in vars(loaded).items():
        if isinstance(value, dg.Definitions) or type(value).__name__ == "LazyDefinitions":
            made = value if isinstance(value, dg.Definitions) else value()
            setattr(loaded, name, made)
            repository = made.get_repository_def()
            repository.get_all_jobs()  # a job is made when it is first asked for
            keep_repository(repository)
            break


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@click.command()
@click.option("--module", required=True, help="Holds the definitions.")
@click.option("--port", type=int, required=True, help="Of Dagster's code server.")
@click.option("--host", default=HOST, show_default=True, help="Address on which Dagster's code server is asked.")
@click.option("--socket", "path", type=click.Path(path_type=Path), required=True, help="For requests of the launcher.")
def main(module: str, port: int, host: str, path: Path) -> None:
    """Load the definitions of MODULE and serve them, and the runs made of them, until SIGTERM."""
    sys.path.insert(0, str(Path.cwd()))
    keep_instance()
    keep_programs()
    keep_workspace()
    load(module)
    arguments = ["api", "grpc", "--module-name", module, "--location-name", "pteroassets", "--host", host]
    arguments += ["--port", str(port), "--log-level", "warning", "--inject-env-vars-from-instance"]
    settle()
    with listen(path) as listener:
        sys.exit(CodeServer(listener, lambda: execute("dagster", arguments)).run())


if __name__ == "__main__":
    main()

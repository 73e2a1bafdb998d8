"""Start processes, wait until they are ready, watch them, and stop them all.

Each service is a process group of its own, so that Ctrl-C reaches only us and we stop them in reverse order:
SIGTERM to the group, SIGKILL after a while. If we are killed ourselves, a clean-up script does the same.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from pteroassets.platform.clean_up import CleanUpScript

_POLL_SECONDS = 0.1
_SHOWN_LINES = 15
_STOP_GROUPS = """
for group in $told; do kill -s TERM -- "-$group" 2>/dev/null; done
tenths=0
while [ "$tenths" -lt "$1" ]; do
    alive=
    for group in $told; do kill -s 0 -- "-$group" 2>/dev/null && alive=yes; done
    [ -n "$alive" ] || exit 0
    sleep 0.1
    tenths=$((tenths + 1))
done
for group in $told; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class ServiceError(RuntimeError):
    """A service did not become ready, or ended by itself; the text has its last lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process to run.

    *environment* is added to ours. It is ready once *ready* returns true; without that, as soon as it runs.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    service: Service
    process: subprocess.Popen[bytes]
    log: Path


class Supervisor:
    """Runs services; as a context manager it stops them all at the end.

    Their output goes to ``<name>.log`` in *log_dir*, readable only by the owner; beyond *log_bytes* it is moved to
    ``<name>.log.1``, which it replaces. *grace_seconds* is how long a service may take to end.
    """

    def __init__(self, log_dir: Path, *, grace_seconds: float = 10, log_bytes: int = 10_000_000) -> None:
        self._log_dir = log_dir
        self._grace_seconds = grace_seconds
        self._log_bytes = log_bytes
        self._running: list[_Running] = []
        self._clean_up: CleanUpScript | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *services: Service) -> None:
        """Start *services* together, and return when all of them are ready.

        Raises:
            ServiceError: One ended or did not become ready in time; those started before still run.
        """
        self.begin(*services)
        for service in services:
            self.wait_until_ready(service)
        self.check()

    def wait_until_ready(self, service: Service) -> None:
        """Return when *service*, which was begun, is ready.

        Raises:
            ServiceError: A service ended, or it was not ready in time.
        """
        if service.ready is not None:
            self.wait_for(service.name, service.ready, seconds=service.ready_seconds)

    def begin(self, *services: Service) -> None:
        """Start *services* together, without waiting until they are ready."""
        for service in services:
            self._launch(service)

    def wait_for(self, service: str, ready: Callable[[], bool], *, seconds: float, what: str | None = None) -> None:
        """Return when *ready* is true of *what* the service called *service* does, or of itself.

        Raises:
            ServiceError: A service ended, or it was not ready in time.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                said = next((_end_of(one) for one in self._running if one.service.name == service), "")
                raise ServiceError(f"{what or service} was not ready after {seconds:.0f} seconds{said}")
            time.sleep(_POLL_SECONDS)

    def log_of(self, name: str) -> Path:
        """Return the log file of the service called *name*."""
        return self._log_dir / f"{name}.log"

    def pid_of(self, name: str) -> int:
        """Return the process id of the running service called *name*.

        Raises:
            KeyError: None of that name runs.
        """
        for one in self._running:
            if one.service.name == name:
                return one.process.pid
        raise KeyError(name)

    def check(self) -> None:
        """Do nothing while all services run.

        Raises:
            ServiceError: One has ended; the text names it and shows its last lines.
        """
        for one in self._running:
            self._keep_small(one.log)
            status = one.process.poll()
            if status is not None:
                how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
                raise ServiceError(f"{one.service.name} {how}{_end_of(one)}")

    def wait(self, *, until: Callable[[], bool] | None = None) -> None:
        """Return when *until* is true; without it only an exception or a signal ends the wait.

        Raises:
            ServiceError: A service has ended.
        """
        while until is None or not until():
            self.check()
            time.sleep(_POLL_SECONDS)

    def stop(self, name: str | None = None) -> None:
        """Stop all services, the last one first, or only the one called *name*; return when they are gone."""
        chosen = [one for one in self._running if name in {None, one.service.name}]
        with _uninterrupted():
            for one in reversed(chosen):
                self._end(one)
                self._running.remove(one)
            if name is None and self._clean_up is not None:
                self._clean_up.release()
                self._clean_up = None

    def _launch(self, service: Service) -> None:
        if self._clean_up is None:
            self._clean_up = CleanUpScript(_STOP_GROUPS, str(int(self._grace_seconds * 10)))
        self._log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self.log_of(service.name)
        # a signal between the start and its record would leave the process behind
        with _uninterrupted(), os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            process = subprocess.Popen(
                [str(part) for part in service.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **service.environment},
                cwd=service.folder,
                start_new_session=True,
            )
            self._running.append(_Running(service=service, process=process, log=log))
            self._clean_up.tell(process.pid)

    def _keep_small(self, log: Path) -> None:
        """Move a large log's content to another file; the process goes on appending to the emptied one.

        What is written between the copy and the emptying is lost: these logs are only for people.
        """
        if log.stat().st_size > self._log_bytes:
            aside = log.with_name(f"{log.name}.1")
            aside.unlink(missing_ok=True)
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as kept, log.open("rb") as full:
                shutil.copyfileobj(full, kept)
            os.truncate(log, 0)

    def _end(self, one: _Running) -> None:
        group = one.process.pid
        _signal_group(group, signal.SIGTERM)
        deadline = time.monotonic() + self._grace_seconds
        while time.monotonic() < deadline:
            one.process.poll()  # otherwise it stays in its group until it is waited for
            if not _signal_group(group, 0):
                break
            time.sleep(_POLL_SECONDS / 2)
        _signal_group(group, signal.SIGKILL)
        one.process.wait()


def answers(url: str) -> Callable[[], bool]:
    """Return a test of whether *url* on this machine answers with a status below 400."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def test() -> bool:
        try:
            with opener.open(url, timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return test


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, through every ``finally``."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    chosen = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, leave) for number in chosen}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay SIGINT, SIGTERM and SIGHUP until the end; a second Ctrl-C must not leave processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    chosen = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _frame: arrived.append(number)) for number in chosen}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in dict.fromkeys(arrived):
            signal.raise_signal(one)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return False if it is empty."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _end_of(one: _Running) -> str:
    lines = one.log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
    if not lines:
        return f"; it printed nothing to {one.log}"
    return "; the end of {}:\n{}".format(one.log, "\n".join(f"    {line}" for line in lines))

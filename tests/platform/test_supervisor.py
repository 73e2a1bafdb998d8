"""Processes that are started together end together, whoever dies first."""

# ruff: noqa: PT012 - what raises is the whole life of a supervisor
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pteroassets.platform.supervisor import Service, ServiceError, Supervisor, unwinding

PARENT = """
import sys, time
from pathlib import Path
from pteroassets.platform.supervisor import Service, Supervisor, unwinding
log_dir = Path(sys.argv[1])
with unwinding(), Supervisor(log_dir) as supervisor:
    command = [sys.executable, "-c", "import subprocess, time; subprocess.Popen(['sleep', '61']); time.sleep(61)"]
    supervisor.start(Service(name="one", command=command), Service(name="two", command=["sleep", "61"]))
    print(supervisor.pid_of("one"), supervisor.pid_of("two"), flush=True)
    supervisor.wait()
"""


def wait_until(holds: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def python(name: str, code: str) -> Service:
    return Service(name=name, command=[sys.executable, "-c", code])


def test_what_a_service_prints_is_in_its_log_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(python("talker", "print('hello', flush=True); import time; time.sleep(60)"))
        log = supervisor.log_of("talker")
        wait_until(lambda: log.read_text() == "hello\n")
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_does_not_grow_without_end(tmp_path: Path) -> None:
    code = "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.001)"
    with Supervisor(tmp_path / "logs", log_bytes=20_000) as supervisor:
        supervisor.start(python("chatty", code))
        log = supervisor.log_of("chatty")
        aside = log.with_name("chatty.log.1")
        supervisor.wait(until=aside.exists)
        assert aside.stat().st_size > 20_000
        assert aside.stat().st_mode & 0o777 == 0o600
        assert log.stat().st_size < 20_000
        wait_until(lambda: log.stat().st_size > 0)


def test_a_start_returns_when_the_service_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    code = f"import time, pathlib; time.sleep(0.5); pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(Service(name="slow", command=[sys.executable, "-c", code], ready=flag.exists))
        assert flag.exists()


def test_a_service_that_never_gets_ready_is_named(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "logs") as supervisor:
        service = Service(name="idle", command=["sleep", "60"], ready=lambda: False, ready_seconds=0.3)
        with pytest.raises(
            ServiceError, match=r"idle was not ready after 0 seconds; it printed nothing to .*idle\.log"
        ):
            supervisor.start(service)


def test_a_death_is_told_with_the_last_words_and_the_others_are_stopped(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as raised, Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(Service(name="other", command=["sleep", "60"]))
        other = supervisor.pid_of("other")
        supervisor.start(python("weak", "import time; time.sleep(0.3); print('I am done for'); raise SystemExit(3)"))
        supervisor.wait()
    assert "weak ended with status 3" in str(raised.value)
    assert "I am done for" in str(raised.value)
    assert not is_alive(other)


def test_a_service_that_was_killed_is_named_with_the_signal(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="victim was killed by signal 9"), Supervisor(tmp_path) as supervisor:
        supervisor.start(Service(name="victim", command=["sleep", "60"]))
        os.kill(supervisor.pid_of("victim"), signal.SIGKILL)
        supervisor.wait()


def test_services_stop_in_the_reverse_of_their_order(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    with open(sys.argv[1], 'a') as file: file.write(sys.argv[2])\n"
        "    raise SystemExit\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(60)"
    )
    with Supervisor(tmp_path / "logs") as supervisor:
        for name in "abc":
            supervisor.start(Service(name=name, command=[sys.executable, "-c", code, order, name]))
        wait_until(lambda: all(supervisor.log_of(name).read_text() for name in "abc"))
    assert order.read_text() == "cba"


def test_a_service_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    with Supervisor(tmp_path / "logs", grace_seconds=0.5) as supervisor:
        supervisor.start(python("stubborn", code))
        pid = supervisor.pid_of("stubborn")
        wait_until(lambda: supervisor.log_of("stubborn").read_text() != "")
        begun = time.monotonic()
    assert not is_alive(pid)
    assert 0.4 < time.monotonic() - begun < 5


def test_one_service_can_be_stopped_alone(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(Service(name="a", command=["sleep", "60"]), Service(name="b", command=["sleep", "60"]))
        pid = supervisor.pid_of("a")
        supervisor.stop("a")
        assert not is_alive(pid)
        supervisor.check()
        with pytest.raises(KeyError):
            supervisor.pid_of("a")


def test_a_command_that_is_not_there_leaves_nothing_running(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(Service(name="other", command=["sleep", "60"]))
        other = supervisor.pid_of("other")
        supervisor.start(Service(name="none", command=["/nowhere/to/be/found"]))
    assert not is_alive(other)


def test_the_environment_of_a_service_is_not_shown() -> None:
    assert "hunter2" not in repr(Service(name="a", command=["sleep", "60"], environment={"PASSWORD": "hunter2"}))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_however_the_parent_ends_its_services_and_their_children_end(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        wait_until(lambda: len(psutil.Process(pids[0]).children()) == 1)
        pids += [child.pid for child in psutil.Process(pids[0]).children()]
        assert all(is_alive(pid) for pid in pids)
        parent.send_signal(number)
        parent.wait(20)
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_a_service_that_will_not_stop_is_killed_when_its_parent_is_gone_too(tmp_path: Path) -> None:
    # as a code server does while a run of its own goes on
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    code = (
        "import sys, time; from pathlib import Path\n"
        "from pteroassets.platform.supervisor import Service, Supervisor\n"
        "supervisor = Supervisor(Path(sys.argv[1]), grace_seconds=0.5).__enter__()\n"
        "supervisor.start(Service(name='stubborn', command=[sys.executable, '-c', sys.argv[2]]))\n"
        "print(supervisor.pid_of('stubborn'), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path), stubborn], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: (tmp_path / "stubborn.log").read_text() != "")
        parent.kill()
        parent.wait(20)
    wait_until(lambda: not is_alive(pid))


def test_a_second_interrupt_while_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    with pytest.raises(KeyboardInterrupt), Supervisor(tmp_path / "logs", grace_seconds=1) as supervisor:
        supervisor.start(python("stubborn", code))
        pid = supervisor.pid_of("stubborn")
        wait_until(lambda: supervisor.log_of("stubborn").read_text() != "")
        subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -INT {os.getpid()}"])
    assert not is_alive(pid)


def test_a_request_to_end_runs_every_finally() -> None:
    ended = []
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as raised, unwinding():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            ended.append(True)
    assert raised.value.code == 143
    assert ended == [True]
    assert signal.getsignal(signal.SIGTERM) is before

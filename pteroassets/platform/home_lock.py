"""One platform for each data folder: a second one would launch every schedule twice.

The lock is the operating system's, on a file in the folder, so it ends with its process in every case.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pteroassets.clock import Clock
from pteroassets.platform.environment import RuntimeFault

_NAME = "running.lock"


@contextmanager
def sole_platform(home: Path, clock: Clock) -> Iterator[None]:
    """Lock the data folder *home* for this process.

    Raises:
        RuntimeFault: Another process has it; the message names that process and its pages.
    """
    handle = os.open(home / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeFault(_refusal(home, file.read().splitlines())) from None
        file.truncate()
        file.write(f"{os.getpid()}\n{clock.now():%Y-%m-%d %H:%M} UTC\n")
        file.flush()
        yield


def note_address(home: Path, address: str) -> None:
    """Write the address of the platform's pages into the lock of *home*."""
    with (home / _NAME).open("a") as file:
        file.write(f"{address}\n")


def _refusal(home: Path, said: list[str]) -> str:
    pid, since, address = (*said, "", "", "")[:3]
    return (
        f"another platform runs on the data folder {home}"
        + (f", as process {pid} since {since}" if since else "")
        + (f", with its pages at {address}" if address else "")
        + ": stop it first, or name another folder in PTEROASSETS_HOME"
    )

"""Ports of 127.0.0.1, where all our services listen."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

HOST = "127.0.0.1"


_LISTENS = "0A"  # a state in /proc/net/tcp


class PortHeldError(Exception):
    """A port that was set cannot be used; the message names it, its user and what to do."""


def require_free(ports: Mapping[str, int | None]) -> None:
    """Make sure that we can listen on *ports*, named by the setting or option that gave them.

    Raises:
        PortHeldError: One of them cannot be used, or two are the same.
    """
    given = {name: port for name, port in ports.items() if port is not None}
    for (name, port), (other, same) in combinations(sorted(given.items()), 2):
        if same == port:
            raise PortHeldError(f"{name} and {other} are both {port}: give one of them another port")
    for name, port in given.items():
        if (error := _refusal(port)) is not None:
            raise PortHeldError(_why(name, port, error))


def _why(name: str, port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"port {port} ({name}) may not be opened by this account: choose one above 1023"
    if error.errno != errno.EADDRINUSE:
        return f"port {port} ({name}) cannot be opened ({error.strerror}): choose another"
    return (
        f"port {port} ({name}) is in use by {holder_of(port) or 'another process'}: stop it, for example an earlier "
        f"platform that still runs, or give {name} another port"
    )


def holder_of(port: int) -> str | None:
    """Return which process listens on *port*, if this system shows it."""
    sockets = set(_listening(port))
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it belongs to another account or has ended
            if any(str(link.readlink()) in sockets for link in (folder / "fd").iterdir()):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                # not the rest of the command line: it may hold a secret
                module = words[words.index("-m") + 1] if "-m" in words[:-1] else ""
                return f"process {folder.name} ({module or (folder / 'comm').read_text().strip()})"
    return None


def _listening(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # not on Linux
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                    yield f"socket:[{rest[5]}]"


def free_port() -> int:
    """Return a port that is free now; another process may take it before its use."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether a server could listen on *port* now."""
    return _refusal(port) is None


def _refusal(port: int) -> OSError | None:
    """Return why a server could not listen on *port* now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error
        return None


def is_open(port: int) -> bool:
    """Return whether a process listens on *port*."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def remembered_port(memory: Path) -> int:
    """Return the port in the file *memory* if it is free, else another, which is then written to it.

    So a bookmarked page has the same address after a restart, unless its port was taken.
    """
    if memory.exists():
        last = memory.read_text().strip()
        if last.isdigit() and is_free(int(last)):
            return int(last)
    port = free_port()
    memory.write_text(f"{port}\n")
    return port

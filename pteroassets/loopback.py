"""Ports of 127.0.0.1, on which everything that we start listens."""

from __future__ import annotations

import socket
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listens on at this moment; another process may take it before its use."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether a server could listen on *port* now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    """Return whether somebody listens on *port*."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def remembered_port(memory: Path) -> int:
    """Return the port that the file *memory* holds while that is free, else a free one, which is then remembered.

    A page that was bookmarked is there again after a restart, as long as nobody else took its port.
    """
    if memory.exists():
        last = memory.read_text().strip()
        if last.isdigit() and is_free(int(last)):
            return int(last)
    port = free_port()
    memory.write_text(f"{port}\n")
    return port

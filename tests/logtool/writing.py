"""Short ways to write logs into folders, for tests of the log report."""

from __future__ import annotations

import gzip
from pathlib import Path

START = "Starting minecraft server version 1.21.4"


def log(*lines: str) -> bytes:
    """Lines ``12:00:00 message`` as a vanilla server writes them."""
    return "".join(f"[{line[:8]}] [Server thread/INFO]: {line[9:]}\n" for line in lines).encode()


def entry(time: str, name: str, entity: int = 1) -> str:
    return f"{time} {name}[/192.0.2.4:50123] logged in with entity id {entity} at (1.5, 64.0, -3.25)"


def departure(time: str, name: str) -> str:
    return f"{time} {name} lost connection: Disconnected"


def put(path: Path, content: bytes) -> str:
    """Write *content*, packed if the name says so; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return str(path)

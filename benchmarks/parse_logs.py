"""Measure how fast a Paper log is parsed to events, on one core.

Usage: python benchmarks/parse_logs.py [MEBIBYTES] (default 64). The log is made up: 6 % of its lines give events, 5 %
are stack traces, the rest is noise; the baseline is one pattern searched for over all bytes.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import time
from collections.abc import Callable

from pteroassets.sources.minecraft.log import LogParser

_NOISE = (
    b"[Server thread/INFO]: [SomePlugin] Processed 12 queued tasks in 3 ms for world world_nether",
    b"[Server thread/WARN]: Can't keep up! Is the server overloaded? Running 2345ms or 46 ticks behind",
    b"[Server thread/INFO]: Saving chunks for level 'ServerLevel[world]'/minecraft:overworld",
    b"[Craft Scheduler Thread - 12/INFO]: [Logger] Database purge finished, 1032 rows removed in 12 ms",
    b"[Server thread/WARN]: Ignoring heightmap data for chunk [12, -31], size does not match; expected: 37, got: 256",
    b"[Server thread/INFO]: Nora_7 moved too quickly! 10.2,0.4,-3.3",
    b"[Async-Worker/INFO]: Skipping entity with id minecraft:item because of the limit in this chunk",
)
_EVENTS = (
    b"[User Authenticator #7/INFO]: UUID of player P%d is 0f2cfd0a-4cf1-4bfa-9e3c-2f5d6e7a8b9c",
    b"[Server thread/INFO]: P%d[/192.0.2.4:50123] logged in with entity id 321 at ([world]1.5, 64.0, -3.25)",
    b"[Server thread/INFO]: P%d lost connection: Disconnected",
    b"[Server thread/INFO]: P%d left the game",
    b"[Async Chat Thread - #3/INFO]: <P%d> hello there, how are you",
    b"[Server thread/INFO]: P%d issued server command: /home",
)
_TRACE = b"\tat com.example.shop.ShopListener.onClick(ShopListener.java:87) ~[SomePlugin.jar:?]"
_BLOCK_BYTES = 1 << 20


def make_log(size: int) -> bytes:
    """Return about *size* bytes of a busy day."""
    chance, seconds, made, lines = random.Random(1), 0, 0, []
    while made < size:
        seconds += chance.random() < 0.02
        share = chance.random()
        if share < 0.05:
            line = _TRACE
        else:
            text = chance.choice(_EVENTS) % chance.randrange(50) if share < 0.11 else chance.choice(_NOISE)
            line = b"[%02d:%02d:%02d] %s" % (seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, text)
        lines.append(line)
        made += len(line) + 1
    return b"\n".join(lines) + b"\n"


def parse(log: bytes) -> int:
    """Return the number of events."""
    parser = LogParser()
    count = sum(len(parser.feed(log[start : start + _BLOCK_BYTES])) for start in range(0, len(log), _BLOCK_BYTES))
    return count + len(parser.finish())


def search(log: bytes) -> int:
    """Return the number of lines that one pattern finds."""
    return len(re.findall(rb"\n\[\d\d:\d\d:\d\d\] \[[^\]\n]*\]: [^\s<>\[\]]+ left the game(?=\n)", log))


def measure(name: str, function: Callable[[bytes], int], log: bytes) -> None:
    """Print the best of three."""
    best, found = float("inf"), 0
    for _ in range(3):
        started = time.process_time()
        found = function(log)
        best = min(best, time.process_time() - started)
    print(f"{name:24} {len(log) / 1e6 / best:7.0f} MB/s  {found:9,} found")


if __name__ == "__main__":
    made_log = make_log(int(sys.argv[1]) << 20 if len(sys.argv) > 1 else 64 << 20)
    measure("one pattern", search, made_log)
    measure("all events", parse, made_log)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, the log included")

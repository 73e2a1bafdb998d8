#!/bin/sh
# limits 5.8.0: counting in memory starts a thread every ten milliseconds, to forget counters whose window is over.
#
# Seen: `MemoryStorage.incr` starts a new threading.Timer of 10 ms whenever the last one has ended, so that a server which
# counts requests all the time starts up to a hundred threads a second, each of which its caller waits for. On one core
# shared with another thread that took a seventh of a server's requests. Counters are forgotten without it, when they
# are read: `get` looks at the end of their window. A timer that counts as alive in its place starts none.
# Exits 0 while it does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "limits==5.8.0"
"$folder/venv/bin/python" - <<'P'
import sys
import threading
import time

from limits.storage import MemoryStorage

started = []
start = threading.Thread.start
threading.Thread.start = lambda thread: (started.append(thread), start(thread))[1]
storage = MemoryStorage()
end = time.monotonic() + 1
while time.monotonic() < end:
    storage.incr("key", 10)
    time.sleep(0.001)
print(f"{len(started)} threads started in a second of counting")
sys.exit(0 if len(started) > 20 else 1)
P

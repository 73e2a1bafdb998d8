"""Importing the package only reads: nothing is run, written or connected before somebody asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pteroassets.settings import CHECKOUT

# what is done stands in the interpreter's own audit events, whichever library does it
_IMPORT_EVERYTHING_UNDER_WATCH = """
import importlib, os, pkgutil, sys

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LISTED = ("socket.connect", "socket.bind", "socket.getaddrinfo", "os.mkdir", "os.rename", "os.remove", "os.link")
RUNNING = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")
done = set()

def watch(event, arguments):
    if event.startswith(RUNNING) or event in LISTED:
        done.add(f"{event} {arguments[:2]}")
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        done.add(f"write {arguments[0]}")

sys.addaudithook(watch)
import pteroassets

for module in pkgutil.walk_packages(pteroassets.__path__, "pteroassets."):
    # the job on Spark has an environment of its own
    if not module.name.endswith(".__main__") and not module.name.startswith("pteroassets.stream.spark."):
        importlib.import_module(module.name)
print(sum(name.startswith("pteroassets.") for name in sys.modules))
print(*[line.partition("object at")[0] for line in sorted(done)], sep="\\n")
"""
# Dagster's copy of croniter asks the tool `file` how wide its words are, and urllib3 the kernel whether it knows IPv6
_DONE_BY_LIBRARIES = {"subprocess.Popen ('file',", "write /dev/null", "socket.bind (<socket.socket"}


def test_importing_every_module_runs_writes_and_connects_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", _IMPORT_EVERYTHING_UNDER_WATCH],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT),
            "HOME": str(tmp_path),
            "DBT_TARGET_PATH": str(tmp_path / "target"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules, *events = done.stdout.splitlines()
    assert int(modules) > 100
    assert [event for event in events if not event.startswith(tuple(_DONE_BY_LIBRARIES))] == []
    assert list(tmp_path.iterdir()) == []

"""What machine the benchmarks ran on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

import psutil

from pteroassets.platform.postgres.binaries import find_bindir, major_version
from pteroassets.settings import CHECKOUT


def describe() -> dict[str, str]:
    """Return what a figure depends on: processor, memory, system, and versions."""
    return {
        "Processor": _processor(),
        "Cores": str(os.cpu_count()),
        "Memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Postgres": str(major_version(find_bindir(None))),
    }


def current_commit() -> str:
    """Return the commit that is measured, with a plus where the tree differs from it; empty outside of a clone."""
    command = ["git", "describe", "--always", "--abbrev=7", "--exclude=*", "--dirty=+"]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", information.read_text(), re.MULTILINE) if information.exists() else None
    return found[1] if found is not None else platform.processor() or platform.machine()

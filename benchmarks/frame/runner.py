"""Run each benchmark in a process of its own, so that none takes another's memory, time or luck."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.frame.checkout import UnavailableError, prepared_baseline
from benchmarks.frame.machine import current_commit
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.registry import Registry
from benchmarks.frame.results import Part
from pteroassets.settings import CHECKOUT

LIMITS = {Size.SHORT: 200, Size.FULL: 3600}
"""Seconds of an idle machine after which a benchmark is ended; what it had measured until then stays."""

_GRACE_SECONDS = 20


def run_all(
    registry: Registry, names: Iterable[str], size: Size, tell: Callable[[Part], None], *, limit: float | None = None
) -> tuple[list[Part], str]:
    """Run the benchmarks called *names* one after the other, and *tell* of each.

    Returns what they measured, and why there is no baseline, if there is none: those that need it say so in their rows.
    """
    with ExitStack() as stack:
        trouble = ""
        try:
            stack.enter_context(prepared_baseline())
        except UnavailableError as error:
            trouble = str(error)
        parts = []
        for name in names:
            parts.append(run_one(registry, name, size, limit=limit or LIMITS[size]))
            tell(parts[-1])
    return parts, trouble


def run_one(registry: Registry, name: str, size: Size, *, limit: float) -> Part:
    """Run one benchmark in a new process and return what it measured; how it failed stands in the part."""
    started, began, before = datetime.now(UTC), time.perf_counter(), os.getloadavg()[0]
    patience = limit * max(1.0, before / (os.cpu_count() or 1))  # on a busy machine all takes longer
    with tempfile.TemporaryDirectory(prefix="pteroassets-bench-") as folder:
        out, said = Path(folder, "measurements"), Path(folder, "output")
        out.touch()
        with said.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.frame.one", registry.package, name, size, str(out)],
                cwd=CHECKOUT,
                start_new_session=True,  # so that what it started can be ended with it
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        failure = ""
        try:
            if process.wait(timeout=patience) != 0:
                # the error itself; what some libraries show below it is a picture of where it is
                lines = re.findall(r"^[\w.]+: .*$", said.read_text(errors="replace"), flags=re.MULTILINE)
                failure = lines[-1] if lines else f"ended with status {process.returncode}"
        except subprocess.TimeoutExpired:
            failure = f"did not end in {patience:.0f} s"
        finally:
            _end(process)
        measured = [Measurement.from_json(json.loads(line)) for line in out.read_text().splitlines()]
        if failure:
            print(said.read_text(errors="replace"), file=sys.stderr)
    return Part(
        name=name,
        title=registry.title_of(name),
        size=size,
        started_at=started.isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - began, 1),
        load=round(before, 2),
        commit=current_commit(),
        failure=failure,
        measurements=measured,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the group of *process*: first as a request, so that servers of its own are stopped, then by force."""
    for wanted in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, wanted)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)
            return

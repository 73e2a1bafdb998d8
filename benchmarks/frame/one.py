"""Run one benchmark in this process: ``python -m benchmarks.frame.one PACKAGE NAME SIZE FILE``."""

import json
import signal
import sys
from pathlib import Path

from benchmarks.frame.measurement import Size
from benchmarks.frame.registry import Registry


def measure_here(registry: Registry, name: str, size: Size, out: Path) -> None:
    """Append each measurement of the benchmark called *name* to *out* as soon as it is known."""
    with out.open("a", encoding="utf-8") as file:
        for measurement in registry.measure(name, size):
            file.write(json.dumps(measurement.as_json()) + "\n")
            file.flush()


if __name__ == "__main__":
    # a shell ignores it for what it starts in the background, and it is how this process is asked to end
    signal.signal(signal.SIGINT, signal.default_int_handler)
    package, name, size, out = sys.argv[1:]
    measure_here(Registry(package), name, Size(size), Path(out))

"""Logs of each layout into events, against Paper's in the same run and against the older build.

The logs are made up of counts of real ones (`made_log`). Each layout is read in turns by both builds, in processes of
their own: of each turn the seconds of CPU count that reading took, without the start of the process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import made_log
from benchmarks.frame.checkout import BASELINE_NAME, Checkout, UnavailableError, baseline, ours
from benchmarks.frame.measurement import Measurement, Size

_PAPER = "bracketed"
_SLOWEST = ("bungeecord", "pocketmine", "bracketed_traces", "console_traces")
_BYTES = {Size.SHORT: 500_000, Size.FULL: 20_000_000}
_ROUNDS = {Size.SHORT: 3, Size.FULL: 5}
_UNIT = "MB/CPU-s"
_READ = """
import json, sys, time
from pathlib import Path
from pteroassets.sources.minecraft.log import LogParser

def read(path):
    parser, data = LogParser(), Path(path).read_bytes()
    started = time.process_time()
    events = sum(len(parser.feed(data[place : place + (1 << 20)])) for place in range(0, len(data), 1 << 20))
    events += len(parser.finish())
    return time.process_time() - started, events

rounds, *paths = sys.argv[1:]
for path in paths:  # patterns are made once, as in a service
    read(path)
print(json.dumps([[read(path) for path in paths] for _ in range(int(rounds))]))
"""


def measure(size: Size) -> Iterator[Measurement]:
    """Yield a row for each layout, and one against the older build for the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{name}.log") for name in made_log.layouts()}
        for name, path in paths.items():
            made_log.write(path, _BYTES[size], name)
        costs = _costs(ours(), paths, _ROUNDS[size])
        paper = _speeds(paths[_PAPER], costs[_PAPER])
        for name, path in paths.items():
            speeds = _speeds(path, costs[name])
            yield Measurement(
                claim=f"a log of the layout {name}",
                unit=_UNIT,
                ours=median(speeds),
                baseline="Paper's layout",
                baseline_value=median(paper),
                ratio=median(one / other for one, other in zip(speeds, paper, strict=True)),
                target=0.6,
                direction="at least",
            )
        yield from _against_baseline({name: paths[name] for name in _SLOWEST}, size)


def _against_baseline(paths: dict[str, Path], size: Size) -> Iterator[Measurement]:
    target: dict[str, Any] = {"target": 6, "direction": "at least", "baseline": BASELINE_NAME}
    try:
        with baseline() as older:
            turns = [(_costs(ours(), paths, 1), _costs(older, paths, 1)) for _ in range(_ROUNDS[size])]
    except UnavailableError as error:
        for name in paths:
            yield Measurement.missing(f"{name}, against the older build", _UNIT, why=str(error), **target)
        return
    for name, path in paths.items():
        new, old = (_speeds(path, [turn[side][name][0] for turn in turns]) for side in (0, 1))
        yield Measurement(
            claim=f"{name}, against the older build",
            unit=_UNIT,
            ours=median(new),
            baseline_value=median(old),
            ratio=median(one / other for one, other in zip(new, old, strict=True)),
            **target,
        )


def _costs(checkout: Checkout, paths: dict[str, Path], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of CPU that each of the logs took in each round."""
    found = checkout.json(_READ, str(rounds), *map(str, paths.values()))
    return {name: [turn[number][0] for turn in found] for number, name in enumerate(paths)}


def _speeds(path: Path, seconds: Sequence[float]) -> list[float]:
    megabytes = path.stat().st_size / 1e6
    return [megabytes / each for each in seconds]

"""A recording of Arma 3 into rows, against a parser of JSON that only reads the same file into memory.

The recording is made up, in the newest form: soldiers who walk for 4,000 frames, so that nearly all of it is positions,
as in real ones. What is compared takes turns. Peak memory is that of a process that reads the file once and ends.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.turns import in_turns, median, median_ratio
from benchmarks.log_parsing import peak_memory
from pteroassets.simulator.arma3.recordings import large

_MEBIBYTES: Final = {Size.SHORT: 70, Size.FULL: 200}
_ROUNDS: Final = {Size.SHORT: 3, Size.FULL: 5}


def read_as_rows(path: Path) -> tuple[int, float]:
    """Return how many rows the recording at *path* gives, and the peak memory of this process in MB."""
    # imported here: the other process is to be without it
    from pteroassets.sources.arma3.ocap import read_recording  # noqa: PLC0415
    from pteroassets.sources.arma3.records import ListedReplay  # noqa: PLC0415

    listed = ListedReplay(source="ocap", replay_id=path.name, url="", data_urls=(), position=0)
    reading = read_recording(path.read_bytes(), listed)
    if reading.replay.outcome != "ok":
        raise RuntimeError(f"the recording was not read: {reading.replay.reason}")
    return len(reading.positions) + len(reading.units), peak_memory()


def read_as_json(path: Path) -> tuple[int, float]:
    """Return how many entities ``json.load`` finds in *path*, and the peak memory of this process in MB."""
    with path.open() as file:
        return len(json.load(file)["entities"]), peak_memory()


def measure(size: Size) -> Iterator[Measurement]:
    context = multiprocessing.get_context("spawn")

    def alone(read: Callable[[Path], tuple[int, float]], path: Path) -> tuple[int, float]:
        with context.Pool(1) as fresh:
            return fresh.apply(read, (path,))

    with tempfile.TemporaryDirectory() as folder, context.Pool(1) as one, context.Pool(1) as other:
        path = Path(folder, "recording.json")
        path.write_bytes(large(_MEBIBYTES[size]))
        megabytes = path.stat().st_size / 1e6
        costs = in_turns(
            {"ours": lambda: one.apply(read_as_rows, (path,)), "json": lambda: other.apply(read_as_json, (path,))},
            rounds=_ROUNDS[size] + 1,
        )
        costs = {name: of_rounds[1:] for name, of_rounds in costs.items()}  # the first one imports
        rows, ours = alone(read_as_rows, path)
        entities, whole = alone(read_as_json, path)
    note = f"{megabytes:.0f} MB unpacked, {entities} units, {rows:,} rows"
    yield Measurement(
        claim="a recording of Arma 3 into rows",
        unit="MB/CPU-s",
        ours=megabytes / median(costs["ours"]),
        baseline="json.load, which makes no rows",
        baseline_value=megabytes / median(costs["json"]),
        ratio=median_ratio(costs["json"], costs["ours"]),
        target=3,
        direction="at least",
        note=note,
    )
    yield Measurement(
        claim="peak memory of reading a recording",
        unit="MB",
        ours=ours,
        baseline="json.load",
        baseline_value=whole,
        target=0.25,
        note=note,
    )

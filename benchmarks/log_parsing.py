"""A Paper log into events, against what else could read it.

The log is made up (`made_log`): 4 % of its lines give events. All measurements take turns, some rounds long, and a
ratio is the median of the rounds' ratios, so that a machine whose speed wanders changes it little. What is compared
reads the same bytes. The unit of work for several processes is a file, as it is in the product: the two-process figure
reads the two halves of the log, each a file of its own, and is of seconds by the clock on the wall.
"""

from __future__ import annotations

import gzip
import multiprocessing
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import made_log
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import Cost
from benchmarks.frame.turns import in_turns, median, median_ratio, median_wall, median_wall_ratio
from pteroassets.sources.minecraft.log import LogParser

_BLOCK_BYTES = 1 << 20
_BYTES = {Size.SHORT: (60_000_000, 20_000_000), Size.FULL: (500_000_000, 50_000_000)}  # the log, and its sample
_ROUNDS = {Size.SHORT: 3, Size.FULL: 7}
_TURNS = 20_000_000
_JOINED = r"^\[[0-9:]{8}\] \[[^\]]*\]: [^ ]+ joined the game$"


def parse(path: Path) -> tuple[int, float]:
    """Return the number of events in *path*, and the peak memory of this process in MB."""
    parser, count = LogParser(), 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            count += len(parser.feed(block))
    count += len(parser.finish())
    return count, peak_memory()


def peak_memory() -> float:
    """Return the most memory that this process had, in MB.

    The kernel's own status knows it; ``getrusage`` begins with what the parent had.
    """
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def extract_with_pandas(path: Path) -> object:
    """Return the times and names that one pattern finds in *path*."""
    import pandas as pd  # noqa: PLC0415 - not in the processes whose memory is measured

    lines = pd.Series(path.read_text(encoding="utf-8").splitlines())
    return lines.str.extract(r"^\[([0-9:]{8})\] \[[^\]]*\]: ([^ ]+) joined the game$")


def decompress(path: Path) -> None:
    """Read a gzipped file to its end."""
    with gzip.open(path) as file:
        while file.read(_BLOCK_BYTES):
            pass


def spin() -> None:
    """Keep one core busy for a while, without touching memory."""
    for _ in range(_TURNS):
        pass


def halve(path: Path) -> list[Path]:
    """Write the two halves of *path*, cut at a line, as files of their own."""
    halves = [path.with_name("first.log"), path.with_name("second.log")]
    middle, end = path.stat().st_size // 2, 0
    with path.open("rb") as file:
        file.seek(middle)
        file.readline()
        end = file.tell()
        file.seek(0)
        with halves[0].open("wb") as half:
            half.write(file.read(end))
        with halves[1].open("wb") as half:
            shutil.copyfileobj(file, half)
    return halves


def as_forge(sample: Path) -> Path:
    """Write the lines of *sample* as Forge does, with a date and a logger."""
    written = re.sub(
        rb"^\[(.{8})\] \[([^\]\n]*)\]: ",
        rb"[07Nov2026 \1.000] [\2] [net.minecraft.server.MinecraftServer/]: ",
        sample.read_bytes(),
        flags=re.MULTILINE,
    )
    path = sample.with_name("forge.log")
    path.write_bytes(written)
    return path


def compared(
    claim: str, costs: dict[str, list[Cost]], ours: str, other: str, megabytes: float, **others: Any
) -> Measurement:
    """Return the MB that *ours* reads in a CPU second, beside those of *other* on the same bytes."""
    return Measurement(
        claim=claim,
        unit="MB/CPU-s",
        ours=megabytes / median(costs[ours]),
        baseline_value=megabytes / median(costs[other]),
        ratio=median_ratio(costs[other], costs[ours]),
        **others,
    )


def measure(size: Size) -> Iterator[Measurement]:
    context = multiprocessing.get_context("spawn")
    of_log, of_sample = _BYTES[size]
    with tempfile.TemporaryDirectory() as folder, context.Pool(1) as one, context.Pool(2) as two:
        path, sample = Path(folder, "latest.log"), Path(folder, "sample.log")
        made_log.write(path, of_log)
        with path.open("rb") as file, sample.open("wb") as part:
            part.write(file.read(of_sample))
        archive = sample.with_suffix(".log.gz")
        with sample.open("rb") as source, gzip.open(archive, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
        halves, forge = halve(path), as_forge(sample)
        runners: dict[str, Callable[[], object]] = {
            "pandas": partial(extract_with_pandas, sample),
            "sample": lambda: one.apply(parse, (sample,)),
            "forge": lambda: one.apply(parse, (forge,)),
            "one": lambda: one.apply(parse, (path,)),
            "two": lambda: two.map(parse, halves, chunksize=1),
            "spin one": lambda: [one.apply(spin) for _ in range(2)],
            "spin two": lambda: [each.get() for each in [two.apply_async(spin) for _ in range(2)]],
            "gunzip": lambda: one.apply(decompress, (archive,)),
            "archive": lambda: one.apply(parse, (archive,)),
        }
        has_ripgrep = shutil.which("rg") is not None
        if has_ripgrep:
            command = ["rg", "-c", _JOINED, str(path)]
            runners["ripgrep"] = lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        costs = in_turns(runners, rounds=_ROUNDS[size])
        events, peak = one.apply(parse, (path,))
        megabytes, sampled = path.stat().st_size / 1e6, sample.stat().st_size / 1e6

    against_ripgrep: dict[str, Any] = {"baseline": "ripgrep -c", "target": 0.25, "direction": "at least"}
    claim = "all events of a Paper log, one process"
    if has_ripgrep:
        note = f"{events:,} events, one pattern by ripgrep"
        yield compared(claim, costs, "one", "ripgrep", megabytes, note=note, **against_ripgrep)
    else:
        yield Measurement(
            claim=claim,
            unit="MB/CPU-s",
            ours=megabytes / median(costs["one"]),
            note="ripgrep is not installed (Debian: apt-get install ripgrep)",
            **against_ripgrep,
        )
    yield compared(
        claim, costs, "sample", "pandas", sampled, baseline="pandas str.extract", target=2, direction="at least",
        note="one pattern by pandas, the same sample",
    )  # fmt: skip
    yield Measurement(
        claim="the same events, as Forge writes them",
        unit="CPU-s",
        ours=median(costs["forge"]),
        baseline="as Paper writes them",
        baseline_value=median(costs["sample"]),
        ratio=median_ratio(costs["forge"], costs["sample"]),
        note="the lines are longer",
    )
    yield Measurement(
        claim="two processes, a half each",
        unit="MB/s",
        ours=megabytes / median_wall(costs["two"]),
        baseline="one process",
        baseline_value=megabytes / median_wall(costs["one"]),
        ratio=median_wall_ratio(costs["one"], costs["two"]),
        target=1.8,
        direction="at least",
        note=f"a loop that does nothing: {median_wall_ratio(costs['spin one'], costs['spin two']):.2f}",
    )
    yield Measurement(
        claim="peak memory of the process", unit="MB", ours=peak, target=200, direction="at most", judged="ours"
    )
    yield Measurement(
        claim="a gzipped log, read",
        unit="CPU-s",
        ours=median(costs["archive"]),
        baseline="decompressed only",
        baseline_value=median(costs["gunzip"]),
        ratio=median_ratio(costs["archive"], costs["gunzip"]),
    )

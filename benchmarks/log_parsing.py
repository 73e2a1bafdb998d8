"""Measure how fast a Paper log becomes events, against what else could read it, all in one run.

Usage: python benchmarks/log_parsing.py [MEGABYTES] (default 500, which are about 5 million lines)

The log is made up (`made_log`): 4 % of its lines give events. All measurements take turns, some rounds long; of each
the best by the clock on the wall is printed, and a ratio is the median of the rounds' ratios, so that a machine whose
speed wanders changes it little. What is compared reads the same bytes. The unit of work for several processes is a
file, as it is in the product: the two-process figure reads the two halves of the log, each a file of its own.
"""

from __future__ import annotations

import gzip
import multiprocessing
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import made_log

from pteroassets.sources.minecraft.log import LogParser

_BLOCK_BYTES = 1 << 20
_SAMPLE_BYTES = 50_000_000
_ROUNDS = 7
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


def race(runners: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the seconds that each of *runners* took in each round; in a round they run in turn."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(_ROUNDS):
        for name, run in runners.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    return times


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


def report(name: str, megabytes: float, seconds: list[float]) -> None:
    """Print MB/s of the best round."""
    print(f"{name:52} {megabytes / min(seconds):8.0f} MB/s {min(seconds):8.2f} s")


def ratio(of: list[float], to: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(of, to, strict=True))


def judge(name: str, found: float, wanted: float, unit: str = "") -> None:
    """Print a ratio beside its target."""
    is_met = found >= wanted if unit == "" else found <= wanted
    bound = "at least" if unit == "" else "at most"
    print(f"{name:52} {found:8.2f}{unit} ({bound} {wanted:g}{unit}: {'met' if is_met else 'MISSED'})")


def main(size: int) -> None:
    """Measure with a log of *size* bytes."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, context.Pool(1) as one, context.Pool(2) as two:
        path, sample = Path(folder, "latest.log"), Path(folder, "sample.log")
        made_log.write(path, size)
        with path.open("rb") as file, sample.open("wb") as part:
            part.write(file.read(_SAMPLE_BYTES))
        archive = sample.with_suffix(".log.gz")
        with sample.open("rb") as source, gzip.open(archive, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
        halves, forge = halve(path), as_forge(sample)
        runners: dict[str, Callable[[], object]] = {
            "pandas": lambda: extract_with_pandas(sample),
            "sample": lambda: one.apply(parse, (sample,)),
            "forge": lambda: one.apply(parse, (forge,)),
            "one": lambda: one.apply(parse, (path,)),
            "two": lambda: two.map(parse, halves, chunksize=1),
            "spin one": lambda: [one.apply(spin) for _ in range(2)],
            "spin two": lambda: [each.get() for each in [two.apply_async(spin) for _ in range(2)]],
            "gunzip": lambda: one.apply(decompress, (archive,)),
            "archive": lambda: one.apply(parse, (archive,)),
        }
        if shutil.which("rg") is None:
            print("ripgrep is not installed (Debian: apt-get install ripgrep), so there is no ratio to it")
        else:
            command = ["rg", "-c", _JOINED, str(path)]
            runners["ripgrep"] = lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = race(runners)
        events, peak = one.apply(parse, (path,))
        megabytes, sampled = path.stat().st_size / 1e6, sample.stat().st_size / 1e6
        as_long = forge.stat().st_size / 1e6

    if "ripgrep" in seconds:
        report("ripgrep -c, one pattern", megabytes, seconds["ripgrep"])
    report(f"all events ({events:,}), one process", megabytes, seconds["one"])
    report("all events, two processes, a half each", megabytes, seconds["two"])
    report("pandas str.extract, one pattern, on a sample", sampled, seconds["pandas"])
    report("all events, one process, on the same sample", sampled, seconds["sample"])
    report("the same events, as Forge writes them", as_long, seconds["forge"])
    print()
    if "ripgrep" in seconds:
        judge("one process, of ripgrep", ratio(seconds["ripgrep"], seconds["one"]), 0.25)
    judge("one process, of pandas", ratio(seconds["pandas"], seconds["sample"]), 2)
    print(
        f"{'time of a line of Paper, of the time of one of Forge':52} {ratio(seconds['sample'], seconds['forge']):8.2f}"
    )
    judge("two processes, of one", ratio(seconds["one"], seconds["two"]), 1.8)
    print(f"{'the same of a loop that does nothing':52} {ratio(seconds['spin one'], seconds['spin two']):8.2f}")
    judge("peak memory of the process", peak, 200, " MB")
    share = ratio(seconds["gunzip"], seconds["archive"])
    print(f"{'of reading a gzipped archive, decompression takes':52} {share:8.0%}")


if __name__ == "__main__":
    main((int(sys.argv[1]) if len(sys.argv) > 1 else 500) * 1_000_000)

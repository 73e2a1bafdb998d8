"""What misses its target, and knows not all."""

from collections.abc import Iterator

from benchmarks.frame.measurement import Measurement, Size


def measure(_: Size) -> Iterator[Measurement]:
    yield Measurement(claim="a pass", unit="CPU-s", ours=2.1, baseline="before", baseline_value=8, target=0.25)
    yield Measurement.missing("a copy", "rows/s", why="psql is not installed", target=0.7, direction="at least")

"""What breaks after its first figure."""

from collections.abc import Iterator

from benchmarks.frame.measurement import Measurement, Size


def measure(_: Size) -> Iterator[Measurement]:
    yield Measurement(claim="the first", unit="s", ours=1)
    raise RuntimeError("the disk is full")

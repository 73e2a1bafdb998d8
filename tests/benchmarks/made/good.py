"""What meets its target."""

from collections.abc import Iterator

from benchmarks.frame.measurement import Measurement, Size


def measure(size: Size) -> Iterator[Measurement]:
    yield Measurement(
        claim="a pass", unit="CPU-s", ours=2, baseline="before", baseline_value=8, target=0.25, note=f"{size} size"
    )

"""Axes of the charts: where they end, and at which values lines are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_VCPU: Final = 100.0
_FEW_VCPUS: Final = 4
_GIB: Final = 1024.0
_LINES: Final = 4.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From 0 to *top*, with lines at *ticks* and a limit line at *limit*, where there is one."""

    top: float
    ticks: tuple[float, ...]
    limit: float | None
    unit: str

    def label(self, value: float) -> str:
        """Return how *value* is written beside its line."""
        if self.unit == "%":
            return f"{value:g}%"
        if not value:
            return "0"
        return f"{value / _GIB:g}G" if self.top >= _GIB else f"{value:g}M"


def cpu_axis(values: Sequence[float], limit: float | None) -> Axis:
    """Return the axis of processor use in percent of one core, of which a server with several vCPUs has several.

    With a limit it ends a little above the limit, or above what went beyond it, so that use is seen against what is
    allowed. Without one it ends at the next whole vCPU. Lines stand at whole vCPUs, or parts of a single one.
    """
    most = max(values, default=0.0)
    top = max(math.ceil(most / _VCPU), 1) * _VCPU if limit is None else max(limit, most) * 1.08
    vcpus = top / _VCPU
    if vcpus < _FEW_VCPUS / 2:
        step = 50.0 if top > _VCPU / 2 else 25.0
    else:
        step = _VCPU * max(_power_of_two(vcpus / _FEW_VCPUS), 1)
    return Axis(top=top, ticks=_ticks(top, step), limit=limit, unit="%")


def memory_axis(values: Sequence[float], limit: float | None) -> Axis:
    """Return the axis of memory in mebibytes: up to a little above the limit, else to a round value above the most."""
    most = max(values, default=0.0)
    top = max(limit, most) * 1.08 if limit is not None else max(most * 1.02, 64.0)
    step = _power_of_two(top / _LINES)
    if limit is None:
        top = math.ceil(top / step) * step
    return Axis(top=top, ticks=_ticks(top, step), limit=limit, unit="MiB")


def _power_of_two(value: float) -> float:
    """Return the power of two that is nearest above *value*, as memory is sold and vCPUs are counted."""
    return float(2.0 ** math.ceil(math.log2(value) - 1e-9))


def _ticks(top: float, step: float) -> tuple[float, ...]:
    return tuple(step * number for number in range(int(top / step + 1e-9) + 1))

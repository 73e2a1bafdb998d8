"""One measured figure: what was claimed, what was found, and what it is compared with."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Any, Literal

Direction = Literal["at least", "at most"]
Verdict = Literal["met", "missed", "not measured", ""]


class Size(StrEnum):
    """How much is measured: all of ``short`` takes under ten minutes, ``full`` as long as the big figures need."""

    SHORT = "short"
    FULL = "full"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure of a benchmark, in *unit*, beside the *baseline_value* of what it is compared with.

    *ratio* is always ours divided by the baseline; without one given it is computed from the two. What is not known is
    None, never 0, and the *note* says why. The *target* bounds the ratio or our figure, as *judged* says. A point of a
    curve has its place on the axis as *x*, in *x_unit*; the points of one curve share the claim.
    """

    claim: str
    unit: str
    ours: float | None
    baseline: str = ""
    baseline_value: float | None = None
    ratio: float | None = None
    target: float | None = None
    direction: Direction = "at most"
    judged: Literal["ratio", "ours"] = "ratio"
    note: str = ""
    x: float | None = None
    x_unit: str = ""

    def __post_init__(self) -> None:
        if self.ratio is None and self.ours is not None and self.baseline_value:
            object.__setattr__(self, "ratio", self.ours / self.baseline_value)
        if self.ours is None and not self.note:
            raise ValueError(f"{self.claim}: a figure that was not measured needs a note that says why")

    @classmethod
    def missing(cls, claim: str, unit: str, *, why: str, **others: Any) -> Measurement:
        """Return the row of a figure that could not be measured; *why* names the remedy."""
        return cls(claim=claim, unit=unit, ours=None, note=why, **others)

    @property
    def judged_value(self) -> float | None:
        """What the target bounds; None where that was not measured."""
        return self.ratio if self.judged == "ratio" else self.ours

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met; nothing where there is none and a figure."""
        value = self.judged_value
        if self.ours is None or (self.target is not None and value is None):
            return "not measured"
        if self.target is None or value is None:
            return ""
        is_met = value >= self.target if self.direction == "at least" else value <= self.target
        return "met" if is_met else "missed"

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name; those that were left at their default are left out."""
        fields = dataclasses.fields(self)
        return {field.name: value for field in fields if (value := getattr(self, field.name)) != field.default}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Measurement:
        """Return the measurement that `as_json` wrote; a figure that was not measured stays unknown."""
        return cls(**fields)

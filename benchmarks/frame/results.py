"""What a run of the benchmarks found, kept as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.frame.checkout import BASELINE_COMMIT
from benchmarks.frame.measurement import Measurement
from pteroassets.settings import CHECKOUT

FOLDER = CHECKOUT / "benchmarks" / "results"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one benchmark measured, when, and under which load; a *failure* says why it did not end well."""

    name: str
    title: str
    size: str
    started_at: str
    seconds: float
    load: float
    commit: str
    failure: str
    measurements: list[Measurement]

    def as_json(self) -> dict[str, Any]:
        """Return the part as JSON has it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**fields, "measurements": [each.as_json() for each in self.measurements]}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Part:
        """Return the part that `as_json` wrote."""
        measurements = [Measurement.from_json(each) for each in fields["measurements"]]
        return cls(**{**fields, "measurements": measurements})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All parts of a run, in the order of their names, and the machine that they were measured on."""

    machine: dict[str, str]
    parts: list[Part]

    def with_parts(self, parts: Iterable[Part]) -> Results:
        """Return these results with *parts* in place of those of the same names."""
        by_name = {part.name: part for part in (*self.parts, *parts)}
        return dataclasses.replace(self, parts=[by_name[name] for name in sorted(by_name)])

    @property
    def missed(self) -> int:
        """How many targets were missed."""
        return sum(each.verdict == "missed" for part in self.parts for each in part.measurements)

    @property
    def not_measured(self) -> int:
        """How many figures are not known."""
        return sum(each.verdict == "not measured" for part in self.parts for each in part.measurements)

    @property
    def failed(self) -> int:
        """How many benchmarks did not end well."""
        return sum(bool(part.failure) for part in self.parts)

    def write(self, path: Path) -> None:
        """Write the results to *path*, one line a figure."""
        whole = {
            "machine": self.machine,
            "baseline_commit": BASELINE_COMMIT,
            "parts": [part.as_json() for part in self.parts],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what `write` wrote."""
        whole = json.loads(path.read_text(encoding="utf-8"))
        return cls(machine=whole["machine"], parts=[Part.from_json(part) for part in whole["parts"]])

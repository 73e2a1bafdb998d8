"""Charts of results: how far each target is met, and how cost grows with size."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.frame.checkout import UnavailableError
from benchmarks.frame.measurement import Measurement
from benchmarks.frame.results import Results
from pteroassets.settings import CHECKOUT

_PYTHON = CHECKOUT / ".tools" / "bench" / "bin" / "python"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def draw(results: Results, folder: Path, prefix: str) -> list[Path]:
    """Draw the charts of *results* as SVG into *folder* and return them; those of former results go in any case.

    Raises:
        UnavailableError: What draws them is not installed.
    """
    for path in folder.glob(f"{prefix}-*.svg"):
        path.unlink()
    if not _PYTHON.exists():
        raise UnavailableError("no charts were drawn: make .tools/bench/.installed fetches what draws them")
    charts = {folder / f"{prefix}-{name}.svg": spec for name, spec in specifications(results).items()}
    command = [str(_PYTHON), str(Path(__file__).with_name("draw.py"))]
    given = json.dumps({str(path): spec for path, spec in charts.items()})
    answer = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise RuntimeError(f"the charts could not be drawn: {answer.stderr.strip()}")
    return [*charts]


def specifications(results: Results) -> dict[str, dict[str, Any]]:
    """Return the charts as Vega-Lite, by name: ``targets``, and one for each curve of two points or more."""
    measured = [each for part in results.parts for each in part.measurements]
    margins = [
        {"claim": claim_of(each), "margin": margin, "verdict": each.verdict}
        for each in measured
        if (margin := margin_of(each)) is not None
    ]
    charts = {"targets": _bars(margins)} if margins else {}
    for key, points in groupby(sorted(filter(_is_point, measured), key=_curve), key=_curve):
        rows = [{"x": point.x, "y": y, "what": what} for point in points for what, y in _figures(point)]
        if len({row["x"] for row in rows}) > 1:
            charts[re.sub(r"\W+", "-", key[0].lower()).strip("-")] = _curves(rows, *key)
    return charts


def claim_of(measurement: Measurement) -> str:
    """Return the claim with its place on the axis and what it is compared with, which together are its name."""
    at = f", {measurement.x:,g} {measurement.x_unit}" if measurement.x is not None else ""
    against = f" / {measurement.baseline}" if measurement.baseline and measurement.judged == "ratio" else ""
    return f"{measurement.claim}{at}{against}"


def margin_of(measurement: Measurement) -> float | None:
    """Return how many times better than its target a figure is: 1 is the target itself; None where that is unknown."""
    value, target = measurement.judged_value, measurement.target
    if not value or not target or measurement.ours is None:
        return None
    return value / target if measurement.direction == "at least" else target / value


def _is_point(measurement: Measurement) -> bool:
    return measurement.x is not None and measurement.ours is not None


def _curve(measurement: Measurement) -> tuple[str, str, str]:
    return measurement.claim, measurement.unit, measurement.x_unit


def _figures(point: Measurement) -> Iterable[tuple[str, float | None]]:
    yield "ours", point.ours
    if point.baseline_value is not None:
        yield point.baseline, point.baseline_value


def _bars(margins: list[dict[str, Any]]) -> dict[str, Any]:
    claim = {"field": "claim", "type": "nominal", "sort": {"field": "margin"}, "title": None}
    margin = {"field": "margin", "type": "quantitative", "scale": {"type": "log"}, "title": "times better than asked"}
    colour = {
        "field": "verdict",
        "scale": {"domain": ["met", "missed"], "range": ["#4c78a8", "#e45756"]},
        "title": None,
    }
    bars = {
        "mark": {"type": "bar", "height": 12},
        "encoding": {
            "y": {**claim, "axis": {"labelLimit": 520}},
            "x": {**margin, "stack": None},
            "x2": {"datum": 1},
            "color": colour,
        },
    }
    line = {"mark": {"type": "rule", "color": "black"}, "encoding": {"x": {"datum": 1}}}
    data = {"values": margins}
    return {"$schema": _SCHEMA, "data": data, "width": 420, "height": {"step": 20}, "layer": [bars, line]}


def _curves(rows: list[dict[str, Any]], claim: str, unit: str, x_unit: str) -> dict[str, Any]:
    return {
        "$schema": _SCHEMA,
        "title": claim,
        "data": {"values": rows},
        "width": 420,
        "height": 260,
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "scale": {"type": "log"}, "title": x_unit},
            "y": {"field": "y", "type": "quantitative", "title": unit},
            "color": {"field": "what", "type": "nominal", "title": None},
        },
    }

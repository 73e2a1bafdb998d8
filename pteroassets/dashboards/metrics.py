"""The registry of metrics: what a figure is called, what it means and in which unit it stands.

Metrics are written in the dbt project, beside the model that computes them, as dbt's own semantic models and metrics.
The pages, the glossary and everything else that names a figure read them from dbt's manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_NEEDED = ("unit", "owner", "source", "grain")


class MetricError(Exception):
    """A figure is in no registry, or the registry lacks what has to be said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure and its definition.

    Attributes:
        name: Its name in the registry.
        label: What a person reads.
        description: The definition, in sentences.
        unit: What the number counts; ``ratio`` for a part of 1, which is shown in percent.
        digits: Decimal places that are shown.
        owner: Who answers for it.
        source: Where its data come from.
        grain: For what one number stands.
        model: The model that computes it.
        measure: How the model's column is aggregated; two of them, with a slash between, for a ratio.
    """

    name: str
    label: str
    description: str
    unit: str
    digits: int
    owner: str
    source: str
    grain: str
    model: str
    measure: str

    @property
    def shown_unit(self) -> str:
        """Return the unit as it stands behind a number."""
        return "%" if self.unit == "ratio" else self.unit

    @property
    def heading(self) -> str:
        """Return label and unit, as on an axis or over a column; a unit that the label ends with is not repeated."""
        return self.label if self.label.casefold().endswith(self.unit) else f"{self.label} ({self.shown_unit})"

    def shown(self, value: float) -> str:
        """Return *value* as text, without its unit."""
        return f"{100 * value:,.{self.digits}f}" if self.unit == "ratio" else f"{value:,.{self.digits}f}"

    def as_json(self) -> dict[str, Any]:
        """Return the metric as a record of which JSON can be made."""
        return asdict(self)


def read_metrics(manifest: Mapping[str, Any]) -> dict[str, Metric]:
    """Return the metrics of dbt's *manifest* by name.

    Raises:
        MetricError: One lacks its unit, owner, source or grain.
    """
    measures = {
        measure["name"]: (semantic["node_relation"]["alias"], measure)
        for semantic in manifest["semantic_models"].values()
        for measure in semantic["measures"]
    }
    nodes = {node["name"]: node for node in manifest["metrics"].values()}
    return {name: _metric(node, nodes, measures) for name, node in sorted(nodes.items())}


def _metric(
    node: Mapping[str, Any], nodes: Mapping[str, Any], measures: Mapping[str, tuple[str, Mapping[str, Any]]]
) -> Metric:
    name, meta = node["name"], node["config"]["meta"]
    missing = [key for key in _NEEDED if not meta.get(key)]
    if missing or not node["description"]:
        raise MetricError(f"the metric {name} says nothing of its {', '.join(missing) or 'definition'}")
    found = [measures[measure] for measure in _measures_of(node, nodes)]
    return Metric(
        name=name,
        label=node["label"],
        description=" ".join(node["description"].split()),
        unit=meta["unit"],
        digits=int(meta.get("digits", 0)),
        owner=meta["owner"],
        source=meta["source"],
        grain=meta["grain"],
        model=", ".join(dict.fromkeys(model for model, _ in found)),
        measure=" / ".join(f"{measure['agg']} of {measure['expr'] or measure['name']}" for _, measure in found),
    )


def _measures_of(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> list[str]:
    """Return the names of the measures that a metric is made of; a ratio is made of those of two metrics."""
    given = node["type_params"]
    if node["type"] == "ratio":
        parts = (given["numerator"]["name"], given["denominator"]["name"])
        return [measure for part in parts for measure in _measures_of(nodes[part], nodes)]
    return [given["measure"]["name"]]

"""Compute metrics from the models that they name, by the registry alone.

A metric is one measure of a model, or a measure by another. A measure is an aggregate of a column, or of an expression
of columns. A ratio is always that of two aggregates, so that no ratio is ever averaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from psycopg import sql

from pteroassets.dashboards.metrics import MetricError
from pteroassets.warehouse.connection import Connection

Span = Literal["day", "week", "month"]
Values = Mapping[date | None, float | None]
_AGGREGATES = {
    "sum": "sum({})",
    "max": "max({})",
    "min": "min({})",
    "average": "avg({})",
    "count_distinct": "count(distinct {})",
    "median": "percentile_cont(0.5) within group (order by {})",
    "percentile": "percentile_cont(0.9) within group (order by {})",
}
_PERCENTILE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """An aggregate over a model.

    Attributes:
        name: Its name.
        node: dbt's id of the model.
        schema: Schema of the model.
        relation: Name of the model.
        aggregate: How rows become one number, in dbt's words.
        expression: What is aggregated, in SQL.
        time: The time of a row, in SQL.
    """

    name: str
    node: str
    schema: str
    relation: str
    aggregate: str
    expression: str
    time: str

    @property
    def query(self) -> str:
        """Return the aggregate in SQL."""
        return _AGGREGATES[self.aggregate].format(self.expression)

    @property
    def told(self) -> str:
        """Return in one line what is aggregated and how."""
        return f"{self.aggregate} of {self.expression} in {self.relation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """How a metric is computed.

    Attributes:
        name: Name of the metric.
        above: The measure; of a ratio, its numerator.
        below: The denominator; None where the metric is no ratio.
    """

    name: str
    above: Measure
    below: Measure | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Return what it is made of."""
        return (self.above,) if self.below is None else (self.above, self.below)

    @property
    def told(self) -> str:
        """Return in one line how it is computed."""
        return " / ".join(measure.told for measure in self.measures)


def read_formulas(manifest: Mapping[str, Any]) -> dict[str, Formula]:
    """Return how each metric of dbt's *manifest* is computed, by name.

    Raises:
        MetricError: One is of a kind that is not computed here.
    """
    measures = {
        measure["name"]: _measure(semantic, measure)
        for semantic in manifest["semantic_models"].values()
        for measure in semantic["measures"]
    }
    nodes = {node["name"]: node for node in manifest["metrics"].values()}
    return {name: _formula(node, nodes, measures) for name, node in sorted(nodes.items())}


def _measure(semantic: Mapping[str, Any], measure: Mapping[str, Any]) -> Measure:
    percentile = (measure["agg_params"] or {}).get("percentile")
    is_known = measure["agg"] in _AGGREGATES and (measure["agg"] != "percentile" or percentile == _PERCENTILE)
    if not is_known or measure["non_additive_dimension"]:
        raise MetricError(f"the measure {measure['name']} is aggregated in a way that is not computed here")
    time = measure["agg_time_dimension"] or semantic["defaults"]["agg_time_dimension"]
    (dimension,) = [one for one in semantic["dimensions"] if one["name"] == time]
    return Measure(
        name=measure["name"],
        node=semantic["depends_on"]["nodes"][0],
        schema=semantic["node_relation"]["schema_name"],
        relation=semantic["node_relation"]["alias"],
        aggregate=measure["agg"],
        expression=str(measure["expr"] or measure["name"]),
        time=str(dimension["expr"] or time),
    )


def _formula(
    node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]], measures: Mapping[str, Measure]
) -> Formula:
    given = node["type_params"]
    if node["filter"] or node["type"] not in ("simple", "ratio"):
        raise MetricError(f"the metric {node['name']} is of a kind that is not computed here")
    if node["type"] == "simple":
        return Formula(name=node["name"], above=measures[given["measure"]["name"]])
    above, below = (nodes[given[part]["name"]] for part in ("numerator", "denominator"))
    if {above["type"], below["type"]} != {"simple"}:
        raise MetricError(f"the metric {node['name']} is a ratio of ratios")
    return Formula(
        name=node["name"],
        above=measures[above["type_params"]["measure"]["name"]],
        below=measures[below["type_params"]["measure"]["name"]],
    )


def compute(connection: Connection, formulas: Iterable[Formula], by: Span | None = None) -> dict[str, Values]:
    """Return each metric's values by the first day of the span in UTC, or under None where *by* is None.

    A model is read once, for all of its measures. Rows without a time take no part in spans.

    Raises:
        psycopg.Error: A model is not there, or lacks a column.
    """
    wanted = list(formulas)
    by_model: dict[tuple[str, str], dict[str, Measure]] = defaultdict(dict)
    for formula in wanted:
        for measure in formula.measures:
            by_model[measure.schema, measure.relation][measure.name] = measure
    connection.execute("set local time zone 'UTC'")
    found: dict[str, Values] = {}
    for (schema, relation), measures in by_model.items():
        found.update(_read(connection, sql.Identifier(schema, relation), list(measures.values()), by))
    return {formula.name: _divided(found, formula) for formula in wanted}


def _read(
    connection: Connection, relation: sql.Identifier, measures: Sequence[Measure], by: Span | None
) -> dict[str, dict[date | None, float | None]]:
    found: dict[str, dict[date | None, float | None]] = {measure.name: {} for measure in measures}
    # measures of one model may differ in their time
    for time in {measure.time for measure in measures}:
        of_time = [measure for measure in measures if measure.time == time]
        asked = ", ".join(f"({measure.query})::float8" for measure in of_time)
        start = "null::date" if by is None else f"date_trunc('{by}', ({time})::timestamp)::date"
        spans = "" if by is None else f"where ({time}) is not null group by 1"
        # expressions are the registry's own
        query = sql.SQL(f"select {start}, {asked} from {{}} {spans}").format(relation)
        for at, *values in connection.execute(query):
            for measure, value in zip(of_time, values, strict=True):
                found[measure.name][at] = value
    return found


def _divided(found: Mapping[str, Values], formula: Formula) -> Values:
    above = found[formula.above.name]
    if formula.below is None:
        return above
    below = found[formula.below.name]
    return {at: _ratio(above.get(at), below.get(at)) for at in dict.fromkeys((*above, *below))}


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None

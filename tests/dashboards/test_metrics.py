"""What is read of the registry, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from pteroassets.dashboards.metrics import MetricError, read_metrics
from tests.dashboards.pages import a_metric

META = {"unit": "hours", "digits": 1, "owner": "Someone", "source": "logs", "grain": "day"}


def manifest(*metrics: dict[str, Any]) -> dict[str, Any]:
    measures = [
        {"name": "hours", "agg": "sum", "expr": "a_column"},
        {"name": "days", "agg": "max", "expr": None},
    ]
    return {
        "semantic_models": {"one": {"node_relation": {"alias": "fct_server_daily"}, "measures": measures}},
        "metrics": {metric["name"]: metric for metric in metrics},
    }


def simple(name: str, measure: str, **meta: Any) -> dict[str, Any]:
    return {
        "name": name, "label": name.title(), "description": "What it\n is.", "type": "simple",
        "type_params": {"measure": {"name": measure}}, "config": {"meta": {**META, **meta}},
    }  # fmt: skip


def test_a_metric_says_which_model_computes_it_and_how() -> None:
    ratio = {
        **simple("a_day", ""), "type": "ratio",
        "type_params": {"numerator": {"name": "of_hours"}, "denominator": {"name": "of_days"}},
    }  # fmt: skip
    found = read_metrics(manifest(simple("of_hours", "hours"), simple("of_days", "days"), ratio))
    assert found["of_hours"].description == "What it is."
    assert (found["of_hours"].model, found["of_hours"].measure) == ("fct_server_daily", "sum of a_column")
    assert found["a_day"].measure == "sum of a_column / max of days"
    assert list(found) == ["a_day", "of_days", "of_hours"]


@pytest.mark.parametrize("what", ["unit", "owner", "source", "grain"])
def test_a_metric_without_a_part_of_its_definition_is_refused(what: str) -> None:
    with pytest.raises(MetricError, match=f"of_hours says nothing of its {what}"):
        read_metrics(manifest(simple("of_hours", "hours", **{what: ""})))


def test_a_number_has_its_unit_and_a_ratio_is_shown_in_percent() -> None:
    assert a_metric().shown(1234.56) == "1,234.6"
    assert a_metric(label="Time").heading == "Time (hours)"
    assert a_metric(label="Player-hours").heading == "Player-hours"
    ratio = a_metric("uptime", "ratio", 1, "Uptime")
    assert (ratio.shown(0.9876), ratio.shown_unit, ratio.heading) == ("98.8", "%", "Uptime (%)")

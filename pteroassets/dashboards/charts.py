"""Charts of metrics: the axis has the metric's name and unit, each mark a tooltip.

Times are drawn as they are given, as if they were UTC: a frame holds dates, or times of the clock that is meant. A
date read as the reader's own time would be the day before, west of Greenwich.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from pteroassets.dashboards.blocks import Chart, Nothing
from pteroassets.dashboards.context import metric as metric_of
from pteroassets.dashboards.metrics import Metric, MetricError

Shown = Chart | Nothing
_HEIGHT = 220
_BAR = 24  # a number, since Vega warns of a height by steps where the width follows the page
_TICKS = 7
_SERIES = 12  # more colours are not told apart


def line(
    frame: pd.DataFrame,
    *,
    x: str,
    metric: str,
    title: str,
    empty: str,
    by: str | None = None,
    limit: str | None = None,
    marks: pd.DataFrame | None = None,
    value: str | None = None,
) -> Shown:
    """Return a line over time.

    Args:
        frame: A row for each point; a NULL leaves a gap.
        x: Column of dates or times.
        metric: Name of the metric, and of its column unless *value* names another.
        title: The caption.
        empty: Why there is nothing where there is nothing.
        by: Column whose values get a line each.
        limit: Column with a limit, drawn as a dashed step.
        marks: Changes to be marked, with columns ``at`` and ``what``.
        value: Column with the numbers.
    """
    known, column = metric_of(metric), value or metric
    points = rows_of(frame, [x, column, *filter(None, (by, limit))], {column: "value"})
    if not any(row["value"] is not None for row in points):
        return Nothing(title=title, why=empty)
    time = _time(frame[x], x)
    tooltip = [time["tooltip"], *([alt.Tooltip(f"{by}:N", title="")] if by else []), _told(known)]
    chart: Any = alt.Chart(alt.InlineData(values=points), height=_HEIGHT)
    encoded = chart.mark_line(point=alt.OverlayMarkDef(size=18)).encode(
        x=time["axis"],
        y=alt.Y("value:Q", title=known.heading, axis=_axis(known), scale=_scale(known, points)),
        tooltip=tooltip,
        **({"color": _colour(by)} if by else {}),
    )
    layers = [encoded]
    if limit is not None:
        layers.append(
            chart.transform_filter(f"isValid(datum['{limit}'])")
            .mark_line(interpolate="step-after", strokeDash=[5, 4], opacity=0.7)
            .encode(x=time["axis"], y=f"{limit}:Q")
        )
    if marks is not None and len(marks):
        layers.append(_marks(marks, frame[x], time))
    told = f"{known.heading} by {x.replace('_', ' ')}, {len(points)} points"
    return chart_of(alt.layer(*layers) if len(layers) > 1 else encoded, title, told, [known])


def lines(frame: pd.DataFrame, *, x: str, metrics: Mapping[str, str], title: str, empty: str) -> Shown:
    """Return a line over time for each of several metrics of one unit.

    Args:
        frame: A row for each time; a NULL leaves a gap.
        x: Column of dates or times.
        metrics: For each column the name of its metric, by whose label its line is called.
        title: The caption.
        empty: Why there is nothing where there is nothing.

    Raises:
        MetricError: The metrics have different units.
    """
    known = {column: metric_of(name) for column, name in metrics.items()}
    first = next(iter(known.values()))
    if {one.shown_unit for one in known.values()} != {first.shown_unit}:
        raise MetricError(f"{', '.join(metrics.values())} cannot share an axis: their units differ")
    points = [
        {x: _plain(at), "value": _plain(value), "what": one.label}
        for column, one in known.items()
        for at, value in zip(frame[x], frame[column], strict=True)
    ]
    if not any(row["value"] is not None for row in points):
        return Nothing(title=title, why=empty)
    time = _time(frame[x], x)
    chart: Any = alt.Chart(alt.InlineData(values=points), height=_HEIGHT)
    encoded = chart.mark_line(point=alt.OverlayMarkDef(size=18)).encode(
        x=time["axis"],
        y=alt.Y("value:Q", title=first.shown_unit, axis=_axis(first), scale=_scale(first, points)),
        tooltip=[
            time["tooltip"],
            alt.Tooltip("what:N", title=""),
            alt.Tooltip("value:Q", title=first.shown_unit, format=_format(first)),
        ],
        color=_colour("what", sort=[one.label for one in known.values()]),
    )
    told = f"{', '.join(one.label for one in known.values())} by {x.replace('_', ' ')}, {len(frame)} points each"
    return chart_of(encoded, title, told, [*known.values()])


def curve(
    frame: pd.DataFrame,
    *,
    x: str,
    metric: str,
    bounds: tuple[str, str],
    rests_on: str,
    title: str,
    empty: str,
    by: str,
    value: str | None = None,
) -> Shown:
    """Return a line for each name over steps, each point with the interval that it lies in.

    Args:
        frame: A row for each point.
        x: Column of numbers, each of which is a step.
        metric: Name of the metric, and of its column unless *value* names another.
        bounds: Columns with the lower and the upper bound; drawn behind the line.
        rests_on: Name of the metric, and of its column, that says how much a point rests on.
        title: The caption.
        empty: Why there is nothing where there is nothing.
        by: Column whose values get a line each.
        value: Column with the numbers.
    """
    known, count, column = metric_of(metric), metric_of(rests_on), value or metric
    low, high = bounds
    points = rows_of(
        frame.dropna(subset=[column]), [x, column, low, high, rests_on, by], {column: "value", low: "low", high: "high"}
    )
    if not points:
        return Nothing(title=title, why=empty)
    chart: Any = alt.Chart(alt.InlineData(values=points), height=_HEIGHT)
    across = alt.X(f"{x}:O", title=x.replace("_", " "), axis=alt.Axis(labelAngle=0))
    up = alt.Y("value:Q", title=known.heading, axis=_axis(known), scale=_scale(known, points))
    tooltip = [
        alt.Tooltip(f"{by}:N", title=""),
        alt.Tooltip(f"{x}:O", title=x.replace("_", " ")),
        _told(known),
        alt.Tooltip("low:Q", title="at least", format=_format(known)),
        alt.Tooltip("high:Q", title="at most", format=_format(known)),
        alt.Tooltip(f"{rests_on}:Q", title=count.heading, format=_format(count)),
    ]
    colour = _colour(by)
    drawn = alt.layer(
        chart.mark_area(opacity=0.12).encode(x=across, y="low:Q", y2="high:Q", color=colour),
        chart.mark_line(point=alt.OverlayMarkDef(size=30)).encode(x=across, y=up, color=colour, tooltip=tooltip),
    )
    return chart_of(drawn, title, f"{known.heading} by {x.replace('_', ' ')}, {len(points)} points", [known, count])


def bars(
    frame: pd.DataFrame,
    *,
    y: str,
    metric: str,
    title: str,
    empty: str,
    by: str | None = None,
    value: str | None = None,
) -> Shown:
    """Return bars beside names, longest first: *y* is the column of names, *by* splits a bar in colours."""
    known, column = metric_of(metric), value or metric
    rows = rows_of(frame.dropna(subset=[column]), [y, column, *([by] if by else [])], {column: "value"})
    if not rows:
        return Nothing(title=title, why=empty)
    chart: Any = alt.Chart(alt.InlineData(values=rows), height=_BAR * len({row[y] for row in rows}))
    encoded = chart.mark_bar().encode(
        y=alt.Y(f"{y}:N", sort="-x", title=None, axis=alt.Axis(labelLimit=150)),
        x=alt.X("sum(value):Q", title=known.heading, axis=_axis(known)),
        tooltip=[
            alt.Tooltip(f"{y}:N", title=""),
            *([alt.Tooltip(f"{by}:N", title="")] if by else []),
            alt.Tooltip("sum(value):Q", title=known.heading, format=_format(known)),
        ],
        **({"color": _colour(by)} if by else {}),
    )
    return chart_of(encoded, title, f"{known.heading} of {len({row[y] for row in rows})} by name", [known])


def heat_map(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    metric: str,
    title: str,
    empty: str,
    order: Sequence[str],
    value: str | None = None,
    rests_on: str | None = None,
) -> Shown:
    """Return cells of a grid in shades, those without a value as empty frames.

    Args:
        frame: A row for each cell; a NULL is a cell of which nothing is known.
        x: Column of the side across.
        y: Column of the side that goes up.
        metric: Name of the metric, and of its column unless *value* names another.
        title: The caption.
        empty: Why there is nothing where there is nothing.
        order: Order of the values of *y*.
        value: Column with the numbers.
        rests_on: Name of the metric, and of its column, that says how much a cell rests on.
    """
    known, column = metric_of(metric), value or metric
    count = metric_of(rests_on) if rests_on else None
    rows = rows_of(frame, [x, y, column, *([rests_on] if rests_on else [])], {column: "value"})
    if not any(row["value"] is not None for row in rows):
        return Nothing(title=title, why=empty)
    chart: Any = alt.Chart(alt.InlineData(values=rows), height=_BAR * len({row[y] for row in rows}))
    where = {
        "x": alt.X(
            f"{x}:O", title=x.replace("_", " "), axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=8)
        ),
        "y": alt.Y(f"{y}:O", title=None, sort=list(order)),
    }
    cell = [alt.Tooltip(f"{y}:O", title=""), alt.Tooltip(f"{x}:O", title=x.replace("_", " "))]
    resting = [alt.Tooltip(f"{rests_on}:Q", title=count.heading, format=_format(count))] if count else []
    shades = (
        chart.transform_filter("isValid(datum.value)")
        .mark_rect()
        .encode(
            **where,
            color=alt.Color("value:Q", title=known.heading, legend=alt.Legend(orient="bottom", format=_format(known))),
            tooltip=[*cell, _told(known), *resting],
        )
    )
    layers = [shades]
    if any(row["value"] is None for row in rows):
        unknown = chart.transform_filter("!isValid(datum.value)").transform_calculate(told="'not known'")
        layers.append(
            unknown.mark_rect(filled=False, strokeDash=[2, 3], strokeWidth=1, opacity=0.6, stroke="gray").encode(
                **where, tooltip=[*cell, alt.Tooltip("told:N", title=known.heading)]
            )
        )
    told = f"{known.heading} by {x.replace('_', ' ')} and {y.replace('_', ' ')}"
    return chart_of(alt.layer(*layers) if layers[1:] else shades, title, told, [known, *([count] if count else [])])


def scatter(frame: pd.DataFrame, *, x: str, y: str, name: str, title: str, empty: str, by: str | None = None) -> Shown:
    """Return a dot for each row, of two metrics that are columns of *frame*; *name* says whose it is."""
    across, up = metric_of(x), metric_of(y)
    rows = rows_of(frame.dropna(subset=[x, y]), [x, y, name, *([by] if by else [])], {})
    if not rows:
        return Nothing(title=title, why=empty)
    chart: Any = alt.Chart(alt.InlineData(values=rows), height=_HEIGHT)
    encoded = chart.mark_circle(size=70, opacity=0.8).encode(
        x=alt.X(f"{x}:Q", title=across.heading, axis=_axis(across)),
        y=alt.Y(f"{y}:Q", title=up.heading, axis=_axis(up)),
        tooltip=[
            alt.Tooltip(f"{name}:N", title=""),
            alt.Tooltip(f"{x}:Q", title=across.heading, format=_format(across)),
            alt.Tooltip(f"{y}:Q", title=up.heading, format=_format(up)),
        ],
        **({"color": _colour(by)} if by else {}),
    )
    return chart_of(encoded, title, f"{up.heading} against {across.heading}, {len(rows)} dots", [across, up])


def chart_of(encoded: Any, title: str, told: str, metrics: Sequence[Metric], *, is_map: bool = False) -> Chart:
    """Return the block of what Altair *encoded*; *told* says it in words, for who cannot see it."""
    spec = encoded.to_dict(validate=False)  # half of the time of a page; the tests validate what is made here
    # how it looks is the page's, in light and in dark
    for name in ("$schema", "config"):
        spec.pop(name, None)
    return Chart(title=title, told=told, metrics=tuple(metrics), spec=spec, is_map=is_map)


def _colour(by: str, *, sort: Sequence[str] | None = None) -> alt.Color:
    # three names in a row are cut off on a phone
    legend = alt.Legend(orient="bottom", columns=2, labelLimit=130, symbolLimit=_SERIES, symbolOpacity=1)
    return alt.Color(f"{by}:N", title=None, legend=legend, sort=alt.Undefined if sort is None else list(sort))


def _marks(marks: pd.DataFrame, times: pd.Series[Any], time: dict[str, Any]) -> Any:
    rows = rows_of(marks, ["at", "what"], {})
    field = times.name
    chart: Any = alt.Chart(alt.InlineData(values=[{str(field): row["at"], "what": row["what"]} for row in rows]))
    return chart.mark_rule(strokeDash=[2, 3], strokeWidth=1.5).encode(
        x=time["axis"], tooltip=[time["tooltip"], alt.Tooltip("what:N", title="")]
    )


def _time(values: pd.Series[Any], name: str) -> dict[str, Any]:
    are_days = bool((values == values.dt.normalize()).all())
    title = name.replace("_", " ")
    form = "%d %b" if are_days else "%d %b %H:%M"
    unit: Any = "utcyearmonthdate" if are_days else "utcyearmonthdatehoursminutes"
    # of fewer days than ticks each would be named twice
    ticks = max(1, min(_TICKS, (values.max() - values.min()).days)) if are_days and len(values) else _TICKS
    return {
        "axis": alt.X(
            f"{name}:T",
            timeUnit=unit,
            title=None,
            axis=alt.Axis(format="%d %b", labelOverlap=True, labelSeparation=8, tickCount=ticks),
        ),
        "tooltip": alt.Tooltip(f"{name}:T", timeUnit=unit, title=title, format=form),
    }


def _axis(known: Metric) -> alt.Axis:
    return alt.Axis(format="~%") if known.unit == "ratio" else alt.Axis(format="~s", tickCount=5)


def _scale(known: Metric, points: Sequence[dict[str, Any]]) -> alt.Scale:
    """Return a scale from 0; of a ratio up to 100 %, unless it goes beyond."""
    is_part = known.unit == "ratio" and all((row["value"] or 0) <= 1 for row in points)
    return alt.Scale(domain=[0, 1]) if is_part else alt.Scale(zero=True)


def _format(known: Metric) -> str:
    return f",.{known.digits}%" if known.unit == "ratio" else f",.{known.digits}f"


def _told(known: Metric) -> alt.Tooltip:
    return alt.Tooltip("value:Q", title=known.heading, format=_format(known))


def rows_of(frame: pd.DataFrame, columns: Sequence[str], renamed: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows as JSON has them: times as text in UTC, NULL as None."""
    chosen = frame[list(dict.fromkeys(columns))].rename(columns=renamed)
    return [{str(name): _plain(value) for name, value in row.items()} for row in chosen.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return None if pd.isna(value) else f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if value is None or isinstance(value, str | bool):
        return value
    if pd.isna(value):
        return None
    return float(value) if isinstance(value, float) else int(value)

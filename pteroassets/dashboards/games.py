"""Charts of a game: where people were killed on the map, and how many in each minute.

A side has one colour in all of them, on every page.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from pteroassets.dashboards.blocks import Nothing
from pteroassets.dashboards.charts import Shown, chart_of, rows_of
from pteroassets.dashboards.context import metric as metric_of

_HEIGHT: Final = 220
#: In the order of the colours of a page: blue, orange, green, magenta, violet.
_SIDES: Final = ("WEST", "EAST", "GUER", "CIV", "unknown")
_GOLDEN_ANGLE: Final = math.pi * (3 - math.sqrt(5))
_STEPS: Final = (100, 200, 500, 1000, 2000, 5000, 10000)
_MOST_LINES: Final = 8  # of the grid, each way
_LEAST_METRES: Final = 1000
_SQUARE_OF_MAPS: Final = 100  # the game's own map names squares of a hundred metres by three digits each way
_EDGE: Final = 0.4  # of a square, from its middle, up to which dots lie in it


def grid_map(
    frame: pd.DataFrame,
    *,
    by: str,
    told: Mapping[str, str],
    grid_metres: int,
    metric: str,
    title: str,
    empty: str,
) -> Shown:
    """Return a map of happenings, north up: a dot for each in its square, and a line from where it was done.

    Only squares are known, so dots of one square are spread over it. A square is as wide as high.

    Args:
        frame: A row for each: ``x`` and ``y`` of its square, ``from_x`` and ``from_y`` of that from which it was done,
            NULL where that is unknown; what has no square is left out.
        by: Column with the side whose colour a dot has.
        told: Columns of the tooltip with their headings.
        grid_metres: Edge of a square.
        metric: Name of the metric that the dots count.
        title: The caption.
        empty: Why there is nothing where there is nothing.
    """
    placed = frame.dropna(subset=["x", "y"])
    if placed.empty:
        return Nothing(title=title, why=empty)
    rows = rows_of(placed, [by, *told, "x", "y", "from_x", "from_y"], {})
    _spread(rows, grid_metres)
    axes = _axes(rows, grid_metres)
    squares = [
        {"left": x * grid_metres, "right": (x + 1) * grid_metres, "low": y * grid_metres, "high": (y + 1) * grid_metres}
        for x, y in dict.fromkeys((row["x"], row["y"]) for row in rows)
    ]
    shots = [row for row in rows if row["from_east"] is not None]
    layers = [
        _drawn(squares)
        .mark_rect(opacity=0.18)
        .encode(x=axes("left", "x"), x2="right:Q", y=axes("low", "y"), y2="high:Q", color=alt.value("gray"))
    ]
    if shots:
        layers.append(
            _drawn(shots)
            .mark_rule(opacity=0.35, strokeWidth=1)
            .encode(x=axes("from_east", "x"), x2="east:Q", y=axes("from_north", "y"), y2="north:Q")
        )
    layers.append(
        _drawn(rows)
        .mark_circle(size=46, opacity=0.9)
        .encode(
            x=axes("east", "x"),
            y=axes("north", "y"),
            color=_colour(rows, by),
            tooltip=[alt.Tooltip(f"{name}:N", title=heading) for name, heading in {**told, "square": "Square"}.items()],
        )
    )
    said = f"{len(rows)} of {len(frame)} on a map of squares of {grid_metres} metres"
    return chart_of(alt.layer(*layers), title, said, [metric_of(metric)], is_map=True)


def course(
    frame: pd.DataFrame, *, minute: str, by: str, metric: str, title: str, empty: str, until: float, minutes: int = 2
) -> Shown:
    """Return bars over the minutes of a game, each split by side.

    Args:
        frame: A row for each happening.
        minute: Column with the minute of the game, with its fraction.
        by: Column with the side.
        metric: Name of the metric that counts them.
        title: The caption.
        empty: Why there is nothing where there is nothing.
        until: Minute up to which the axis goes, or farther where something happened later.
        minutes: How many minutes a bar stands for.
    """
    known = metric_of(metric)
    found = Counter(
        (int(row[minute] // minutes) * minutes, row[by]) for row in frame.dropna(subset=[minute]).to_dict("records")
    )
    if not found:
        return Nothing(title=title, why=empty)
    rows: list[dict[str, Any]] = [
        {"from": at, "to": at + minutes, by: side, "value": count, "span": f"{at} to {at + minutes}"}
        for (at, side), count in sorted(found.items(), key=str)
    ]
    encoded = (
        _drawn(rows, height=_HEIGHT)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "from:Q",
                bin="binned",
                title="minute of the game",
                scale=alt.Scale(domain=[0, max(until, *(row["to"] for row in rows))], nice=False),
                axis=alt.Axis(format="d", tickMinStep=minutes, tickCount=10),
            ),
            x2="to:Q",
            y=alt.Y("value:Q", title=known.heading, stack=True, axis=alt.Axis(format="d", tickMinStep=1)),
            color=_colour(rows, by),
            tooltip=[
                alt.Tooltip("span:N", title="Minutes"),
                alt.Tooltip(f"{by}:N", title="Side"),
                alt.Tooltip("value:Q", title=known.heading, format="d"),
            ],
        )
    )
    return chart_of(encoded, title, f"{known.heading} by minute of the game, {sum(found.values())} in all", [known])


def _drawn(rows: Sequence[Mapping[str, Any]], **options: Any) -> Any:
    return alt.Chart(alt.InlineData(values=list(rows)), **options)


def _colour(rows: Sequence[Mapping[str, Any]], by: str) -> alt.Color:
    present = [side for side in _SIDES if any(row[by] == side for row in rows)]
    legend = alt.Legend(orient="bottom", columns=3, symbolOpacity=1, values=present)
    return alt.Color(f"{by}:N", title=None, scale=alt.Scale(domain=list(_SIDES)), legend=legend)


def _spread(rows: Sequence[dict[str, Any]], grid: int) -> None:
    """Give each row its place in metres, as seeds of a sunflower in their square; one alone lies in the middle."""
    of_square = Counter((row["x"], row["y"]) for row in rows)
    seen: Counter[tuple[int, int]] = Counter()
    for row in rows:
        square = (row["x"], row["y"])
        number, count = seen[square], of_square[square]
        seen[square] += 1
        radius = 0.0 if count == 1 else _EDGE * grid * math.sqrt((number + 0.5) / count)
        angle = number * _GOLDEN_ANGLE
        row["east"] = round((row["x"] + 0.5) * grid + radius * math.cos(angle), 1)
        row["north"] = round((row["y"] + 0.5) * grid + radius * math.sin(angle), 1)
        is_known = row["from_x"] is not None and row["from_y"] is not None
        row["from_east"] = (row["from_x"] + 0.5) * grid if is_known else None
        row["from_north"] = (row["from_y"] + 0.5) * grid if is_known else None
        row["square"] = " ".join(f"{math.floor(row[way] * grid / _SQUARE_OF_MAPS):03}" for way in "xy")


def _axes(rows: Sequence[Mapping[str, Any]], grid: int) -> Any:
    """Return what makes an axis of a field: both are as long in metres, and have lines at whole steps."""
    ends = {
        "x": [value for row in rows for value in (row["east"], row["from_east"]) if value is not None],
        "y": [value for row in rows for value in (row["north"], row["from_north"]) if value is not None],
    }
    longest = max(_LEAST_METRES, *(max(values) - min(values) for values in ends.values())) + 2 * grid
    step = next((one for one in _STEPS if longest / one <= _MOST_LINES), _STEPS[-1])
    length = math.ceil(longest / step + 1) * step
    titles = {"x": "km to the east of the south-west corner", "y": "km to the north"}

    def axis(field: str, way: str) -> alt.X | alt.Y:
        values = ends[way]
        begin = math.floor(((min(values) + max(values) - length) / 2 + step / 2) / step) * step
        shown = alt.Axis(
            values=[*range(int(begin), int(begin + length) + 1, step)],
            labelExpr="datum.value / 1000",
            grid=True,
            labelOverlap=True,
        )
        of_way = alt.X if way == "x" else alt.Y
        scale = alt.Scale(domain=[begin, begin + length], nice=False, zero=False)
        return of_way(f"{field}:Q", title=titles[way], scale=scale, axis=shown)

    return axis

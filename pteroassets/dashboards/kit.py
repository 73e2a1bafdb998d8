"""What a notebook imports: ask the warehouse, and show figures, tables and charts with their definitions.

Every number on a page is a metric of the registry; a name that is not in it ends the notebook.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from pteroassets.dashboards import blocks, reading
from pteroassets.dashboards.blocks import (
    Age,
    Cell,
    Figure,
    Figures,
    Heading,
    Note,
    Table,
    Top,
    row_of,
)
from pteroassets.dashboards.charts import bars, curve, heat_map, line, lines, scatter
from pteroassets.dashboards.context import context, metric
from pteroassets.dashboards.games import course, grid_map
from pteroassets.dashboards.metrics import Metric, MetricError

__all__ = [
    "WEEKDAYS", "ask", "bars", "course", "curve", "figure", "figures", "frame_of", "grid_map", "heat_map", "line",
    "lines", "metric", "note", "now", "one", "page_of", "said", "scatter", "table", "top", "whole_week",
]  # fmt: skip

_HOUR, _DAY = 3600, 86_400
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def ask(query: str, **parameters: Any) -> pd.DataFrame:
    """Return the rows of *query* as a frame; *parameters* are values for ``%(name)s``."""
    return reading.ask(query, parameters or None)


def one(query: str, **parameters: Any) -> Mapping[str, Any]:
    """Return the only row of *query* by column, with None for NULL.

    Raises:
        LookupError: There is not exactly one.
    """
    frame = ask(query, **parameters)
    if len(frame) != 1:
        raise LookupError(f"the query gave {len(frame)} rows instead of one")
    return {str(name): None if pd.isna(value) else value for name, value in frame.iloc[0].items()}


def figure(name: str, value: float | None, *, why: str = "", of: str = "") -> Figure:
    """Return a figure of the registry.

    Args:
        name: Name of the metric.
        value: The number; None where it is not known.
        why: Why it is not known.
        of: For what it stands, where that is less than the whole page.

    Raises:
        MetricError: The registry has no metric of this name, or an unknown value is not explained.
    """
    known = metric(name)
    number = None if value is None or pd.isna(value) else float(value)
    if number is None and not why:
        raise MetricError(f"{name} is not known here, and the page does not say why")
    return Figure(metric=known, value=number, why="" if number is not None else why, of=of)


def said(name: str, value: float) -> str:
    """Return a figure of the registry, with its unit, as a part of a sentence.

    Raises:
        MetricError: The registry has no metric of this name.
    """
    return blocks.said(Figure(metric=metric(name), value=float(value)))


def figures(*shown: Figure) -> Figures:
    """Return figures beside one another."""
    return row_of(shown)


def note(text: str, kind: str = "note", *, link: tuple[str, str] | None = None) -> Note:
    """Return a sentence; *kind* is ``note``, ``good`` or ``warning``; *link* has words and a URL, for its end."""
    is_web = link is not None and link[1].startswith(("https://", "http://"))
    return Note(text=text, kind=kind, link=link if is_web else None)


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, numbers: Sequence[str] = ()) -> pd.DataFrame:
    """Return *rows* as a frame of *columns*, which are there also where there is no row; *numbers* may be unknown."""
    frame = pd.DataFrame([*rows], columns=[*columns], dtype=object)
    for name in numbers:
        frame[name] = pd.to_numeric(frame[name])
    return frame


def page_of(notebook: str, slug: Any = None) -> str | None:
    """Return the address of a page, beside this one; None where it is not made or *slug* is unknown."""
    if notebook not in context().pages or (slug is not None and pd.isna(slug)):
        return None
    return f"{notebook}.html" if slug is None else f"{notebook}-{slug}.html"


def table(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    caption: str,
    empty: str,
    links: Mapping[str, tuple[str, str]] | None = None,
    note: str = "",
) -> Table:
    """Return *frame* as a table.

    Args:
        frame: The rows, in the order in which they are shown.
        columns: For each column that is shown its heading; for a number, the name of its metric.
        caption: What the table shows.
        empty: What is said where there are no rows.
        links: For a column the notebook to whose pages it leads, and the column with their slugs.
        note: What has to be known to read it.

    Raises:
        MetricError: A column of numbers is no metric of the registry.
    """
    headings, cells = [], []
    for name, heading in columns.items():
        values = frame[name]
        known = context().metrics.get(heading)
        if known is None and pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            known = metric(heading)
        headings.append(Heading(text=heading if known is None else known.heading, metric=known))
        to, slugs = (links or {}).get(name, ("", ""))
        addresses = [page_of(to, slug) for slug in frame[slugs]] if to else [None] * len(frame)
        cells.append([_cell(value, known, link) for value, link in zip(values, addresses, strict=True)])
    rows = tuple(tuple(row) for row in zip(*cells, strict=True))
    return Table(caption=caption, headings=tuple(headings), rows=rows, empty=empty, note=note)


def _cell(value: Any, known: Metric | None, link: str | None) -> Cell:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return Cell(text="-", is_number=known is not None)
    if known is not None:
        return Cell(text=known.shown(float(value)), key=float(value), link=link, is_number=True)
    if isinstance(value, bool):
        return Cell(text="yes" if value else "no", key=str(int(value)), link=link)
    if isinstance(value, pd.Timestamp):
        shown = (
            f"{value:%Y-%m-%d}" if value.tzinfo is None and value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
        )
        return Cell(text=shown, key=value.isoformat(), link=link, is_time=True)
    return Cell(text=str(value), key=str(value).casefold(), link=link)


_LOADS = """
    select table_name, read_at
    from unnest(%(tables)s::text[]) as wanted (table_name)
    cross join lateral (
        select max(observed_at) as read_at from staging.stg_ops__loads as loads
        where loads.table_name = wanted.table_name and is_complete
    ) as newest
    where read_at is not null
"""
_COVERAGE = """
    select
        sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sampled,
        sum(log_lines_understood)::float8 / nullif(sum(log_lines_read), 0) as understood
    from fct_server_daily
    where
        local_date > (select max(local_date) from fct_server_daily) - 7
        and (%(server_uuid)s::uuid is null or server_uuid = %(server_uuid)s)
"""


def top(passes: Sequence[str], *, server_uuid: str | None = None, coverage: Sequence[Figure] = ()) -> Top:
    """Return the line at the top of a page.

    Args:
        passes: Names of the passes whose data it shows.
        server_uuid: The server whose coverage counts; None for that of all.
        coverage: How much of its data was read, where that is neither samples nor logs.
    """
    chosen = {name: context().passes[name] for name in passes}
    loads = ask(_LOADS, tables=[one.table for one in chosen.values()])
    read_at = dict(zip(loads["table_name"], loads["read_at"], strict=True))
    now = context().now
    ages = []
    for name, limits in chosen.items():
        at = read_at.get(limits.table)
        if at is None:
            ages.append(Age(name=name, at="never", age="", state="unknown"))
            continue
        seconds = (now - at.to_pydatetime().astimezone(UTC)).total_seconds()
        state = "stale" if seconds > limits.stale_after else "late" if seconds > limits.warn_after else "fresh"
        ages.append(Age(name=name, at=f"{at:%Y-%m-%d %H:%M} UTC", age=_age(seconds), state=state))
    states = {age.state for age in ages}
    return Top(
        state=next(state for state in ("unknown", "stale", "late", "fresh") if state in states),
        ages=tuple(ages),
        coverage=tuple(coverage) or _coverage(server_uuid),
    )


def _coverage(server_uuid: str | None) -> tuple[Figure, ...]:
    covered = one(_COVERAGE, server_uuid=server_uuid)
    return (
        figure("sample_coverage", covered["sampled"], why="nothing was to be sampled in the last week"),
        figure("log_understood", covered["understood"], why="no log of the last week was read"),
    )


def _age(seconds: float) -> str:
    for length, word in ((_DAY, "day"), (_HOUR, "hour"), (60, "minute")):
        if seconds >= length:
            count = math.floor(seconds / length)
            return f"{count} {word}{'' if count == 1 else 's'} old"
    return "less than a minute old"


def whole_week(cells: pd.DataFrame) -> pd.DataFrame:
    """Return *cells* with a row for each ``hour_of_day`` of each ``weekday``; one that was not there is not known."""
    every = pd.MultiIndex.from_product([WEEKDAYS, range(24)], names=["weekday", "hour_of_day"])
    return cells.set_index(["weekday", "hour_of_day"]).reindex(every).reset_index()


_CHANGES = """
    select local_date as at, case when count(*) <= 3 then string_agg(told, '; ' order by told)
        else count(*) || ' changes: ' || string_agg(distinct kind, ', ') end as what
    from (
        select
            local_date, replace(kind, '_', ' ') as kind,
            concat_ws(' ', case when %(server_uuid)s::uuid is null then server_name || ':' end, replace(kind, '_', ' '),
                before_value || ' to ' || after_value) as told
        from fct_changes inner join dim_servers using (server_uuid)
        where
            (kind = any(%(kinds)s) or (%(kinds)s::text[] is null and before_value is not null))
            and (%(server_uuid)s::uuid is null or server_uuid = %(server_uuid)s)
    ) as found
    group by local_date order by local_date
"""


def changes(*, server_uuid: str | None = None, kinds: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the changes of servers by day, as `line` marks them; a notebook that asks reads ``fct_changes``.

    Args:
        server_uuid: The server whose changes are meant; None for those of all, told with its name.
        kinds: Kinds of ``fct_changes``; None for those that tell what was before and after.
    """
    return ask(_CHANGES, server_uuid=server_uuid, kinds=None if kinds is None else list(kinds))


def now() -> datetime:
    """Return the time at which the pages are made."""
    return context().now

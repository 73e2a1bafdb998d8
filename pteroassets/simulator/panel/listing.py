"""Pages, filters, sorting and includes, with the panel's own oddities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from pteroassets.simulator.panel.answers import PanelFault, server_error
from pteroassets.simulator.world.chance import mix

Row = TypeVar("Row")
Query = Mapping[str, str]
Includes = dict[str, "Includes"]

_DEFAULT_OF_ZERO: Final = 15
_DEPTH: Final = 2


def parse_includes(query: Query) -> Includes:
    """Return the tree of ``include=a,b.c``, cut at two levels."""
    tree: Includes = {}
    for path in query.get("include", "").split(","):
        branch = tree
        for name in path.strip().split(".")[:_DEPTH]:
            if name:
                branch = branch.setdefault(name, {})
    return tree


def shuffled(rows: Sequence[Row], seed: int, number: Callable[[Row], int]) -> list[Row]:
    """Return *rows* in an arbitrary order, the same each time: the panel's lists have no order."""
    return sorted(rows, key=lambda row: _place(seed, number(row)))


@lru_cache(maxsize=50_000)
def _place(seed: int, number: int) -> int:
    return mix(seed, 99, number)


def sort_rows(
    rows: Sequence[Row],
    query: Query,
    *,
    seed: int,
    number: Callable[[Row], int],
    sorts: Mapping[str, Callable[[Row], Any]],
) -> list[Row]:
    """Return *rows* as ``sort`` says.

    Raises:
        PanelFault: The route allows sorting, but not by this (400).
    """
    wanted = query.get("sort", "")
    if not wanted or not sorts:
        return shuffled(rows, seed, number)
    ordered = list(rows)
    for name in reversed(wanted.split(",")):
        key = sorts.get(name.lstrip("-"))
        if key is None:
            raise PanelFault(
                status=400,
                code="InvalidSortQuery",
                detail=f"Requested sort(s) `{name.lstrip('-')}` is not allowed. "
                f"Allowed sort(s) are `{', '.join(sorts)}`.",
            )
        ordered.sort(key=key, reverse=name.startswith("-"))
    return ordered


def filter_rows(rows: Sequence[Row], query: Query, filters: Mapping[str, Callable[[Row, str], bool]]) -> list[Row]:
    """Return the *rows* that every ``filter[…]`` lets through; a comma means or.

    Raises:
        PanelFault: The route allows filters, but not this one (400).
    """
    kept = list(rows)
    if not filters:
        return kept
    for parameter, value in query.items():
        if not (parameter.startswith("filter[") and parameter.endswith("]")):
            continue
        name = parameter[7:-1]
        matches = filters.get(name)
        if matches is None:
            raise PanelFault(
                status=400,
                code="InvalidFilterQuery",
                detail=f"Requested filter(s) `{name}` are not allowed. Allowed filter(s) are `{', '.join(filters)}`.",
            )
        kept = [row for row in kept if any(matches(row, part) for part in value.split(","))]
    return kept


def contains(read: Callable[[Row], object]) -> Callable[[Row, str], bool]:
    """Return the filter that looks for text in what *read* returns, whatever the case."""
    return lambda row, text: text.lower() in str(read(row) or "").lower()


def page_of(
    rows: Sequence[Row], query: Query, *, default: int, cap: int | None, url: str, keeps_query: bool
) -> tuple[list[Row], dict[str, Any]]:
    """Return one page of *rows* and its ``pagination``.

    Raises:
        PanelFault: ``per_page`` is not a number, or negative (500), where the route does not cap it.
    """
    per_page = _per_page(query, default=default, cap=cap)
    try:
        page = max(int(query.get("page", "1")), 1)
    except ValueError:
        page = 1
    total = len(rows)
    pages = max(-(-total // per_page), 1)
    cut = list(rows[(page - 1) * per_page : page * per_page])
    others = {name: value for name, value in query.items() if name != "page"} if keeps_query else {}
    links = {}
    if page > 1:
        links["previous"] = f"{url}?{urlencode({**others, 'page': page - 1})}"
    if page < pages:
        links["next"] = f"{url}?{urlencode({**others, 'page': page + 1})}"
    return cut, {
        "total": total,
        "count": len(cut),
        "per_page": per_page,
        "current_page": page,
        "total_pages": pages,
        "links": links,
    }


def _per_page(query: Query, *, default: int, cap: int | None) -> int:
    text = query.get("per_page")
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        if cap is not None:
            return default
        raise server_error("TypeError") from None
    if number < 0:
        raise server_error("QueryException")
    number = number or _DEFAULT_OF_ZERO
    return number if cap is None else min(number, cap)

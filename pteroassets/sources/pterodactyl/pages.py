"""Read every page of a list, and know whether it was all of it.

``meta.pagination`` gives ``total`` and ``total_pages``; ``links.next`` loses the query on application lists and is not
followed. Lists have no order of their own, so rows are known by their id: one that a page repeats counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pteroassets.sources.pterodactyl.errors import PanelError, UnreadableAnswerError

PAGE_SIZE = 100
_READINGS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedList:
    """A list as the panel gave it.

    Attributes:
        rows: The ``attributes`` of each item, once for each id, in the order of arrival.
        total: ``meta.total`` of the last page read; None where the route has none.
        failure: The error that ended the reading early.
        problem: Why this is not the whole list; None if it is.
    """

    rows: list[dict[str, Any]]
    total: int | None
    failure: PanelError | None = None
    problem: str | None = None


def read_pages(fetch: Callable[[int], dict[str, Any]], *, identity: str = "id") -> PagedList:
    """Read a list from its first page to its last, and again while its total does not hold.

    Args:
        fetch: Returns the answer for a page, counted from 1.
        identity: The attribute that tells rows apart.

    Returns:
        The rows, those of an incomplete reading too: what arrived is true, it is only not all.
    """
    reading = _read_once(fetch, identity)
    for _ in range(_READINGS - 1):
        if reading.problem is None or reading.failure is not None:
            break
        reading = _read_once(fetch, identity)
    return reading


def items(body: Any) -> list[Any]:
    """Return the items of a list answer.

    Raises:
        UnreadableAnswerError: It is no list.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        raise UnreadableAnswerError("the panel answered something else than a list: is it a Pterodactyl panel?")
    return data


def _read_once(fetch: Callable[[int], dict[str, Any]], identity: str) -> PagedList:
    rows: dict[int | str, dict[str, Any]] = {}
    totals: list[int] = []
    problem: str | None = None
    failure: PanelError | None = None
    page, pages = 1, 1
    while page <= pages:
        try:
            body = fetch(page)
            arrived = items(body)
        except PanelError as error:
            failure, problem = error, f"page {page}: {error}"
            break
        for item in arrived:
            attributes = item.get("attributes") if isinstance(item, dict) else None
            if not isinstance(attributes, dict) or not isinstance(attributes.get(identity), int | str):
                problem = f"page {page} holds a row without {identity}"
                continue
            rows[attributes[identity]] = attributes
        pagination = (body.get("meta") or {}).get("pagination") or {}
        total = pagination.get("total")
        # a list that ends before its last page is told by its count; asking on would only cost requests
        pages = pagination.get("total_pages") or 1 if arrived else page
        if isinstance(total, int):
            totals.append(total)
            if total != totals[0]:
                problem = f"the total moved from {totals[0]} to {total} while the list was read"
                break
        page += 1
    counted = totals[-1] if totals else None
    if problem is None and counted is not None and len(rows) != counted:
        problem = f"{len(rows)} rows came of the {counted} that the panel counts"
    return PagedList(rows=list(rows.values()), total=counted, failure=failure, problem=problem)

"""Every page, and the knowledge whether it was all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from pteroassets.sources.pterodactyl.client import read_pages
from pteroassets.sources.pterodactyl.errors import ServerFaultError


def answer(ids: list[int], *, total: int, pages: int) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [{"object": "x", "attributes": {"id": number}} for number in ids],
        "meta": {"pagination": {"total": total, "total_pages": pages}},
    }


def scripted(*answers: dict[str, Any] | Exception) -> tuple[Callable[[int], dict[str, Any]], list[int]]:
    left = list(answers)
    asked: list[int] = []

    def fetch(page: int) -> dict[str, Any]:
        asked.append(page)
        following = left.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    return fetch, asked


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


def test_every_page_is_read() -> None:
    fetch, asked = scripted(
        answer([1, 2], total=5, pages=3), answer([3, 4], total=5, pages=3), answer([5], total=5, pages=3)
    )
    read = read_pages(fetch)
    assert (ids(read.rows), read.total, read.problem) == ([1, 2, 3, 4, 5], 5, None)
    assert asked == [1, 2, 3]


def test_a_row_that_two_pages_give_counts_once_and_the_lack_of_another_is_noticed() -> None:
    fetch, asked = scripted(
        answer([1, 2], total=4, pages=2),
        answer([2, 4], total=4, pages=2),
        answer([1, 2], total=4, pages=2),
        answer([3, 4], total=4, pages=2),
    )
    read = read_pages(fetch)
    assert (ids(read.rows), read.problem) == ([1, 2, 3, 4], None)
    assert asked == [1, 2, 1, 2]


def test_a_total_that_moves_between_pages_has_the_list_read_again() -> None:
    fetch, asked = scripted(
        answer([1, 2], total=4, pages=2),
        answer([3, 4], total=5, pages=3),
        answer([1, 2], total=5, pages=3),
        answer([3, 4], total=5, pages=3),
        answer([5], total=5, pages=3),
    )
    read = read_pages(fetch)
    assert (ids(read.rows), read.total, read.problem) == ([1, 2, 3, 4, 5], 5, None)
    assert asked == [1, 2, 1, 2, 3]


def test_a_list_that_never_holds_still_is_told_to_be_incomplete_after_three_readings() -> None:
    fetch, asked = scripted(*[answer([1, 2], total=3, pages=1)] * 9)
    read = read_pages(fetch)
    assert ids(read.rows) == [1, 2]
    assert read.problem == "2 rows came, but the panel counts 3"
    assert asked == [1, 1, 1]


def test_a_list_that_ends_before_its_last_page_is_incomplete() -> None:
    fetch, _ = scripted(*[answer([1], total=3, pages=3), answer([], total=3, pages=3)] * 3)
    assert read_pages(fetch).problem is not None


def test_a_page_that_fails_leaves_what_arrived_and_says_why() -> None:
    fetch, asked = scripted(answer([1, 2], total=4, pages=2), ServerFaultError("the panel failed", status=500))
    read = read_pages(fetch)
    assert ids(read.rows) == [1, 2]
    assert isinstance(read.failure, ServerFaultError)
    assert read.problem == "page 2: the panel failed"
    assert asked == [1, 2]


def test_a_route_without_pages_is_whole_without_a_count() -> None:
    read = read_pages(lambda _: {"object": "list", "data": [{"object": "egg", "attributes": {"id": 3}}]})
    assert (ids(read.rows), read.total, read.problem) == ([3], None, None)


def test_an_empty_list_is_whole() -> None:
    fetch, asked = scripted(answer([], total=0, pages=1))
    read = read_pages(fetch)
    assert (read.rows, read.total, read.problem) == ([], 0, None)
    assert asked == [1]


@pytest.mark.parametrize("item", [{"object": "x"}, {"attributes": {"name": "no id"}}, {"attributes": None}, "x"])
def test_a_row_without_an_identity_makes_the_list_incomplete_and_costs_no_other(item: Any) -> None:
    read = read_pages(lambda _: {"object": "list", "data": [item, {"object": "x", "attributes": {"id": 1}}]})
    assert ids(read.rows) == [1]
    assert read.problem == "page 1 has a row without id"


def test_something_else_than_a_list_is_told() -> None:
    read = read_pages(lambda _: {"object": "server", "attributes": {}})
    assert read.problem is not None
    assert read.failure is not None


def test_pages_that_are_asked_for_at_once_are_read_in_their_order() -> None:
    three_at_once = threading.Barrier(3)

    def fetch(page: int) -> dict[str, Any]:
        if page > 1:
            three_at_once.wait(20)
        return answer([page], total=7, pages=7)

    read = read_pages(fetch, at_once=3)
    assert (ids(read.rows), read.problem) == ([1, 2, 3, 4, 5, 6, 7], None)


def test_of_a_list_that_breaks_off_few_more_pages_are_asked_for() -> None:
    asked: list[int] = []

    def fetch(page: int) -> dict[str, Any]:
        asked.append(page)
        if page == 2:
            raise ServerFaultError("page 2 is broken")
        return answer([page], total=90, pages=90)

    read = read_pages(fetch, at_once=4)
    assert (ids(read.rows), read.problem) == ([1], "page 2: page 2 is broken")
    assert max(asked) <= 5

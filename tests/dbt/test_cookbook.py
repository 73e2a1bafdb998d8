"""The cookbook: each query runs as an analyst, in time, and gives the columns that the document shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from pteroassets.dashboards.context import reading_options
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import ConnectionSettings

pytestmark = pytest.mark.postgres

_COOKBOOK = (CHECKOUT / "docs" / "cookbook.md").read_text()
_SECONDS = 5  # as the document says
_RECIPE = re.compile(r"\n```sql\n(?P<query>.*?)\n```\n\n(?P<table>(?:\|.*\|\n)+)", re.DOTALL)


@dataclass(frozen=True)
class Recipe:
    """A question, its query, and the table with the columns and one line of the answer."""

    question: str
    query: str
    columns: list[str]
    lines: list[list[str]]


def recipes_of(document: str) -> Iterator[Recipe]:
    heads = [*re.finditer(r"^### (.+)\n", document, flags=re.MULTILINE)]
    ends = [head.start() for head in heads[1:]] + [len(document)]
    for head, end in zip(heads, ends, strict=True):
        found = _RECIPE.findall(document[head.end() : end])
        assert len(found) == 1, f"{head[1]}: one query and one table under it"
        query, table = found[0]
        columns, _, *lines = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()
        ]
        yield Recipe(head[1], query, columns, lines)


RECIPES = list(recipes_of(_COOKBOOK))


@pytest.fixture(scope="module")
def analyst(built_settings: ConnectionSettings) -> Iterator[psycopg.Connection]:
    """A connection that only reads, with the rights of an analyst; what takes too long is ended."""
    with psycopg.connect(
        host=built_settings.host,
        port=built_settings.port,
        user=built_settings.username,
        password=built_settings.password,
        dbname=built_settings.database,
        autocommit=True,
        options=reading_options(seconds=_SECONDS),
    ) as connection:
        yield connection


def test_the_cookbook_answers_many_questions_and_each_once() -> None:
    questions = [recipe.question for recipe in RECIPES]
    assert len(questions) >= 30
    assert len(set(questions)) == len(questions)
    assert all(question.endswith("?") for question in questions)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_a_query_answers_with_the_columns_that_are_shown(recipe: Recipe, analyst: psycopg.Connection) -> None:
    answer = analyst.execute(recipe.query)  # type: ignore[arg-type] # of the document
    assert [column.name for column in answer.description or ()] == recipe.columns
    rows = answer.fetchall()
    assert rows
    assert all(row[0] is not None for row in rows), "the first column is the key"
    assert [len(line) for line in recipe.lines] == [len(recipe.columns)]
    assert recipe.lines[0][0] not in ("", "NULL")

"""What the benchmarks read of the marts can be read."""

from __future__ import annotations

import pytest

from benchmarks.reading import QUESTIONS
from benchmarks.year import QUERIES
from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("name", QUERIES)
def test_a_dashboards_query_reads_what_the_marts_have(built: Connection, name: str) -> None:
    built.execute(QUERIES[name])


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_asked_of_the_raw_tables_about_the_same_servers_or_days(name: str, built: Connection) -> None:
    of_mart, of_raw = ({str(row[0])[:10] for row in built.execute(query)} for query in QUESTIONS[name])
    assert of_mart & of_raw

"""What the benchmarks read of the marts can be read."""

from __future__ import annotations

import pytest

from benchmarks.year import QUERIES
from pteroassets.warehouse.connection import Connection

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("name", QUERIES)
def test_a_dashboards_query_reads_what_the_marts_have(built: Connection, name: str) -> None:
    built.execute(QUERIES[name])

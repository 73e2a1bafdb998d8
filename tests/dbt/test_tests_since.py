"""A test that looks at what was built since it passed forgets no failure, and sees all rows once a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from pteroassets.defs.dbt_project import DbtFailedError
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.databases import copied
from tests.parsed import run_dbt

from .conftest import dbt_environment

pytestmark = [pytest.mark.postgres]

TEST = "not_null_fct_server_daily_timezone"
BREAK_OLD = "update marts.fct_server_daily set timezone = null where local_date < '2026-10-26'"
MEND = "update marts.fct_server_daily set timezone = 'UTC' where timezone is null"


def test_a_test_looks_at_what_was_built_and_daily_at_all(built_settings: ConnectionSettings, dbt_target: Path) -> None:
    with copied(built_settings) as settings:
        _look(settings, dbt_target)


def _look(settings: ConnectionSettings, target: Path) -> None:
    def failure() -> str | None:
        try:
            run_dbt(["test", "--select", TEST], dbt_environment(settings), target=target)
        except DbtFailedError as error:
            return str(error)
        return None

    with connect(settings, autocommit=True) as connection:
        connection.execute(BREAK_OLD)
        note = "insert into ops.builds_to_test (model, first_date) values ('fct_server_daily', %s)"
        connection.execute(note, ["2026-10-26"])
        assert failure() is None, "only the newest day was built since it passed"

        connection.execute(note, ["2026-10-25"])
        assert TEST in (failure() or "")
        connection.execute(note, ["2026-10-26"])
        assert TEST in (failure() or ""), "what failed is not new any more, and is looked at all the same"

        connection.execute(MEND)
        assert failure() is None
        connection.execute(BREAK_OLD)
        connection.execute("update ops.tests_passed set whole_at = whole_at - interval '1 day'")
        assert TEST in (failure() or ""), "a day later it looks at all rows"

"""One warehouse with every model built, for the tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pteroassets.defs.dbt_project import run_dbt
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.databases import copied

from .world import land_world

_DATABASE = "dbt_models"


# Any warning fails a test. dbt's driver does not know the type uuid by name, which it says where nobody sees it.
WARNINGS_ARE_ERRORS = {"DBT_WARN_ERROR_OPTIONS": '{"error": "all", "warn": ["TypeCodeNotFound"]}'}


def dbt_environment(settings: ConnectionSettings) -> dict[str, str]:
    return settings.environment() | WARNINGS_ARE_ERRORS


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps its parsed project, shared so that it is parsed once."""
    return tmp_path_factory.mktemp("dbt_target")


@pytest.fixture(scope="session")
def built_settings(migrated_template: ConnectionSettings, dbt_target: Path) -> Iterator[ConnectionSettings]:
    """A warehouse with the small world in it and all models built and tested; any warning is an error."""
    with copied(migrated_template, _DATABASE) as settings:
        with connect(settings, autocommit=True) as connection:
            land_world(connection)
        run_dbt(["build"], dbt_environment(settings), target=dbt_target)
        yield settings


@pytest.fixture
def built(built_settings: ConnectionSettings) -> Iterator[Connection]:
    """A connection to the built warehouse; what a test changes is undone."""
    with connect(built_settings) as connection:
        yield connection
        connection.rollback()

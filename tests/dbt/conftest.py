"""One warehouse with every model built, for the tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from pteroassets.clock import ManualClock
from pteroassets.landing.arma3.passes import PASSES, read_sites
from pteroassets.landing.arma3.ratings import rate_players
from pteroassets.landing.context import Landing
from pteroassets.settings import Settings
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport
from tests.databases import copied
from tests.parsed import WARNINGS_ARE_ERRORS, run_dbt

from .replays import EVENING, GAMES
from .world import land_world

_DATABASE = "dbt_models"


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


@pytest.fixture(scope="session")
def warehouse_of_games(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(migrated_template) as settings:
        yield settings


@pytest.fixture(scope="session")
def rated_games(
    warehouse_of_games: ConnectionSettings, dbt_target: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Connection, list[LoadReport]]]:
    """Games of Arma 3 that two sites tell, read, modelled and rated twice; with what each rating did."""
    clock, warehouse = ManualClock(EVENING + timedelta(days=5)), warehouse_of_games
    with FakeReplaySites(clock) as site:
        for game in GAMES:
            site.sites.publish(game)
        site.sites.upload(GAMES[0], "extension5")
        site.sites.upload(GAMES[2], "extension4")
        settings = Settings(_env_file=None).model_copy(
            update={
                "postgres_host": warehouse.host,
                "postgres_port": warehouse.port,
                "postgres_username": warehouse.username,
                "postgres_password": SecretStr(warehouse.password),
                "postgres_database": warehouse.database,
                "pteroassets_log_store": str(tmp_path_factory.mktemp("store")),
                "pteroassets_replay_sites": f"wog:{site.url},ocap:{site.url}",
            }
        )
        landing = Landing(settings=settings, clock=clock)
        with connect(warehouse, autocommit=True) as connection:
            read_sites(landing, connection)
            # pages tell when replays were read, by the ledger of loads; what other games feed too is left out
            fed = [*PASSES[0].feeds.split(), "stg_ops__loads", "--exclude", "fct_game_players_daily"]
            run_dbt(["build", "--select", *fed], dbt_environment(warehouse), target=dbt_target)
            yield connection, [report for _ in range(2) for report in rate_players(landing, connection)]


@pytest.fixture
def games(rated_games: tuple[Connection, list[LoadReport]]) -> Connection:
    """A connection to the warehouse of the games."""
    return rated_games[0]


@pytest.fixture
def rating_reports(rated_games: tuple[Connection, list[LoadReport]]) -> list[LoadReport]:
    """What rating the players did, and doing it again."""
    return rated_games[1]

"""A real Postgres for the session, and an empty warehouse for each test that asks for one."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.platform.services import DagsterPlace
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade
from tests.databases import copied
from tests.timeouts import pytest_fixture_setup, pytest_timeout_set_timer

if TYPE_CHECKING:
    from dagster import DagsterInstance

__all__ = ["pytest_fixture_setup", "pytest_timeout_set_timer"]

_TESTS = Path(__file__).parent
_TEMPLATE = "warehouse_template"

# How many examples a property is tried on is said here alone: some on each change, many in the part named deep.
hypothesis.settings.register_profile("change", max_examples=100, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=300, deadline=None)
hypothesis.settings.load_profile("change")

# Files that share a costly fixture stay in one worker, which makes it once; the longest begin first, lest one is left.
_GROUPS = {
    "tests/end_to_end/slow/test_browser.py": "dagster",
    "tests/end_to_end/slow/test_schedules.py": "dagster",
    "tests/end_to_end/slow/test_orchestration.py": "dagster",
    "tests/end_to_end/slow/test_maintenance.py": "dagster",
    "tests/end_to_end/slow/test_truth.py": "estate",
    "tests/end_to_end/slow/test_true_players.py": "estate",
    "tests/end_to_end/slow/test_true_customers.py": "estate",
    "tests/end_to_end/slow/test_true_nodes.py": "estate",
    "tests/end_to_end/slow/test_true_servers.py": "estate",
    "tests/end_to_end/slow/test_true_reliability.py": "estate",
    "tests/end_to_end/slow/test_true_changes.py": "estate",
    "tests/end_to_end/slow/test_secrets.py": "estate",
    "tests/end_to_end/slow/test_forgetting.py": "forgetting",
    "tests/end_to_end/slow/test_celery.py": "celery",
    "tests/end_to_end/slow/test_true_incidents.py": "incidents",
    "tests/end_to_end/slow/test_kills.py": "kills",
    "tests/end_to_end/slow/test_faults.py": "faults",
    "tests/end_to_end/test_pelican.py": "pelican",
    "tests/dbt/": "dbt",
    "tests/upgrade/test_warehouse.py": "upgrade",
}


def _group(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return next((name for start, name in _GROUPS.items() if path.startswith(start)), path)


class _GroupScheduling(LoadScopeScheduling):
    """Hands out whole groups; marks of the plugin's own ``loadgroup`` are lost on pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _GroupScheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        choices=["quick", "slow", "deep"],
        help="what each change needs; what stands in a folder named slow; or properties alone, on many more examples",
    )
    parser.addoption("--shuffle", type=int, metavar="SEED", help="files, and the tests of each, in an order by chance")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of the other parts, and those without a test that is chosen: importing them costs seconds."""
    part = config.getoption("part")
    if part is None or collection_path.suffix != ".py":
        return None
    if ("slow" in collection_path.relative_to(_TESTS).parts) != (part == "slow"):
        return True
    wanted = "hypothesis" if part == "deep" else "mark.alone" if config.getoption("markexpr") == "alone" else ""
    return None if wanted in collection_path.read_text() else True


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("part") == "deep":
        hypothesis.settings.load_profile("deep")  # before test modules are read, which take it over
    # a shell ignores it for what it starts in the background, and so would every process that a test starts
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("part") == "deep":
        properties = {item for item in items if hypothesis.is_hypothesis_test(getattr(item, "obj", None))}
        config.hook.pytest_deselected(items=[item for item in items if item not in properties])
        items[:] = [item for item in items if item in properties]
    order = [*dict.fromkeys(_GROUPS.values())]
    if (seed := config.getoption("shuffle")) is not None:
        random.Random(seed).shuffle(items)
        order = [*dict.fromkeys(_group(item.nodeid) for item in items)]
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    items.sort(key=lambda item: order.index(group) if (group := _group(item.nodeid)) in order else len(order))


@pytest.fixture(scope="session")
def postgres() -> Iterator[ConnectionSettings]:
    """The embedded Postgres, started once; it runs as an unprivileged user when the tests are run by root."""
    # not below tmp_path, whose parents are closed to the user that root drops to
    with EmbeddedPostgres.temporary() as settings:
        # no test pulls a machine's plug, and each makes a database and drops it, for which the disk would be waited for
        with connect(settings, autocommit=True) as admin:
            admin.execute("alter system set fsync = off")
            admin.execute("select pg_reload_conf()")
        yield settings


@pytest.fixture(scope="session")
def migrated_template(postgres: ConnectionSettings) -> ConnectionSettings:
    """A migrated database that each test's warehouse is copied from, which is faster than migrating."""
    template = postgres.with_database(_TEMPLATE)
    ensure_database(template, _TEMPLATE)
    upgrade(template)
    return template


@pytest.fixture
def warehouse_settings(migrated_template: ConnectionSettings) -> Iterator[ConnectionSettings]:
    """The address of a migrated, empty warehouse of the test's own."""
    with copied(migrated_template) as settings:
        yield settings


@pytest.fixture
def warehouse(warehouse_settings: ConnectionSettings) -> Iterator[Connection]:
    """A connection to a migrated, empty warehouse of the test's own."""
    with connect(warehouse_settings, autocommit=True) as connection:
        yield connection


@pytest.fixture
def make_instance(
    warehouse_settings: ConnectionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], DagsterInstance]:
    """Dagster's storage as dagster.yaml describes it, on a real Postgres."""
    from dagster import DagsterInstance  # noqa: PLC0415 - two seconds that few tests need

    place = DagsterPlace(
        checkout=CHECKOUT,
        warehouse=warehouse_settings,
        database=f"dagster_{warehouse_settings.database}",
        artifacts=tmp_path,
        code_server_port=0,
    )
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)
    ensure_database(warehouse_settings, place.database)
    return lambda: DagsterInstance.from_config(str(CHECKOUT))

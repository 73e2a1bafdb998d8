"""The notebooks of the repository on the small world, and the registry of metrics against the models it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from pteroassets.dashboards.build import Made, Site
from pteroassets.dashboards.context import Context
from pteroassets.dashboards.metrics import read_metrics
from pteroassets.dashboards.notebook import notebooks
from pteroassets.dashboards.store import Store
from pteroassets.defs.pages import ages
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from tests.dashboards.pages import ATTACK, parsed

pytestmark = pytest.mark.postgres

_AGGREGATES = {
    "sum": "sum({})",
    "max": "max({})",
    "min": "min({})",
    "average": "avg({})",
    "count_distinct": "count(distinct {})",
    "median": "percentile_cont(0.5) within group (order by {})",
    "percentile": "percentile_cont(0.9) within group (order by {})",
}
# figures that stand for the whole model: those with a window of time are another question
_OF_ALL = ("", "all nodes", "ever, as far as it is known")


@pytest.fixture(scope="module")
def manifest(built_settings: ConnectionSettings, dbt_target: Path) -> dict[str, Any]:  # noqa: ARG001 - the build wrote it
    return json.loads((dbt_target / "manifest.json").read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def attacked(built_settings: ConnectionSettings) -> Iterator[ConnectionSettings]:
    """The built warehouse with a server, a player and a user whose names would do harm if they were more than text."""
    changes = (
        ("marts.dim_servers", "server_name"), ("marts.dim_players", "player_name"),
        ("marts.fct_player_sessions", "player_name"), ("marts.dim_users", "username"),
    )  # fmt: skip
    with connect(built_settings, autocommit=True) as connection:
        for table, column in changes:
            connection.execute(f"alter table {table} add column kept text")
            connection.execute(f"update {table} set kept = {column}, {column} = {column} || %s", (ATTACK,))
    yield built_settings
    with connect(built_settings, autocommit=True) as connection:
        for table, column in changes:
            connection.execute(f"update {table} set {column} = kept")
            connection.execute(f"alter table {table} drop column kept")


@pytest.fixture(scope="module")
def made(manifest: dict[str, Any], attacked: ConnectionSettings, folder: Path) -> dict[str, Made]:
    site = Site(
        store=Store(str(folder)),
        notebooks=notebooks(),
        warehouse=attacked,
        context=Context(
            now=datetime.now(UTC),
            metrics=read_metrics(manifest),
            passes=ages(Settings(_env_file=None)),  # type: ignore[call-arg]
        ),
        edition_days=3,
    )
    return {one.name: one for one in site.make(list(notebooks()))}


@pytest.fixture(scope="module")
def pages(made: dict[str, Made], folder: Path) -> dict[str, BeautifulSoup]:
    return {file: parsed((folder / file).read_bytes()) for one in made.values() for file in one.pages}


@pytest.mark.parametrize("name", notebooks())
def test_each_notebook_gives_its_pages(made: dict[str, Made], name: str) -> None:
    assert made[name].error is None
    assert not made[name].failures
    assert made[name].pages


def test_there_is_a_page_for_each_server_and_each_owner(made: dict[str, Made], built: Connection) -> None:
    servers = built.execute("select 'server-' || server_uuid || '.html' from marts.dim_servers").fetchall()
    assert sorted(made["server"].pages) == sorted(name for (name,) in servers)
    owners = built.execute("select count(*) from marts.dim_users where servers_owned > 0 and is_active").fetchone()
    assert len(made["owner"].pages) == (owners or (0,))[0] > 0


def test_each_page_says_until_when_its_data_go_and_what_was_read(pages: dict[str, BeautifulSoup]) -> None:
    for name, page in pages.items():
        top = page.select_one(".top")
        assert top is not None, name
        assert top.select_one(".badge").get_text() in ("fresh", "late", "stale", "unknown"), name
        assert [figure["data-metric"] for figure in top.select(".figure")] == ["sample_coverage", "log_understood"], (
            name
        )


def test_each_figure_has_a_unit_and_leads_to_its_definition(pages: dict[str, BeautifulSoup], folder: Path) -> None:
    defined = {entry["id"] for entry in parsed((folder / "glossary.html").read_bytes()).select(".glossary > div")}
    seen = 0
    for name, page in pages.items():
        for figure in page.select(".figure"):
            if figure["data-value"]:
                assert figure.select_one(".unit").get_text().strip(), name
            seen += 1
        for link in page.select("a.metric"):
            assert link["href"].removeprefix("glossary.html#") in defined, name
            assert link["title"], name
        for cell in page.select("td.number"):
            assert cell["data-metric"] in defined, name
    assert seen > 50


def test_a_name_is_text_on_every_page(pages: dict[str, BeautifulSoup]) -> None:
    named = 0
    for name, page in pages.items():
        assert page.select("img, [onerror]") == [], name
        assert all(script.get("type") == "application/json" or script.get("src") for script in page.select("script"))
        named += ATTACK in page.get_text()
    assert named > 3


def test_a_link_between_pages_leads_to_a_page(pages: dict[str, BeautifulSoup], folder: Path) -> None:
    for name, page in pages.items():
        for link in page.select("a[href]"):
            assert (folder / link["href"].partition("#")[0]).is_file(), f"{name}: {link['href']}"


def test_a_chart_marks_what_changed_on_the_servers(pages: dict[str, BeautifulSoup]) -> None:
    charts = [str(script.string) for script in pages["reliability.html"].select("script[type='application/json']")]
    marked = [chart for chart in charts if "game version 3.2.0 to 3.3.0" in chart]
    assert len(marked) == 1
    assert '"2026-10-25T00:00:00Z"' in marked[0]


def computed(manifest: dict[str, Any], connection: Connection) -> dict[str, float | None]:
    """Return each metric over all of its model, from the expressions of the registry alone."""
    measures = {
        measure["name"]: f"{_AGGREGATES[measure['agg']].format(measure['expr'])} from {_relation(semantic)}"
        for semantic in manifest["semantic_models"].values()
        for measure in semantic["measures"]
    }
    found: dict[str, float | None] = {}
    ratios = []
    for metric in manifest["metrics"].values():
        if metric["type"] == "ratio":
            ratios.append(metric)
            continue
        row = connection.execute(f"select {measures[metric['type_params']['measure']['name']]}").fetchone()
        found[metric["name"]] = None if row is None or row[0] is None else float(row[0])
    for metric in ratios:
        above, below = (found[metric["type_params"][part]["name"]] for part in ("numerator", "denominator"))
        found[metric["name"]] = above / below if above is not None and below else None
    return found


def _relation(semantic: dict[str, Any]) -> str:
    return f"{semantic['node_relation']['schema_name']}.{semantic['node_relation']['alias']}"


def test_each_metric_can_be_computed_from_the_model_that_it_names(
    manifest: dict[str, Any], attacked: ConnectionSettings
) -> None:
    with connect(attacked) as connection:
        found = computed(manifest, connection)
    assert len(found) == len(read_metrics(manifest)) > 80
    assert found["servers_active"] > 0  # type: ignore[operator]
    assert found["player_hours"] > 0  # type: ignore[operator]


def test_a_figure_that_stands_for_all_equals_its_metric(
    manifest: dict[str, Any], attacked: ConnectionSettings, pages: dict[str, BeautifulSoup]
) -> None:
    with connect(attacked) as connection:
        wanted = computed(manifest, connection)
    compared = set()
    for name in ("fleet.html", "capacity.html"):
        for figure in pages[name].select(".figures > .figure"):
            of = figure.select_one(".of")
            if figure["data-value"] and (of.get_text() if of else "") in _OF_ALL:
                assert float(figure["data-value"]) == pytest.approx(wanted[figure["data-metric"]]), figure[
                    "data-metric"
                ]
                compared.add(figure["data-metric"])
    assert compared >= {"servers_active", "nodes_active", "memory_limits", "node_memory_committed", "allocations_free"}

"""The notebooks of the repository on the small world, and the registry of metrics against the models it names."""

from __future__ import annotations

import ast
import copy
import json
import re
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
from tests.dashboards.pages import ATTACK, parsed, table_of

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
INCIDENTS = """
    insert into ops.incidents
        (incident_id, kind, subject_kind, subject_key, subject_name, severity, opened_at, noticed_at, closed_at,
        closed_as, cause, held_back)
    select
        number, kind, 'node', 'fra-01', %(name)s, severity, now() - opened, now() - opened + interval '10 minutes',
        now() - closed, case when closed is not null then 'recovered' end, cause, '{a,b}'
    from (values
        (1, 'node_down', 'critical', interval '2 hours', null::interval, 'nothing answers'),
        (2, 'node_down', 'critical', '3 days', '2 days', 'it answered nothing'),
        (3, 'disk_filling', 'warning', '9 days', '8 days', 'it was growing')
    ) as incidents (number, kind, severity, opened, closed, cause)
"""
ARMA_DAY = """
    insert into marts.fct_arma3_active_players
        (scope, scope_key, local_date, timezone, is_day_whole, history_known_since, is_history_whole,
        active_players_1d, active_players_7d, play_hours)
    select 'game', 'arma3', max(local_date), 'UTC', true, max(local_date) - 6, false, 118, 240, 140.5
    from marts.fct_active_players_daily where scope = 'host' and is_day_whole
"""
# figures that stand for the whole model: those with a window of time are another question
_OF_ALL = ("", "all nodes", "ever, as far as it is known")


@pytest.fixture(scope="module")
def manifest(built_settings: ConnectionSettings, dbt_target: Path) -> dict[str, Any]:  # noqa: ARG001 - the build wrote it
    return json.loads((dbt_target / "dbt_models" / "manifest.json").read_text())  # type: ignore[no-any-return]


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
        connection.execute(INCIDENTS, {"name": f"fra-01{ATTACK}"})
        connection.execute("insert into ops.incident_state (state, evaluated_at) values ('{}', now())")
        connection.execute(ARMA_DAY)
    yield built_settings
    with connect(built_settings, autocommit=True) as connection:
        for table, column in changes:
            connection.execute(f"update {table} set {column} = kept")
            connection.execute(f"alter table {table} drop column kept")
        connection.execute("delete from ops.incidents; delete from ops.incident_state")
        connection.execute("delete from marts.fct_arma3_active_players")


def site_in(folder: Path, manifest: dict[str, Any], warehouse: ConnectionSettings) -> Site:
    return Site(
        store=Store(str(folder)),
        notebooks=notebooks(),
        warehouse=warehouse,
        context=Context(
            now=datetime.now(UTC),
            metrics=read_metrics(manifest),
            passes=ages(Settings(_env_file=None)),  # type: ignore[call-arg]
        ),
        edition_days=3,
    )


@pytest.fixture(scope="module")
def made(manifest: dict[str, Any], attacked: ConnectionSettings, folder: Path) -> dict[str, Made]:
    site = site_in(folder, manifest, attacked)
    return {one.name: one for one in site.make(list(notebooks()))}


@pytest.fixture(scope="module")
def pages(made: dict[str, Made], folder: Path) -> dict[str, BeautifulSoup]:
    return {file: parsed((folder / file).read_bytes()) for one in made.values() for file in one.pages}


@pytest.mark.parametrize("name", notebooks())
def test_each_notebook_gives_its_pages(made: dict[str, Made], name: str) -> None:
    assert made[name].error is None
    assert not made[name].failures
    assert made[name].pages or notebooks()[name].only_if


def test_an_operator_without_replays_has_no_pages_of_them(made: dict[str, Made], folder: Path) -> None:
    of_replays = {name for name, one in notebooks().items() if "replays" in one.passes}
    assert {name for name, one in made.items() if not one.pages} == of_replays
    assert of_replays == {name for name, one in notebooks().items() if one.only_if}
    index = parsed((folder / "index.html").read_bytes())
    assert {entry["id"] for entry in index.select(".entry")} == set(notebooks()) - of_replays
    assert not any(path.name.startswith(tuple(of_replays)) for path in folder.glob("**/*"))
    assert not {f"{name}.html" for name in of_replays} & {link["href"] for link in index.select("nav a")}


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
        notebook = notebooks()[name.removesuffix(".html").partition("-")[0]]
        covered = ["pushed_stored_seconds"] if notebook.passes == ("events",) else ["sample_coverage", "log_understood"]
        assert [figure["data-metric"] for figure in top.select(".figure")] == covered, name


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


_PROSE = ".note, .nothing, .of, figcaption"
_NO_FIGURE = re.compile(  # days, times, and versions of software
    r"\d{4}-\d\d-\d\d( \d\d:\d\d)?|\d\d? (?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December)( \d{4})?|\d+(?:\.\d+){2,}"
)
_NUMBER = re.compile(r"(?<![\w.,:-])\d[\d.,]*(?![\w:-])")


def figures_in_prose(page: BeautifulSoup, written: str) -> list[str]:
    """Return the numbers in the sentences of *page* that are neither *written* in its notebook nor a metric's."""
    found = []
    for block in page.select(_PROSE):
        sentence = copy.copy(block)
        for figure in sentence.select("[data-metric], a.metric"):
            figure.decompose()
        text = _NO_FIGURE.sub("", sentence.get_text())
        numbers = (number.rstrip(".,") for number in _NUMBER.findall(text))
        found += [f"{number}: {text}" for number in numbers if not re.search(rf"(?<![\w.]){number}(?!\w)", written)]
    return found


def texts_of(path: Path) -> str:
    """Return the texts that a notebook writes as they are, without its queries and what it formats in."""
    found = ast.walk(ast.parse(path.read_text()))
    texts = [node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return " ".join(text for text in texts if "select" not in text)


def test_each_figure_in_a_sentence_is_one_of_the_registry(
    pages: dict[str, BeautifulSoup], folder: Path, built: Connection
) -> None:
    names = " ".join(name for (name,) in built.execute("select server_name from marts.dim_servers").fetchall())
    defined = {entry["id"] for entry in parsed((folder / "glossary.html").read_bytes()).select(".glossary > div")}
    stray, said = {}, set()
    for name, page in pages.items():
        notebook = notebooks()[name.removesuffix(".html").partition("-")[0]]
        if found := figures_in_prose(page, f"{texts_of(notebook.path)} {names}"):
            stray[name] = found
        said |= {figure["data-metric"] for figure in page.select(".said")}
    assert stray == {}
    assert said
    assert said <= defined


def test_a_number_that_a_notebook_formats_into_a_sentence_is_found() -> None:
    page = parsed(
        '<p class="note">On 2026-10-25 03:00, or 9 May 2026, the 30 of 41 with 1.21.4 had '
        '<a data-metric="m">7 servers</a>.</p>'
    )
    assert [found.partition(":")[0] for found in figures_in_prose(page, "the 30 of {} with")] == ["41"]


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


def test_players_of_several_games_stand_side_by_side_and_are_added(
    pages: dict[str, BeautifulSoup], attacked: ConnectionSettings
) -> None:
    with connect(attacked) as connection:
        ((today, week),) = connection.execute(
            "select active_players_1d, active_players_7d from marts.fct_active_players_daily "
            "where scope = 'host' and is_day_whole order by local_date desc limit 1"
        ).fetchall()
    rows = {row[0]: row[2:5] for row in table_of(pages["players.html"], "Players of each game")}
    assert list(rows) == ["Arma 3", "Minecraft", "All"]
    assert rows["Arma 3"][:2] == ["118", "240"]
    assert rows["All"][0] == str(118 + today)
    # the host is not known for a week yet, and Arma not for a month
    assert week is None
    assert rows["All"][1:] == [rows["Minecraft"][1], rows["Arma 3"][2]]
    assert not any(told[:1].isdigit() for told in rows["All"][1:])


def incidents_of(page: BeautifulSoup) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The figures of incidents, and the rows of each table or what is said instead of them."""
    figures = {
        name: page.select_one(f"[data-metric='{name}'] .value").get_text(" ", strip=True)
        for name in ("incidents_open", "incidents", "minutes_to_notice", "minutes_to_close")
    }
    tables = {
        block.select_one("figcaption").get_text(): [
            row.get_text(" ", strip=True) for row in block.select("tbody tr, .nothing")
        ]
        for block in page.select("figure.table")
    }
    return figures, {name: tables[name] for name in ("Open now, the most urgent first", "Over in the last 7 days")}


def test_incidents_are_those_that_are_open_and_those_of_the_last_week(pages: dict[str, BeautifulSoup]) -> None:
    figures, tables = incidents_of(pages["reliability.html"])
    assert figures == {
        "incidents_open": "1 incident", "incidents": "2 incidents", "minutes_to_notice": "10 minutes",
        "minutes_to_close": "1,440 minutes",
    }  # fmt: skip
    ((now,), (before,)) = tables.values()
    assert now.startswith(f"fra-01{ATTACK} node down critical nothing answers")
    assert "it answered nothing" in before


def test_none_found_is_said_only_where_incidents_are_evaluated(
    manifest: dict[str, Any], attacked: ConnectionSettings, pages: dict[str, BeautifulSoup], tmp_path: Path
) -> None:
    def shown() -> tuple[dict[str, str], dict[str, list[str]]]:
        (made,) = site_in(tmp_path, manifest, attacked).make(["reliability"])
        assert made.error is None
        return incidents_of(parsed((tmp_path / "reliability.html").read_bytes()))

    assert pages
    with connect(attacked, autocommit=True) as connection:
        connection.execute("delete from ops.incidents")
        figures, tables = shown()
        assert (figures["incidents_open"], figures["minutes_to_close"]) == ("0 incidents", "not known")
        assert [*tables.values()] == [["None found."], ["None found."]]
        connection.execute("update ops.incident_state set evaluated_at = '2026-03-01 12:00+00'")
        figures, tables = shown()
    assert (figures["incidents_open"], figures["incidents"]) == ("not known", "not known")
    assert all(said.startswith("Not known: nothing has evaluated incidents since") for (said,) in tables.values())


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

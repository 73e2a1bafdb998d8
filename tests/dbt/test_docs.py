"""The dbt docs and the entity diagram: made as an asset, complete, and again whenever the project changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from bs4 import BeautifulSoup

from pteroassets.defs import dbt_docs
from pteroassets.defs.dbt import dbt_models
from pteroassets.defs.dbt_docs import digest_of_parsed
from pteroassets.defs.diagram import DiagramError, as_dot, drawn, entities_of, relations_of
from pteroassets.defs.docs import KEY, definitions, docs_asset
from pteroassets.landing.context import Landing
from pteroassets.platform.environment import located
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings, connect

pytestmark = pytest.mark.postgres

_ARTIFACT = '{"metadata": {"dbt_schema_version"'


@dataclass(frozen=True)
class Published:
    """The folder of the docs, the asset that made them, its platform, and what its page holds."""

    folder: Path
    asset: dg.AssetsDefinition
    landing: Landing
    manifest: dict[str, Any]
    catalog: dict[str, Any]


@pytest.fixture(scope="module")
def published(built_settings: ConnectionSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    home = tmp_path_factory.mktemp("docs")
    settings = located(Settings(_env_file=None), warehouse=built_settings, home=home)  # type: ignore[call-arg]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (built_settings.environment() | {"DBT_TARGET_PATH": str(home / "target")}).items():
            patch.setenv(name, value)
        landing = Landing(settings=settings)
        asset = docs_asset(dbt_models())
        (event,) = dg.materialize([asset], resources={"landing": landing}).get_asset_materialization_events()
        assert event.asset_key == KEY
        text = (home / "docs" / "index.html").read_text()
        first, second = text.index(_ARTIFACT), text.rindex(_ARTIFACT)
        read = json.JSONDecoder().raw_decode
        yield Published(home / "docs", asset, landing, read(text, first)[0], read(text, second)[0])


def test_every_column_that_stands_in_the_warehouse_is_described(published: Published) -> None:
    described = published.manifest["nodes"] | published.manifest["sources"]
    tables = published.catalog["nodes"] | published.catalog["sources"]
    assert len(tables) > 80
    for name, table in tables.items():
        columns = {column for column, one in described[name]["columns"].items() if one["description"].strip()}
        assert set(table["columns"]) == columns, name
        assert described[name]["description"].strip(), name


def test_each_mart_leads_back_to_a_table_that_was_landed(published: Published) -> None:
    parents = published.manifest["parent_map"]
    for name in parents:
        if name.startswith(("model.pteroassets.fct_", "model.pteroassets.dim_")):
            seen, left = set(), [name]
            while left:
                seen.add(one := left.pop())
                left += [parent for parent in parents.get(one, ()) if parent not in seen]
            assert any(one.startswith("source.") for one in seen), name


def test_the_diagram_has_each_mart_and_each_relation_that_is_tested(published: Published) -> None:
    page = BeautifulSoup((published.folder / "entities.html").read_text(), "html5lib")
    titles = [title.get_text() for title in page.select("svg g > title")]
    marts = {entity.name for entity in entities_of(published.manifest)}
    built = [node for node in published.manifest["nodes"].values() if node["resource_type"] == "model"]
    assert marts == {node["name"] for node in built if node["schema"] == "marts"}
    assert marts <= set(titles)
    relations = relations_of(published.manifest)
    assert len(relations) > 25
    drawn_relations = {str(link.get("xlink:title")) for link in page.select("svg g.edge a")}
    assert drawn_relations == {str(one) for one in relations}
    assert len(page.select("tbody tr")) == len(relations)
    addresses = {link.get("xlink:href") for link in page.select("svg a")}
    assert {f"index.html#!/model/model.pteroassets.{name}" for name in marts} <= addresses


def test_the_diagram_asks_for_nothing_outside_itself(published: Published) -> None:
    page = BeautifulSoup((published.folder / "entities.html").read_text(), "html5lib")
    assert page.select("script, iframe, object, link[rel=stylesheet], img") == []
    assert not [link for link in page.select("a") if "://" in str(link.get("href") or link.get("xlink:href"))]


def test_a_diagram_that_graphviz_refuses_is_a_fault_with_its_words(published: Published) -> None:
    assert drawn(as_dot(entities_of(published.manifest)[:1], [])).startswith("<svg")
    with pytest.raises(DiagramError, match="syntax error"):
        drawn("digraph {")


def test_the_docs_are_made_again_once_for_each_change_of_the_project(
    published: Published, built_settings: ConnectionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sensor,) = definitions(published.asset).sensors or ()
    assert isinstance(sensor, dg.SensorDefinition)
    now = {"digest": digest_of_parsed()}
    monkeypatch.setattr("pteroassets.defs.docs.digest_of_parsed", lambda: now["digest"])

    def tick(instance: dg.DagsterInstance) -> dg.SensorExecutionData:
        resources = {"landing": published.landing}
        with dg.build_sensor_context(instance=instance, resources=resources) as context:
            return sensor.evaluate_tick(context)

    with dg.instance_for_test() as instance:
        assert tick(instance).skip_message == "the docs describe the dbt project as it is"
        now["digest"] = "another project"
        (request,) = tick(instance).run_requests or ()
        assert request.run_key == "another project"
        with connect(built_settings, autocommit=True) as connection:
            connection.execute("alter table marts.fct_server_daily rename to kept")
            try:
                assert tick(instance).skip_message == "the models are not built yet"
            finally:
                connection.execute("alter table marts.kept rename to fct_server_daily")
        instance.add_run(dg.DagsterRun(job_name="everything", status=dg.DagsterRunStatus.STARTED))
        assert tick(instance).skip_message == "a run of everything is under way, which makes them"


def test_docs_without_their_diagram_count_as_of_another_project(published: Published, tmp_path: Path) -> None:
    digest = (published.folder / "parsed.txt").read_text()
    assert dbt_docs.describes(published.folder, digest)
    for name in ("index.html", "parsed.txt"):
        (tmp_path / name).write_bytes((published.folder / name).read_bytes())
    assert not dbt_docs.describes(tmp_path, digest)

"""What the project promises of itself: descriptions, sources for all that is landed, freshness."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import pteroassets.warehouse.migrations
from pteroassets.dashboards.exposures import EXPOSURES, exposures_text
from pteroassets.dashboards.notebook import notebooks
from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.landing.sources import PASSES
from tests.parsed import WARNINGS_ARE_ERRORS, prepare_target

_SERVED = ("dim_", "fct_", "compat_")
_MOVE = r"alter table (\w+)\.(\w+) set schema (\w+)"


@pytest.fixture(scope="module")
def manifest(dbt_target: Path) -> dict[str, Any]:
    # no environment on purpose: the project parses offline, before any setting is made
    prepare_target(WARNINGS_ARE_ERRORS, dbt_target)
    return json.loads((dbt_target / "manifest.json").read_text())  # type: ignore[no-any-return]


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def test_every_model_says_its_grain_first_and_describes_every_column(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert model["description"].startswith("One row"), model["name"]
        assert model["columns"], model["name"]
        assert all(column["description"] for column in model["columns"].values()), model["name"]


def test_what_is_served_has_an_enforced_contract(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert model["contract"]["enforced"] == model["name"].startswith(_SERVED), model["name"]


def test_every_mart_has_a_key_that_is_tested(manifest: dict[str, Any]) -> None:
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and "unique" in node.get("test_metadata", {}).get("name", "")
    }
    for model in models(manifest):
        if model["name"].startswith(("dim_", "fct_")):
            keys = [*model["constraints"], *(c for column in model["columns"].values() for c in column["constraints"])]
            assert any(constraint["type"] == "primary_key" for constraint in keys), model["name"]
            assert model["unique_id"] in tested, model["name"]


def test_every_raw_table_is_a_source_whose_freshness_is_that_of_its_loads(manifest: dict[str, Any]) -> None:
    folder = Path(next(iter(pteroassets.warehouse.migrations.__path__)))
    statements = "\n".join(path.read_text() for path in sorted((folder / "versions").glob("*.sql")))
    moved = {f"{old}.{name}": f"{new}.{name}" for old, name, new in re.findall(_MOVE, statements)}
    landed = {moved.get(name, name) for name in re.findall(r"create table ((?:raw|derived)_\w+\.\w+)", statements)}
    # rows of samples and events hold codes; the view that shows them by name is the source.
    # What is restored was landed once
    landed = {name for name in landed if not re.match(r"raw_\w+\.(sample|event|restored)_", name)}
    sources = {f"{node['schema']}.{node['name']}": node for node in manifest["sources"].values()}
    assert landed == {name for name in sources if not name.startswith("ops.")}
    # the bot of Discord writes its actions as they happen, not by loads; streams are read where streamers are followed
    for name in {one for one in landed if not one.startswith(("raw_discord.", "raw_twitch."))}:
        assert "ops.loads" in sources[name]["loaded_at_query"], name
        assert "is_complete" in sources[name]["loaded_at_query"], f"{name} is fresh after a reading that read nothing"
        assert sources[name]["freshness"]["error_after"]["count"], name


def test_a_source_may_get_as_old_as_the_slowest_preset_of_its_pass_lets_it(manifest: dict[str, Any]) -> None:
    sources = {f"{node['schema']}.{node['name']}": node["freshness"] for node in manifest["sources"].values()}
    for one in PASSES.values():
        warn = max(rhythm.warn_after for rhythm in one.rhythms.values())
        stale = max(rhythm.stale_after for rhythm in one.rhythms.values())
        for table in one.tables:
            if not table.startswith("ops."):
                limits = [sources[table][name] for name in ("warn_after", "error_after")]
                found = [timedelta(**{f"{limit['period']}s": limit["count"]}) for limit in limits]
                assert found == [warn, stale], table


def test_only_staging_reads_sources(manifest: dict[str, Any]) -> None:
    staged = {model["unique_id"] for model in models(manifest) if model["fqn"][1] == "staging"}
    for model in models(manifest):
        parents = set(model["depends_on"]["nodes"])
        sources = {parent for parent in parents if parent.startswith("source.")}
        assert sources == (parents - staged if model["unique_id"] in staged else set()), model["name"]
        assert parents, model["name"]


def test_staging_renames_and_casts_what_is_current() -> None:
    for path in DBT_PROJECT.glob("models/staging/**/*.sql"):
        assert re.findall(r"\b(where|group by|distinct|limit|inner join|left join)\b", path.read_text()) == [], path


def test_everything_served_stands_in_an_exposure(manifest: dict[str, Any]) -> None:
    exposed = {parent for exposure in manifest["exposures"].values() for parent in exposure["depends_on"]["nodes"]}
    for model in models(manifest):
        if model["name"].startswith(_SERVED):
            assert model["unique_id"] in exposed, model["name"]


def test_each_page_is_an_exposure_of_what_its_queries_ask(manifest: dict[str, Any]) -> None:
    assert EXPOSURES.read_text() == exposures_text(notebooks()), "run python -m pteroassets.dashboards.exposures"
    exposures = {one["name"]: one for one in manifest["exposures"].values()}
    for notebook in notebooks().values():
        exposure = exposures[f"page_{notebook.name}"]
        assert {node.rpartition(".")[2] for node in exposure["depends_on"]["nodes"]} == set(notebook.models)
        assert notebook.summary in exposure["description"]


def test_every_exposure_says_what_it_is_and_whose(manifest: dict[str, Any]) -> None:
    for exposure in manifest["exposures"].values():
        assert exposure["description"], exposure["name"]
        assert exposure["owner"]["email"], exposure["name"]
        assert exposure["depends_on"]["nodes"], exposure["name"]


def test_what_is_said_of_a_model_lies_beside_it_under_its_name(manifest: dict[str, Any]) -> None:
    for node in [*models(manifest), *manifest["unit_tests"].values()]:
        model = node if node["resource_type"] == "model" else manifest["nodes"][f"model.pteroassets.{node['model']}"]
        written = node.get("patch_path") or node["original_file_path"]
        assert written.rpartition("//")[2] == model["original_file_path"].replace(".sql", ".yml"), node["name"]


@pytest.mark.parametrize(("kind", "most"), [("yml", 299), ("sql", 150)])
def test_no_file_of_the_models_is_too_long_to_read(kind: str, most: int) -> None:
    lines = {path.name: len(path.read_text().splitlines()) for path in DBT_PROJECT.glob(f"models/**/*.{kind}")}
    assert lines
    assert {name: count for name, count in lines.items() if count > most} == {}

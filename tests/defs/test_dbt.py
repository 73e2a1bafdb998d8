"""When the dbt project is parsed again, and what a call of dbt leaves."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pteroassets.defs import dbt_project
from pteroassets.defs.dbt_project import DBT_PROJECT, DBT_TARGET_VARIABLE, digest_of_project
from pteroassets.defs.dbt_run import DbtRunError, run_without_assets

PLACE = "127.0.0.1 5432 pteroassets postgres"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("dbt_project.yml", "models/staging/a.sql", "models/staging/b.sql", "macros/c.sql", "tests/d.sql"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("select 1")
    return tmp_path


def test_nothing_is_parsed_again_while_nothing_changed(project: Path) -> None:
    before = digest_of_project(project, PLACE)
    (project / "models" / "staging" / "a.sql").touch()
    (project / "target").mkdir()
    (project / "target" / "manifest.json").write_text("{}")
    assert digest_of_project(project, PLACE) == before


@pytest.mark.parametrize("name", ["dbt_project.yml", "models/staging/a.sql", "macros/c.sql", "tests/d.sql"])
def test_a_file_that_is_changed_removed_or_moved_needs_a_parse(project: Path, name: str) -> None:
    before = digest_of_project(project, PLACE)
    path = project / name
    path.write_text("select 2")
    changed = digest_of_project(project, PLACE)
    path.unlink()
    removed = digest_of_project(project, PLACE)
    path.with_name(f"other_{path.name}").write_text("select 1")
    moved = digest_of_project(project, PLACE)
    assert len({before, changed, removed, moved}) == 4


def test_text_that_goes_from_one_file_to_the_next_needs_a_parse(project: Path) -> None:
    staging = project / "models" / "staging"
    (staging / "a.sql").write_text("one\n")
    (staging / "b.sql").write_text("two\n")
    before = digest_of_project(project, PLACE)
    (staging / "a.sql").write_text("one\ntwo\n")
    (staging / "b.sql").write_text("")
    assert digest_of_project(project, PLACE) != before


def test_another_connection_needs_a_parse(project: Path) -> None:
    assert digest_of_project(project, PLACE) != digest_of_project(project, PLACE.replace("5432", "5433"))


def test_of_two_processes_that_load_the_definitions_at_once_one_parses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "target" / "manifest.json"
    parsed: list[int] = []

    def parse(*_arguments: object, **_options: object) -> None:
        manifest.write_text("{")  # half of it
        time.sleep(0.3)
        manifest.write_text("{}")
        parsed.append(1)

    monkeypatch.setattr(dbt_project, "run_dbt", parse)
    monkeypatch.setenv(DBT_TARGET_VARIABLE, str(manifest.parent))
    with ThreadPoolExecutor() as both:
        for process in [both.submit(dbt_project.prepare_manifest) for _ in range(2)]:
            process.result()
            assert manifest.read_text() == "{}"
    assert len(parsed) == 1


def test_each_file_that_dbt_reads_is_looked_at(tmp_path: Path) -> None:
    read = [
        path
        for path in DBT_PROJECT.rglob("*")
        if path.suffix in {".sql", ".yml", ".md"} and path.relative_to(DBT_PROJECT).parts[0] not in _NOT_READ
    ]
    assert len(read) > 100
    for path in read:
        copy = tmp_path / path.relative_to(DBT_PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    whole = digest_of_project(tmp_path, PLACE)
    for path in read:
        copy = tmp_path / path.relative_to(DBT_PROJECT)
        copy.unlink()
        assert digest_of_project(tmp_path, PLACE) != whole, path
        copy.write_bytes(path.read_bytes())


_NOT_READ = {"target", "logs", "dbt_packages"}


def test_a_call_of_dbt_without_assets_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DBT_TARGET_VARIABLE, str(tmp_path))
    run_without_assets(["ls", "--select", "dim_users"])
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == set()
    with pytest.raises(DbtRunError, match="no-such-option"):
        run_without_assets(["ls", "--select", "nothing", "--no-such-option"])
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == set()

"""When the dbt project is parsed again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pteroassets.defs.dbt import manifest_is_stale

PLACE = "127.0.0.1 5432 pteroassets postgres"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest that is younger than the one model of its project."""
    model = tmp_path / "models" / "a.sql"
    model.parent.mkdir()
    model.write_text("select 1")
    path = tmp_path / "target" / "manifest.json"
    path.parent.mkdir()
    path.write_text("{}")
    path.with_name("connection.txt").write_text(PLACE)
    os.utime(model, (1, 1))
    return path


def test_nothing_is_parsed_again_while_nothing_changed(manifest: Path, tmp_path: Path) -> None:
    assert not manifest_is_stale(tmp_path, manifest, PLACE)


def test_a_changed_model_another_connection_and_a_missing_file_each_need_a_parse(
    manifest: Path, tmp_path: Path
) -> None:
    assert manifest_is_stale(tmp_path, manifest, PLACE.replace("5432", "5433"))
    note = manifest.with_name("connection.txt")
    note.unlink()
    assert manifest_is_stale(tmp_path, manifest, PLACE)
    note.write_text(PLACE)
    (tmp_path / "models" / "a.sql").touch()
    os.utime(manifest, (2, 2))
    assert manifest_is_stale(tmp_path, manifest, PLACE)
    manifest.unlink()
    assert manifest_is_stale(tmp_path, manifest, PLACE)

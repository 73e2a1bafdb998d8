"""What was parsed of the dbt project for one database is that of another, and what dbt refuses is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pteroassets.defs import dbt_project
from pteroassets.defs.dbt_project import DBT_TARGET_VARIABLE, DbtFailedError, prepare_manifest
from tests.parsed import prepare_target, run_dbt

CONNECTION = {
    "POSTGRES_HOST": "127.0.0.1",
    "POSTGRES_PORT": "1",
    "POSTGRES_DATABASE": "another_one",
    "POSTGRES_USERNAME": "somebody",
}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from texts(one)


def test_a_prepared_target_is_parsed_by_nobody_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_target(CONNECTION, tmp_path)
    for name, value in (CONNECTION | {DBT_TARGET_VARIABLE: str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patch:
        patch.setattr(dbt_project, "run_dbt", lambda *_, **__: pytest.fail("parsed again"))
        manifest = json.loads(prepare_manifest().read_text())
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    assert {node["database"] for node in nodes if node.get("relation_name")} == {"another_one"}
    assert {model["node_relation"]["database"] for model in manifest["semantic_models"].values()} == {"another_one"}
    assert not any('"pteroassets".' in text for text in texts(manifest))
    log = tmp_path / "dbt.log"
    dbt_project.run_dbt(["--log-path", str(tmp_path), "ls", "--select", "dim_users"], {}, target=tmp_path)
    told = log.read_text()
    assert "Nothing changed, skipping partial parsing." in told
    assert "Unable to do partial parsing" not in told


def test_what_dbt_refuses_is_told_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(DbtFailedError, match=r"ended with 1:(.|\n)*no_such_model_anywhere"):
        run_dbt(
            ["--warn-error", "ls", "--select", "no_such_model_anywhere"], {**os.environ, **CONNECTION}, target=tmp_path
        )

"""A stream whose totals are known beforehand, pushed to a real collector, and what the models say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.warehouse.connection import ConnectionSettings
from tests.collector.serving import KEY, served
from tests.databases import copied

pytestmark = pytest.mark.postgres
MIX = ",".join(
    f"{name}={weight}"
    for name, weight in (
        ("transaction", 3), ("purchase_sword", 2), ("purchase_armor", 1), ("purchase_a_sword", 2),
        ("purchase_a_horse", 2), ("kill_enemy", 5), ("default", 1),
    )
)  # fmt: skip
SPOILT = ("--events", "900", "--mix", MIX, "--duplicates", "0.1", "--late", "0.1", "--malformed", "0.02")


@pytest.fixture(scope="module")
def warehouse(built_settings: ConnectionSettings) -> Iterator[ConnectionSettings]:
    with copied(built_settings) as settings:
        yield settings


def run(warehouse: ConnectionSettings, *arguments: str) -> tuple[int, str]:
    variables = warehouse.environment() | {"PTEROASSETS_EVENT_KEYS": f"arena:{KEY}"}
    told = CliRunner().invoke(main, ["events", *arguments], env=variables)
    return told.exit_code, " ".join(told.output.split())


@pytest.mark.parametrize("arguments", [SPOILT, ("--shops",)], ids=["spoilt", "shops"])
def test_the_models_say_what_was_sent_until_it_is_sent_again(
    warehouse: ConnectionSettings, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    kept = str(tmp_path / "totals.json")
    with served(warehouse) as client:
        push = ("generate", "--until", "2026-03-01", "--url", f"http://127.0.0.1:{client.port}", "--totals", kept)
        status, output = run(warehouse, *push, *arguments)
        assert status == 0, output
        status, output = run(warehouse, "reconcile", kept)
        assert status == 0, output
        assert output.endswith("the models say what was sent")
        if "--shops" in arguments:
            for told in ("horses by size: small 800 800", "horses by size: medium 1,100 1,100", "swords 2,130 2,130"):
                assert told in output
        run(warehouse, *push, *arguments)
    status, output = run(warehouse, "reconcile", kept)
    assert status == 1
    assert "the models differ from what was sent in copies: either" in output


def test_a_file_that_holds_no_totals_is_told(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"totals": 3}')
    status, output = run(warehouse, "reconcile", str(tmp_path / "other.json"))
    assert status == 1
    assert "holds no totals of pteroassets events generate" in output

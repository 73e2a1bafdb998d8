"""A stream whose totals are known beforehand, pushed to a real collector, and what the models say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.warehouse.connection import ConnectionSettings, connect
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


TOTALS: dict[str, object] = {
    "events": 1, "copies": 0, "players": 1, "revenue": "0.00", "swords": 0, "horses": 0, "events_by_type": {},
    "horses_by_size": {},
}  # fmt: skip
KEPT = {"game": "arena", "player_prefix": "p", "totals": TOTALS}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"totals": 3}, "got `int` - at `$.totals`"),
        ({"totals": TOTALS}, "`game`"),
        ([], "got `array`"),
        (KEPT | {"totals": "none"}, "got `str` - at `$.totals`"),
        (KEPT | {"totals": {name: value for name, value in TOTALS.items() if name != "swords"}}, "`swords`"),
        (KEPT | {"totals": TOTALS | {"horses_by_size": {"small": "many"}}}, "at `$.totals.horses_by_size[...]`"),
        (KEPT | {"game": 3}, "at `$.game`"),
        (KEPT | {"player_prefix": 3}, "at `$.player_prefix`"),
    ],
)
def test_a_file_that_holds_no_totals_is_told(tmp_path: Path, told: object, words: str) -> None:
    (tmp_path / "other.json").write_text(json.dumps(told))
    output = CliRunner().invoke(main, ["events", "reconcile", str(tmp_path / "other.json")]).output
    assert "holds no totals of pteroassets events generate" in output
    assert words in output


def test_models_of_another_version_are_told(warehouse: ConnectionSettings, tmp_path: Path) -> None:
    (tmp_path / "totals.json").write_text(json.dumps(KEPT))
    with copied(warehouse) as other:
        with connect(other, autocommit=True) as connection:
            connection.execute("alter table marts.fct_game_events rename column copies to copied")
        status, output = run(other, "reconcile", str(tmp_path / "totals.json"))
    assert status == 1
    assert "the models of events are of another version: build the models again" in output

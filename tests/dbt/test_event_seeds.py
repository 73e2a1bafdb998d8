"""Reference data of events: as the game has it, and ids as text, whatever they look like."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest
from dagster_dbt import DbtProject

from pteroassets.defs.dbt_metadata import model_metadata
from pteroassets.defs.dbt_parents import missing_parents
from pteroassets.defs.dbt_project import DBT_PROJECT, DBT_TARGET_VARIABLE, DIGEST_NAME
from pteroassets.defs.dbt_translator import Translator
from pteroassets.warehouse.connection import Connection

_IDS = {
    "guilds": ("guild_id", 40),
    "enemies": ("enemy_id", 50),
    "damage_sources": ("enemy_id", 9),
    "quests": ("quest_id", 15),
    "inventory": ("inventory_id", 15),
    "stores": ("store_id", 5),
}


@pytest.mark.parametrize("name", _IDS)
def test_ids_are_text_and_numbered_from_zero(built: Connection, name: str) -> None:
    key, count = _IDS[name]
    found = built.execute(f"select {key} from staging.seed_events__{name}").fetchall()
    # a number would lose leading zeros and, as a float, the last digits of a large one
    assert {one for (one,) in found} == {str(number) for number in range(count)}
    assert len(found) == count
    assert built.execute(
        "select column_name::text from information_schema.columns "
        "where table_schema = 'staging' and table_name like 'seed\\_events\\_\\_%' and column_name like '%\\_id' "
        "and data_type <> 'text'"
    ).fetchall() == []  # fmt: skip


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("select count(*) from staging.seed_events__guilds where name like '%Templar'", 7),
        ("select count(*) from staging.seed_events__guilds where name like '%Templar%'", 8),
        ("select count(distinct name) from staging.seed_events__guilds", 40),
        ("select count(*) from staging.seed_events__enemies where level = 1", 2),
        ("select min(level) || '-' || max(level) from staging.seed_events__enemies", "1-100"),
        ("select min(damage) || '-' || max(damage) from staging.seed_events__damage_sources", "1-99"),
        ("select count(distinct contact) from staging.seed_events__quests", 8),
        ("select string_agg(distinct total_cost::text, ' ') from staging.seed_events__inventory", "1000 1500 500"),
        ("select count(distinct (category, item_name, total_cost)) from staging.seed_events__inventory", 3),
        ("select string_agg(distinct store_id, '') from staging.seed_events__inventory", "12345"),
        ("select sum(on_hand_qty) from staging.seed_events__inventory", 105),
    ],
)
def test_reference_data_are_those_of_the_game(built: Connection, question: str, answer: object) -> None:
    assert built.execute(question).fetchone() == (answer,)


def test_a_seed_is_built_where_a_model_needs_it_and_shows_its_rows(
    built: Connection, dbt_target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = json.loads((dbt_target / built.info.dbname / "manifest.json").read_text())
    seed, model = "seed.pteroassets.seed_events__guilds", "model.pteroassets.fct_game_events"
    manifest["nodes"][model]["depends_on"]["nodes"].append(seed)
    assert missing_parents(built, manifest, [model, seed]) == []
    monkeypatch.setenv(DBT_TARGET_VARIABLE, str(tmp_path))
    (tmp_path / DIGEST_NAME).write_text("of these models")
    project = DbtProject(DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=tmp_path)
    told = model_metadata(built, manifest, [seed], translator=Translator(), project=project, target=tmp_path)[seed]
    assert told["dagster/table_name"] == "staging.seed_events__guilds"
    assert [(column.name, column.type) for column in told["dagster/column_schema"].columns] == [
        ("guild_id", "text"),
        ("name", "text"),
    ]
    assert told["dagster/row_count"] == 40
    assert Translator().get_asset_spec(manifest, seed, project).kinds == {"dbt", "postgres"}
    assert Translator().get_asset_key(manifest["nodes"][seed]) == dg.AssetKey(["staging", "seed_events__guilds"])
    built.execute("drop table staging.seed_events__guilds cascade")
    assert missing_parents(built, manifest, [model]) == [seed]

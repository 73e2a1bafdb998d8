"""The registry of metrics against the models: grain, source, owner, columns, and what each metric comes to."""

from __future__ import annotations

import copy
import json
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from psycopg import sql
from psycopg.rows import dict_row
from sqlglot import expressions

from pteroassets.dashboards.computing import compute, read_formulas
from pteroassets.dashboards.metrics import read_metrics
from pteroassets.warehouse.connection import Connection, ConnectionSettings

from .player_metrics import EXPECTED

pytestmark = pytest.mark.postgres

# what a row stands for, by the columns that no two rows share
_WORDS = {
    "local_date": "day", "hour_at": "hour", "week_start": "week", "scope_key": "scope", "player_name": "name",
    "table_name": "table", "network_session_id": "stay",
    "size_memory_mebibytes": "size", "owner_user_id": "owner",
}  # fmt: skip
_PHRASES = {
    ("local_date",): "day of the host",
    ("event_id",): "event of a player",
    ("run_id",): "run of a server",
    ("replay_key", "kill_number"): "kill",
    ("owner_user_id", "period_grain", "period_start"): "owner and period",
    ("scope", "scope_key", "cohort_grain", "cohort_start", "kind", "days_later"): "cohort",
}
_PHRASES_OF_MODELS: dict[str, str] = {}
# the dbt sources that hold what a metric says of its source
_SOURCES = {
    "log files of the servers": r"minecraft\.\w+",
    "samples of the panel or its nodes": r"pterodactyl\.utilization_samples",
    "lists of the panel": r"pterodactyl\.(servers|nodes|users|eggs|nests|locations|allocations|subusers|\w+_databases)",
    "lists of each server": r"pterodactyl\.(backups|schedules|activity|list_reads)",
    "ledger of loads": r"ops\.loads",
    "incidents that were found": r"ops\.incidents",
    "the bot of Discord": r"discord\.actions",
    "logs and replays of all games": r"(minecraft|arma3)\.\w+",
    "replays of Arma 3": r"arma3\.\w+",
    "events of games": r"events\.events",
    "streams of Twitch": r"twitch\.streams",
}


@pytest.fixture(scope="module")
def manifest(built_settings: ConnectionSettings, dbt_target: Path) -> dict[str, Any]:  # noqa: ARG001 - the build wrote it
    return json.loads((dbt_target / "dbt_models" / "manifest.json").read_text())  # type: ignore[no-any-return]


def key_of(manifest: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that no two rows of a model share: of its primary key, else of a test that says so, if any."""
    for constraint in model["constraints"]:
        if constraint["type"] == "primary_key":
            return tuple(constraint["columns"])
    for column in model["columns"].values():
        if any(constraint["type"] == "primary_key" for constraint in column["constraints"]):
            return (column["name"],)
    for test in manifest["nodes"].values():
        if test["resource_type"] == "test" and test.get("attached_node") == model["unique_id"]:
            given = test["test_metadata"]
            if given["name"] == "unique_combination":
                return tuple(given["kwargs"]["columns"])
            if given["name"] == "unique":
                return (given["kwargs"]["column_name"],)
    return ()


def grain_of(model: Mapping[str, Any], key: Sequence[str]) -> str:
    if phrase := _PHRASES_OF_MODELS.get(model["name"], _PHRASES.get(tuple(key))):
        return phrase
    words = [
        _WORDS.get(name, name.removesuffix("_uuid").removesuffix("_id").removesuffix("_key").replace("_", " "))
        for name in key
    ]
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def sources_of(manifest: Mapping[str, Any], node: str) -> set[str]:
    parents = manifest["nodes"][node]["depends_on"]["nodes"] if node in manifest["nodes"] else []
    direct = {parent.split(".", 2)[2] for parent in parents if parent.startswith("source.")}
    return direct.union(*(sources_of(manifest, parent) for parent in parents if not parent.startswith("source.")))


def columns_in(expression: str) -> set[str]:
    parsed = sqlglot.parse_one(expression, dialect="postgres")
    # what a subquery makes of a column has a name of its own
    made = {alias.name for alias in parsed.find_all(expressions.TableAlias)}
    return {column.name for column in parsed.find_all(expressions.Column)} - made


def disagreements(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What the registry says and the models do not, one sentence each."""
    formulas = read_formulas(manifest)
    for node in manifest["metrics"].values():
        name, meta, formula = node["name"], node["config"]["meta"], formulas[node["name"]]
        if len(models := {measure.node for measure in formula.measures}) > 1:
            yield f"{name} is made of two models"
        for unique_id in models:
            model = manifest["nodes"][unique_id]
            grain = grain_of(model, key_of(manifest, model))
            if meta["grain"] != grain:
                yield f"{name} has the grain {meta['grain']}, and {model['name']} {grain}"
            if meta["owner"] != model["config"]["meta"].get("owner"):
                yield f"{name} is owned by {meta['owner']}, and {model['name']} is not"
            found = sources_of(manifest, unique_id)
            if not any(re.fullmatch(_SOURCES.get(meta["source"], ""), one) for one in found):
                yield f"{name} comes from {meta['source']}, and {model['name']} does not"
    for semantic in manifest["semantic_models"].values():
        model = manifest["nodes"][semantic["depends_on"]["nodes"][0]]
        times = [one["expr"] or one["name"] for one in (*semantic["dimensions"], *semantic["entities"])]
        for written in (*times, *(str(one["expr"] or one["name"]) for one in semantic["measures"])):
            for column in sorted(columns_in(written) - model["columns"].keys()):
                yield f"{semantic['name']} reads the column {column}, which {model['name']} does not have"
        key = key_of(manifest, model)
        primary = [one["expr"] or one["name"] for one in semantic["entities"] if one["type"] == "primary"]
        if primary and (*primary,) != key:
            yield f"{semantic['name']} has the entity {primary[0]}, and {model['name']} the key {', '.join(key)}"


def test_the_registry_says_of_each_metric_what_its_model_says(manifest: dict[str, Any]) -> None:
    assert list(disagreements(manifest)) == []


def _metric(manifest: dict[str, Any], name: str) -> Any:
    return manifest["metrics"][f"metric.pteroassets.{name}"]


def _semantic(manifest: dict[str, Any], name: str) -> Any:
    return manifest["semantic_models"][f"semantic_model.pteroassets.{name}"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda found: _metric(found, "player_days")["config"]["meta"].update(grain="server and day"),
            "player_days has the grain server and day, and fct_player_daily server, player and day",
        ),
        (
            lambda found: _metric(found, "stickiness")["config"]["meta"].update(owner="Nobody"),
            "stickiness is owned by Nobody, and fct_active_players_daily is not",
        ),
        (
            lambda found: _metric(found, "players_shared")["config"]["meta"].update(
                source="samples of the panel or its nodes"
            ),
            "players_shared comes from samples of the panel or its nodes, and fct_shared_players does not",
        ),
        (
            lambda found: _metric(found, "names_used")["config"]["meta"].update(source="somewhere"),
            "names_used comes from somewhere, and dim_player_names does not",
        ),
        (
            lambda found: _semantic(found, "fct_table_health")["measures"][4].update(expr="age_days * 24"),
            "fct_table_health reads the column age_days, which fct_table_health does not have",
        ),
        (
            lambda found: _semantic(found, "fct_player_events")["entities"][0].update(expr="session_id"),
            "fct_player_events has the entity session_id, and fct_player_events the key event_id",
        ),
        (
            lambda found: _metric(found, "stickiness")["type_params"]["denominator"].update(name="names_used"),
            "stickiness is made of two models",
        ),
    ],
)
def test_what_the_registry_says_wrongly_is_seen(manifest: dict[str, Any], change: Any, told: str) -> None:
    changed = copy.deepcopy(manifest)
    change(changed)
    assert told in list(disagreements(changed))


def rows_of(connection: Connection, schema: str, relation: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, relation))).fetchall()


def test_a_metric_of_players_comes_to_what_its_rows_come_to(manifest: dict[str, Any], built: Connection) -> None:
    formulas = read_formulas(manifest)
    of_players = {
        name
        for name, formula in formulas.items()
        if formula.below is None and ".marts.players." in f".{'.'.join(manifest['nodes'][formula.above.node]['fqn'])}."
    }
    assert of_players - EXPECTED.keys() == set(), "count these in tests/dbt/player_metrics.py"
    found = compute(built, [formulas[name] for name in EXPECTED])
    models = {relation for relation, _ in EXPECTED.values()}
    rows = {relation: rows_of(built, "marts", relation) for relation in models}
    for name, (relation, count) in EXPECTED.items():
        assert formulas[name].above.relation == relation, name
        # a view of now is asked at two moments of one transaction, which are one
        assert found[name] == {None: pytest.approx(count(rows[relation]))}, name
    assert sum(bool(values[None]) for values in found.values()) > 45


_ALONE = {
    "sum": sum, "max": max, "min": min, "average": statistics.fmean, "median": statistics.median,
    "count_distinct": lambda values: len(set(values)),
    "percentile": lambda values: statistics.quantiles(values, n=10, method="inclusive")[8],
}  # fmt: skip


def test_each_measure_is_the_aggregate_that_it_names(manifest: dict[str, Any], built: Connection) -> None:
    formulas = read_formulas(manifest)
    found = compute(built, formulas.values())
    assert found.keys() == read_metrics(manifest).keys()
    alone: dict[str, float | None] = {}
    for measure in {measure for formula in formulas.values() for measure in formula.measures}:
        query = f"select {measure.expression} from {measure.schema}.{measure.relation}"
        values = [value for (value,) in built.execute(query) if value is not None]
        if measure.aggregate != "count_distinct":
            values = [float(value) for value in values]
        alone[measure.name] = float(_ALONE[measure.aggregate](values)) if values else None  # type: ignore[operator]
    for name, formula in formulas.items():
        above = alone[formula.above.name]
        below = 1 if formula.below is None else alone[formula.below.name]
        if formula.above.aggregate == "count_distinct":
            above = above or 0
        assert found[name][None] == (None if above is None or not below else pytest.approx(above / below)), name
    assert sum(bool(values[None]) for values in found.values()) > 110


def test_the_days_of_a_sum_come_to_the_whole(manifest: dict[str, Any], built: Connection) -> None:
    formulas = read_formulas(manifest)
    chosen = [formulas[name] for name in ("player_days", "stays", "uptime", "player_hours")]
    whole, by_day = compute(built, chosen), compute(built, chosen, "day")
    for name in ("player_days", "player_hours"):
        assert len(by_day[name]) > 2
        assert sum(value or 0 for value in by_day[name].values()) == pytest.approx(whole[name][None])
    # a stay whose join was not seen has no day
    assert 0 < sum(value or 0 for value in by_day["stays"].values()) < (whole["stays"][None] or 0)
    assert all(value is None or value <= 1 for value in by_day["uptime"].values())
    assert {day.weekday() for day in compute(built, chosen, "week")["player_days"] if day} == {0}


@pytest.mark.parametrize(
    "same",
    [
        ("record_players", "peak_players"),
        ("server_record_players", "server_peak_players"),
        ("day_play_hours", "play_hours", "player_hours"),
        ("network_player_hours", "stay_hours"),
    ],
)
def test_metrics_of_several_models_that_count_the_same_agree(
    manifest: dict[str, Any], built: Connection, same: tuple[str, ...]
) -> None:
    formulas = read_formulas(manifest)
    assert len({formulas[name].above.relation for name in same}) == len(same)
    found = [compute(built, [formulas[name]])[name][None] for name in same]
    assert found[0]
    assert found == [pytest.approx(found[0])] * len(same)

"""The code location as a whole: what loads, what is described, what runs by itself."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter

import dagster as dg
import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value
from dagster._utils.schedules import schedule_execution_time_iterator

from pteroassets.dashboards.notebook import notebooks
from pteroassets.definitions import defs
from pteroassets.defs import pterodactyl
from pteroassets.defs.automation import schedule_of
from pteroassets.defs.dbt_project import prepare_manifest
from pteroassets.defs.dbt_translator import describe_test
from pteroassets.defs.pages import model_key
from pteroassets.landing.context import Landing
from pteroassets.landing.sources import PASSES, SOURCES
from pteroassets.settings import Settings
from pteroassets.warehouse.load import LoadReport
from tests.upgrade.world import NAMES

PAGES = {f"page_{name}" for name in notebooks()}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dg.AssetGraph:
    return definitions.resolve_asset_graph()


def test_the_code_location_loads_without_any_setting(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_no_pass_takes_the_name_of_another() -> None:
    assert len(PASSES) == sum(map(len, SOURCES.values()))


def test_every_dbt_source_has_a_loader(graph: dg.AssetGraph) -> None:
    # Dagster invents a stub for a source that nobody loads
    stub = "dagster/auto_created_stub_asset"
    assert [key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).metadata.get(stub)] == []


def test_every_asset_says_what_it_is_to_whom_it_belongs_and_how_old_it_may_get(graph: dg.AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.owners, key
        assert node.kinds, key
        assert node.freshness_policy is not None, key


def test_every_check_says_in_words_what_it_demands(graph: dg.AssetGraph) -> None:
    assert graph.asset_check_keys
    for key in graph.asset_check_keys:
        description = graph.get(key).description or ""
        assert re.fullmatch(r"[A-Z][^\n]*\.", description), f"{key}: {description!r} is no sentence"
        # names of columns stand in backticks; what is left is neither a name nor an expression
        words = re.sub(r"`\w+`", "x", description)
        assert len(words.split()) > 3, f"{key}: {description!r}"
        assert re.search(r"_|[<>=+()]|\b(null|select|case when)\b", words) is None, f"{key}: {description!r}"


def test_every_test_of_dbt_is_a_check_of_an_asset(graph: dg.AssetGraph) -> None:
    manifest = json.loads(prepare_manifest().read_text())
    tests = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"}
    checks = {key.name: key.asset_key.to_user_string() for key in graph.asset_check_keys}
    assert tests - checks.keys() == set()
    # over two models, and on a source
    assert checks["player_hours_of_days_equal_those_of_sessions"] == "marts/fct_server_daily"
    assert checks["one_version_of_a_server_at_a_time"] == "pterodactyl/servers"


def test_a_test_of_dbt_that_nothing_describes_is_refused_with_its_file() -> None:
    test = {
        "name": "a_new_one",
        "description": "",
        "original_file_path": "models/marts/servers/fct_server_runs.yml",
        "test_metadata": {"name": "expression_is_true", "kwargs": {"expression": "a > b"}},
    }
    with pytest.raises(ValueError, match=r"a_new_one has no description: write one in models/marts/servers/fct_"):
        describe_test(test)


def test_the_description_of_a_model_is_its_sentence_without_its_code(graph: dg.AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        description = graph.get(key).description or ""
        assert "select" not in description.lower().split(), key
        assert description.startswith("One page" if key.path[0] == "pages" else "One row"), key


def test_the_zones_of_servers_are_an_asset_of_the_pass_that_writes_them(graph: dg.AssetGraph) -> None:
    zones = graph.get(dg.AssetKey(["ops", "server_timezones"]))
    assert zones.is_materializable
    assert dg.AssetKey(["pterodactyl", "servers"]) in zones.parent_keys
    assert dg.AssetKey(["staging", "stg_ops__server_timezones"]) in zones.child_keys


def test_groups_are_small_and_lead_forward_from_each_source_to_the_marts(graph: dg.AssetGraph) -> None:
    members = Counter(graph.get(key).group_name for key in graph.get_all_asset_keys())
    assert max(members.values()) <= 16, members
    # a step of the path or a subject each, the pages being the last step; of more the graph does not fit on a screen
    assert len(members) <= 19, members
    assert [group for group in members if len(str(group)) > 17] == []
    before: dict[str, set[str]] = {str(group): set() for group in members}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        before[str(node.group_name)] |= {str(graph.get(parent).group_name) for parent in node.parent_keys}
    for group, others in before.items():
        others.discard(group)
    # raises where two groups feed each other
    order = list(TopologicalSorter(before).static_order())
    assert order.index("raw_games") < order.index("sessions") < order.index("marts_players")
    assert order.index("raw_pterodactyl") < order.index("utilization") < order.index("marts_servers")


def test_an_operator_names_the_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_OWNERS", "someone@example.com, team:games")
    chosen = defs().resolve_asset_graph()
    for key in chosen.get_all_asset_keys():
        assert chosen.get(key).owners == ["someone@example.com", "team:games"], key


def test_raw_tables_lead_to_marts(graph: dg.AssetGraph) -> None:
    mart = dg.AssetKey(["marts", "fct_server_daily"])
    upstream = dg.AssetSelection.assets(mart).upstream().resolve(graph)
    for raw in (["pterodactyl", "servers"], ["pterodactyl", "utilization_samples"], ["minecraft", "player_sessions"]):
        assert dg.AssetKey(raw) in upstream


def test_marts_of_the_estate_wait_for_no_log(graph: dg.AssetGraph) -> None:
    upstream = dg.AssetSelection.groups("marts_estate").upstream().resolve(graph)
    assert dg.AssetKey(["pterodactyl", "servers"]) in upstream
    assert [key.to_user_string() for key in upstream if key.path[0] == "minecraft"] == []


def built_by(definitions: dg.Definitions, path: str) -> set[str]:
    job = definitions.resolve_job_def(path)
    return {key.to_user_string() for key in job.asset_layer.executable_asset_keys}


@pytest.mark.parametrize(
    ("path", "fed", "others"),
    [
        (
            "entities",
            {"pterodactyl/servers", "marts/dim_servers", "marts/dim_users", "marts/fct_server_daily"},
            {"minecraft/events", "marts/fct_network_daily", "marts/dim_players", "marts/fct_player_sessions",
             "marts/fct_utilization_hourly", "marts/fct_server_runs"},
        ),
        (
            "utilization",
            {"pterodactyl/utilization_samples", "marts/fct_utilization_hourly", "marts/fct_server_daily"},
            {"marts/fct_network_daily", "marts/dim_servers", "marts/dim_users", "minecraft/log_files"},
        ),
        (
            "logs",
            {"minecraft/player_sessions", "marts/fct_player_sessions", "marts/fct_network_daily",
             "marts/fct_server_daily"},
            {"pterodactyl/servers", "marts/dim_users", "marts/fct_utilization_hourly"},
        ),
    ],
)  # fmt: skip
def test_a_path_rebuilds_what_its_data_feeds(
    definitions: dg.Definitions, path: str, fed: set[str], others: set[str]
) -> None:
    built = built_by(definitions, path)
    assert fed <= built
    assert not others & built


def test_a_path_builds_no_model_that_nothing_of_its_own_feeds(
    definitions: dg.Definitions, graph: dg.AssetGraph
) -> None:
    # the views of the ledger and of the zones belong to no pass of their own
    given = {"staging/stg_ops__loads", "compatibility/pterodactyl/last_update", "staging/stg_ops__server_timezones",
             "intermediate/int_host_timezone"}  # fmt: skip
    for path in ("entities", "utilization", "logs"):
        built = built_by(definitions, path)
        for name in built - given:
            node = graph.get(dg.AssetKey(name.split("/")))
            if "dbt" in node.kinds:
                assert read_by(graph, node.key) & built, f"{path} builds {name}"


def read_by(graph: dg.AssetGraph, key: dg.AssetKey) -> set[str]:
    """What an asset reads, through views too: those stay as they are while a path builds what holds data."""
    found = set()
    for parent in graph.get(key).parent_keys:
        found.add(parent.to_user_string())
        if is_view(graph, parent):
            found |= read_by(graph, parent)
    return found


def is_view(graph: dg.AssetGraph, key: dg.AssetKey) -> bool:
    return graph.get(key).metadata.get("dagster-dbt/materialization_type") == "view"


def test_a_path_builds_a_view_only_with_a_table_that_takes_it_away(
    definitions: dg.Definitions, graph: dg.AssetGraph
) -> None:
    """A table of dbt's is replaced with ``drop … cascade``, which takes the views that read it with it."""
    assert sum(is_view(graph, key) for key in graph.materializable_asset_keys) > 20
    for path in ("entities", "utilization", "logs"):
        built = {dg.AssetKey(name.split("/")) for name in built_by(definitions, path)}
        tables = {key for key in built if graph.get(key).metadata.get("dagster-dbt/materialization_type") == "table"}
        for key in graph.materializable_asset_keys:
            if is_view(graph, key):
                reads = {dg.AssetKey(name.split("/")) for name in read_through_views(graph, key)}
                assert (key in built) is bool(reads & tables), f"{path}: {key}"


def read_through_views(graph: dg.AssetGraph, key: dg.AssetKey) -> set[str]:
    found = set()
    for parent in graph.get(key).parent_keys:
        found |= read_through_views(graph, parent) if is_view(graph, parent) else {parent.to_user_string()}
    return found


def test_every_check_of_dbt_has_a_schedule(definitions: dg.Definitions, graph: dg.AssetGraph) -> None:
    scheduled = {schedule.job_name for schedule in definitions.get_repository_def().schedule_defs}
    made = {
        key
        for name in scheduled - {"source_freshness", "maintenance"}
        for key in definitions.resolve_job_def(name).asset_layer.asset_graph.asset_check_keys
    }
    # a sensor makes it, without a run
    assert "watch_outbox" in {sensor.name for sensor in definitions.get_repository_def().sensor_defs}
    assert graph.asset_check_keys - made == {dg.AssetCheckKey(dg.AssetKey(["ops", "outbox"]), "messages_arrive")}


@pytest.mark.parametrize("name", ["fresh", "stiv"])
def test_every_asset_is_built_more_often_than_its_freshness_asks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_SCHEDULES", name)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    definitions = defs()
    graph = definitions.resolve_asset_graph()
    waits: dict[dg.AssetKey, timedelta] = {}
    for schedule in definitions.get_repository_def().schedule_defs:
        if schedule.job_name not in {*PASSES, "daily_views_and_checks", *PAGES}:
            continue
        wait = longest_wait(schedule)
        for key in definitions.resolve_job_def(schedule.job_name).asset_layer.executable_asset_keys:
            waits[key] = min(wait, waits.get(key, wait))
    for key in graph.materializable_asset_keys:
        policy = graph.get(key).freshness_policy
        assert isinstance(policy, TimeWindowFreshnessPolicy), key
        assert key in waits, f"no schedule builds {key.to_user_string()}"
        assert policy.warn_window is not None
        # a run may take a while
        assert waits[key] + _LONGEST_RUN <= policy.warn_window.to_timedelta(), key
        assert policy.warn_window.to_timedelta() < policy.fail_window.to_timedelta(), key


_LONGEST_RUN = timedelta(minutes=10)


def test_pushed_events_are_counted_and_modelled_where_a_game_has_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_EVENT_KEYS", "arena:0123456789abcdef")
    definitions = defs()
    graph = definitions.resolve_asset_graph()
    for key in (["events", "events"], ["events", "dead_letters"], ["intermediate", "int_game_events"]):
        policy = graph.get(dg.AssetKey(key)).freshness_policy
        assert isinstance(policy, TimeWindowFreshnessPolicy), key
        assert policy.fail_window.to_timedelta() == timedelta(hours=3), key
    assert built_by(definitions, "events") >= {"events/events", "events/dead_letters", "intermediate/int_game_events"}
    assert "events_schedule" in {one.name for one in definitions.get_repository_def().schedule_defs}


def test_the_tables_of_a_lake_are_assets_with_a_schedule_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_LAKE", "/srv/pteroassets/lake")
    definitions = defs()
    graph = definitions.resolve_asset_graph()
    for key in (dg.AssetKey(["lake", "events"]), dg.AssetKey(["lake", "dead_letters"])):
        assert (graph.get(key).group_name, graph.get(key).owners) == ("raw_games", ["team:platform"])
        assert graph.get(key).freshness_policy is not None
        assert (graph.get(key).description or "").startswith("One row")
    members = Counter(graph.get(key).group_name for key in graph.get_all_asset_keys())
    assert max(members.values()) <= 16, members
    assert "lake_schedule" in {one.name for one in definitions.get_repository_def().schedule_defs}


def longest_wait(schedule: dg.ScheduleDefinition) -> timedelta:
    """Return the longest time between two ticks, over two days around each change of the clocks of a year."""
    longest = 0.0
    for night in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        ticks = schedule_execution_time_iterator(
            (night - timedelta(days=2)).timestamp(), schedule.cron_schedule, schedule.execution_timezone
        )
        # as instants, since the difference of two datetimes of one zone is that of its clocks
        end = (night + timedelta(days=3)).timestamp()
        instants = list(itertools.takewhile(end.__gt__, (tick.timestamp() for tick in ticks)))
        longest = max(longest, *(later - earlier for earlier, later in itertools.pairwise(instants)))
    return timedelta(seconds=longest)


def test_schedules_and_sensors_run_without_being_switched_on(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "entities_schedule",
        "utilization_schedule",
        "logs_schedule",
        "upkeep_schedule",
        "hourly_checks_schedule",
        "daily_views_and_checks_schedule",
        "source_freshness_schedule",
        "maintenance_schedule",
        *(f"{name}_schedule" for name in PAGES),
    }
    assert all(schedule.default_status is dg.DefaultScheduleStatus.RUNNING for schedule in repository.schedule_defs)
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in repository.sensor_defs)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "fresh",
            {
                "entities": "0 * * * *",
                "utilization": "*/5 * * * *",
                "logs": "*/15 * * * *",
                "upkeep": "10 5 * * *",
                "replays": "*/5 * * * *",
                "events": "*/5 * * * *",
            },
        ),
        (
            "stiv",
            {
                "entities": "0 6,12,18 * * *",
                "utilization": "*/30 * * * *",
                "logs": "0 7 * * *",
                "upkeep": "10 5 * * *",
                "replays": "*/5 * * * *",
                "events": "*/5 * * * *",
            },
        ),
    ],
)
def test_a_preset_sets_the_times(name: str, expected: dict[str, str]) -> None:
    found = {one.name: schedule_of(one, name, "Europe/Berlin") for one in PASSES.values()}  # type: ignore[arg-type]
    assert {kind: schedule.cron_schedule for kind, schedule in found.items()} == expected
    assert found["logs"].execution_timezone == ("UTC" if name == "fresh" else "Europe/Berlin")


@pytest.mark.parametrize(("name", "seconds"), [("fresh", 300), ("stiv", 1800)])
def test_a_sample_stands_for_the_time_between_two_passes(
    name: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[timedelta] = []

    def read(_landing: object, _connection: object, interval: timedelta) -> Iterator[LoadReport]:
        asked.append(interval)
        return iter(())

    monkeypatch.setattr(pterodactyl, "read_utilization", read)
    monkeypatch.setattr(Landing, "connect", lambda _self: contextlib.nullcontext())
    landing = Landing(settings=Settings(_env_file=None, pteroassets_schedules=name))  # type: ignore[call-arg,arg-type]
    dg.materialize([pterodactyl.utilization_samples], resources={"landing": landing}, raise_on_error=False)
    assert asked == [timedelta(seconds=seconds)]


def test_each_notebook_is_an_asset_of_its_own_with_the_marts_that_it_asks(graph: dg.AssetGraph) -> None:
    for name, notebook in notebooks().items():
        node = graph.get(dg.AssetKey(["pages", name]))
        assert node.parent_keys == {model_key(model) for model in notebook.models}, name
        assert {model_key(model) for model in notebook.reads} <= node.parent_keys
        assert dg.AssetKey(["marts", "fct_server_daily"]) in node.parent_keys, "the top of each page is made of it"
        assert all(graph.get(key).is_materializable for key in node.parent_keys), name


def test_an_operator_can_choose_the_day_of_logs_to_reload(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("reload_log_day")
    assert job.partitions_def is not None
    assert job.partitions_def.has_partition_key("2026-03-01")
    # the assets of the pass and what it feeds, so that the UI knows what a reload built
    assert built_by(definitions, "reload_log_day") == built_by(definitions, "logs")


def test_dagster_finds_what_it_knew_the_version_before_by(definitions: dg.Definitions, graph: dg.AssetGraph) -> None:
    """A name that goes takes its history, its switch or its queued runs with it."""
    before = json.loads(NAMES.read_text())
    repository = definitions.get_repository_def()
    assets = {
        name for name in before["assets"] if not name.startswith("intermediate/")
    }  # those are nobody's to rely on
    assert assets - {key.to_user_string() for key in graph.get_all_asset_keys()} == set()
    assert set(before["schedules"]) - {schedule.name for schedule in repository.schedule_defs} == set()
    assert set(before["sensors"]) - {sensor.name for sensor in repository.sensor_defs} == set()
    # its job is made of the assets now; only a run that waits in the queue during the upgrade has to be launched again
    assert set(before["jobs"].pop("reload_log_day")) == {"rebuild_what_logs_feed", "reload_logs_of_day"}
    assert repository.has_job("reload_log_day")
    for name, ops in before["jobs"].items():
        assert set(ops) <= {op.name for op in repository.get_job(name).nodes}, name


def test_the_ui_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert len(secrets) > 4
    for name in secrets:
        monkeypatch.setenv(name.upper(), f"https://{name.replace('_', '-')}.canary")
    monkeypatch.setenv("PTEROASSETS_DISCORD_WEBHOOKS", '{"watch": "https://discord.com/api/webhooks/1/canary"}')
    monkeypatch.setenv("PTEROASSETS_CHANNELS", '{"mail": "mailto://canary@example.com"}')
    monkeypatch.setenv("PTEROASSETS_EVENT_BROKER_OPTIONS", "sasl.password=canary")
    repository = defs().get_repository_def()
    shown = serialize_value(RepositorySnap.from_def(repository)) + repr(defs().resources)
    assert "report_failures" in shown
    assert "canary" not in shown

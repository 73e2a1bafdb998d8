"""Every setting has an effect: what the platform does differs with it, not only what the settings say."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr
from rich.console import Console

from pteroassets.alarms.service import ways_of
from pteroassets.bot.config import configured
from pteroassets.clock import SystemClock
from pteroassets.definitions import defs
from pteroassets.defs import pterodactyl
from pteroassets.defs.alarms import Alarms
from pteroassets.landing.context import Landing
from pteroassets.landing.pterodactyl import estate
from pteroassets.platform import demo, outbox, up
from pteroassets.platform import environment as place
from pteroassets.platform.collector import collector_of
from pteroassets.platform.demo import DemoOptions, run_demo
from pteroassets.platform.environment import demo_home_of, environment, home_of
from pteroassets.platform.loopback import PortHeldError, holder_of
from pteroassets.platform.stream import broker_of
from pteroassets.settings import CHECKOUT, EXAMPLES, Settings

Effect = Callable[[Settings, pytest.MonkeyPatch], object]
COMPLETE = {
    "PTERODACTYL_URL": "https://panel.test",
    "PTERODACTYL_APP_KEY": "ptla_one",
    "PTERODACTYL_CLI_KEY": "ptlc_one",
    "POSTGRES_HOST": "db.test",
    "PTEROASSETS_PII_KEY": "k" * 16,
}
OF_THE_BOT = {"PTEROASSETS_DISCORD_TOKEN": "a token"}


@pytest.fixture(autouse=True)
def only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*os.environ,):
        if name.upper().lower() in Settings.model_fields:
            monkeypatch.delenv(name)


def settings_with(**changes: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**COMPLETE, **changes}.items():
            patch.setenv(name, value)
        return Settings(_env_file=None)  # type: ignore[call-arg]


def begin_nothing(_supervisor: object, settings: Settings, home: Path) -> SimpleNamespace:
    """Start no process: what it would be given is looked at."""
    return SimpleNamespace(settings=settings, home=home)


def code_location(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What Dagster's code location makes of the variables that its processes are started with."""
    started: dict[str, str] = {}

    class StoppedError(Exception):
        pass

    def serve(serving: Any, *_args: object, **_options: object) -> None:
        started.update(environment(serving.begun.settings, serving.begun.home))
        raise StoppedError

    monkeypatch.setattr(up, "begin", begin_nothing)
    monkeypatch.setattr(up, "serve", serve)
    monkeypatch.setattr(up, "prepare_databases", lambda *_args: None)
    with contextlib.suppress(StoppedError):
        up.run_up(settings, Console(), once=True)
    for name, value in started.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")  # no .env of a developer's
    found = defs()
    landing, alarms = (found.resources or {})["landing"], (found.resources or {})["alarms"]
    assert isinstance(landing, Landing)
    assert isinstance(alarms, Alarms)
    settings = {name: getattr(landing.settings, name) for name in Settings.model_fields}
    (schedule,) = (each for each in found.schedules or () if each.name == "entities_schedule")
    assert isinstance(schedule, dg.ScheduleDefinition)
    owners = found.resolve_asset_graph().get(dg.AssetKey(["ops", "loads"])).owners
    return {
        **settings,
        "alarms": (alarms.targets, alarms.ui_url),
        "asset.owners": owners,
        "backfill.executor": found.resolve_job_def("logs_backfill").executor_def.name,
        "sensors": {sensor.name for sensor in found.sensors or ()},
        "schedule.cron": schedule.cron_schedule,
        "schedule.zone": schedule.execution_timezone,
    }


def pruning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("PTEROASSETS_RUN_RETENTION_DAYS", str(settings.pteroassets_run_retention_days))
    monkeypatch.chdir("/")
    (schedule,) = (each for each in defs().schedules or () if each.name == "maintenance_schedule")
    assert isinstance(schedule, dg.ScheduleDefinition)
    (request,) = schedule.evaluate_tick(dg.build_schedule_context()).run_requests or ()
    return request.run_config


def databases(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    asked: list[object] = []
    monkeypatch.setattr(up, "prepare_databases", lambda *arguments: asked.append(arguments[:2]))
    up.run_migrations(settings, Console())
    return asked


def programs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    """The folder of the programs with which `up`, and every command beside it, and the demo run Postgres."""
    asked: list[tuple[Path | None, bool]] = []

    class StoppedError(Exception):
        pass

    def embedded(_folder: Path, *, bindir: Path | None = None, durable: bool = True) -> None:
        asked.append((bindir, durable))
        raise StoppedError

    monkeypatch.setattr(place, "EmbeddedPostgres", embedded)
    monkeypatch.setattr(demo, "EmbeddedPostgres", embedded)
    with (
        contextlib.suppress(StoppedError),
        place.warehouse_of(settings.model_copy(update={"postgres_host": None})),
    ):
        pass
    with contextlib.suppress(StoppedError):
        run_demo(DemoOptions(once=True, seed=None, home=None, dagster_port=None, docs_port=None), settings, Console())
    assert [durable for _, durable in asked] == [True, False]
    (bindir,) = {bindir for bindir, _ in asked}  # the same for both
    return bindir


def folders(settings: Settings, _monkeypatch: pytest.MonkeyPatch) -> object:
    return home_of(settings), demo_home_of(settings)


def ports(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    asked: list[object] = []

    def serve(serving: Any, *_args: object, **_options: object) -> None:
        asked.append((serving.begun.settings.pteroassets_dagster_port, serving.begun.settings.pteroassets_docs_port))

    monkeypatch.setattr(up, "begin", begin_nothing)
    monkeypatch.setattr(up, "serve", serve)
    monkeypatch.setattr(up, "prepare_databases", lambda *_args: None)
    monkeypatch.setattr(up, "require_free", lambda *_args: None)  # another process may hold the ports of this test
    up.run_up(settings, Console(), once=True)
    return asked


def bot(settings: Settings, _monkeypatch: pytest.MonkeyPatch) -> object:
    """What the bot is made of, once it has a token and a guild; a secret is compared by its value."""
    given = {
        "pteroassets_discord_token": settings.pteroassets_discord_token or SecretStr("token"),
        "pteroassets_discord_guild": settings.pteroassets_discord_guild or 1,
        "pteroassets_discord_power_roles": settings.pteroassets_discord_power_roles or "1",
    }
    config = configured(settings.model_copy(update=given))
    key = config.power_key and config.power_key.get_secret_value()
    return dataclasses.replace(config, token=SecretStr(""), power_key=None), config.token.get_secret_value(), key


def collector(settings: Settings, _monkeypatch: pytest.MonkeyPatch) -> object:
    """What the collector is made of, once a game has a key."""
    key = settings.pteroassets_event_keys or SecretStr("arena:fedcba9876543210")
    made = collector_of(settings.model_copy(update={"pteroassets_event_keys": key}))
    return made, made.games


def ways(settings: Settings, _monkeypatch: pytest.MonkeyPatch) -> object:
    """Where messages go: the names, and what stands behind them."""
    made = ways_of(settings, SystemClock())
    behind = [(name, type(way).__name__, getattr(way, "address", None)) for name, way in made.items()]
    for way in made.values():
        way.close()
    return behind


def heartbeat(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    asked: list[object] = []
    monkeypatch.setattr(outbox.OutboxService, "run", lambda service: asked.append(service.heartbeat_url))
    monkeypatch.setattr(outbox.signal, "signal", lambda *_args: None)
    outbox.become_outbox(settings.model_copy(update={"pteroassets_discord_token": SecretStr("a token")}))
    return asked


def broker(settings: Settings, _monkeypatch: pytest.MonkeyPatch) -> object:
    """What the collector knows of the brokers."""
    return broker_of(settings.model_copy(update={"pteroassets_event_brokers": "kafka.test:9092"}))


# a value for each setting, and where it shows: in what the code location is made of, or in what a function does
IN_THE_CODE_LOCATION: dict[str, tuple[str, str]] = {
    "pterodactyl_url": ("https://other.test", "pterodactyl_url"),
    "pterodactyl_app_key": ("ptla_other", "pterodactyl_app_key"),
    "pterodactyl_cli_key": ("ptlc_other", "pterodactyl_cli_key"),
    "postgres_host": ("other.test", "postgres_host"),
    "postgres_port": ("5433", "postgres_port"),
    "postgres_database": ("other", "postgres_database"),
    "postgres_username": ("other", "postgres_username"),
    "postgres_password": ("other", "postgres_password"),
    "pteroassets_pii": ("drop", "pteroassets_pii"),
    "pteroassets_pii_key": ("o" * 16, "pteroassets_pii_key"),
    "pteroassets_land_text": ("true", "pteroassets_land_text"),
    "pteroassets_log_timezone": ("Asia/Tokyo", "pteroassets_log_timezone"),
    "pteroassets_log_timezones": ('{"node-1": "Asia/Tokyo"}', "pteroassets_log_timezones"),
    "pteroassets_log_paths": ('{"Paper": "/data/logs"}', "pteroassets_log_paths"),
    "pteroassets_log_requests_per_pass": ("77", "pteroassets_log_requests_per_pass"),
    "pteroassets_log_bytes_per_pass": ("77", "pteroassets_log_bytes_per_pass"),
    "pteroassets_schedules": ("stiv", "schedule.cron"),
    "pteroassets_sample_interval": ("60", "pteroassets_sample_interval"),
    "tz": ("Asia/Tokyo", "schedule.zone"),
    "pteroassets_request_share": ("0.1", "pteroassets_request_share"),
    "pteroassets_allow_shrink": ("true", "pteroassets_allow_shrink"),
    "pteroassets_node_access": ("true", "pteroassets_node_access"),
    "pteroassets_node_ca": ("/etc/ssl/other.pem", "pteroassets_node_ca"),
    "pteroassets_log_store": ("memory://other", "pteroassets_log_store"),
    "pteroassets_pages": ("memory://other", "pteroassets_pages"),
    "pteroassets_docs": ("/srv/other", "pteroassets_docs"),
    "pteroassets_page_edition_days": ("77", "pteroassets_page_edition_days"),
    "pteroassets_alarm_webhook": ("https://hooks.test/secret", "alarms"),
    "pteroassets_discord_token": ("a token", "pteroassets_discord_token"),
    "pteroassets_alarm_targets": ("discord:1234", "alarms"),
    "pteroassets_incident_rules": (
        str(CHECKOUT / "pteroassets/alarms/incidents/rules.toml"),
        "pteroassets_incident_rules",
    ),
    "pteroassets_ui_url": ("https://dagster.test", "alarms"),
    "pteroassets_sample_retention_days": ("77", "pteroassets_sample_retention_days"),
    "pteroassets_sample_archive": ("memory://other", "pteroassets_sample_archive"),
    "pteroassets_owners": ("team:other", "asset.owners"),
    "pteroassets_twitch_client_id": ("other", "sensors"),
    "pteroassets_twitch_client_secret": ("other", "pteroassets_twitch_client_secret"),
    "pteroassets_twitch_streamers": ("other", "sensors"),
    "pteroassets_twitch_targets": ("discord:77", "pteroassets_twitch_targets"),
    "pteroassets_twitch_mention": ("role:7", "pteroassets_twitch_mention"),
    "pteroassets_twitch_api": ("http://127.0.0.1:9001", "pteroassets_twitch_api"),
    "pteroassets_replay_sites": ("ocap:http://127.0.0.1:9002", "pteroassets_replay_sites"),
    "pteroassets_replay_timezone": ("Asia/Tokyo", "pteroassets_replay_timezone"),
    "pteroassets_replay_poll_minutes": ("77", "pteroassets_replay_poll_minutes"),
    "pteroassets_replay_grid_metres": ("77", "pteroassets_replay_grid_metres"),
    "pteroassets_replay_step_seconds": ("77", "pteroassets_replay_step_seconds"),
    "pteroassets_replay_full_positions": ("true", "pteroassets_replay_full_positions"),
    "pteroassets_replay_targets": ("discord:77", "pteroassets_replay_targets"),
    "pteroassets_replay_least_players": ("77", "pteroassets_replay_least_players"),
    "pteroassets_replay_language": ("ru", "pteroassets_replay_language"),
    "pteroassets_event_keys": ("other:0123456789abcdef", "pteroassets_event_keys"),
    "pteroassets_event_retention_days": ("77", "pteroassets_event_retention_days"),
    "pteroassets_event_brokers": ("other.test:9092", "pteroassets_event_brokers"),
    "pteroassets_lake": ("/srv/other/lake", "pteroassets_lake"),
    "pteroassets_lake_snapshot_hours": ("77", "pteroassets_lake_snapshot_hours"),
    "pteroassets_celery_broker": ("redis://other.test/0", "backfill.executor"),
    "pteroassets_celery_redelivery_seconds": ("77", "pteroassets_celery_redelivery_seconds"),
}
ELSEWHERE: dict[str, tuple[str, Effect]] = {
    "pteroassets_dagster_database": ("other", databases),
    "pteroassets_home": ("/srv/other", folders),
    "pteroassets_postgres_bindir": ("/opt/other/bin", programs),
    "pteroassets_dagster_port": ("41231", ports),
    "pteroassets_docs_port": ("41232", ports),
    "pteroassets_run_retention_days": ("77", pruning),
    "pteroassets_event_keys": ("other:0123456789abcdef", collector),
    "pteroassets_event_port": ("41233", collector),
    "pteroassets_event_queue": ("77", collector),
    "pteroassets_event_rate": ("77", collector),
    "pteroassets_event_compatibility_game": ("arena", collector),
    "pteroassets_event_topic": ("other", broker),
    "pteroassets_event_broker_options": ("security.protocol=SSL", broker),
    "pteroassets_discord_token": ("other", bot),
    "pteroassets_discord_guild": ("77", bot),
    "pteroassets_discord_power_key": ("ptlc_other", bot),
    "pteroassets_discord_power_roles": ("77", bot),
    "pteroassets_discord_roles_of": ('{"Paper": "77"}', bot),
    "pteroassets_discord_power_seconds": ("77", bot),
    "pteroassets_discord_cool_down": ("77", bot),
    "pteroassets_discord_card_cpu_points": ("77", bot),
    "pteroassets_discord_card_minutes": ("77", bot),
    "pteroassets_discord_card_memory_percent": ("77", bot),
    "pteroassets_discord_api": ("http://127.0.0.1:9000", ways),
    "pteroassets_discord_webhooks": ('{"watch": "https://discord.com/api/webhooks/1/secret"}', ways),
    "pteroassets_channels": ('{"mail": "https://hooks.test/secret"}', ways),
    "pteroassets_heartbeat_url": ("https://ping.test/secret", heartbeat),
}


def test_no_setting_is_left_out_and_each_has_an_example_that_is_right() -> None:
    assert {*IN_THE_CODE_LOCATION, *ELSEWHERE, "pteroassets_config"} == set(Settings.model_fields)
    assert set(EXAMPLES) == {name.upper() for name in Settings.model_fields}
    settings_with(**{name: value for name, value in EXAMPLES.items() if name != "PTEROASSETS_CONFIG"})


def test_a_file_says_what_neither_the_environment_nor_env_says(tmp_path: Path) -> None:
    ini = tmp_path / "config.ini"
    ini.write_text(
        "[discord]\nguild = 77\ntoken = written\n[pterodactyl]\nurl = https://file.test\n[postgres]\nport = 5433\n"
    )
    settings = settings_with(PTEROASSETS_CONFIG=str(ini), PTEROASSETS_DISCORD_TOKEN="given")
    token = settings.pteroassets_discord_token
    assert token is not None
    assert (settings.pteroassets_discord_guild, token.get_secret_value()) == (77, "given")
    assert (settings.pterodactyl_url, settings.postgres_port) == ("https://panel.test", 5433)


def test_a_setting_changes_what_the_code_location_is_made_of(tmp_path: Path) -> None:
    found = []
    for changes in ({}, {name.upper(): value for name, (value, _) in IN_THE_CODE_LOCATION.items()}):
        with pytest.MonkeyPatch.context() as patch:
            found.append(code_location(settings_with(PTEROASSETS_HOME=str(tmp_path), **changes), patch))
    before, after = found
    assert [name for name, (_, place) in IN_THE_CODE_LOCATION.items() if before[place] == after[place]] == []


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_setting_changes_what_the_platform_does(name: str, tmp_path: Path) -> None:
    value, effect = ELSEWHERE[name]
    found = []
    given = {"PTEROASSETS_HOME": str(tmp_path), **(OF_THE_BOT if name == "pteroassets_discord_api" else {})}
    for changes in (given, {**given, name.upper(): value}):
        with pytest.MonkeyPatch.context() as patch:
            found.append(effect(settings_with(**changes), patch))
    assert found[0] != found[1]


@pytest.mark.parametrize("is_allowed", [False, True])
def test_a_list_may_shrink_where_the_setting_allows_it(monkeypatch: pytest.MonkeyPatch, *, is_allowed: bool) -> None:
    asked: list[object] = []

    def land_estate(*_args: object, allow_shrink: bool, **_options: object) -> Iterator[Any]:
        asked.append(allow_shrink)
        return iter(())

    monkeypatch.setattr(estate, "land_estate", land_estate)
    monkeypatch.setattr(Landing, "panel", lambda _self: contextlib.nullcontext())
    monkeypatch.setattr(Landing, "connect", lambda _self: contextlib.nullcontext())
    landing = Landing(settings=settings_with(PTEROASSETS_ALLOW_SHRINK=str(is_allowed)))
    dg.materialize([pterodactyl.panel_entities], resources={"landing": landing}, raise_on_error=False)
    assert asked == [is_allowed]


@pytest.mark.parametrize("name", ["PTEROASSETS_DAGSTER_PORT", "PTEROASSETS_DOCS_PORT"])
def test_a_port_that_is_held_is_told_with_its_holder_before_anything_starts(name: str, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        settings = settings_with(**{name: str(port), "PTEROASSETS_HOME": str(tmp_path / "home")})
        with pytest.raises(PortHeldError) as told:
            up.run_up(settings, Console(), once=True)
        assert str(told.value).startswith(f"port {port} ({name}) is in use by process {os.getpid()} (")
        option = DemoOptions(once=True, seed=None, home=tmp_path / "home", dagster_port=port, docs_port=None)
        with pytest.raises(PortHeldError, match=rf"port {port} \(--dagster-port\) is in use by process {os.getpid()}"):
            run_demo(option, settings_with(), Console())
    assert holder_of(port) is None
    assert not list((tmp_path / "home").glob("postgres*"))


def test_two_pages_on_one_port_are_refused(tmp_path: Path) -> None:
    home = str(tmp_path)
    settings = settings_with(PTEROASSETS_DAGSTER_PORT="41233", PTEROASSETS_DOCS_PORT="41233", PTEROASSETS_HOME=home)
    with pytest.raises(PortHeldError, match="PTEROASSETS_DAGSTER_PORT and PTEROASSETS_DOCS_PORT are both 41233"):
        up.run_up(settings, Console(), once=True)

"""Every setting has an effect: what the platform does differs with it, not only what the settings say."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from pteroassets.definitions import defs
from pteroassets.defs import pterodactyl
from pteroassets.defs.alarms import Alarms
from pteroassets.landing.context import Landing
from pteroassets.landing.pterodactyl import estate
from pteroassets.platform import demo, up
from pteroassets.platform import environment as place
from pteroassets.platform.demo import DemoOptions, run_demo
from pteroassets.platform.environment import demo_home_of, environment, home_of
from pteroassets.platform.loopback import PortHeldError, holder_of
from pteroassets.settings import EXAMPLES, Settings

Effect = Callable[[Settings, pytest.MonkeyPatch], object]
COMPLETE = {
    "PTERODACTYL_URL": "https://panel.test",
    "PTERODACTYL_APP_KEY": "ptla_one",
    "PTERODACTYL_CLI_KEY": "ptlc_one",
    "POSTGRES_HOST": "db.test",
    "PTEROASSETS_PII_KEY": "k" * 16,
}


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
        "alarms": (alarms.webhook, alarms.ui_url),
        "asset.owners": owners,
        "backfill.executor": found.resolve_job_def("logs_backfill").executor_def.name,
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
    "pteroassets_ui_url": ("https://dagster.test", "alarms"),
    "pteroassets_sample_retention_days": ("77", "pteroassets_sample_retention_days"),
    "pteroassets_sample_archive": ("memory://other", "pteroassets_sample_archive"),
    "pteroassets_owners": ("team:other", "asset.owners"),
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
}


def test_no_setting_is_left_out_and_each_has_an_example_that_is_right() -> None:
    assert {*IN_THE_CODE_LOCATION, *ELSEWHERE} == set(Settings.model_fields)
    assert set(EXAMPLES) == {name.upper() for name in Settings.model_fields}
    settings_with(**EXAMPLES)


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
    for changes in ({"PTEROASSETS_HOME": str(tmp_path)}, {"PTEROASSETS_HOME": str(tmp_path), name.upper(): value}):
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

"""What a worker on another machine needs, and what is told where it is missing."""

from __future__ import annotations

import configparser
import shlex
import sys
from pathlib import Path

import pytest

from pteroassets.cli import main
from pteroassets.defs.distribution import MissingCeleryError, celery_app
from pteroassets.landing.context import MissingSettingError
from pteroassets.platform.celery_worker import worker_command
from pteroassets.settings import CHECKOUT, Settings

SHARED = {
    "PTEROASSETS_CELERY_BROKER": "redis://broker.test/0",
    "POSTGRES_HOST": "db.test",
    "PTEROASSETS_LOG_STORE": "memory://logs",
}


def settings_without(missing: str | None, home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in SHARED.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("PTEROASSETS_HOME", str(home))
    return Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize("missing", SHARED)
def test_what_all_machines_share_must_be_set(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingSettingError, match=f"set {missing}"):
        worker_command(settings_without(missing, tmp_path, monkeypatch), name="one", processes=1)


def test_a_worker_is_started_without_the_brokers_address_in_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_without(None, tmp_path, monkeypatch)
    command, variables = worker_command(settings, name="one", processes=3)
    assert Path(command[0]) == Path(sys.executable).with_name("celery")
    assert command[command.index("--concurrency") + 1] == "3"
    assert not any("broker.test" in part for part in command)
    assert variables["PTEROASSETS_CELERY_BROKER"] == SHARED["PTEROASSETS_CELERY_BROKER"]


def test_no_application_is_made_without_a_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingCeleryError, match="set PTEROASSETS_CELERY_BROKER"):
        celery_app(settings_without("PTEROASSETS_CELERY_BROKER", tmp_path, monkeypatch))


def test_a_task_of_a_vanished_worker_is_given_to_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = celery_app(settings_without(None, tmp_path, monkeypatch))
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.broker_transport_options == {"visibility_timeout": 600}
    assert "execute_plan" in app.tasks


def test_the_unit_file_starts_a_command_that_there_is() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(CHECKOUT / "deploy" / "celery" / "pteroassets-worker.service")
    assert unit.sections() == ["Unit", "Service", "Install"]
    program, name, *options = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "pteroassets"
    main.commands[name].make_context(name, options)

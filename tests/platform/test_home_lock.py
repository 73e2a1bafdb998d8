"""A second platform on the data folder of the first one is refused, and a dead one is no obstacle."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.clock import SystemClock
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.home_lock import note_address, sole_platform
from pteroassets.settings import Settings

_HOLD = """
import sys
from pathlib import Path
from pteroassets.clock import SystemClock
from pteroassets.platform.home_lock import note_address, sole_platform

with sole_platform(Path(sys.argv[1]), SystemClock()):
    note_address(Path(sys.argv[1]), "http://127.0.0.1:3000")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def first(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_platform_is_refused_and_told_of_the_first(tmp_path: Path, first: subprocess.Popen[str]) -> None:
    with pytest.raises(RuntimeFault) as caught, sole_platform(tmp_path, SystemClock()):
        pass
    said = str(caught.value)
    assert str(tmp_path) in said
    assert f"process {first.pid} since 2" in said
    assert "http://127.0.0.1:3000" in said
    assert "PTEROASSETS_HOME" in said


def test_a_platform_that_was_killed_is_no_obstacle(tmp_path: Path, first: subprocess.Popen[str]) -> None:
    first.send_signal(signal.SIGKILL)
    first.wait(20)
    with sole_platform(tmp_path, SystemClock()):
        pass
    with sole_platform(tmp_path, SystemClock()):
        note_address(tmp_path, "http://127.0.0.1:4000")
        assert "3000" not in (tmp_path / "running.lock").read_text()


@pytest.mark.parametrize("command", ["up", "demo"])
def test_the_commands_refuse_at_once_and_touch_nothing(
    tmp_path: Path, first: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PTEROASSETS_HOME", str(tmp_path))
    for name, value in {
        "PTERODACTYL_URL": "http://127.0.0.1:1",
        "PTERODACTYL_APP_KEY": "ptla_x",
        "PTERODACTYL_CLI_KEY": "ptlc_x",
        "PTEROASSETS_PII_KEY": "a key of at least 16 characters",
    }.items():
        monkeypatch.setenv(name, value)
    arguments = [command] if command == "up" else [command, "--home", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert f"process {first.pid}" in result.output
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["running.lock"]

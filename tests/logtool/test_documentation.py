"""What docs/log-tool.md says of the command is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.logtool import parse_paths
from pteroassets.logtool.as_text import schema
from pteroassets.logtool.rows import Outcome
from pteroassets.settings import CHECKOUT

DOCUMENT = (CHECKOUT / "docs" / "log-tool.md").read_text()


def test_the_command_of_the_document_gives_what_its_log_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    (command,) = re.findall(r"^pteroassets (logs parse tests/.*)$", DOCUMENT, flags=re.MULTILINE)
    result = CliRunner().invoke(main, shlex.split(command), env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert "2026-03-12" in result.stdout
    assert "open at end" in result.stdout


def test_the_python_of_the_document_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    log = next((CHECKOUT / "tests" / "fixtures" / "minecraft" / "golden").glob("vanilla-stop.log"))
    monkeypatch.chdir(tmp_path)
    exec(code.replace("/srv/survival/logs", str(log)))
    players = [session.player for session in parse_paths([str(log)]).sessions]
    assert capsys.readouterr().out == f"{len(set(players))} {players}\n"


def test_the_document_names_every_option_outcome_and_key() -> None:
    named = set(re.findall(r"`(.+?)`", DOCUMENT)) | set(re.findall(r"--[a-z-]+", DOCUMENT))
    options = {option for parameter in main.commands["logs"].commands["parse"].params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} - named == set()
    assert set(get_args(Outcome)) - named == set()
    assert set(schema()["properties"]) - named == set()


def test_every_field_of_the_schema_is_described_or_named_for_itself() -> None:
    plain = {"ready_at", "left_at_lower", "left_at_upper", "joined_line", "left_line", "uuid", "software"}
    plain |= {"game_version", "overload_warnings", "is_proxy", "runs", "peak_server", "path", "line", "count"}
    plain |= {"sessions_by_close_reason", "server"}
    undescribed = {
        name
        for definition in schema()["$defs"].values()
        for name, field in definition.get("properties", {}).items()
        if "description" not in field
    }
    assert undescribed - plain == set()

"""The command ``pteroassets logs parse``: its formats, its messages, its exit status and how soon it starts."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from pteroassets.cli import main
from pteroassets.logtool.as_text import schema
from tests.logtool.writing import START, departure, entry, log, put

GOLDEN = Path(__file__).parents[1] / "fixtures" / "minecraft" / "golden"
HEAVY = {"dagster", "psycopg", "pydantic", "pydantic_settings", "pandas", "sqlalchemy", "requests", "dbt", "fsspec"}
BUSY = log(
    f"12:00:00 {START}",
    '12:00:09 Done (8.1s)! For help, type "help"',
    "12:00:59 UUID of player Al is 3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f",
    entry("12:01:00", "Al"),
    entry("12:02:00", "Bo", 2),
    "12:03:00 Bo lost connection: Timed out",
    departure("12:05:00", "Al"),
    "12:06:00 Stopping the server",
)
VALIDATOR = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())


def run(*arguments: str, stdin: bytes | None = None, columns: int = 100) -> Result:
    return CliRunner().invoke(main, ["logs", "parse", *arguments], input=stdin, env={"COLUMNS": str(columns)})


def parsed(*arguments: str, stdin: bytes | None = None) -> dict[str, Any]:
    result = run(*arguments, "--format", "json", stdin=stdin)
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_golden_log_gives_json_as_the_schema_says() -> None:
    report = parsed(str(GOLDEN), "--unknown", "5")
    assert [error.message for error in VALIDATOR.iter_errors(report)] == []
    assert report["sessions"]
    assert report["runs"]
    assert report["unknown"]


def test_the_schema_tells_what_the_json_lacks_or_has_too_much() -> None:
    report = parsed("-", stdin=BUSY)
    assert VALIDATOR.is_valid(report)
    report["sessions"][0]["joined_at"] = "2026-03-12T12:00:00Z"
    assert not VALIDATOR.is_valid(report)
    report = parsed("-", stdin=BUSY)
    report["files"][0]["more"] = 1
    assert not VALIDATOR.is_valid(report)
    del (report := parsed("-", stdin=BUSY))["sessions"][0]["close_reason"]
    assert not VALIDATOR.is_valid(report)


def test_what_gives_nothing_is_in_the_json_and_on_the_standard_error(tmp_path: Path) -> None:
    result = run(str(tmp_path), str(tmp_path / "missing.log"), "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert VALIDATOR.is_valid(report)
    assert len(report["problems"]) == 2
    assert "missing.log: there is no such file or folder" in result.stderr


@pytest.mark.parametrize("packed", [False, True])
def test_the_standard_input_is_read_packed_or_not(packed: bool) -> None:  # noqa: FBT001 - a case of the test
    report = parsed("-", stdin=gzip.compress(BUSY) if packed else BUSY)
    assert [file["path"] for file in report["files"]] == ["-"]
    assert [(each["player"], each["joined_at"], each["close_reason"]) for each in report["sessions"]] == [
        ("Al", "day 0 12:01:00", "left"),
        ("Bo", "day 0 12:02:00", "timed_out"),
    ]
    assert report["event_counts"]["-"]["player_login"] == 2


def test_csv_shows_the_table_that_is_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path / "2026-03-12-1.log", BUSY)
    rows = {
        table: list(csv.DictReader(io.StringIO(run(path, "--format", "csv", "--table", table).stdout)))
        for table in ("sessions", "runs", "files", "events")
    }
    assert [row["left_at"] for row in rows["sessions"]] == ["2026-03-12T12:05:00", "2026-03-12T12:03:00"]
    assert [row["how"] for row in rows["runs"]] == ["stopped"]
    assert [row["date"] for row in rows["files"]] == ["2026-03-12"]
    assert {row["kind"]: row["count"] for row in rows["events"]}["player_login"] == "2"
    assert list(csv.DictReader(io.StringIO(run(path, "--format", "csv").stdout))) == rows["sessions"]


@pytest.mark.parametrize("columns", [40, 80, 110, 160, 250])
def test_tables_fit_the_terminal_and_hold_every_session(tmp_path: Path, columns: int) -> None:
    put(tmp_path / "logs" / "2026-03-12-1.log", BUSY)
    put(tmp_path / "logs" / "latest.log", BUSY + log(*[entry(f"13:00:0{n}", f"P{n}", n) for n in range(9)]))
    put(tmp_path / "logs" / "page.log", b"<html></html>")
    result = run(str(tmp_path), columns=columns)
    assert result.exit_code == 0
    assert max(len(line) for line in result.stdout.splitlines()) <= columns
    if columns >= 80:
        assert all(f"P{n} " in result.stdout for n in range(9))
        assert "timed out" in result.stdout
        assert "…" not in result.stdout.partition("Sessions")[2].partition("Passed over")[0]


def test_the_summary_says_what_there_was(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-12-1.log", BUSY)
    put(tmp_path / "page.log", b"<html></html>")
    text = " ".join(run(str(tmp_path)).stdout.partition("All logs")[2].split())
    assert "1 read, 1 passed over" in text
    assert "Players 2" in text
    assert "2: 1 left, 1 timed out" in text
    assert "Played at least 0.1 h" in text
    assert "Peak 2 online at once" in text


def test_no_address_and_no_chat_is_ever_printed(tmp_path: Path) -> None:
    content = BUSY + log("12:07:00 <Al> my secret at 192.0.2.77", "12:08:00 [Shop] Al: my secret is 192.0.2.77")
    path = put(tmp_path / "latest.log", content)
    for format_ in ("table", "json", "csv"):
        printed = run(path, "--format", format_, "--unknown", "9", columns=200).stdout
        assert "secret" not in printed
        assert "192.0.2" not in printed


def test_names_cannot_colour_or_move_the_terminal(tmp_path: Path) -> None:
    name = "\u202eA[red]l\x07"
    path = put(
        tmp_path / "latest.log", log(f"12:01:00 {name}[/192.0.2.4:50123] logged in with entity id 1 at (1, 2, 3)")
    )
    printed = run(path).stdout
    assert "\u202e" not in printed
    assert "\x07" not in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timezone", "Nowhere/Land"], "Europe/Berlin"),
        (["--date", "12.3.2026"], "does not match the format"),
        (["--separate", "--together"], "cannot be used together"),
        (["--date", "2026-03-12", "--dates-from-mtime"], "cannot be used together"),
        (["--jobs", "0"], "x>=1"),
        (["--format", "xml"], "is not one of"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_right(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run(put(tmp_path / "latest.log", BUSY), *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_it_starts_without_what_only_the_platform_needs(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", BUSY)
    script = (
        "import sys\n"
        "from pteroassets.cli import main\n"
        f"try: main(['logs', 'parse', {path!r}])\n"
        "except SystemExit: pass\n"
        f"print('imported:', sorted({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}))\n"
    )
    assert all(find_spec(name) for name in ("dagster", "psycopg", "pydantic"))
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "imported: []" in printed


def test_a_reader_that_has_enough_ends_it_quietly(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", log(*[entry("12:01:00", "Al", n) for n in range(1_000)]))
    command = f"{sys.executable} -m pteroassets.cli logs parse {path} --format csv | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("server,file,player")
    assert done.stderr == ""


def test_a_pipe_that_can_be_read_once_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"cat > {pipe}"], stdin=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        writer.stdin.write(BUSY)
        writer.stdin.close()
        assert len(parsed(str(pipe))["sessions"]) == 2


def test_progress_is_shown_on_a_terminal_beside_what_is_printed(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", BUSY)
    own, terminal = pty.openpty()
    command = [sys.executable, "-m", "pteroassets.cli", "logs", "parse", path, "--format", "csv"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, text=True, check=True, env=environment)
    os.close(terminal)
    with os.fdopen(own, "rb", buffering=0) as shown:
        assert b"Reading logs" in shown.read(1 << 16)
    assert done.stdout.count("\n") == 3

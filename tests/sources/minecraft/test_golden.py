"""Logs written by hand, with what a person would say happened; and two recorded ones, counted with grep."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pteroassets.sources.minecraft.history import PlayerSession, ServerRun, SessionBuild
from pteroassets.sources.minecraft.intake import classify
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.sessions import build_sessions
from tests.sources.minecraft.writing import file_of, parse

FIXTURES = Path(__file__).parents[2] / "fixtures" / "minecraft"
GOLDEN = sorted((FIXTURES / "golden").glob("*.log"))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value) if isinstance(value, UUID) else value


def _build(path: Path, expected: dict[str, Any]) -> SessionBuild:
    files = [file_of(path.read_bytes(), day=expected["log_date"], zone=expected["zone"])]
    if "next_start" in expected:
        start = datetime.fromisoformat(expected["next_start"])
        line = f"[{start:%H:%M:%S}] [Server thread/INFO]: Starting minecraft server version 1.21.4\n"
        files.append(file_of(line, key="next", day=f"{start:%Y-%m-%d}"))
    return build_sessions(files)


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def golden(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any]]:
    return request.param, json.loads(request.param.with_suffix(".json").read_text(encoding="utf-8"))


SOFTWARE = {
    "vanilla",
    "vanilla_1_7",
    "vanilla_current",
    "craftbukkit",
    "spigot",
    "paper",
    "paper_geyser",
    "paper_console",
    "purpur",
    "folia",
    "forge_1_12",
    "forge_1_20",
    "neoforge",
    "fabric",
    "quilt",
    "mohist_1_12",
    "mohist_1_18",
    "arclight",
    "sponge",
    "legacy_1_6",
    "glowstone",
    "bungeecord",
    "waterfall",
    "velocity",
    "bedrock",
    "pocketmine",
    "nukkit",
    "waterdogpe",
    "gbk",
    "cp1251",
}


def test_there_is_a_golden_log_of_each_software() -> None:
    assert {path.stem.partition("-")[0] for path in GOLDEN} == SOFTWARE


def test_a_golden_log_has_the_events_that_a_person_would_count(golden: tuple[Path, dict[str, Any]]) -> None:
    path, expected = golden
    events = parse(path.read_bytes())
    assert Counter(event.kind for event in events) == expected["events"]


def test_every_line_of_a_golden_log_is_accounted_for(golden: tuple[Path, dict[str, Any]]) -> None:
    path, expected = golden
    parser = LogParser()
    parser.feed(path.read_bytes())
    parser.finish()
    counts = asdict(parser.counts)
    assert {name: counts[name] for name in expected["lines"]} == expected["lines"]
    assert counts["lines"] == sum(counts.values()) - counts["lines"]
    # a line may be understood and tell nothing new, as one that names what the software is built on
    assert counts["understood"] == expected["lines"].get("understood", sum(expected["events"].values()))


def test_a_golden_log_names_its_software_and_version(golden: tuple[Path, dict[str, Any]]) -> None:
    path, expected = golden
    parser = LogParser()
    parser.feed(path.read_bytes())
    assert parser.software == expected["software"]
    assert parser.game_version == expected.get("game_version", parser.game_version)


def test_a_golden_log_is_known_for_a_servers(golden: tuple[Path, dict[str, Any]]) -> None:
    assert classify(golden[0].read_bytes()) is None


def test_a_golden_log_gives_the_sessions_that_a_person_would_write_down(golden: tuple[Path, dict[str, Any]]) -> None:
    path, expected = golden
    sessions = _build(path, expected).sessions
    assert _facts(sessions, expected["sessions"]) == expected["sessions"]


def test_a_golden_log_gives_the_runs_that_a_person_would_write_down(golden: tuple[Path, dict[str, Any]]) -> None:
    path, expected = golden
    runs = _build(path, expected).runs
    assert _facts(runs, expected["runs"]) == expected["runs"]


def _facts(rows: Sequence[PlayerSession | ServerRun], wanted: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return of each row what is stated of it, and all that identifies the rows that nobody stated."""
    names = [list(each) for each in wanted] + [["session_key", "run_key"]] * (len(rows) - len(wanted))
    return [
        {name: _plain(getattr(row, name)) for name in columns if hasattr(row, name)}
        for row, columns in zip(rows, names, strict=False)
    ]


def test_the_expectations_name_real_columns(golden: tuple[Path, dict[str, Any]]) -> None:
    _, expected = golden
    for rows, row in ((expected["sessions"], PlayerSession), (expected["runs"], ServerRun)):
        columns = {column.name for column in fields(row)}
        assert all(set(each) <= columns for each in rows)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        (
            "recorded-latest.log",
            {
                "server_start": 1,
                "server_ready": 1,
                "server_overload": 7,
                "player_uuid": 35,
                "player_login": 35,
                "player_join": 35,  # four more lines that end so are chat
                "player_lost_connection": 22,
                "player_leave": 22,
                "player_chat": 65,
                "player_command": 7,
                "player_death": 17,
                "player_advancement": 16,
            },
        ),
        (
            "recorded-rotated.log.gz",
            {
                "server_start": 1,
                "server_ready": 1,
                "server_overload": 2,
                "player_uuid": 11,
                "player_login": 11,
                "player_join": 11,
                "player_lost_connection": 10,
                "player_leave": 10,
                "player_chat": 14,
                "player_command": 3,
                "player_death": 3,
                "player_advancement": 1,
            },
        ),
    ],
)
def test_a_recorded_log_has_the_events_counted_with_grep(name: str, counts: dict[str, int]) -> None:
    content = (FIXTURES / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    assert classify(content) is None
    assert Counter(event.kind for event in parse(content)) == counts


def test_a_recorded_log_gives_one_session_for_each_login() -> None:
    # its second lines come minutes after the first ones; they are of one entry, or of one departure, all the same
    built = build_sessions([file_of((FIXTURES / "recorded-latest.log").read_bytes())])
    assert len(built.sessions) == 35
    assert sum(session.is_join_observed for session in built.sessions) == 35
    assert sum(session.is_end_observed for session in built.sessions) == 22
    assert sum(session.close_reason is None for session in built.sessions) == 13
    assert sum(session.chat_messages for session in built.sessions) == 65

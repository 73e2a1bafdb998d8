"""What a report says of logs: of golden ones as a person would state it, and of small ones for each rule."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.logtool import DateRules, Report, parse_paths
from pteroassets.logtool.columns import EventColumns
from pteroassets.logtool.finding import find_files
from pteroassets.logtool.parsing import parse_files
from pteroassets.sources.minecraft.log import LogParser
from tests.logtool.writing import START, departure, entry, log, put

FIXTURES = Path(__file__).parents[1] / "fixtures" / "minecraft"
EXPECTATIONS = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.glob("golden/*.json"))}
DATED = [path for path, expected in EXPECTATIONS.items() if expected.get("log_date") and expected.get("zone")]
BEDROCK_WITHOUT_TIMES = b"""[INFO] Starting Server
[INFO] Version 1.16.221.2
[INFO] Server started.
[INFO] Player connected: Nora Seven, xuid: 2535400000000001
[INFO] Player disconnected: Nora Seven, xuid: 2535400000000001
[INFO] Player connected: Nora Seven, xuid: 2535400000000001
[INFO] Player disconnected: Nora Seven, xuid: 2535400000000001
"""


def sessions_of(report: Report) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(each.player, each.joined_at, each.left_at, each.close_reason) for each in report.sessions]


def outcomes_of(report: Report) -> dict[str, str]:
    return {Path(file.path).name: file.outcome for file in report.files}


def _history(expectation: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    """Write a golden log as its server would have named it, and the next start if it matters."""
    expected, zone = EXPECTATIONS[expectation], ZoneInfo(EXPECTATIONS[expectation]["zone"])
    put(folder / f"{expected['log_date']}-1.log", expectation.with_suffix(".log").read_bytes())
    if "next_start" in expected:
        start = datetime.fromisoformat(expected["next_start"]).astimezone(zone)
        number = 2 if f"{start:%Y-%m-%d}" == expected["log_date"] else 1
        put(folder / f"{start:%Y-%m-%d}-{number}.log", log(f"{start:%H:%M:%S} {START}"))
    return str(folder), expected


def _local(value: Any, zone: str) -> Any:
    if not isinstance(value, str) or not value.endswith("Z"):
        return value
    return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize("expectation", DATED, ids=lambda path: path.stem)
def test_a_golden_log_gives_what_a_person_would_write_down(expectation: Path, tmp_path: Path) -> None:
    folder, expected = _history(expectation, tmp_path)
    zone = expected["zone"]
    report = parse_paths([folder], dates=DateRules(zone=ZoneInfo(zone)))
    names = {
        "player_name": "player",
        "player_uuid": "uuid",
        "joined_at": "joined_at",
        "left_at": "left_at",
        "left_at_lower": "left_at_lower",
        "left_at_upper": "left_at_upper",
        "close_reason": "close_reason",
    }

    by_entry = {(each.player, each.joined_at): each for each in report.sessions}
    assert len(by_entry) == len(report.sessions) == len(expected["sessions"])
    for wanted in expected["sessions"]:
        session = by_entry[wanted["player_name"], _local(wanted.get("joined_at"), zone)]
        told = {column: getattr(session, name) for column, name in names.items() if column in wanted}
        assert told == {column: _local(value, zone) for column, value in wanted.items() if column in names}
    assert len(report.runs) == len(expected["runs"])
    for run, each in zip(report.runs, expected["runs"], strict=True):
        assert run.started_at == _local(each["started_at"], zone)
        assert run.how == each["end_reason"]


def test_a_local_stamp_needs_no_zone(tmp_path: Path) -> None:
    content = log(f"12:00:00 {START}", entry("12:01:00", "Al"), departure("13:01:00", "Al"))
    report = parse_paths([put(tmp_path / "2026-03-12-1.log.gz", content)])
    assert sessions_of(report) == [("Al", "2026-03-12T12:01:00", "2026-03-12T13:01:00", "left")]
    assert report.sessions[0].seconds == 3600
    (file,) = report.files
    assert (file.date, file.date_source) == (date(2026, 3, 12), "file_name")


def test_a_zone_makes_a_session_across_the_change_of_clocks_as_long_as_it_was(tmp_path: Path) -> None:
    path = put(tmp_path / "2026-03-29-1.log", log(entry("01:30:00", "Al"), departure("03:30:00", "Al")))
    assert parse_paths([path]).sessions[0].seconds == 7200
    berlin = parse_paths([path], dates=DateRules(zone=ZoneInfo("Europe/Berlin")))
    assert berlin.sessions[0].seconds == 3600
    assert berlin.sessions[0].left_at == "2026-03-29T03:30:00"


def test_a_log_without_a_date_counts_its_days(tmp_path: Path) -> None:
    path = put(tmp_path / "mine.log", log(entry("23:59:00", "Al"), departure("00:01:00", "Al")))
    report = parse_paths([path])
    assert sessions_of(report) == [("Al", "day 0 23:59:00", "day 1 00:01:00", "left")]
    assert report.sessions[0].seconds == 120
    assert report.files[0].date_source is None


def test_a_date_that_is_given_counts_only_where_the_log_has_none(tmp_path: Path) -> None:
    content = log(entry("12:00:00", "Al"), departure("12:01:00", "Al"))
    undated, dated = put(tmp_path / "a" / "mine.log", content), put(tmp_path / "b" / "2026-03-12-1.log", content)
    report = parse_paths([undated, dated], dates=DateRules(given=date(2025, 1, 2)))
    assert [session.joined_at for session in report.sessions] == ["2025-01-02T12:00:00", "2026-03-12T12:00:00"]
    assert [file.date_source for file in report.files] == ["given", "file_name"]


def test_the_time_of_the_file_counts_only_when_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", log(entry("23:00:00", "Al"), departure("01:00:00", "Al")))
    modified = datetime(2026, 3, 13, 1, 0, 0, tzinfo=UTC).timestamp()
    os.utime(path, (modified, modified))
    assert parse_paths([path]).files[0].date is None
    report = parse_paths([path], dates=DateRules(by_modification=True, zone=ZoneInfo("UTC")))
    assert (report.files[0].date, report.files[0].date_source) == (date(2026, 3, 12), "modified_at")


def test_a_crash_report_that_a_line_names_dates_its_log(tmp_path: Path) -> None:
    saved = "This crash report has been saved to: /srv/crash-reports/crash-2026-03-13_00.05.00-server.txt"
    path = put(tmp_path / "latest.log", log(entry("23:00:00", "Al"), f"00:05:00 {saved}"))
    report = parse_paths([path])
    assert (report.files[0].date, report.files[0].date_source) == (date(2026, 3, 12), "crash_report")
    assert report.sessions[0].joined_at == "2026-03-12T23:00:00"


def test_a_clients_log_is_refused_wherever_it_shows_what_it_is(tmp_path: Path) -> None:
    loading = log(*["12:00:00 Loading a mod"] * 2_000)
    path = put(tmp_path / "latest.log", loading + b"[12:01:00] [Render thread/INFO]: Created\n")
    (file,) = parse_paths([path]).files
    assert (file.outcome, file.reason) == ("not_a_server_log", "the log of a game client")


@pytest.mark.parametrize(
    ("zone", "joined_at"),
    [(None, "2026-03-13T01:30:00"), ("Europe/Athens", "2026-03-13T01:30:00"), ("UTC", "2026-03-12T23:30:00")],
)
def test_a_shippers_stamp_dates_lines_and_tells_their_zone(tmp_path: Path, zone: str | None, joined_at: str) -> None:
    shipped = [
        "2026-03-12T23:30:00.123Z stdout F [01:30:00] [Server thread/INFO]: Al joined the game",
        "2026-03-12T23:35:00.123Z stdout F [01:35:00] [Server thread/INFO]: Al left the game",
    ]
    path = put(tmp_path / "0.log", "\n".join(shipped).encode() + b"\n")
    report = parse_paths([path], dates=DateRules(zone=ZoneInfo(zone) if zone else None))
    assert (report.files[0].date, report.files[0].date_source) == (date(2026, 3, 13), "line")
    assert [(each.joined_at, each.seconds) for each in report.sessions] == [(joined_at, 300)]


def test_a_log_without_any_time_gives_line_numbers_alone(tmp_path: Path) -> None:
    report = parse_paths([put(tmp_path / "Dedicated_Server.txt", BEDROCK_WITHOUT_TIMES)])
    assert [(each.player, each.joined_line, each.left_line) for each in report.sessions] == [
        ("Nora Seven", 4, 5),
        ("Nora Seven", 6, 7),
    ]
    times = [(each.joined_at, each.left_at, each.last_seen_at, each.seconds) for each in report.sessions]
    assert times == [(None, None, None, None)] * 2
    assert (report.runs[0].started_at, report.runs[0].started_line) == (None, 1)
    assert report.files[0].outcome == "no_times"
    assert report.summary.sessions_without_length == 2


def test_files_of_a_folder_named_as_a_server_names_them_are_one_history(tmp_path: Path) -> None:
    put(tmp_path / "latest.log", log(departure("00:10:00", "Al")))
    put(tmp_path / "2026-03-12-10.log.gz", log(entry("23:00:00", "Al")))
    put(tmp_path / "2026-03-12-9.log.gz", log(f"20:00:00 {START}"))
    report = parse_paths([str(tmp_path)], dates=DateRules(given=date(2026, 3, 13)))
    assert sessions_of(report) == [("Al", "2026-03-12T23:00:00", "2026-03-13T00:10:00", "left")]
    assert Path(report.sessions[0].left_file or "").name == "latest.log"
    assert [server.server for server in report.servers] == [str(tmp_path)]
    assert [run.lines for run in report.runs] == [3]


def test_a_departure_in_a_log_without_a_date_has_no_length_but_closes(tmp_path: Path) -> None:
    put(tmp_path / "latest.log", log(departure("00:10:00", "Al")))
    put(tmp_path / "2026-03-12-1.log.gz", log(f"20:00:00 {START}", entry("23:00:00", "Al")))
    (session,) = parse_paths([str(tmp_path)]).sessions
    assert (session.joined_at, session.left_at) == ("2026-03-12T23:00:00", "day 0 00:10:00")
    assert session.seconds is None
    assert session.close_reason == "left"


def test_the_logs_of_a_proxy_are_read_from_the_highest_number_down(tmp_path: Path) -> None:
    lines = [
        "[Al] <-> ServerConnector [lobby] has connected",
        "[Al] -> UpstreamBridge has disconnected",
    ]
    put(
        tmp_path / "proxy.log.1",
        f"23:00:00 [INFO] Enabled BungeeCord version git\n23:10:00 [INFO] {lines[0]}\n".encode(),
    )
    put(tmp_path / "proxy.log.0", f"01:00:00 [INFO] {lines[1]}\n".encode())
    report = parse_paths([str(tmp_path)])
    assert sessions_of(report) == [("Al", "day 0 23:10:00", "day 1 01:00:00", "left")]


def test_a_missing_file_ends_what_was_open(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-12-1.log", log(f"20:00:00 {START}", entry("20:01:00", "Al")))
    put(tmp_path / "2026-03-12-3.log", log("22:00:00 Saved the game"))
    report = parse_paths([str(tmp_path)])
    assert sessions_of(report) == [("Al", "2026-03-12T20:01:00", None, "log_gap")]
    assert (report.sessions[0].left_at_lower, report.sessions[0].left_at_upper) == (
        "2026-03-12T20:01:00",
        "2026-03-12T22:00:00",
    )
    assert [file.gap_before for file in report.files] == [False, True]


def test_any_other_file_is_a_server_of_its_own(tmp_path: Path) -> None:
    for name in ("one.log", "two.log"):
        put(tmp_path / name, log(f"12:00:00 {START}", entry("12:01:00", "Al")))
    report = parse_paths([str(tmp_path)])
    assert [server.sessions for server in report.servers] == [1, 1]
    assert [session.close_reason for session in report.sessions] == [None, None]


def test_files_are_put_together_or_apart_when_asked_for(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-12-1.log", log(f"12:00:00 {START}", entry("12:01:00", "Al")))
    put(tmp_path / "2026-03-12-2.log", log(f"13:00:00 {START}"))
    put(tmp_path / "own.log", log(f"14:00:00 {START}"))
    together = parse_paths([str(tmp_path)], grouping="together")
    assert len(together.servers) == 1
    assert len(together.runs) == 3
    apart = parse_paths([str(tmp_path)], grouping="separate")
    assert len(apart.servers) == 3
    assert apart.sessions[0].close_reason is None


def test_a_debug_log_beside_a_log_is_passed_over_and_read_when_alone(tmp_path: Path) -> None:
    content = log(f"12:00:00 {START}", entry("12:01:00", "Al"))
    put(tmp_path / "both" / "latest.log", content)
    put(tmp_path / "both" / "debug.log", content)
    put(tmp_path / "both" / "fml-server-1.log", content)
    both = parse_paths([str(tmp_path / "both")])
    assert outcomes_of(both) == {"latest.log": "ok", "debug.log": "duplicate", "fml-server-1.log": "duplicate"}
    assert len(both.sessions) == 1
    alone = parse_paths([put(tmp_path / "alone" / "debug.log", content)])
    assert outcomes_of(alone) == {"debug.log": "ok"}
    assert len(alone.sessions) == 1


@pytest.mark.parametrize("padding", [0, 200_000])
def test_a_live_log_and_its_closed_copy_count_once(tmp_path: Path, padding: int) -> None:
    noise = log(*["12:00:30 Saved the game"] * (padding // 50))
    first = log(f"12:00:00 {START}", entry("12:01:00", "Al")) + noise
    put(tmp_path / "latest.log", first)
    put(tmp_path / "2026-03-12-1.log.gz", first + log(departure("12:05:00", "Al")))
    report = parse_paths([str(tmp_path)])
    assert outcomes_of(report) == {"latest.log": "duplicate", "2026-03-12-1.log.gz": "ok"}
    assert sessions_of(report) == [("Al", "2026-03-12T12:01:00", "2026-03-12T12:05:00", "left")]


def test_the_longer_of_two_copies_counts_and_takes_the_date_of_the_other(tmp_path: Path) -> None:
    first = log(f"12:00:00 {START}", entry("12:01:00", "Al"))
    put(tmp_path / "2026-03-12-1.log", first)
    put(tmp_path / "latest.log", first + log(departure("12:05:00", "Al")))
    report = parse_paths([str(tmp_path)])
    assert outcomes_of(report) == {"2026-03-12-1.log": "duplicate", "latest.log": "ok"}
    assert sessions_of(report) == [("Al", "2026-03-12T12:01:00", "2026-03-12T12:05:00", "left")]


def test_logs_that_begin_alike_and_go_on_differently_both_count(tmp_path: Path) -> None:
    first = log(f"12:00:00 {START}", *["12:00:30 Saved the game"] * 200)
    put(tmp_path / "2026-03-12-1.log", first + log(entry("12:01:00", "Al"), departure("12:02:00", "Al")))
    put(tmp_path / "2026-03-13-1.log", first + log(entry("12:01:00", "Bo"), departure("12:02:00", "Bo")))
    assert [session.player for session in parse_paths([str(tmp_path)]).sessions] == ["Al", "Bo"]


def test_a_path_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", log(entry("12:01:00", "Al")))
    assert len(parse_paths([path, str(tmp_path), path]).sessions) == 1


@pytest.mark.parametrize(
    ("content", "outcome", "word"),
    [
        (b"", "empty", "no text"),
        (b" \r\n\n", "empty", "no text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not_a_server_log", "HTML"),
        (b"[12:00:00] [Render thread/INFO]: Setting user: Al\n", "not_a_server_log", "client"),
        (b"\x00\x01\x02\x03" * 500, "not_a_server_log", "no line begins"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(32)) * 9, "not_a_server_log", "binary"),
        (b"7z\xbc\xaf\x27\x1c: rest of an archive", "unreadable", "unpack it first"),
        (b"Rar!\x1a\x07\x01\x00: rest of an archive", "unreadable", "unpack it first"),
        (b"\x04\x22\x4d\x18: rest of an archive", "unreadable", "lz4 -d"),
    ],
)
def test_a_file_that_is_no_server_log_is_named_as_such(tmp_path: Path, content: bytes, outcome: str, word: str) -> None:
    path = tmp_path / "latest.log"
    path.write_bytes(content)
    report = parse_paths([str(path)])
    assert (report.files[0].outcome, report.sessions, report.runs, report.event_counts) == (outcome, (), (), {})
    assert word in (report.files[0].reason or "")
    # named itself, so it was to be read
    assert [(problem.path, problem.message) for problem in report.problems] == [(str(path), report.files[0].reason)]


def test_a_log_in_a_plugins_folder_is_not_the_servers(tmp_path: Path) -> None:
    content = log(entry("12:01:00", "Al"))
    put(tmp_path / "logs" / "latest.log", content)
    put(tmp_path / "plugins" / "Shop" / "shop.log", content)
    report = parse_paths([str(tmp_path)])
    assert outcomes_of(report) == {"latest.log": "ok", "shop.log": "not_a_server_log"}


def test_what_cannot_be_read_is_told_with_its_remedy_and_the_others_are_read(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", log(entry("12:01:00", "Al")))
    (tmp_path / "empty").mkdir()
    missing = str(tmp_path / "missing.log")
    report = parse_paths([missing, path, str(tmp_path / "empty")])
    assert len(report.sessions) == 1
    assert [problem.path for problem in report.problems] == [str(tmp_path / "empty"), missing]
    assert "no log in this folder" in report.problems[0].message
    assert "spelling" in report.problems[1].message
    assert outcomes_of(report)["missing.log"] == "unreadable"


def test_unknown_lines_are_listed_as_templates_without_names_words_or_addresses(tmp_path: Path) -> None:
    noise = [f"12:00:0{n} Backup {n} of 'world{n}' by Al took {n}.5 s from 192.0.2.{n}" for n in range(5)]
    speech = ["12:00:06 Al: meet me at the secret base", "12:00:07 VIP | Al > at the secret base"]
    content = log(entry("12:00:00", "Al"), *noise, *speech)
    report = parse_paths([put(tmp_path / "latest.log", content)], unknown=3)
    first = report.unknown[0]
    assert first.template == "Backup # of '*' by <player> took # s from #"
    assert (first.count, Path(first.path).name, first.line) == (5, "latest.log", 2)
    assert first.example == "Backup 0 of 'world0' by <player> took 0.5 s from [address]"
    assert len(report.unknown) == 3
    assert "secret" not in str(report.unknown)
    assert "192.0.2" not in str(report)
    assert parse_paths([str(tmp_path)]).unknown == ()


@pytest.mark.parametrize(
    ("line", "template"),
    [
        ("Somebody came with username Cleo", "Somebody came with username <player>"),
        ("Somebody logged in as Cleo again", "Somebody logged in as <player> again"),
        (
            "Cleo V (logged in as: .Cleo_V) is there",
            "<player> (logged in as: <player>) is there",
        ),
        ("§aCleo has connected to the Java server now", "<player> has connected to the Java server"),
        ("Cleo[/192.0.2.4:1] knows what", "<player>[/#] knows what"),
        ("Hooray, Cleo joined the game for good", "Hooray, <player> joined the game for good"),
        ("Bridge keeps Bedi in its list", "Bridge keeps <player> in its list"),
    ],
)
def test_an_unknown_line_names_nobody_whom_the_log_does_not_know(tmp_path: Path, line: str, template: str) -> None:
    known = log("12:00:00 .Bedi joined the game", f"12:00:01 {line}")
    (unknown,) = parse_paths([put(tmp_path / "latest.log", known)], unknown=9).unknown
    assert unknown.template.startswith(template)
    assert "Cleo" not in str(unknown)
    assert "192.0.2.4" not in unknown.example


def test_a_player_whose_name_is_a_number_hides_no_other_numbers(tmp_path: Path) -> None:
    known = log("12:00:00 2024 joined the game", "12:00:01 Backup 7 done")
    (unknown,) = parse_paths([put(tmp_path / "latest.log", known)], unknown=9).unknown
    assert (unknown.template, unknown.example) == ("Backup # done", "Backup 7 done")


def test_the_peak_and_the_hours_are_those_of_one_server_each(tmp_path: Path) -> None:
    both = log(
        entry("12:00:00", "Al"), entry("12:30:00", "Bo", 2), departure("13:00:00", "Al"), departure("13:30:00", "Bo")
    )
    put(tmp_path / "one" / "2026-03-12-1.log", both)
    put(tmp_path / "two" / "2026-03-12-1.log", log(entry("12:00:00", "Al"), departure("13:00:00", "Al")))
    summary = parse_paths([str(tmp_path / "one"), str(tmp_path / "two")]).summary
    assert (summary.players, summary.sessions, summary.peak_online) == (2, 3, 2)
    assert summary.peak_server == str(tmp_path / "one" / "2026-03-12-1.log")
    assert summary.hours_played == 3
    assert summary.sessions_by_close_reason == {"left": 3}


def test_who_leaves_in_the_second_in_which_another_enters_is_not_online_with_him(tmp_path: Path) -> None:
    content = log(entry("12:00:00", "Al"), departure("12:01:00", "Al"), entry("12:01:00", "Bo", 2))
    assert parse_paths([put(tmp_path / "2026-03-12-1.log", content)]).summary.peak_online == 1


def test_a_player_behind_a_proxy_counts_once_in_the_sum(tmp_path: Path) -> None:
    put(tmp_path / "game" / "2026-03-12-1.log", log(entry("12:00:00", "Al"), departure("12:10:00", "Al")))
    proxy = [
        "12:00:00 [INFO] [Al] <-> ServerConnector [game] has connected",
        "12:10:00 [INFO] [Al] -> UpstreamBridge has disconnected",
    ]
    put(
        tmp_path / "proxy.log.0",
        ("\n".join(["11:00:00 [INFO] Enabled BungeeCord version git", *proxy]) + "\n").encode(),
    )
    report = parse_paths([str(tmp_path)])
    assert [server.is_proxy for server in report.servers] == [True, False]
    assert (len(report.sessions), report.summary.sessions, report.summary.players) == (2, 1, 1)


def test_two_processes_give_what_one_gives_in_the_same_order(tmp_path: Path) -> None:
    for day in range(1, 6):
        put(tmp_path / f"2026-03-0{day}-1.log.gz", log(entry("12:01:00", f"P{day}"), *["12:02:00 noise"] * day))
    files, _ = find_files([str(tmp_path)])
    read: list[int] = []
    found = parse_files(files, jobs=2, list_unknown=True, advanced=read.append, worth_processes=1)
    parsed = [file for of_path in found for file in of_path.values()]
    assert [row.player for file in parsed for row in file.events] == [f"P{day}" for day in range(1, 6)]
    assert [file.state.counts.unknown for file in parsed] == [1, 2, 3, 4, 5]
    assert [list(file.unknown.items()) for file in parsed] == [[(b"noise", day, b"noise")] for day in range(1, 6)]
    assert sum(read) == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_progress_ends_where_it_said_it_would(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    put(tmp_path / "latest.log", log(entry("12:01:00", "Al")) * 20)
    put(tmp_path / "2026-03-12-1.log.gz", log(entry("12:01:00", "Bo")) * 20)
    put(tmp_path / "debug.log", log(entry("12:01:00", "Al")))
    parse_paths([str(tmp_path)], progress=lambda *told: seen.append(told))
    read, total = seen[-1]
    assert read == total > 0


def test_events_are_kept_without_addresses_places_and_words() -> None:
    parser, columns = LogParser(keep_text=True), EventColumns()
    events = parser.feed(
        log(entry("12:00:00", "Al", 7), "12:01:00 <Al> my secret", "12:02:00 Al lost connection: Quit")
    )
    columns.extend(events)
    assert [(row.line_number, row.seconds, row.kind, row.player, row.detail) for row in columns] == [
        (1, 43200, "player_login", "Al", {"entity_id": 7}),
        (2, 43260, "player_chat", "Al", None),
        (3, 43320, "player_lost_connection", "Al", {"reason": "Quit"}),
    ]
    assert [columns[index] for index in range(-1, 3)] == [columns[2], *columns]


def test_chat_is_counted_and_kept_nowhere(tmp_path: Path) -> None:
    path = put(tmp_path / "latest.log", log(entry("12:00:00", "Al"), "12:01:00 <Al> my secret"))
    report = parse_paths([path], unknown=9)
    assert report.event_counts[path] == {"player_login": 1, "player_chat": 1}
    assert "secret" not in str(report)

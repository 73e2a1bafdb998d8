"""The log tool on folders whose files are numbered either way, and on logs of several days and of a changed clock."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pteroassets.logtool import DateRules, Report, parse_paths
from tests.logtool.writing import START, departure, entry, log, put

BERLIN = DateRules(zone=ZoneInfo("Europe/Berlin"))


def run(start: str, joined: str, left: str, name: str = "Al", *, stops: bool = True) -> bytes:
    """A run in which somebody comes and goes."""
    stop = [f"{left[:6]}59 Stopping server"] if stops else []
    return log(f"{start} {START}", entry(joined, name), departure(left, name), *stop)


def told(report: Report) -> list[tuple[str | None, str | None, float | None]]:
    return [(session.joined_at, session.left_at, session.seconds) for session in report.sessions]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 1, 3)])
def test_closed_logs_of_a_day_stand_in_the_order_of_their_first_lines(tmp_path: Path, order: tuple[int, ...]) -> None:
    for hour, number in enumerate(order, start=11):
        put(tmp_path / f"2026-03-12-{number}.log.gz", run(f"{hour}:00:00", f"{hour}:05:00", f"{hour}:35:00"))
    report = parse_paths([str(tmp_path)])
    assert [session.joined_at for session in report.sessions] == [f"2026-03-12T{hour}:05:00" for hour in (11, 12, 13)]
    assert {session.seconds for session in report.sessions} == {1800}
    assert not any(file.gap_before for file in report.files)


def test_who_is_on_when_a_server_dies_left_before_the_next_start_though_that_has_a_lower_number(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-12-2.log", log(f"18:00:00 {START}", entry("18:05:00", "Al"), "18:30:00 Al said a thing"))
    put(tmp_path / "2026-03-12-1.log", run("21:00:00", "21:05:00", "21:35:00", "Bo"))
    first, second = parse_paths([str(tmp_path)]).sessions
    assert (first.left_at_lower, first.left_at_upper) == ("2026-03-12T18:30:00", "2026-03-12T21:00:00")
    assert (second.joined_at, second.left_at) == ("2026-03-12T21:05:00", "2026-03-12T21:35:00")


def test_a_missing_file_between_numbers_that_run_downwards_is_a_gap(tmp_path: Path) -> None:
    for number, hour in ((4, 10), (3, 11), (1, 13)):
        put(tmp_path / f"2026-03-12-{number}.log", log(f"{hour}:00:00 {START}", entry(f"{hour}:05:00", "Al")))
    report = parse_paths([str(tmp_path)])
    assert {Path(file.path).name: file.gap_before for file in report.files} == {
        "2026-03-12-1.log": True,
        "2026-03-12-3.log": False,
        "2026-03-12-4.log": False,
    }
    assert [session.close_reason for session in report.sessions] == ["server_crashed", "log_gap", None]


def test_a_session_over_midnight_goes_on_where_numbers_run_downwards(tmp_path: Path) -> None:
    put(tmp_path / "2026-03-12-2.log", run("10:00:00", "10:05:00", "10:35:00"))
    put(tmp_path / "2026-03-12-1.log", log(f"23:00:00 {START}", entry("23:30:00", "Al")))
    put(tmp_path / "latest.log", log("00:10:00 noise", departure("00:30:00", "Al")))
    (tmp_path / "latest.log").rename(tmp_path / "2026-03-13-1.log")
    assert told(parse_paths([str(tmp_path)]))[1] == ("2026-03-12T23:30:00", "2026-03-13T00:30:00", 3600)


def test_files_named_one_by_one_are_put_in_order_too(tmp_path: Path) -> None:
    newest = put(tmp_path / "a" / "2026-03-12-1.log", run("21:00:00", "21:05:00", "21:35:00"))
    oldest = put(tmp_path / "b" / "2026-03-12-2.log", run("18:00:00", "18:05:00", "18:35:00"))
    report = parse_paths([newest, oldest], grouping="together")
    assert [session.joined_at for session in report.sessions] == ["2026-03-12T18:05:00", "2026-03-12T21:05:00"]


EVENING, NEXT = run("22:30:00", "22:31:00", "22:35:00"), run("21:55:00", "21:58:00", "22:11:00")


def test_a_start_at_an_earlier_time_of_day_is_of_a_later_day_where_no_name_dates_the_log(tmp_path: Path) -> None:
    path = put(tmp_path / "console.log", EVENING + NEXT)
    assert told(parse_paths([path])) == [
        ("day 0 22:31:00", "day 0 22:35:00", 240),
        ("day 1 21:58:00", "day 1 22:11:00", 780),
    ]
    given = parse_paths([path], dates=DateRules(given=date(2026, 3, 12)))
    assert [session.joined_at for session in given.sessions] == ["2026-03-12T22:31:00", "2026-03-13T21:58:00"]


def test_in_a_log_with_a_date_in_its_name_the_clock_was_set_back(tmp_path: Path) -> None:
    path = put(tmp_path / "2026-03-12-1.log", EVENING + NEXT)
    assert told(parse_paths([path])) == [
        ("2026-03-12T22:31:00", "2026-03-12T22:35:00", 240),
        ("2026-03-12T21:58:00", "2026-03-12T22:11:00", 780),
    ]


def test_logs_of_a_proxy_go_on_over_days_and_files(tmp_path: Path) -> None:
    def evening(start: str, joined: str, left: str) -> str:
        return (
            f"{start} [INFO] Enabled BungeeCord version git:BungeeCord-Bootstrap:1.21-R0.1-SNAPSHOT:20a71b0:1887\n"
            f"{joined} [INFO] [Al] <-> ServerConnector [lobby] has connected\n"
            f"{left} [INFO] [Al] -> UpstreamBridge has disconnected\n"
        )

    two = evening("22:30:00", "22:31:00", "22:35:00") + evening("21:55:00", "21:58:00", "22:11:00")
    put(tmp_path / "proxy.log.1", two.encode())
    put(tmp_path / "proxy.log.0", evening("20:00:00", "20:01:00", "20:02:00").encode())
    assert [session.joined_at for session in parse_paths([str(tmp_path)]).sessions] == [
        "day 0 22:31:00",
        "day 1 21:58:00",
        "day 2 20:01:00",
    ]


def test_in_the_night_when_clocks_go_back_a_restart_and_the_next_file_are_of_the_same_day(tmp_path: Path) -> None:
    both = run("02:40:00", "02:41:00", "02:50:00", stops=False) + run("02:05:00", "02:06:00", "02:45:00", stops=False)
    rules = DateRules(zone=ZoneInfo("Europe/Berlin"), given=date(2026, 10, 25))
    (file,) = [put(tmp_path / "console.log", both)]
    assert told(parse_paths([file], dates=rules)) == [
        ("2026-10-25T02:41:00", "2026-10-25T02:50:00", 540),
        ("2026-10-25T02:06:00", "2026-10-25T02:45:00", 2340),
    ]
    put(tmp_path / "server" / "server.log.1", run("01:40:00", "01:41:00", "02:50:00", stops=False))
    put(tmp_path / "server" / "server.log", run("02:05:00", "02:06:00", "03:06:00", stops=False))
    assert told(parse_paths([str(tmp_path / "server")], dates=rules)) == [
        ("2026-10-25T01:41:00", "2026-10-25T02:50:00", 4140),
        ("2026-10-25T02:06:00", "2026-10-25T03:06:00", 3600),
    ]


@pytest.mark.parametrize("newest", [1, 3])
def test_files_that_begin_in_the_hour_shown_twice_stand_as_the_numbers_of_the_day_before_run(
    tmp_path: Path, newest: int
) -> None:
    put(tmp_path / f"2026-10-24-{4 - newest}.log", run("10:00:00", "10:01:00", "10:02:00"))
    put(tmp_path / "2026-10-24-2.log", run("11:00:00", "11:01:00", "11:02:00"))
    put(tmp_path / f"2026-10-24-{newest}.log", run("12:00:00", "12:01:00", "12:02:00"))
    oldest = 1 if newest > 1 else 2
    put(tmp_path / f"2026-10-25-{oldest}.log", run("02:40:00", "02:41:00", "02:50:00", stops=False))
    put(tmp_path / f"2026-10-25-{3 - oldest}.log", run("02:05:00", "02:06:00", "03:06:00", stops=False))
    assert told(parse_paths([str(tmp_path)], dates=BERLIN))[3:] == [
        ("2026-10-25T02:41:00", "2026-10-25T02:50:00", 540),
        ("2026-10-25T02:06:00", "2026-10-25T03:06:00", 3600),  # from the second showing to three o'clock
    ]

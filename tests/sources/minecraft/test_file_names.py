"""What a file's name tells: the names that servers give their logs, and those that people give."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from pteroassets.sources.minecraft.places import LogName, collected_name, moment_of_report, read_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("latest.log", LogName(scheme="rotated", is_live=True)),
        ("server.log", LogName(scheme="server", is_live=True, age=0)),
        ("proxy.log.0", LogName(scheme="proxy", is_live=True, age=0)),
        ("proxy.log.7", LogName(scheme="proxy", is_live=False, age=7)),
        ("server.log.1", LogName(scheme="server", is_live=False, age=1)),
        ("server.log.gz", LogName(scheme="server", is_live=False, age=0)),
        ("Dedicated_Server.txt", LogName(scheme="bedrock", is_live=True)),
        ("2026-05-04-12.log.gz", LogName(scheme="rotated", is_live=False, log_date=date(2026, 5, 4), sequence=12)),
        ("2026-05-04-1.log", LogName(scheme="rotated", is_live=False, log_date=date(2026, 5, 4), sequence=1)),
        ("proxy.log.0.lck", None),
        ("debug.log", None),
        ("debug-1.log.gz", None),
        ("latest.log.bak", None),
        ("server.log.99999", None),
    ],
)
def test_a_name_tells_whether_a_file_grows_and_how_old_it_is(name: str, expected: LogName | None) -> None:
    assert read_name(name) == expected


def test_a_name_that_the_operator_gave_is_the_only_one() -> None:
    assert read_name("console.log", live="console.log") == LogName(scheme="rotated", is_live=True)
    assert read_name("latest.log", live="console.log") is None


@pytest.mark.parametrize("name", ["proxy.log.0.gz", "server.log.gz", "proxy.log", "proxy.log.1.7z", "debug.log"])
def test_copies_of_what_grows_and_what_is_not_unpacked_stay_where_they_are(name: str) -> None:
    assert collected_name(name) is None
    assert collected_name(name, live=name) is not None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("2026-03-12-1.log.gz", (date(2026, 3, 12), 1)),
        ("/logs/2026-03-12-39.log", (date(2026, 3, 12), 39)),
        ("latest.log", None),
        ("2026-02-30-1.log.gz", None),
        ("debug-1.log.gz", None),
        ("2026-03-12-1.log.zip", (date(2026, 3, 12), 1)),
        ("logs/2024.03.12.20.01.02.log", (date(2024, 3, 12), 200102)),
        ("2024.13.12.20.01.02.log", None),
        ("proxy.log.0", None),
        ("server.log", None),
        ("2026-03-12.log.gz", None),
    ],
)
def test_a_closed_file_tells_its_day_and_number(name: str, found: tuple[date, int] | None) -> None:
    read = read_name(name)
    assert (read and read.log_date and (read.log_date, read.sequence)) == found


def test_a_crash_reports_name_tells_its_moment() -> None:
    assert moment_of_report("./crash-reports/crash-2026-03-12_20.01.02-server.txt") == datetime(2026, 3, 12, 20, 1, 2)  # noqa: DTZ001
    assert moment_of_report("crash-2026-13-12_20.01.02-server.txt") is None
    assert moment_of_report("latest.log") is None

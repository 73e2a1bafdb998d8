"""Disks, backups and unusual hours: what is judged once an hour or a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pteroassets.alarms.incidents.model import BackupState, DiskTrend, HourOfWeek, Readings
from pteroassets.alarms.incidents.slow_reading import _hours, _same_hours
from tests.alarms.incidents.saying import GIB, NOON, Told, sample, server

HOUR = timedelta(hours=1)


def disk(hours: int, used: int, growth: float | None, **limits: Any) -> Readings:
    trend = DiskTrend(
        server=server(**limits), at=NOON + hours * HOUR, used_bytes=used * GIB,
        bytes_an_hour=None if growth is None else growth * GIB,
    )  # fmt: skip
    return Readings(at=trend.at, hours_at=trend.at, disks=[trend])


def test_a_disk_that_is_full_within_two_days_is_told_with_the_hours_that_are_left() -> None:
    told = Told()
    told.hear(disk(0, 10, 0.25))
    told.hear(disk(1, 11, 0.25))
    assert [(one.kind, one.cause) for one in told.incidents] == [
        ("disk_filling", "its disk is full in 36 hours if it goes on growing as in the last day")
    ]
    told.hear(disk(2, 15, 0.25))
    assert "full in 20 hours" in told.messages[-1].text
    told.hear(disk(3, 15, 0.0))
    told.hear(disk(4, 15, -1.0))
    assert told.incidents[0].closed_at == NOON + 3 * HOUR


@pytest.mark.parametrize(("growth", "limits"), [(None, {}), (0.1, {}), (-5.0, {}), (5.0, {"disk_bytes": None})])
def test_a_disk_that_is_not_known_shrinks_or_has_no_limit_is_no_incident(
    growth: float | None, limits: dict[str, Any]
) -> None:
    told = Told()
    for hours in range(3):
        told.hear(disk(hours, 10, growth, **limits))
    assert told.incidents == []


def backup(days: int, age: timedelta | None, hours: float | None) -> Readings:
    at = NOON + timedelta(days=days)
    newest = None if age is None else at - age
    return Readings(at=at, backups=[BackupState(server=server(), at=at, newest_good_at=newest, hours_played=hours)])


def test_old_backups_of_a_server_that_is_played_on_are_told_until_there_is_a_newer_one() -> None:
    told = Told()
    told.hear(backup(0, timedelta(hours=40), 9.0))
    told.hear(backup(1, timedelta(hours=64), 0.5))
    assert told.incidents == []
    told.hear(backup(2, timedelta(hours=88), 3.0))
    assert told.incidents[0].cause.endswith("3.0 hours were played since")
    told.hear(backup(3, timedelta(hours=6), 1.0))
    assert not told.incidents[0].is_open


def test_a_server_that_has_no_backup_is_told_only_if_play_on_it_is_known() -> None:
    told = Told()
    told.hear(backup(0, None, None))
    assert told.incidents == []
    told.hear(backup(1, None, 2.0))
    assert told.incidents[0].cause.startswith("it has no good backup")


def hour(number: int, value: float, weeks: int = 8, median: float = 40.0, deviation: float = 3.0) -> Readings:
    at = NOON + number * HOUR
    read = HourOfWeek(
        server=server(), hour=at, measure="cpu_percent", value=value, weeks=weeks, median=median, deviation=deviation
    )
    return Readings(at=at + 2 * HOUR, hours_at=at + 2 * HOUR, hours=[read])


def test_an_hour_far_from_usual_is_told_until_one_is_usual_again() -> None:
    told = Told()
    told.hear(hour(0, 60))
    assert told.incidents == [], "six deviations are less than what is worth a word"
    told.hear(hour(1, 120))
    assert told.incidents[0].cause == "120.0 % CPU on average, where 40.0 are usual in this hour of the week"
    told.hear(hour(2, 41))
    assert told.incidents[0].closed_at == NOON + 2 * HOUR


def test_nothing_is_unusual_while_few_weeks_are_known() -> None:
    told = Told()
    told.hear(hour(0, 400, weeks=3))
    assert told.incidents == []


def test_an_unusual_hour_is_past_when_none_can_be_judged_after_it() -> None:
    told = Told()
    told.hear(hour(0, 400))
    assert told.incidents[0].is_open
    later = NOON + 6 * HOUR
    told.samples(later, sample(server(), later, "offline"))
    assert told.incidents[0].closed_at == NOON + HOUR


def test_an_hour_of_the_week_is_that_of_the_clock_also_before_the_clocks_changed() -> None:
    at = datetime(2026, 10, 26, 19, tzinfo=UTC)  # eight in the evening in Berlin, in winter
    before = [*_same_hours(at, ZoneInfo("Europe/Berlin"))]
    assert before[0] == datetime(2026, 10, 19, 18, tzinfo=UTC)
    assert len(before) == 8


def test_play_is_counted_between_the_backup_and_now() -> None:
    stays = [("", NOON - 3 * HOUR, NOON - HOUR), ("", NOON - 2 * HOUR, NOON + HOUR), ("", NOON + HOUR, NOON + 2 * HOUR)]
    assert _hours(stays, NOON - 2 * HOUR, NOON) == 3.0

"""Dates from file names, and instants from stamps: midnight, the hour shown twice, the hour skipped."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.dates import Stamper, date_of_live
from pteroassets.sources.minecraft.events import LogEvent, LogStamp, Setback
from pteroassets.sources.minecraft.months import read_date
from tests.sources.minecraft.writing import file_of, paper

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_live_file_began_as_many_days_before_its_change_as_midnights_passed() -> None:
    modified = utc("2026-03-12T23:30:00")  # the 13th in Berlin
    assert date_of_live(modified, BERLIN, 0) == date(2026, 3, 13)
    assert date_of_live(modified, BERLIN, 2) == date(2026, 3, 11)


def test_a_naive_time_of_change_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        date_of_live(datetime(2026, 3, 12), BERLIN, 0)  # noqa: DTZ001 - the point of the test


def test_a_stamp_is_local_and_has_the_files_day_and_the_midnights_since() -> None:
    stamp = Stamper(date(2026, 3, 12), BERLIN).stamp(LogStamp(day=1, seconds=3600))
    assert stamp == (utc("2026-03-13T00:00:00"), datetime(2026, 3, 13, 1))  # noqa: DTZ001 - local as shown


def test_a_date_in_the_line_is_trusted_before_the_files() -> None:
    instant, _ = Stamper(date(2026, 3, 12), BERLIN).stamp(LogStamp(day=0, seconds=0, dated=date(2026, 5, 1)))
    assert instant == utc("2026-04-30T22:00:00")


def test_the_hour_shown_twice_is_told_by_the_order_of_lines() -> None:
    log = paper(
        "01:59:00 A joined the game",
        "02:10:00 B joined the game",
        "02:59:00 noise",
        "02:05:00 C joined the game",
        "02:59:30 D joined the game",
        "03:00:00 E joined the game",
    )
    file = file_of(log, day="2026-10-25", zone="Europe/Berlin")
    assert [f"{event.logged_at:%H:%M:%S}" for event in file.events] == [
        "23:59:00",
        "00:10:00",
        "01:05:00",
        "01:59:30",  # later than any line before the change, and after it all the same
        "02:00:00",
    ]
    assert file.last_line_at == utc("2026-10-25T02:00:00")


def test_a_file_that_begins_in_the_second_showing_knows_it_from_the_file_before() -> None:
    line = paper("02:05:00 A joined the game")
    later = file_of(line, day="2026-10-25", zone="Europe/Berlin", after=utc("2026-10-25T00:50:00"))
    assert later.events[0].logged_at == utc("2026-10-25T01:05:00")
    first = file_of(line, day="2026-10-25", zone="Europe/Berlin", after=utc("2026-10-25T00:01:00"))
    assert first.events[0].logged_at == utc("2026-10-25T00:05:00")
    alone = file_of(line, day="2026-10-25", zone="Europe/Berlin")
    assert alone.events[0].logged_at == utc("2026-10-25T00:05:00")


def test_a_step_back_on_another_day_or_from_outside_the_hour_is_no_change_of_zone() -> None:
    stamper = Stamper(date(2026, 10, 24), BERLIN)
    for setback in (Setback(0, 10790, 7300), Setback(1, 14000, 7300), Setback(1, 10790, 3000)):
        instant, _ = stamper.stamp(LogStamp(day=1, seconds=9000, setback=setback))
        assert instant == utc("2026-10-25T00:30:00")
    instant, _ = stamper.stamp(LogStamp(day=1, seconds=9000, setback=Setback(1, 10790, 7300)))
    assert instant == utc("2026-10-25T01:30:00")


def test_an_hour_skipped_in_spring_is_read_as_if_the_clock_had_not_moved() -> None:
    stamper = Stamper(date(2026, 3, 29), BERLIN)
    assert stamper.stamp(LogStamp(day=0, seconds=2 * 3600 + 1800))[0] == utc("2026-03-29T01:30:00")
    assert stamper.stamp(LogStamp(day=0, seconds=3 * 3600))[0] == utc("2026-03-29T01:00:00")
    assert stamper.stamp(LogStamp(day=0, seconds=3600 + 3599))[0] == utc("2026-03-29T00:59:59")


def test_a_session_over_the_change_has_its_true_length() -> None:
    log = paper("01:30:00 noise", "02:50:00 Al joined the game", "02:59:00 noise", "02:10:00 Al left the game")
    joined, left = (event.logged_at for event in file_of(log, day="2026-10-25", zone="Europe/Berlin").events)
    assert (left - joined).total_seconds() == 20 * 60


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("12marrask.2024", 11),
        ("12maalisk.2024", 3),
        ("12szept.2024", 9),
        ("12ian.2024", 1),
        ("12ožu2024", 3),
        ("12avg.2024", 8),
        ("12rugp.2024", 8),
        ("12abu.2024", 8),
        ("12Ogo2024", 8),
        ("12Agu2024", 8),
        ("12Αυγ2024", 8),  # noqa: RUF001 - as Java writes it in Greek
        ("12ส.ค.2024", 8),
        ("12xuñ.2024", 6),
        ("12. Oct 2024", 10),
        # a month in one language, another in a second one
        ("12lis2024", None),
        ("12lip2024", None),
        ("12srp2024", None),
    ],
)
def test_a_months_name_is_known_in_many_languages_or_not_guessed(text: str, month: int | None) -> None:
    assert read_date(text) == (month and date(2024, month, 12))


@pytest.mark.parametrize(
    "zone",
    # changes at midnight, of half an hour, in a short winter, into the day before, and a day that was left out
    ["Europe/Berlin", "America/Havana", "Atlantic/Azores", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia"],
)
def test_any_time_of_any_day_is_that_of_the_zone(zone: str) -> None:
    info = ZoneInfo(zone)
    for day in (date(2011, 1, 1) + timedelta(days=number) for number in range(730)):
        stamper = Stamper(day, info)
        for seconds in range(0, 86_400, 1_800):
            local = datetime.combine(day, time()) + timedelta(seconds=seconds)
            expected = local.replace(tzinfo=info).astimezone(UTC)
            assert stamper.stamp(LogStamp(day=0, seconds=seconds)) == (expected, local)


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
SETBACKS = st.builds(Setback, st.integers(0, 2), st.integers(7_000, 11_000), st.integers(3_000, 7_400))


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    # around the days on which clocks are changed, and one that Apia skipped
    day=st.sampled_from(
        [date(2026, 3, 7), date(2026, 3, 28), date(2026, 10, 24), date(2026, 10, 31), date(2011, 12, 29)]
    ),
    restarts=st.lists(SETBACKS, max_size=1),
    is_of_one_day=st.booleans(),
    lines=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 86_400),
            st.none() | SETBACKS,
            st.sampled_from([None, None, date(2026, 3, 29)]),
            st.sampled_from([None, None, 3600]),
        )
    ),
)
def test_the_moment_of_an_event_is_that_of_its_stamp(
    zone: ZoneInfo,
    day: date,
    restarts: list[Setback],
    is_of_one_day: bool,  # noqa: FBT001 - by keyword
    lines: list[tuple[int, int, Setback | None, date | None, int | None]],
) -> None:
    of_events, of_stamps = (Stamper(day, zone, restarts=restarts, is_of_one_day=is_of_one_day) for _ in range(2))
    for day_count, seconds, setback, dated, offset in lines:
        event = LogEvent(1, day_count, seconds, "player_join", dated, setback, offset=offset)
        assert event.stamp is not None
        instant, local = of_stamps.stamp(event.stamp)
        assert of_events.moment(event) == (instant, round((local - instant.replace(tzinfo=None)).total_seconds()))


def test_an_event_without_a_time_has_no_moment() -> None:
    assert Stamper(date(2026, 3, 12), BERLIN).moment(LogEvent(1, 0, None, "player_join")) is None

"""In which order files were written, and between which of them others are missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.events import LogStamp, Setback
from pteroassets.sources.minecraft.ordering import FileInHistory, Place, gaps, in_order

BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN = 25  # of October 2026, when an hour is shown twice in Berlin


def closed(day: int, number: int, shown: str | None, *, last: LogStamp | None = None) -> Place:
    """The file ``2026-10-DAY-NUMBER.log`` whose first line shows *shown*."""
    named_on = date(2026, 10, day)
    first_at = datetime.combine(named_on, time.fromisoformat(shown)) if shown is not None else None
    return Place(is_live=False, day=named_on, first_at=first_at, named=(named_on, number), last=last)


def live(day: int | None = None, shown: str = "00:00") -> Place:
    written_on = date(2026, 10, day) if day is not None else None
    first_at = datetime.combine(written_on, time.fromisoformat(shown)) if written_on is not None else None
    return Place(is_live=True, day=written_on, first_at=first_at)


def aged(age: int, day: int | None = None) -> Place:
    written_on = date(2026, 10, day) if day is not None else None
    first_at = datetime.combine(written_on, time(12)) if written_on is not None else None
    return Place(is_live=age == 0, day=written_on, first_at=first_at, age=age)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([closed(1, 1, "08:00"), closed(1, 2, "09:00"), closed(1, 3, "10:00")], id="upwards"),
        pytest.param([closed(1, 3, "08:00"), closed(1, 2, "09:00"), closed(1, 1, "10:00")], id="downwards"),
        pytest.param(
            [closed(1, 3, "08:00"), closed(1, 4, "09:00"), closed(1, 2, "10:00"), closed(1, 1, "11:00")],
            id="first upwards, then downwards",
        ),
        pytest.param(
            [closed(1, 2, "08:00"), closed(1, 1, "09:00"), closed(1, 3, "10:00"), closed(1, 4, "11:00")],
            id="first downwards, then upwards",
        ),
        pytest.param(
            [closed(1, 1, "08:00"), closed(1, 2, "09:00"), closed(2, 2, "08:00"), closed(2, 1, "09:00")],
            id="upwards one day, downwards the next",
        ),
        pytest.param([closed(1, 10, "23:00"), closed(2, 1, "00:00"), closed(2, 2, "01:00")], id="days before times"),
        pytest.param([closed(1, 2, "08:00"), live(1, "07:00")], id="what grows comes last, whatever its clock says"),
        pytest.param([closed(1, 2, "08:00"), live()], id="what grows comes last without a day"),
        pytest.param([closed(1, 1, "08:00"), closed(1, 2, "08:00"), closed(1, 3, "08:00")], id="the same second"),
        pytest.param(
            [closed(1, 2, "08:00"), closed(1, 1, "09:00"), closed(2, 2, "08:00"), closed(2, 1, "08:00")],
            id="the same second where the day before was numbered downwards",
        ),
        pytest.param(
            [closed(1, 3, "08:00"), closed(1, 2, "08:00"), closed(1, 1, "09:00")],
            id="the same second on a day that is numbered downwards",
        ),
        pytest.param([closed(1, 5, "08:00"), closed(1, 1, None), closed(2, 1, "01:00")], id="without a time"),
        pytest.param([closed(1, 1, "08:00"), aged(2), aged(1), aged(0)], id="those that move up"),
        pytest.param([aged(2, 4), aged(1), aged(0)], id="those that move up, where one day is known"),
        pytest.param([aged(1, 3), aged(2, 4), aged(0, 5)], id="those that move up, where all days are known"),
    ],
)
def test_files_stand_in_the_order_in_which_they_were_written(files: list[Place]) -> None:
    assert in_order(list(reversed(files)), lambda file: file) == files
    assert in_order(files[1:] + files[:1], lambda file: file) == files


@given(st.permutations(range(8)), st.permutations(range(1, 9)))
def test_first_lines_decide_whatever_the_numbers(order: Sequence[int], numbers: Sequence[int]) -> None:
    files = [closed(1, number, f"{hour:02}:00") for hour, number in enumerate(numbers)]
    assert in_order([files[index] for index in order], lambda file: file) == files


def changed(first: str, last: str) -> LogStamp:
    """The last line of a file in which the clock goes back from *first* to *last*, a time of day."""
    seconds = [int(shown[:2]) * 3600 + int(shown[3:]) * 60 for shown in (first, last)]
    return LogStamp(day=0, seconds=seconds[1], setback=Setback(0, *seconds))


UPWARDS, DOWNWARDS = [closed(24, 1, "08:00"), closed(24, 2, "09:00")], [closed(24, 2, "08:00"), closed(24, 1, "09:00")]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([*UPWARDS, closed(AUTUMN, 1, "02:50"), closed(AUTUMN, 2, "02:05")], id="upwards"),
        pytest.param([*DOWNWARDS, closed(AUTUMN, 2, "02:50"), closed(AUTUMN, 1, "02:05")], id="downwards"),
        pytest.param([*UPWARDS, closed(AUTUMN, 1, "02:05"), closed(AUTUMN, 2, "02:50")], id="once, upwards"),
        pytest.param([*DOWNWARDS, closed(AUTUMN, 2, "02:05"), closed(AUTUMN, 1, "02:50")], id="once, downwards"),
        pytest.param(
            [*UPWARDS, closed(AUTUMN, 1, "01:00"), closed(AUTUMN, 2, "02:10"), closed(AUTUMN, 3, "02:50"),
             closed(AUTUMN, 4, "02:05"), closed(AUTUMN, 5, "02:40"), closed(AUTUMN, 6, "03:10")],
            id="many",
        ),
        pytest.param(
            [closed(AUTUMN, 3, "01:00"), closed(AUTUMN, 2, "02:50"), closed(AUTUMN, 1, "02:05"), closed(26, 2, "08:00"),
             closed(26, 1, "09:00")],
            id="as the day after tells",
        ),
        pytest.param(
            [closed(AUTUMN, 1, "02:50", last=changed("02:59", "02:20")), closed(AUTUMN, 2, "02:25")],
            id="after a file in which the clock goes back",
        ),
        pytest.param(
            [closed(AUTUMN, 1, "02:05"), closed(AUTUMN, 2, "02:50", last=changed("02:59", "02:20"))],
            id="before a file in which the clock goes back",
        ),
        pytest.param([closed(AUTUMN, 2, "02:05"), closed(AUTUMN, 1, "02:50")], id="nothing tells"),
        pytest.param([*UPWARDS, closed(26, 2, "02:05"), closed(26, 1, "02:50")], id="another night"),
    ],
)  # fmt: skip
def test_in_the_hour_shown_twice_the_numbers_tell_where_those_around_show_which_way_they_run(
    files: list[Place],
) -> None:
    assert in_order(list(reversed(files)), lambda file: file, zone=BERLIN) == files


def named(day: int, number: int, shown: str = "08:00", **more: bool) -> FileInHistory:
    named_on = date(2026, 10, day)
    return FileInHistory(
        log_date=named_on,
        named=(named_on, number),
        first_at=datetime.combine(named_on, time.fromisoformat(shown), UTC),
        **{"begins_with_start": True, **more},  # type: ignore[arg-type]
    )


def day_of(*numbers: int, day: int = 2) -> list[FileInHistory]:
    """The files of a day, one an hour."""
    return [named(day, number, f"{hour:02}:00") for hour, number in enumerate(numbers)]


NEXT_DAY = datetime(2026, 10, 3, tzinfo=UTC)
GROWS = FileInHistory(log_date=NEXT_DAY.date(), named=None, first_at=NEXT_DAY, begins_with_start=True)
FIRST = named(1, 1)


@pytest.mark.parametrize(
    ("files", "unread", "missing_before"),
    [
        pytest.param(day_of(1, 2, 3), [], [], id="upwards, whole"),
        pytest.param(day_of(3, 2, 1), [], [], id="downwards, whole"),
        pytest.param(day_of(1, 3, 4), [], [1], id="upwards, one is missing"),
        pytest.param(day_of(4, 2, 1), [], [1], id="downwards, one is missing"),
        pytest.param(day_of(5, 4, 1), [], [2], id="downwards, two are missing"),
        pytest.param([FIRST, *day_of(2, 3)], [], [1], id="upwards, the first is missing"),
        pytest.param([FIRST, *day_of(3, 2), GROWS], [], [3], id="downwards, the last is missing"),
        pytest.param([*day_of(2, 1, day=1), *day_of(2), GROWS], [], [3], id="one file of a server that counts down"),
        pytest.param([*day_of(1, 2, day=1), *day_of(2), GROWS], [], [2], id="one file of a server that counts up"),
        pytest.param([FIRST, *day_of(2, 3, 4, 1), GROWS], [], [], id="upwards, then downwards, whole"),
        pytest.param([FIRST, *day_of(3, 4, 5, 1), GROWS], [], [4], id="upwards, then downwards, one is missing"),
        pytest.param([FIRST, *day_of(3, 5, 2, 1)], [], [2], id="what is missing stands in the narrowest place"),
        pytest.param([FIRST, *day_of(2, 1, 3, 4), GROWS], [], [], id="downwards, then upwards, whole"),
        pytest.param(
            [FIRST, named(2, 1, "01:00", is_listed=False), *day_of(3, 2, 1)[1:], GROWS], [], [],
            id="a number that was another's before",
        ),
        pytest.param(
            [FIRST, named(2, 1, "01:00", is_listed=False), *day_of(9, 4, 3, 1)[1:], GROWS], [], [4],
            id="one is missing beside a number that was another's before",
        ),
        pytest.param([FIRST, *day_of(1), GROWS], [(2, 2)], [2], id="unread, counting up"),
        pytest.param([*day_of(2, 1, day=1), *day_of(1), GROWS], [(2, 2)], [2], id="unread, counting down"),
        pytest.param([*day_of(2, 1, day=1), *day_of(2), GROWS], [(2, 1)], [3], id="unread, the newest"),
        pytest.param([FIRST, named(4, 1)], [(2, 1)], [1], id="unread, all of a day"),
        pytest.param([FIRST, named(2, 1, is_whole=False), GROWS], [], [2], id="a cut end"),
        pytest.param([FIRST, named(3, 1, begins_with_start=False)], [], [1], id="a day that is missing"),
        pytest.param([FIRST, named(3, 1, begins_with_start=False, goes_on=True)], [], [], id="a file of many days"),
    ],
)  # fmt: skip
def test_what_is_missing_is_known_by_number_wherever_it_stands(
    files: list[FileInHistory], unread: list[tuple[int, int]], missing_before: list[int]
) -> None:
    found = gaps(files, [(date(2026, 10, day), number) for day, number in unread])
    assert [place for place, is_gap in enumerate(found) if is_gap] == missing_before


@given(st.integers(1, 8), st.integers(0, 8), st.data())
def test_a_missing_file_is_a_gap_where_it_was_and_nowhere_else_and_a_new_number_is_none(
    upwards: int, downwards: int, data: st.DataObject
) -> None:
    # those that were numbered upwards move up by one at each start of a server that numbers downwards
    numbers = [*range(downwards + 1, downwards + upwards + 1), *range(downwards, 0, -1)]
    files = [FIRST, *day_of(*numbers), GROWS]
    assert not any(gaps(files))
    lost = data.draw(st.integers(1, len(numbers)))
    is_newest_upwards = numbers[lost - 1] == max(numbers)
    if len(numbers) < 2 or (is_newest_upwards and lost <= upwards):  # nothing tells of what had the highest number
        return
    kept = files[:lost] + files[lost + 1 :]
    assert sum(gaps(kept)) == 1
    if not (upwards > 1 and downwards) and len(numbers) > 2:
        assert gaps(kept)[lost]


def test_files_far_apart_in_time_stand_in_order_of_their_days() -> None:
    start = datetime(2020, 1, 1)  # noqa: DTZ001 - local as shown
    moments = [start + timedelta(days=97 * number) for number in range(40)]
    files = [
        Place(is_live=False, day=moment.date(), first_at=moment, named=(moment.date(), 1 + number % 3))
        for number, moment in enumerate(moments)
    ]
    assert in_order(reversed(files), lambda file: file, zone=BERLIN) == files

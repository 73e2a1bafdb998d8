"""Clocks that go back, at a restart and within a run: which day a line is of, and how long sessions were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.dates import Stamper, date_of_live
from pteroassets.sources.minecraft.events import LogStamp, ParserState, Setback
from pteroassets.sources.minecraft.history import FileOfEvents, PlayerSession, SessionEvent
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.sessions import build_sessions
from tests.sources.minecraft.writing import login, paper

START = "Starting minecraft server version 1.21.4"
BUNGEE = "[INFO] Enabled BungeeCord version git:BungeeCord-Bootstrap:1.21-R0.1-SNAPSHOT:20a71b0:1887"
DAY = date(2026, 5, 4)


def bungee(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def forge(*lines: str) -> str:
    """Lines ``2026-05-04 12:00:00 message`` as Forge has written them since 1.13."""
    stamps = [datetime.fromisoformat(line[:19]) for line in lines]
    return "".join(
        f"[{stamp:%d%b%Y %H:%M:%S}.101] [Server thread/INFO] [net.minecraft.server.MinecraftServer/]: {line[20:]}\n"
        for stamp, line in zip(stamps, lines, strict=True)
    )


def stamped(text: str, *, day: date = DAY, zone: str = "UTC", is_of_one_day: bool = False) -> FileOfEvents:
    """Parse *text* as one file that began on *day*."""
    parser = LogParser()
    events = [*parser.feed(text.encode()), *parser.finish()]
    stamper = Stamper(day, ZoneInfo(zone), restarts=parser.state.restarts, is_of_one_day=is_of_one_day)
    return FileOfEvents(
        file_key="a",
        first_line_at=None,
        last_line_at=stamper.stamp(parser.state.last)[0] if parser.state.last else None,
        events=[
            SessionEvent(
                file_key="a",
                line_number=event.line_number,
                logged_at=stamper.stamp(stamp)[0],
                kind=event.kind,
                player=event.player,
                detail=event.detail,
            )
            for event in events
            if (stamp := event.stamp) is not None
        ],
    )


def sessions(text: str, **options: object) -> list[str]:
    """Give each session of *text* as ``day time +minutes`` in UTC; days are counted from that of the first line."""
    return [_told(each) for each in build_sessions([stamped(text, **options)]).sessions]  # type: ignore[arg-type]


def _told(session: PlayerSession) -> str:
    joined, left = session.joined_at, session.left_at
    assert joined is not None
    length = f"+{(left - joined).total_seconds() / 60:g}" if left is not None else str(session.close_reason)
    return f"{(joined.date() - DAY).days} {joined:%H:%M} {length}"


def went(time: str, name: str) -> str:
    return f"{time} {name} lost connection: Disconnected"


EVENING = [f"22:30:00 {START}", login("22:31:00", "Al"), went("22:35:00", "Al"), "22:36:00 Stopping server"]
NEXT = [f"21:55:00 {START}", login("21:58:00", "Al"), went("22:11:00", "Al"), "22:19:00 Stopping server"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([*EVENING, *NEXT], ["0 22:31 +4", "1 21:58 +13"], id="earlier in the day"),
        pytest.param(
            [*EVENING, *NEXT, *EVENING, *NEXT],
            ["0 22:31 +4", "1 21:58 +13", "1 22:31 +4", "2 21:58 +13"],
            id="days on end",
        ),
        pytest.param(
            [*EVENING, "21:54:10 Loading libraries", "21:54:40 This server is running Paper version 1.21.4", *NEXT],
            ["0 22:31 +4", "1 21:58 +13"],
            id="a loader's lines before the start line",
        ),
        pytest.param([*NEXT, *EVENING], ["0 21:58 +13", "0 22:31 +4"], id="later in the day"),
        pytest.param(
            [*EVENING, "22:34:59 late thread", f"22:36:05 {START}", login("22:37:00", "Bo")],
            ["0 22:31 +4", "0 22:37 None"],
            id="small disorder between threads",
        ),
        pytest.param(
            [*EVENING[:3], "21:35:00 the clock was set back", f"22:00:00 {START}", login("22:01:00", "Bo")],
            ["0 22:31 +4", "0 22:01 None"],
            id="a clock that was set back long before the start",
        ),
        pytest.param(
            [*EVENING[:2], went("21:35:00", "Al"), login("21:36:00", "B"), f"21:40:00 {START}", login("21:41:00", "C")],
            ["0 22:31 +0", "0 22:30 server_crashed", "0 21:41 None"],  # no session begins before its run
            id="a clock that was set back while people played",
        ),
        pytest.param(
            [login("23:50:00", "A"), "00:10:00 x", went("00:20:00", "A"), f"00:05:00 {START}", login("00:06:00", "B")],
            ["0 23:50 +30", "2 00:06 None"],
            id="a midnight before it",
        ),
        pytest.param(
            [*EVENING, f"21:55:00 {START}", login("23:59:00", "Al"), went("00:01:00", "Al")],
            ["0 22:31 +4", "1 23:59 +2"],
            id="a midnight after it",
        ),
        pytest.param(
            [*EVENING, f"06:00:00 {START}", login("06:01:00", "Al"), went("06:02:00", "Al")],
            ["0 22:31 +4", "1 06:01 +1"],
            id="more than half a day earlier",
        ),
        pytest.param(
            [*EVENING, *[line for _ in range(2) for line in NEXT[:1]], *NEXT[1:]],
            ["0 22:31 +4", "1 21:58 +13"],
            id="a start line that stands twice",
        ),
        pytest.param(
            [*EVENING, f"22:20:00 {START}", f"22:10:00 {START}", f"22:00:00 {START}", login("22:01:00", "Al")],
            ["0 22:31 +4", "3 22:01 None"],
            id="three starts, each earlier",
        ),
    ],
)  # fmt: skip
def test_a_start_at_an_earlier_time_of_day_is_of_a_later_day(lines: Sequence[str], expected: Sequence[str]) -> None:
    assert sessions(paper(*lines)) == expected


def test_a_proxy_that_appends_to_one_file_for_days_is_read_day_by_day() -> None:
    def evening(start: str, entry: str, exit_: str) -> list[str]:
        return [
            f"{start} {BUNGEE}",
            f"{start} [INFO] Listening on /0.0.0.0:25577",
            f"{entry} [INFO] [Al] <-> ServerConnector [lobby] has connected",
            f"{exit_} [INFO] [Al] -> UpstreamBridge has disconnected",
        ]

    log = bungee(
        *evening("22:30:00", "22:31:00", "22:35:00"),
        *evening("21:55:00", "21:58:00", "22:11:00"),
        *evening("20:00:00", "20:01:00", "20:02:00"),
        *evening("23:00:00", "23:50:00", "00:10:00"),
    )
    assert sessions(log) == ["0 22:31 +4", "1 21:58 +13", "2 20:01 +1", "2 23:50 +20"]


def test_in_a_file_that_is_closed_at_midnight_the_clock_was_set_back() -> None:
    assert sessions(paper(*EVENING, *NEXT), is_of_one_day=True) == ["0 22:31 +4", "0 21:58 +13"]


def test_where_lines_show_their_date_the_clock_was_set_back() -> None:
    lines = [f"2026-05-04 {line}" for line in (*EVENING, *NEXT)]
    assert sessions(forge(*lines)) == ["0 22:31 +4", "0 21:58 +13"]


# ---------- the night when the clocks go back, in Berlin at 01:00 UTC, and forth

AUTUMN, SPRING = date(2026, 10, 25), date(2026, 3, 29)


def moments(text: str, day: date, zone: str = "Europe/Berlin", *, is_of_one_day: bool = False) -> list[str]:
    """Give the instants of a log's sessions: entry and departure in UTC."""
    built = build_sessions([stamped(text, day=day, zone=zone, is_of_one_day=is_of_one_day)])
    return [
        f"{session.joined_at:%d %H:%M}-{session.left_at:%d %H:%M}"
        for session in built.sessions
        if session.joined_at is not None and session.left_at is not None
    ]


@pytest.mark.parametrize("is_of_one_day", [True, False])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            [f"02:40:00 {START}", login("02:41:00", "Al"), went("02:50:00", "Al"),
             f"02:05:00 {START}", login("02:06:00", "Al"), went("02:45:00", "Al")],
            ["25 00:41-25 00:50", "25 01:06-25 01:45"],
            id="a restart within the hour shown twice",
        ),
        pytest.param(
            [f"02:40:00 {START}", login("02:41:00", "Al"), went("02:50:00", "Al"),
             "02:04:00 Loading libraries", f"02:05:00 {START}", login("02:06:00", "Al"), went("03:06:00", "Al")],
            ["25 00:41-25 00:50", "25 01:06-25 02:06"],
            id="a restart with a loader, and a session out of the hour",
        ),
        pytest.param(
            [f"01:40:00 {START}", login("01:41:00", "Al"), "02:59:00 noise", "02:01:00 noise", went("02:05:00", "Al")],
            ["24 23:41-25 01:05"],
            id="a session across the change",
        ),
        pytest.param(
            [f"01:40:00 {START}", login("01:41:00", "Al"), "02:59:00 noise", "02:01:00 noise", went("02:05:00", "Al"),
             f"02:10:00 {START}", login("02:11:00", "Al"), went("02:20:00", "Al")],
            ["24 23:41-25 01:05", "25 01:11-25 01:20"],
            id="a restart after the change",
        ),
        pytest.param(
            [f"02:00:00 {START}", login("02:01:00", "Al"), went("02:59:00", "Al"),
             f"02:00:00 {START}", login("02:01:00", "Al"), went("02:59:00", "Al"),
             f"03:00:00 {START}", login("03:01:00", "Al"), went("03:02:00", "Al")],
            ["25 00:01-25 00:59", "25 01:01-25 01:59", "25 02:01-25 02:02"],
            id="the whole hour twice",
        ),
        pytest.param(
            [f"03:40:00 {START}", login("03:41:00", "Al"), went("03:50:00", "Al")],
            ["25 02:41-25 02:50"],
            id="after the night",
        ),
    ],
)  # fmt: skip
def test_a_restart_in_the_hour_shown_twice_is_of_the_same_day(
    lines: Sequence[str], expected: Sequence[str], *, is_of_one_day: bool
) -> None:
    assert moments(paper(*lines), AUTUMN, is_of_one_day=is_of_one_day) == expected


def test_days_after_a_restart_in_the_hour_shown_twice_are_counted_on() -> None:
    log = paper(
        f"02:40:00 {START}",
        f"02:05:00 {START}",
        login("02:06:00", "Al"),
        went("23:59:00", "Al"),
        f"22:00:00 {START}",
        login("22:01:00", "Al"),
        went("00:01:00", "Al"),
    )
    assert moments(log, AUTUMN) == ["25 01:06-25 22:59", "26 21:01-26 23:01"]


def test_the_same_times_on_another_date_or_in_another_zone_are_of_two_days() -> None:
    log = paper(f"02:40:00 {START}", f"02:05:00 {START}", login("02:06:00", "Al"), went("02:45:00", "Al"))
    assert moments(log, AUTUMN) == ["25 01:06-25 01:45"]
    assert moments(log, date(2026, 10, 26)) == ["27 01:06-27 01:45"]
    assert moments(log, AUTUMN, "Asia/Tokyo") == ["25 17:06-25 17:45"]


@pytest.mark.parametrize(
    ("day", "zone", "lines", "expected"),
    [
        # Havana goes back from 01:00 to 00:00, Lord Howe by half an hour, Beirut from 00:00 to 23:00 of the day before
        (date(2026, 11, 1), "America/Havana", ("00:40", "00:05"), "01 05:06"),
        (date(2026, 4, 5), "Australia/Lord_Howe", ("01:50", "01:35"), "04 15:06"),
        (date(2026, 10, 24), "Asia/Beirut", ("23:40", "23:05"), "24 21:06"),
        (date(2026, 11, 1), "America/New_York", ("01:40", "01:05"), "01 06:06"),
        (date(2026, 4, 5), "Australia/Sydney", ("02:40", "02:05"), "04 16:06"),
        (date(2026, 10, 25), "Atlantic/Azores", ("00:40", "00:05"), "25 01:06"),
    ],
)
def test_clocks_go_back_at_other_hours_elsewhere(day: date, zone: str, lines: tuple[str, str], expected: str) -> None:
    first, second = lines
    minute = f"{second[:3]}{int(second[3:]) + 1:02}"
    log = paper(f"{first}:00 {START}", f"{second}:00 {START}", login(f"{minute}:00", "Al"), went(f"{minute}:30", "Al"))
    assert [moment.partition("-")[0] for moment in moments(log, day, zone)] == [expected]


@pytest.mark.parametrize("is_of_one_day", [True, False])
def test_a_session_over_the_night_when_the_clocks_go_forth_has_its_true_length(*, is_of_one_day: bool) -> None:
    log = paper(f"01:30:00 {START}", login("01:50:00", "Al"), went("03:10:00", "Al"), f"03:20:00 {START}")
    assert moments(log, SPRING, is_of_one_day=is_of_one_day) == ["29 00:50-29 01:10"]


def test_a_file_dated_by_its_last_change_counts_a_restart_in_that_hour_as_no_day() -> None:
    restart = Setback(0, 2 * 3600 + 2400, 2 * 3600 + 300)
    changed = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert date_of_live(changed, ZoneInfo("Europe/Berlin"), 1, [restart]) == AUTUMN
    assert date_of_live(changed, ZoneInfo("Asia/Tokyo"), 1, [restart]) == date(2026, 10, 24)
    assert date_of_live(changed + timedelta(days=3), ZoneInfo("Europe/Berlin"), 1, [restart]) == date(2026, 10, 27)


# ---------- properties


@st.composite
def runs_of_days(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Runs of a server that appends to one file: start, entry and departure in seconds since the first midnight.

    A run begins less than a day after the last line before it, so that the log can tell the day.
    """
    runs, clock = [], draw(st.integers(0, 86_399))
    for _ in range(draw(st.integers(1, 6))):
        start = clock
        joined = start + draw(st.integers(1, 7200))
        left = joined + draw(st.integers(0, 7200))
        runs.append((start, joined, left))
        # a step back of two minutes or less is disorder between threads, and no time at all would be the same line
        clock = left + draw(st.integers(0, 86_400 - 121))
    return runs


def _clock(seconds: int) -> str:
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@given(runs_of_days(), st.data())
def test_runs_at_any_time_of_any_day_are_placed_and_as_long_as_they_were_in_whatever_pieces(
    runs: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    lines = []
    for number, (start, joined, left) in enumerate(runs):
        lines += [
            f"{_clock(start)} {START}",
            login(_clock(joined), "Al", number),
            f"{_clock(left)} Al lost connection: Disconnected",
        ]
    content = paper(*lines).encode()
    built = build_sessions([stamped(content.decode())])
    midnight = datetime.combine(DAY, datetime.min.time(), UTC)
    found = [
        ((session.joined_at - midnight).total_seconds(), (session.left_at - midnight).total_seconds())
        for session in built.sessions
        if session.joined_at is not None and session.left_at is not None
    ]
    assert found == [(joined, left) for _, joined, left in runs]
    # a file that grows is parsed from where it was left
    events, state = [], ParserState()
    for size in [*sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=4))), len(content)]:
        parser = LogParser(ParserState.from_json(state.to_json()))
        events += parser.feed(content[state.bytes_consumed : size])
        state = parser.state
    whole = LogParser()
    assert events == whole.feed(content)
    assert state == whole.state


@given(st.lists(st.tuples(st.integers(-43_000, 43_000), st.integers(0, 3600)), min_size=1, max_size=6))
def test_clock_steps_of_any_size_at_any_restart_change_no_length_where_lines_are_dated(
    steps: list[tuple[int, int]],
) -> None:
    clock = datetime.combine(DAY, datetime.min.time()) + timedelta(hours=12)
    lines = []
    for number, (step, length) in enumerate(steps):
        clock += timedelta(seconds=step)
        lines.append(f"{clock} {START}")
        lines.append(f"{clock} {login('', 'Al', number)[1:]}")
        clock += timedelta(seconds=length)
        lines.append(f"{clock} Al lost connection: Disconnected")
    built = build_sessions([stamped(forge(*lines))])
    assert [
        (session.left_at - session.joined_at).total_seconds()
        for session in built.sessions
        if session.joined_at is not None and session.left_at is not None
    ] == [length for _, length in steps]


def test_a_step_is_told_from_a_later_one_of_the_same_times() -> None:
    stamper = Stamper(DAY, ZoneInfo("UTC"), restarts=[Setback(0, 80_000, 70_000), Setback(1, 80_000, 70_000)])
    assert [stamper.date_of(day) - DAY for day in range(3)] == [timedelta(days=day) for day in range(3)]
    one = Stamper(DAY, ZoneInfo("UTC"), restarts=[Setback(0, 80_000, 70_000)], is_of_one_day=True)
    assert one.stamp(LogStamp(day=1, seconds=70_000))[0] == datetime(2026, 5, 4, 19, 26, 40, tzinfo=UTC)

"""Whatever a log shipper puts around lines, the sessions are those of the lines, at the instants of the shipper."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.events import LogEvent, ParserState
from pteroassets.sources.minecraft.formats import ALL_FORMATS, format_at
from pteroassets.sources.minecraft.intake import classify
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.months import read_date
from pteroassets.sources.minecraft.scan import scanner_of, seconds_of
from pteroassets.sources.minecraft.shippers import may_be_shipped, possible_beginnings, unwrap
from pteroassets.sources.minecraft.text import Lines, clean
from tests.sources.minecraft.test_golden import GOLDEN
from tests.sources.minecraft.writing import build, file_of, paper, parse


class Line(NamedTuple):
    """One line of a server, and when it was written."""

    text: bytes
    at: datetime


def iso(at: datetime, rest: str = "") -> bytes:
    return f"{at:%Y-%m-%dT%H:%M:%S}{rest}".encode()


def packed(**record: object) -> bytes:
    return json.dumps(record).encode()


def text_of(line: Line) -> str:
    return line.text.decode()


def microseconds(line: Line) -> str:
    return str(int(line.at.timestamp() * 1_000_000))


# of lines that are UTF-8: JSON holds no other
RECORDS: dict[str, Callable[[Line], bytes]] = {
    "json-file": lambda line: packed(
        log=f"{text_of(line)}\n", stream="stdout", time=iso(line.at, ".123456789Z").decode()
    ),
    "json-file of a terminal": lambda line: packed(
        log=f"\x1b[m{text_of(line)}\r\n", stream="stdout", time=iso(line.at, "Z").decode(), attrs={"tag": "mc"}
    ),
    "journal as json": lambda line: packed(
        __REALTIME_TIMESTAMP=microseconds(line), _HOSTNAME="host", PRIORITY="6", MESSAGE=text_of(line)
    ),
    "filebeat": lambda line: packed(
        **{"@timestamp": iso(line.at, ".123Z").decode(), "message": text_of(line)}, log={"offset": 5, "file": {}}
    ),
    "loki": lambda line: packed(labels={"pod": "mc-0"}, line=text_of(line), timestamp=iso(line.at, "Z").decode()),
    "fluent-bit": lambda line: packed(date=line.at.timestamp() + 0.25, log=f"{text_of(line)}\n"),
}
SHIPPERS: dict[str, Callable[[Line], bytes]] = {
    "journal as json of bytes": lambda line: packed(
        __REALTIME_TIMESTAMP=microseconds(line), MESSAGE=list(b"\x1b[33m" + line.text)
    ),
    "docker logs -t": lambda line: iso(line.at, ".123456789Z ") + line.text,
    "compose with stamps": lambda line: b"mc-1  | " + iso(line.at, ".123456789Z ") + line.text,
    "compose in colours": lambda line: b"\x1b[36mmc-1  | \x1b[0m" + iso(line.at, "Z ") + line.text,
    "swarm": lambda line: iso(line.at, "Z ") + b"mc.1.x7wq@node-1    | " + line.text,
    "cri": lambda line: iso(line.at, ".123456789Z stdout F ") + line.text,
    "cri in another zone": lambda line: iso(line.at + timedelta(hours=2), ".1234567+02:00 stderr F ") + line.text,
    "kubectl": lambda line: b"[pod/mc-0/minecraft] " + iso(line.at, ".12Z ") + line.text,
    "journal, short-iso": lambda line: iso(line.at, "+0000 host mc[812]: ") + line.text,
    "journal, short-iso-precise": lambda line: iso(line.at, ".123456+00:00 host java[812]: ") + line.text,
    "journal, short-full": lambda line: f"{line.at:%a %Y-%m-%d %H:%M:%S} UTC host mc[812]: ".encode() + line.text,
    "journal, short-unix": lambda line: f"{int(line.at.timestamp())}.123456 host mc[812]: ".encode() + line.text,
    "syslog": lambda line: b"<14>1 " + iso(line.at, ".123Z host mc 812 - - ") + line.text,
    "rsyslog": lambda line: iso(line.at, ".123456+00:00 host mc[812]: ") + line.text,
}
UNZONED: dict[str, Callable[[Line], bytes]] = {
    "LinuxGSM": lambda line: f"[{line.at:%Y-%m-%d %H:%M:%S}] ".encode() + line.text,
    "LinuxGSM's terminal": lambda line: f"[{line.at:%Y-%m-%d %H:%M:%S}] \x1b[K> \r\x1b[K".encode() + line.text + b"\r",
    "a stamp with a space": lambda line: f"{line.at:%Y-%m-%d %H:%M:%S} ".encode() + line.text,
}
UNDATED: dict[str, Callable[[Line], bytes]] = {
    "compose": lambda line: b"mc-1  | " + line.text,
    "compose, one container of many": lambda line: b"minecraft_server-1               | " + line.text,
    "journal, short": lambda line: (
        f"{line.at:%b} {line.at.day:2} {line.at:%H:%M:%S} host mc[812]: ".encode() + line.text
    ),
    "journal, short-precise": lambda line: f"{line.at:%b %d %H:%M:%S.%f} host mc[812]: ".encode() + line.text,
    "old syslog": lambda line: f"<14>{line.at:%b %d %H:%M:%S} host mc[812]: ".encode() + line.text,
    "MCDReforged": lambda line: b"[Server] " + line.text,
}
EVERY = {**RECORDS, **SHIPPERS, **UNZONED, **UNDATED}


def layout_of(log: bytes) -> str:
    parser = LogParser()
    parser.feed(log)
    parser.finish()
    return str(parser.state.format_name)


def lines_of(log: bytes, day: date, *, ahead: int = 0) -> Iterator[Line]:
    """Yield the lines of a server whose clock is *ahead* of UTC by some minutes."""
    prefix = scanner_of(ALL_FORMATS[layout_of(log)]).prefix
    at = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=12)
    for text in log.replace(b"\r\n", b"\n").splitlines():
        match = prefix.match(clean(b"\n" + text)[1:])
        if match is not None and match["time"]:
            seconds, dated = seconds_of(match["time"]), match.groupdict().get("date")
            own = read_date(dated.decode()) if dated else None
            midnight = datetime.combine(own or at.date(), datetime.min.time(), tzinfo=UTC)
            shown = midnight + timedelta(seconds=seconds)
            at = shown + timedelta(days=1) if not dated and at - shown > timedelta(hours=13) else shown
        yield Line(text, at - timedelta(minutes=ahead))


def facts(log: bytes, day: str | None) -> Sequence[tuple[object, ...]]:
    sessions = build(file_of(log, day=day)).sessions
    return [(each.player_name, each.joined_at, each.left_at, each.close_reason) for each in sessions]


def moved(found: Sequence[tuple[object, ...]], by: timedelta) -> Sequence[tuple[object, ...]]:
    return [tuple(value - by if isinstance(value, datetime) else value for value in each) for each in found]


def is_utf_8(log: bytes) -> bool:
    try:
        log.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---------- around every layout


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_sessions_are_the_same_behind_every_shipper(path: Path) -> None:
    log = path.read_bytes()
    day = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["log_date"]
    lines = list(lines_of(log, date.fromisoformat(day or "2026-03-12")))
    shippers = {name: each for name, each in EVERY.items() if is_utf_8(log) or name not in RECORDS}
    expected = facts(log, day)
    for name, ship in shippers.items():
        if day is None and name in (*UNDATED, "a stamp with a space"):
            continue
        shipped = b"".join(ship(line) + b"\n" for line in lines)
        assert classify(shipped) is None, name
        found = facts(shipped, day or "2026-03-12")
        if day is None:  # the lines show no time, and the shipper does
            assert [(who, why) for who, _, _, why in found] == [(who, why) for who, _, _, why in expected], name
            continue
        assert found == expected, name


@pytest.mark.parametrize("ahead", [120, -300, 345, 660])
@pytest.mark.parametrize("path", [path for path in GOLDEN if path.stem in ("paper-kill", "forge_1_20-stop")])
def test_a_shippers_zone_tells_the_servers(path: Path, ahead: int) -> None:
    log = path.read_bytes()
    day = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["log_date"]
    lines = list(lines_of(log, date.fromisoformat(day), ahead=ahead))
    for name, ship in {**RECORDS, **SHIPPERS}.items():
        shipped = b"".join(ship(line) + b"\n" for line in lines)
        assert facts(shipped, "1999-01-01") == moved(facts(log, day), timedelta(minutes=ahead)), name
        (first, *_) = parse(shipped)
        assert first.offset == ahead * 60


def test_lines_without_a_time_have_the_shippers() -> None:
    said = ["[INFO] Player connected: Al Be, xuid: 2535000000000001", "[Server thread/INFO]: Al joined the game"]
    for said_line in [*said, "[INFO]: Al joined the game"]:
        (event,) = parse(f"2026-03-12T23:59:58.123Z {said_line}\n")
        assert (event.dated, event.seconds, event.offset) == (date(2026, 3, 12), 86_398, 0)


def test_a_clock_that_is_wrong_gives_way_to_the_shippers() -> None:
    # 37 minutes are no zone
    (event,) = parse("2026-03-12T10:00:00Z [10:37:00] [Server thread/INFO]: Al joined the game\n")
    assert (event.dated, event.seconds, event.offset) == (date(2026, 3, 12), 36_000, 0)


def test_a_line_of_the_last_second_of_a_day_belongs_to_it() -> None:
    (event,) = parse("2026-03-13T00:00:00.001Z [23:59:59] [Server thread/INFO]: Al joined the game\n")
    assert (event.dated, event.seconds, event.offset) == (date(2026, 3, 12), 86_399, 0)


# ---------- lines in parts


def in_parts(lines: Sequence[Line], size: int, kind: str) -> bytes:
    """Return *lines* cut after each *size* bytes, as Docker and Kubernetes cut those of 16 KiB."""
    found = []
    for line in lines:
        text = text_of(line)
        parts = [text[start : start + size].encode() for start in range(0, len(text), size)] or [b""]
        for number, part in enumerate(parts, 1):
            if kind == "cri":
                found.append(iso(line.at, ".1Z stdout ") + (b"F " if number == len(parts) else b"P ") + part)
            else:
                end = "\n" if number == len(parts) else ""
                found.append(packed(log=part.decode() + end, stream="stdout", time=iso(line.at, "Z").decode()))
    return b"\n".join(found) + b"\n"


@pytest.mark.parametrize("kind", ["cri", "json-file"])
@given(data=st.data())
def test_lines_in_parts_are_joined_wherever_blocks_are_cut(kind: str, data: st.DataObject) -> None:
    log = paper("12:00:00 Al joined the game", f"12:01:00 {'long ' * 60}", "12:02:00 Al left the game").encode()
    shipped = in_parts(list(lines_of(log, date(2026, 3, 12))), data.draw(st.integers(60, 120)), kind)
    assert facts(shipped, "2026-03-12") == facts(log, "2026-03-12")
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(shipped)), max_size=4))), len(shipped)]
    whole, parser = LogParser(), LogParser()
    expected = [*whole.feed(shipped), *whole.finish()]
    events = []
    for start, end in itertools.pairwise(cuts):
        events += parser.feed(shipped[start:end])
        parser = resumed(parser, shipped, end)
    events += parser.finish()
    assert events == expected
    assert parser.state == whole.state


def resumed(parser: LogParser, log: bytes, end: int) -> LogParser:
    """Return a parser that goes on from what is stored of *parser*, which has seen *log* up to *end*."""
    again = LogParser(ParserState.from_json(json.loads(json.dumps(parser.state.to_json()))))
    assert again.feed(log[again.state.bytes_consumed : end]) == []
    return again


def test_a_part_whose_end_was_lost_takes_no_other_line_with_it() -> None:
    log = (
        b"2026-03-12T12:00:00Z stdout P [12:00:00] [Server thread/INFO]: Al joi\n"
        b"2026-03-12T12:00:01Z stdout F [12:00:01] [Server thread/INFO]: Bo joined the game\n"
    )
    assert [event.player for event in parse(log)] == ["Bo"]


def test_unwrapping_keeps_the_number_of_lines() -> None:
    given_lines = b"\n" + in_parts([Line(b"x" * 50, datetime(2026, 3, 12, tzinfo=UTC))] * 3, 20, "cri")
    assert unwrap(given_lines).data.count(b"\n") == given_lines.count(b"\n")


# ---------- log4j's own JSON

MESSAGES = [
    ("Server thread", "net.minecraft.server.MinecraftServer", "Starting minecraft server version 1.21.4"),
    (
        "Server thread",
        "net.minecraft.server.players.PlayerList",
        "Al[/192.0.2.4:5] logged in with entity id 7 at (1.0, 2.0, 3.0)",
    ),
    ("Server thread", "net.minecraft.server.MinecraftServer", "Al joined the game"),
    ("Async Chat Thread - #0", "net.minecraft.server.MinecraftServer", '<Al> "quoted" \\ and\nBo left the game'),
    ("Server thread", "net.minecraft.server.MinecraftServer", "Al lost connection: Disconnected"),
    ("Server thread", "net.minecraft.server.MinecraftServer", "Al left the game"),
]
START = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


def json_layout(at: datetime, thread: str, logger: str, text: str) -> object:
    seconds = int(at.timestamp())
    return {
        "instant": {"epochSecond": seconds, "nanoOfSecond": 118_000_000},
        "thread": thread,
        "level": "INFO",
        "loggerName": logger,
        "message": text,
        "endOfBatch": False,
        "loggerFqcn": "org.apache.logging.slf4j.Log4jLogger",
        "threadId": 21,
        "threadPriority": 5,
    }


def old_json_layout(at: datetime, thread: str, logger: str, text: str) -> object:
    moment = int(at.timestamp() * 1000) + 118
    return {"timeMillis": moment, "thread": thread, "level": "INFO", "loggerName": logger, "message": text}


def ecs(at: datetime, thread: str, logger: str, text: str) -> object:
    return {
        "@timestamp": iso(at, ".118Z").decode(),
        "ecs.version": "1.2.0",
        "log.level": "INFO",
        "message": text,
        "process.thread.name": thread,
        "log.logger": logger,
    }


def nested_ecs(at: datetime, thread: str, logger: str, text: str) -> object:
    return {
        "@timestamp": iso(at, ".118Z").decode(),
        "log": {"level": "INFO", "logger": logger},
        "message": text,
        "process": {"pid": 1, "thread": {"name": thread}},
    }


def gelf(at: datetime, thread: str, logger: str, text: str) -> object:
    return {
        "version": "1.1",
        "host": "host",
        "short_message": text,
        "timestamp": at.timestamp() + 0.118,
        "level": 6,
        "_thread": thread,
        "_logger": logger,
    }


def logstash(at: datetime, thread: str, logger: str, text: str) -> object:
    local = at.astimezone(timezone(timedelta(hours=1)))
    return {
        "@version": 1,
        "@timestamp": iso(local, ".118+0100").decode(),
        "message": text,
        "logger_name": logger,
        "level": "INFO",
        "thread_name": thread,
    }


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("layout", [json_layout, old_json_layout, ecs, nested_ecs, gelf, logstash])
def test_log4js_json_is_read(layout: Callable[[datetime, str, str, str], object], indent: int | None) -> None:
    records = [layout(START + timedelta(minutes=n), *message) for n, message in enumerate(MESSAGES)]
    plain = "\n".join(json.dumps(record, indent=indent) for record in records) + "\n"
    complete = "[\n" + ",\n".join(json.dumps(record, indent=indent) for record in records) + "\n]\n"
    for log in (plain.encode(), complete.encode()):
        assert classify(log) is None
        assert facts(log, "1999-01-01") == [("Al", START + timedelta(minutes=1), START + timedelta(minutes=4), "left")]
        assert [event.kind for event in parse(log)].count("player_leave") == 1


# ---------- what looks like it


def test_a_shipper_can_come_and_go_at_any_line() -> None:
    lines = [line.encode() for line in paper(*(f"12:00:{n:02} P{n} joined the game" for n in range(30))).splitlines()]
    ships = list(EVERY.values())
    mixed = [
        ships[n % len(ships)](Line(line, datetime(2026, 3, 12, 12, 0, n, tzinfo=UTC))) if n % 7 < 5 else line
        for n, line in enumerate(lines)
    ]
    assert [event.player for event in parse(b"\n".join(mixed) + b"\n")] == [f"P{n}" for n in range(30)]


@pytest.mark.parametrize(
    "line",
    [
        '{"log": "Al left the game\\n", "stream": "stdout", "time": "2026-03-12T12:00:00Z"}',
        '{"text": "[12:00:00] [Server thread/INFO]: Al left the game"}',
        "{",
        "[1, 2]",
        "2026-03-12T12:00:00Z Al left the game",
        "mc-1 | Al left the game",
        "Mar 12 12:00:00 host mc[1]: Al left the game",
    ],
)
def test_what_only_looks_shipped_continues_the_line_before(line: str) -> None:
    parser = LogParser()
    before, after = paper("12:00:00 Al joined the game"), paper("12:00:01 Bo joined the game")
    events = [*parser.feed(f"{before}{line}\n{after}".encode()), *parser.finish()]
    assert [event.kind for event in events] == ["player_join", "player_join"]
    assert (parser.counts.continuations, parser.state.is_shipped) == (1, False)


@pytest.mark.parametrize(
    "line", ['{"log": 5}', '{"log": "x', "[]", '"x"', '{"MESSAGE": [300]}', "{}", '{"MESSAGE": null}']
)
def test_a_record_of_no_line_is_left_as_it_is(line: str) -> None:
    assert unwrap(f"\n{line}\n".encode()).data == f"\n{line}\n".encode()


def test_what_terminals_leave_is_cut_from_what_only_looked_like_a_record() -> None:
    shipped = b"mc-1  | 2026-03-12T12:00:00Z [12:00:00] [Server thread/INFO]: Ross joined the game\n"
    left = b"[12:01:00] [Server thread/INFO]: Ross left the ga\rme\n"
    filling = 2000 * b"[12:02:00] [Server thread/INFO]: Saved the game\n"  # more than a record holds
    whole, cut = LogParser(), LogParser()
    events = [*whole.feed(shipped + b"{\n" + left + filling), *whole.finish()]
    assert [*cut.feed(shipped + b"{\n"), *cut.feed(left + filling), *cut.finish()] == events
    assert [(event.kind, event.player) for event in events] == [("player_join", "Ross"), ("player_leave", "Ross")]


def in_blocks(*blocks: bytes) -> tuple[list[LogEvent], ParserState]:
    parser = LogParser()
    events = [event for block in blocks for event in parser.feed(block)]
    return [*events, *parser.finish()], parser.state


def test_a_clock_far_from_the_shippers_makes_no_step_where_blocks_are_cut() -> None:
    first = packed(log="[07:12:17] [Server thread/INFO]: Ross joined the game\n", time="2026-03-12T20:01:02Z")
    second = packed(log="[07:12:26] [Server thread/INFO]: Ross left the game\n", time="2026-03-12T20:01:11Z")
    assert in_blocks(first + b"\n", second + b"\n") == in_blocks(first + b"\n" + second + b"\n")


@pytest.mark.parametrize("indent", [None, 2])
def test_the_first_of_a_shippers_lines_can_come_in_parts_wherever_blocks_are_cut(indent: int | None) -> None:
    bare = paper("12:00:00 Ross joined the game").encode()
    if indent is None:
        parts = ["[12:00:05] [Server thread/INFO]: Ross le", "ft the game\n"]
        shipped = b"".join(packed(log=part, stream="stdout", time="2026-03-12T12:00:05Z") + b"\n" for part in parts)
    else:
        record = json_layout(datetime(2026, 3, 12, 12, 0, 5, tzinfo=UTC), "Server thread", "", "Ross left the game")
        shipped = json.dumps(record, indent=indent).encode() + b"\n"
    log = bare + shipped
    whole = in_blocks(log)
    for place in range(1, len(log)):
        assert in_blocks(log[:place], log[place:]) == whole
    assert in_blocks(*log.splitlines(keepends=True)) == whole


def test_a_record_over_lines_that_follows_a_change_of_layout_is_read_whole() -> None:
    at = datetime(2026, 3, 12, 12, 0, 5, tzinfo=UTC)
    record = json.dumps(json_layout(at, "Server thread", "", "Ross left the game"), indent=2).encode() + b"\n"
    bare = [b"12:00:00 [INFO] Listening on /0.0.0.0:25565\n", paper("12:00:01 Ross joined the game").encode()]
    whole = in_blocks(b"".join(bare) + record)
    assert in_blocks(*bare, record) == whole
    assert whole[1].is_shipped


BEGINNINGS = [
    *(
        b"2026-11-01T10:",
        b"Nov  3 10:11",
        b"Nov 13 10:11",
        b"Sat 2026-11-01 10:00",
        b"<3>Nov  3 10:",
        b"1 2026-01-01T10:",
    ),
    *(
        b"mc-1 | x",
        b"a.b@c-d   | x",
        b"x" * 70 + b" | ",
        b"x" + b" " * 80 + b"| y",
        b"-a | ",
        b"_ | ",
        b"[pod/x] ",
        b"[Server] x",
    ),
    *(b"{", b" {", b",{", b"N 1", b"[1", b"9", b"Caused by: a.b", b"java.io.IOException: x", b"Sat Jun 23 10:00"),
]


@given(
    st.lists(st.tuples(st.sampled_from(BEGINNINGS), st.none() | st.integers(0, 90), st.integers(32, 126)), min_size=16)
)
def test_no_beginning_of_a_shippers_or_a_layouts_line_is_passed_over(
    made: list[tuple[bytes, int | None, int]],
) -> None:
    texts = []
    for beginning, place, byte in made:
        text = bytearray(beginning + b" then")
        if place is not None:
            text[place % len(text)] = byte
        texts.append(bytes(text))
    data = b"\n" + b"\n".join(texts) + b"\n"
    lines = Lines(data)
    feeds = lines.feeds[:-1].tolist()
    found = possible_beginnings(lines, feeds)
    assert {each for each in feeds if may_be_shipped(data, each) or format_at(data, each)} <= {*found}


def test_what_follows_a_trace_is_passed_over() -> None:
    data = b"\n" + b"Caused by: java.io.IOException: the shop has no chest\n" * 20
    lines = Lines(data)
    assert list(possible_beginnings(lines, lines.feeds[:-1].tolist())) == []

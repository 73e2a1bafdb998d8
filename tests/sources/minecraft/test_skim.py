"""Lines that are skimmed over are those that the patterns would pass over, and nothing else changes."""

from __future__ import annotations

import random
import re
from datetime import date
from pathlib import Path

import pytest

from pteroassets.sources.minecraft.blocks import change_of_layout
from pteroassets.sources.minecraft.deaths import FIRST_WORDS
from pteroassets.sources.minecraft.formats import ALL_FORMATS, IGNORED_AFTER_NAME, IGNORED_WORDS
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.messages import finding
from pteroassets.sources.minecraft.scan import Clock, Scan, clock_of, scan, scan_all, scanner_of
from pteroassets.sources.minecraft.skim import Judge
from pteroassets.sources.minecraft.text import Lines, clean
from tests.sources.minecraft.test_forgery import EVENT_LINES
from tests.sources.minecraft.test_fuzz import GOLDEN, mutate
from tests.sources.minecraft.writing import paper, parse

LINES = 2_000
MOST_LINES = 50_000
COMMONEST = ("bracketed", "forge_dated", "bracketed_dated")
LAYOUT = ALL_FORMATS["bracketed"]
SCANNER = scanner_of(LAYOUT)
FOUND = finding(LAYOUT.dialects, FIRST_WORDS)
WORDS = [
    *(*FOUND.begins, *FOUND.then, *FOUND.echoes, *FOUND.of_peers, *FOUND.anchors),
    *(*IGNORED_WORDS, *IGNORED_AFTER_NAME),
    *(
        b"Steve",
        b"Set",
        b"A B",
        b"null",
        b"*x",
        b"x" * 17,
        b"x" * 70,
        b"Server",
        b"died",
        b"UUID",
        b"Kicked",
        b"IP hidden",
    ),
    *(
        b" ",
        b": ",
        b"[",
        b"]",
        b"] ",
        b"<",
        b"> ",
        b"/192.0.2.4:1",
        b"[/192.0.2.4:1]",
        b"(vehicle of A)",
        b"\xc2\xa7a",
        b"\xa7",
    ),
    *(b"[" + b"x" * 70 + b"] <-> InitialHandler has connected", b"[" + b"x" * 61 + b"] -> UpstreamBridge "),
]
THREADS = [
    *[b"Server thread/INFO"] * 20,
    *(b"Server thread/WARN", b"Server thread/ERROR", b"Async Chat Thread - #3/INFO", b"Async Chat/INFO", b"/INFO"),
    *(b"Netty Worker IO Thread #1/INFO", b"x" * 57 + b"/INFO", b"x" * 59 + b"/INFO", b"x" * 80 + b"/INFO", b"a[b/INFO"),
    *(
        b"no level",
        b"tab\tx/INFO",
        b"Server thread/INFO] [minecraft/DedicatedServer",
        b"main/INFO] [FML",
        b"main/INFO] [",
    ),
    *(b"Server thread/INFO] [" + b"x" * length for length in (60, 107, 108, 109, 130)),
    b"main/INFO] (FabricLoader) x",
]
# what stands before the messages of each layout, or before its threads; {c} is the time of day, {h} that of half a day
BEFORE = {
    "bracketed": ["[{c}] [", "[{c}.123] ["],
    "bracketed_12h": ["[{h}] [", "[{h} a.m.] [", "[{h}] ["],
    "forge_dated": [
        *("[07Nov2026 {c}.000] [", "[08Nov2026 {c}.999] [", "[01Dec2026 {c}.000] [", "[07Nov2026 {c}] ["),
        *("[07янв.2026 {c}.000] [", "[071月2026 {c}.000] [", "[07\x0bx2026 {c}.000] [", "[{c}] ["),
    ],
    "bracketed_dated": [
        "[2026-11-07 {c}] [",
        "[2026-11-07 {c},123] [",
        "[2026/11/07T{c}.123] [",
        "[20261-11-07 {c}] [",
        "[{c}] [",
    ],
    "bracketed_dated_12h": ["[2026-11-07 {h}] [", "[2026/11/07T{h}] ["],
    "unbracketed": ["{c} [", "{c}.12 ["],
    "unbracketed_dated": ["2026-11-07 {c} [", "2026-11-07T{c},123 [", "{c} ["],
    "pocketmine": ["2026-11-07 [{c}.123] [", "2026-11-07 [{c}] [", "2026-11-07 {c} ["],
    "untimed": ["["],
    "log4j": [
        "{c} [Async Chat Thread - #1] INFO  a - ",
        "{c}.123 [main] INFO  a.b.C - ",
        "{c} [x y] WARN a - ",
        "{c} [a]b] INFO a - ",
        "{c} [main] INFO ",
    ],
    "log4j_dated": ["2026-11-07 {c},123 [main] INFO  a.b.C - ", "2026-11-07T{c} [] ERROR a - ", "{c} [main] INFO a - "],
    "mohist": [
        "2026-11-07 {c},123 INFO  [Server thread] n.m.s.C.m_6352_(656): ",
        "2026-11-07 {c} WARN [a] b: ",
        "2026-11-07 {c} INFO [a] ",
    ],
    "nukkit": ["2026-11-07 {c}.123 [main] INFO  - ", "2026-11-07 {c} [a/b] WARN - ", "2026-11-07 {c} [main] INFO "],
    "altay": [
        "2026-11-07 {c} Server thread|INFO > ",
        "2026-11-07 {c} INFO - ",
        "2026-11-07 {c} INFO > ",
        "2026-11-07 {c} a|WARN - ",
    ],
    "legacy": [
        "2026-11-07 {c} [INFO] ",
        "2026/1/7 {c} [AM FEINSTEN] ",
        "2026-11-07 {c} [INFO] [Minecraft-Server] ",
        "2026-11-07 {c} [1] ",
        "2026-11-07 {c} [信息] ",
    ],
    "weekday": ["[Sa, 7. November 2026 {c} UTC INFO] ", "[Sa, 12. Mai 2026 {c} x WARN] ", "[{c} INFO] "],
    "piped": ["2026-11-07 {c} | ", "2026/11/07 {c} | ", "2026-11-07 {c} |"],
    "multicraft": [
        "07.11 {c} [Server] Server thread/INFO ",
        "07.11 {c} [Server] INFO ",
        "07.11 {c} [Server] [INFO] [a/b]: ",
        "07.11 {c} [Multicraft] ",
    ],
    "bungeecord": ["{c} [INFO] ", "{c} [WARNING] ", "{c} [AM FEINSTEN] ", "{c} [信息] ", "{c} [1] ", "{c} [a/INFO] "],
    "bedrock": [
        "[2026-11-07 {c}:123 INFO] ",
        "[INFO] ",
        "NO LOG FILE! - [2026-11-07 {c} INFO] ",
        "[2026-11-07 {c} info] ",
    ],
    "untimed_bedrock": ["[INFO] ", "NO LOG FILE! - [WARN] ", "[{c} INFO] "],
    "levilamina": ["[{c} INFO][Server] ", "{c} INFO [Server] ", "[{c}.123 WARN][Shop] ", "[{c} INFO] "],
    "levilamina_dated": [
        "[2026-11-07 {c}.123 INFO][Server] ",
        "2026-11-07 {c} INFO [Shop x] ",
        "[2026-11-07 {c} INFO] ",
    ],
    "geyser": ["[{c}.123 main/INFO] ", "[{c} Async Chat Thread - #1/INFO] ", "[{c} INFO] "],
    "console": ["[{c} INFO]: ", "[{c} WARN] [Shop]: ", "[{c} INFO]:  ", "[{c} INFO] "],
    "console_dated": ["[2026-11-07 {c} INFO]: ", "[2026/11/07T{c}.1 ERROR] [a/b]: ", "[{c} INFO]: "],
    "console_12h": ["[{h} INFO]: ", "[{h} WARN] [Shop]: "],
    "untimed_console": ["[INFO]: ", "[WARN] [Shop]:  ", "[x]: "],
}
BEFORE |= {
    f"shipped+{name}": [f"2026-11-07T{{c}}+00:00 {each}" for each in BEFORE[name]]
    + ["2026-11-07T{c} " + BEFORE[name][0]]
    for name in BEFORE
    if f"shipped+{name}" in ALL_FORMATS
}
BEFORE = {name: stems for name, stems in BEFORE.items() if name in ALL_FORMATS}
CLOCKS = [
    b"[12:34:5a] [",
    b"[12:34:5:] [",
    b"[12:3?:50] [",
    b"[12:34:56]  [",
    b"[12:34:56][",
    b"12:34:56 [",
    b"[12:34:56 ",
    b"",
    b"\t",
    b"[12:34:56] ",
    b"NO LOG FILE! - ",
]
ENDS = [*[b"]: "] * 20, b"]:  ", b"]:   ", b"]:", b"] ", b"] (x) ", b" ", b"] [x]: "]
# what a prefix of some layout might go on with
HEADS = [
    b"WARN - ",
    b"INFO a.b - ",
    b" ",
    b"  ",
    b"[Minecraft] ",
    b"[Minecraft-Server] ",
    b"[Shop]: ",
    b"a|WARN > ",
    b"b/INFO ",
    b"A ",
]


def compose(chance: random.Random, layout: str) -> bytes:
    """Return a block of lines made of what the parser looks for, and of what it must not take for that."""
    messages = [line.encode() for line in EVENT_LINES]
    clock, lines = chance.randrange(86_400), []
    way, stems = ALL_FORMATS[layout].skim, BEFORE[layout]
    usual = chance.choice(stems)
    for _ in range(chance.choice([1, 5, 400])):
        clock = (clock + chance.choice([0, 0, 1, 40, 4000, -500])) % 86_400
        parts = [chance.choice(WORDS) + chance.choice([b" ", b" ", b""]) for _ in range(chance.randrange(1, 7))]
        message = b"".join(parts) if chance.random() < 0.7 else mutate(chance.choice(messages), chance)
        if chance.random() < 0.1:
            message = chance.choice(HEADS) + message
        hour, minute, second = clock // 3600, clock // 60 % 60, clock % 60
        stem = usual if chance.random() < 0.9 else chance.choice(stems)
        begin = stem.format(
            c=f"{hour:02}:{minute:02}:{second:02}",
            h=f"{hour % 12 or 12}:{minute:02}:{second:02}" + (" AM", " PM")[hour >= 12],
        ).encode()
        if way.has_threads:
            begin += chance.choice(THREADS) + chance.choice(ENDS)
        line = (begin if chance.random() < 0.95 else chance.choice(CLOCKS)) + message
        lines.append((mutate(line, chance) if chance.random() < 0.1 else line).replace(b"\n", b""))
    return clean(b"\n" + b"\n".join(lines) + b"\n")


def facts(found: Scan) -> tuple[object, ...]:
    candidates = [
        (*parts, shows.groupdict() if isinstance(shows, re.Match) else shows, text)
        for *parts, shows, text in found.candidates
    ]
    return found.lines, found.entries, found.ignored, candidates


def clock(found: Clock) -> list[tuple[int, int]]:
    return list(zip(found.places.tolist(), found.seconds.tolist(), strict=True))


def other_layouts(block: bytes, found: Scan) -> tuple[object, ...] | None:
    return change_of_layout(block, found.others, is_shipped=True)


def test_each_layout_is_composed() -> None:
    assert set(BEFORE) == set(ALL_FORMATS)


@pytest.mark.parametrize("layout", BEFORE)
def test_patterns_and_skimming_find_the_same(layout: str) -> None:
    chance, made, scanner = random.Random(7), 0, scanner_of(ALL_FORMATS[layout])
    assert scanner.skimmer is not None
    while made < (MOST_LINES if layout in COMMONEST else LINES):
        block = compose(chance, layout)
        lines = Lines(block)
        made += len(lines)
        skimmed, plain = scan(block, lines, scanner), scan_all(block, lines, scanner)
        assert facts(skimmed) == facts(plain)
        assert other_layouts(block, skimmed) == other_layouts(block, plain)
        if skimmed.clock is not None:
            assert clock(skimmed.clock) == clock(clock_of(block, scanner))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.log")), ids=lambda path: path.stem)
def test_golden_logs_give_the_same_without_skimming(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = path.read_bytes()
    skimmed, plain = LogParser(keep_text=True), LogParser(keep_text=True)
    events = [*skimmed.feed(content), *skimmed.finish()]
    monkeypatch.setattr("pteroassets.sources.minecraft.log.scan", scan_all)
    assert [*plain.feed(content), *plain.finish()] == events
    assert plain.state == skimmed.state


def test_most_lines_are_skimmed_over() -> None:
    noise = paper(*(f"12:00:{second:02} [Shop] {second} rows were removed" for second in range(60)))
    noise += paper(*(f"12:01:{second:02} Could not pass event {second} to Shop" for second in range(60)))
    block = b"\n" + noise.encode() + paper("12:02:00 Steve left the game").encode()
    lines = Lines(block)
    assert SCANNER.skimmer is not None
    skimmed = SCANNER.skimmer.skim(block, lines)
    assert skimmed.doubtful == [120]
    assert (len(skimmed.entries), int(skimmed.ignored.sum())) == (121, 60)


@pytest.mark.parametrize(
    ("text", "is_clean"),
    [
        (b"\na\n\tb\n", True),
        (b"\na>b\n", True),
        (b"\na\r\n", False),
        (b"\n>a\n", False),
        (b"\na\x00\n", False),
        (b"\na\x1b[m\n", False),
        (b"\na\x07\n", False),
        (b"\na\x08\n", False),
    ],
)
def test_lines_know_whether_they_are_clean(text: bytes, *, is_clean: bool) -> None:
    assert Lines(text).is_clean is is_clean
    if is_clean:
        assert clean(text) == text


def forge(*lines: str) -> str:
    """Lines given as "07Nov2026 12:00:00 message"."""
    parts = (line.split(" ", 2) for line in lines)
    return "".join(f"[{day} {time}.000] [Server thread/INFO] [minecraft/]: {text}\n" for day, time, text in parts)


def test_a_line_with_a_stamp_of_another_form_is_read_in_its_order() -> None:
    events = parse(
        forge(
            *("30Nov2026 23:59:57 Al joined the game", "30Nov2026 23:59:58 b", "01Dez.2026 00:00:01 Al left the game"),
            "01Dez.2026 00:00:02 c",
        )
    )
    stamps = [event.stamp for event in events]
    assert [stamp and (stamp.day, stamp.seconds) for stamp in stamps] == [(0, 86_397), (1, 1)]
    assert [stamp and stamp.dated for stamp in stamps] == [date(2026, 11, 30), date(2026, 12, 1)]


@pytest.mark.parametrize("begin", ["[12:00:00] [Server thread/INFO]: ", "[12:00:00 INFO]: "])
def test_a_program_with_another_stamp_is_found_behind_skimmed_lines(begin: str) -> None:
    events = parse(
        forge("07Nov2026 11:00:00 Starting minecraft server version 1.20.1", "07Nov2026 11:00:01 Al joined the game")
        + f"{begin}Starting minecraft server version 1.21.4\n{begin}Al joined the game\n"
    )
    assert [event.kind for event in events] == ["server_start", "player_join"] * 2


def test_a_program_with_another_layout_is_found_behind_skimmed_lines() -> None:
    events = parse(
        paper("12:00:00 Starting minecraft server version 1.21.4", "12:00:10 Steve joined the game")
        + "\tat com.example.Starting minecraft server version 1.5.2\n"
        + "2013-08-01 12:00:00 [INFO] Starting minecraft server version 1.5.2\n"
        + "2013-08-01 12:00:09 [INFO] Al left the game\n"
    )
    assert [event.kind for event in events] == ["server_start", "player_join", "server_start", "player_leave"]


@pytest.mark.parametrize("name", ["Set", "Added", "Villager", "Banned", "Made"])
def test_a_player_may_be_called_like_the_beginning_of_another_message(name: str) -> None:
    lines = paper(
        f"12:00:00 {name}[/192.0.2.4:1] logged in with entity id 7 at (1.0, 2.0, 3.0)",
        f"12:00:00 {name} joined the game",
        f"12:10:00 {name} lost connection: Disconnected",
        f"12:10:00 {name} left the game",
        f"12:11:00 {name} something else",
    )
    kinds = ["player_login", "player_join", "player_lost_connection", "player_leave"]
    for text in (lines, lines.replace("[Server thread/INFO]: ", "[Server thread/INFO] [minecraft/Server]: ")):
        assert [(event.kind, event.player) for event in parse(text)] == [(kind, name) for kind in kinds]


def test_names_have_up_to_four_words() -> None:
    lines = paper("12:00:00 To Be Or Not joined the game", "12:10:00 To Be Or Not lost connection: Disconnected")
    assert [event.player for event in parse(lines)] == ["To Be Or Not"] * 2


def test_a_name_of_bedrock_may_have_more_words_where_it_enters_and_departs() -> None:
    prefix = "2024-03-12 [12:00:00.123] [Server thread/INFO]: "
    name = "I M A B I G Fan"
    said = (
        f"{name}[/192.0.2.4:1] logged in with entity id 7 at (w, 1, 2, 3)",
        f"{name}[/192.0.2.4:1] logged out due to x",
    )
    events = parse("".join(f"{prefix}{line}\n" for line in said))
    assert [(event.kind, event.player) for event in events] == [
        ("player_login", name),
        ("player_lost_connection", name),
    ]


@pytest.mark.parametrize("prefix", ["[12:00:00] [Server thread/INFO]: ", "12.03 12:00:00 [Server] INFO "])
def test_words_of_a_chat_thread_in_a_message_are_no_chat(prefix: str) -> None:
    parser = LogParser()
    assert parser.feed(f"{prefix}a b [Async Chat Thread - #1/INFO]: <Al> hi\n".encode()) == []
    assert (parser.counts.unknown, parser.counts.ignored) == (1, 0)


def test_text_is_kept_and_left_out_by_parsers_side_by_side() -> None:
    line = paper("12:00:00 Steve issued server command: /home")
    assert [parse(line, keep_text=kept)[0].detail for kept in (True, False, True)] == [
        {"text": "/home"},
        None,
        {"text": "/home"},
    ]


def test_a_word_that_is_too_short_to_skim_for_is_named() -> None:
    with pytest.raises(ValueError, match=r"\[b'fly'\] have less than 4 bytes"):
        Judge(FOUND._replace(then=(*FOUND.then, b"fly")), (), ())


def test_a_beginning_may_be_longer_than_what_is_looked_at_behind_a_block() -> None:
    line = "12:00:00 [" + "x" * 300 + "] Listening on /0.0.0.0:25577\n"
    events = parse(line * 10 + "12:00:01 [INFO] a\n" * 100 + "12:00:02 [WARNING] b\n" * 5)
    assert [event.kind for event in events] == ["server_ready"] * 10

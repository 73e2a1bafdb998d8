"""Lines that are skimmed over are those that the patterns would pass over, and nothing else changes."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from pteroassets.sources.minecraft.deaths import FIRST_WORDS
from pteroassets.sources.minecraft.formats import ALL_FORMATS, IGNORED_AFTER_NAME, IGNORED_WORDS
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.messages import finding
from pteroassets.sources.minecraft.scan import Scan, scan, scan_all, scanner_of
from pteroassets.sources.minecraft.skim import Skimmer, Stamp
from pteroassets.sources.minecraft.text import Lines, clean
from tests.sources.minecraft.test_forgery import EVENT_LINES
from tests.sources.minecraft.test_fuzz import GOLDEN, mutate
from tests.sources.minecraft.writing import paper, parse

LINES = 50_000
LAYOUT = ALL_FORMATS["bracketed"]
SCANNER = scanner_of(LAYOUT)
STAMP = Stamp(b"[00:00:00] [", at=1)
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
# what stands around the time: mostly the first
AROUND = {
    "bracketed": [(b"[", b"] [")],
    "forge_dated": [
        (b"[07Nov2026 ", b".000] ["),
        (b"[08Nov2026 ", b".999] ["),
        (b"[01Dec2026 ", b".000] ["),
        (b"[07Nov2026 ", b"] ["),
        ("[07янв.2026 ".encode(), b".000] ["),
        (b"[071\xe6\x9c\x882026 ", b".000] ["),
        (b"[07\x0bx2026 ", b".000] ["),
        (b"[", b"] ["),
    ],
    "bracketed_dated": [
        (b"[2026-11-07 ", b"] ["),
        (b"[2026-11-07 ", b",123] ["),
        (b"[2026/11/07T", b".123] ["),
        (b"[20261-11-07 ", b"] ["),
        (b"[", b"] ["),
    ],
}
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
]
ENDS = [*[b"]: "] * 20, b"]:  ", b"]:   ", b"]:", b"] ", b"] (x) ", b" ", b"] [x]: "]


def compose(chance: random.Random, layout: str) -> bytes:
    """Return a block of lines made of what the parser looks for, and of what it must not take for that."""
    messages = [line.encode() for line in EVENT_LINES]
    clock, lines = chance.randrange(86_400), []
    usual = chance.choice(AROUND[layout])
    for _ in range(chance.choice([1, 5, 400])):
        clock = (clock + chance.choice([0, 0, 1, 40, 4000])) % 86_400
        parts = [chance.choice(WORDS) + chance.choice([b" ", b" ", b""]) for _ in range(chance.randrange(1, 7))]
        message = b"".join(parts) if chance.random() < 0.7 else mutate(chance.choice(messages), chance)
        before, after = usual if chance.random() < 0.95 else chance.choice(AROUND[layout])
        stamp = before + f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}".encode() + after
        begin = stamp if chance.random() < 0.95 else chance.choice(CLOCKS)
        line = begin + chance.choice(THREADS) + chance.choice(ENDS) + message
        lines.append((mutate(line, chance) if chance.random() < 0.1 else line).replace(b"\n", b""))
    return clean(b"\n" + b"\n".join(lines) + b"\n")


def facts(found: Scan) -> tuple[object, ...]:
    candidates = [(*parts, prefix and prefix.groupdict(), text) for *parts, prefix, text in found.candidates]
    return found.lines, found.entries, found.ignored, candidates


@pytest.mark.parametrize("layout", AROUND)
def test_patterns_and_skimming_find_the_same(layout: str) -> None:
    chance, made, scanner = random.Random(7), 0, scanner_of(ALL_FORMATS[layout])
    assert scanner.skimmer is not None
    while made < LINES:
        block = compose(chance, layout)
        lines = Lines(block)
        made += len(lines)
        assert facts(scan(block, lines, scanner)) == facts(scan_all(block, lines, scanner))


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
    lines = Lines(b"\n" + noise.encode() + paper("12:02:00 Steve left the game").encode())
    assert SCANNER.skimmer is not None
    skimmed = SCANNER.skimmer.skim(lines, STAMP)
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


def test_order_is_told_by_the_minute() -> None:
    assert SCANNER.skimmer is not None
    ordered = paper("12:00:59 a", "12:00:58 b", "12:01:00 c")
    turned = paper("12:01:00 a", "12:00:59 b")
    skim = SCANNER.skimmer.skim
    assert [skim(Lines(b"\n" + text.encode()), STAMP).is_in_order for text in (ordered, turned)] == [True, False]


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
        Skimmer(FOUND._replace(then=(*FOUND.then, b"fly")), (), ())

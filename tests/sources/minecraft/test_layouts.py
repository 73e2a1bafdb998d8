"""How lines begin: fractions of seconds in every layout, layouts that take turns, and loaders of plugins."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.formats import ALL_FORMATS
from pteroassets.sources.minecraft.intake import classify
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.scan import scanner_of
from tests.sources.minecraft.test_golden import GOLDEN
from tests.sources.minecraft.writing import build, file_of, parse

LOGIN = "Al[/192.0.2.4:50123] logged in with entity id 41 at ([world]1.5, 64.0, -3.25)"


def parsed(log: bytes) -> LogParser:
    parser = LogParser()
    parser.feed(log)
    parser.finish()
    return parser


def facts(log: bytes, day: str | None = "2026-03-12") -> Sequence[tuple[object, ...]]:
    """Return what a person would write down of a log's sessions."""
    sessions = build(file_of(log, day=day)).sessions
    return [
        (each.player_name, each.joined_at, each.left_at, each.close_reason, each.is_join_observed) for each in sessions
    ]


def layout_of(log: bytes) -> str:
    return str(parsed(log).state.format_name)


# ---------- fractions of seconds


@pytest.mark.parametrize("fraction", [".101", ",101", ":101", ".123456789"])
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_fraction_of_a_second_changes_nothing_in_any_layout(path: Path, fraction: str) -> None:
    log = path.read_bytes()
    prefix = scanner_of(ALL_FORMATS[layout_of(log)]).prefix
    lines, changed = log.split(b"\n"), 0
    for number, line in enumerate(lines):
        match = prefix.match(line)
        if match is not None and match["time"]:
            rest = re.sub(rb"\A[.,:]\d+", b"", line[match.end("time") :])
            lines[number] = line[: match.end("time")] + fraction.encode() + rest
            changed += 1
    again = b"\n".join(lines)
    assert changed or path.stem == "bedrock-untimed"
    assert parsed(again).counts == parsed(log).counts
    day = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["log_date"]
    assert facts(again, day) == facts(log, day)


@pytest.mark.parametrize(
    "prefix",
    [
        "[20:01:02.123] [Server thread/INFO]: ",
        "[20:01:02,123] [Server thread/INFO] [net.minecraft.server.MinecraftServer]: ",
        "[20:01:02.123 INFO]: ",
        "[2024-03-12 20:01:02,123 INFO]: ",
        "[08:01:02.123 PM] [Server thread/INFO]: ",
        "[2024-03-12T20:01:02.123456] [Server thread/INFO]: ",
        "20:01:02.123 [Server thread/INFO]: ",
        "2024-03-12 20:01:02,123 [Server thread/INFO] [net.minecraft.server.MinecraftServer]: ",
        "20:01:02.123 [Server thread] INFO  net.minecraft.server.MinecraftServer - ",
        "2024-03-12 20:01:02,123 [Server thread] INFO net.minecraft.server.MinecraftServer - ",
        "20:01:02.123 [INFO] ",
        "2013-08-01 20:01:02.123 [INFO] ",
        "12.03 20:01:02.123 [Server] Server thread/INFO ",
        "[Tue, 12. Mar 2024 20:01:02,123 UTC INFO] ",
        "2024-03-12 20:01:02.123 | ",
        "2024-03-12 20:01:02.123 INFO  [Server thread] n.m.s.d.DedicatedServer.m_6352_(656): ",
    ],
)
def test_a_fraction_of_a_second_is_read_over_behind_every_prefix(prefix: str) -> None:
    log = f"{prefix}{LOGIN}\n".encode()
    assert classify(log) is None
    (event,) = parse(log)
    assert (event.kind, event.player, event.seconds) == ("player_login", "Al", 72062)


def test_a_time_with_and_without_a_fraction_can_take_turns() -> None:
    lines = [f"[12:00:0{n}{'.5' if n % 3 else ''}] [Server thread/INFO]: P{n} joined the game\n" for n in range(10)]
    assert [event.player for event in parse("".join(lines))] == [f"P{n}" for n in range(10)]


# ---------- layouts that take turns


def written(line: bytes, layout: str) -> bytes:
    """Return a line of the bracketed layout in another one; what continues a line stays as it is."""
    match = scanner_of(ALL_FORMATS["bracketed"]).prefix.match(line)
    if match is None:
        return line
    time, thread, message = match["time"], match["thread"], line[match.end() :]
    level = thread.rpartition(b"/")[2]
    begin = {
        "bracketed": b"[%s] [%s]: " % (time, thread),
        "fraction": b"[%s.101] [%s]: " % (time, thread),
        "forge_dated": b"[12Mar2026 %s.101] [%s] [net.minecraft.server.MinecraftServer/]: " % (time, thread),
        "bracketed_dated": b"[2026-03-12 %s] [%s]: " % (time, thread),
        "console": b"[%s %s]: " % (time, level),
        "log4j": b"%s.101 [%s] INFO net.minecraft.server.MinecraftServer - " % (time, thread.rpartition(b"/")[0]),
        "legacy": b"2026-03-12 %s [%s] " % (time, level),
    }
    return begin[layout] + message


BRACKETED = [path for path in GOLDEN if path.stem in ("purpur-crash", "spigot-crash", "vanilla-stop")]


@pytest.mark.parametrize("path", BRACKETED, ids=lambda path: path.stem)
@given(data=st.data())
def test_a_layout_can_change_at_any_line_and_back(path: Path, data: st.DataObject) -> None:
    log = path.read_bytes()
    day = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["log_date"]
    assert day == "2026-03-12"
    lines = log.splitlines()
    layouts = st.sampled_from(["bracketed", "fraction", "forge_dated", "bracketed_dated", "console", "log4j", "legacy"])
    places = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=6)))
    bounds = [0, *places, len(lines)]
    mixed = [
        written(line, layout)
        for start, end in itertools.pairwise(bounds)
        if (layout := data.draw(layouts))
        for line in lines[start:end]
    ]
    again = b"\n".join(mixed) + b"\n"
    assert facts(again) == facts(log)
    assert parsed(again).counts.lines == len(lines)
    assert parsed(again).counts.continuations == parsed(log).counts.continuations
    cut = data.draw(st.integers(0, len(again)))
    whole, parts = LogParser(), LogParser()
    assert [*parts.feed(again[:cut]), *parts.feed(again[cut:]), *parts.finish()] == [
        *whole.feed(again),
        *whole.finish(),
    ]
    assert parts.state == whole.state


def test_two_layouts_that_take_turns_for_long_are_read_in_time() -> None:
    lines = (
        f"[12:00:00] [Server thread/INFO]: P{n} joined the game\n[12:00:00 INFO]: P{n} left the game\n"
        for n in range(600)
    )
    parser = parsed("".join(lines).encode())
    assert (parser.counts.understood, parser.counts.continuations) == (1200, 0)


def test_the_next_program_is_not_called_by_the_name_of_the_last() -> None:
    first = [
        "2013-08-01 20:00:00 [INFO] Starting minecraft server version 1.5.2",
        "2013-08-01 20:00:01 [INFO] This server is running CraftBukkit version git-Bukkit-1.5.2 (MC: 1.5.2)",
        '2013-08-01 20:00:05 [INFO] Done (4.2s)! For help, type "help" or "?"',
    ]
    second = [
        "[12:00:00] [main/INFO]: Loading libraries",
        "[12:00:01] [Server thread/INFO]: Starting minecraft server version 1.7.10",
    ]
    assert parsed("\n".join(first).encode()).software == "CraftBukkit"
    assert parsed("\n".join([*first, *second]).encode()).software is None


def test_a_program_named_in_one_layout_keeps_its_name_in_the_next() -> None:
    lines = [
        "[16:58:54] [main/INFO]: NeoForge mod loading, version 21.3.5-beta, for MC 1.21.3",
        "[29Oct2024 17:00:20.943] [Server thread/INFO] [minecraft/]: Starting minecraft server version 1.21.3",
    ]
    assert parsed("\n".join(lines).encode()).software == "NeoForge"


def test_a_stray_line_of_another_program_names_no_software() -> None:
    lines = ["[12:00:00] [Server thread/INFO]: Al joined the game", "[12:00:01 nioEventLoopGroup-2-1/INFO] hello"]
    assert parsed("\n".join(lines).encode()).software is None


# ---------- programs


@pytest.mark.parametrize(
    "prefix",
    [
        "[2024-02-06 19:16:03.695 INFO][Server] ",
        "[2022-07-22 19:16:03 INFO][Server] ",
        "[19:16:03.695 INFO][Server] ",
        "19:16:03.695 INFO [Server] ",
        "19:16:03 INFO [Server] ",
        "2024-02-06 19:16:03.695 INFO [Server] ",
        "\x1b[32m19:16:03 \x1b[36mINFO \x1b[0m[Server] ",
    ],
)
def test_a_loader_of_plugins_for_bedrock_writes_files_and_consoles(prefix: str) -> None:
    log = f"{prefix}Player connected: Al Be, xuid: 2535000000000001\n"
    (event,) = parse(log)
    assert (event.kind, event.player, event.seconds) == ("player_login", "Al Be", 69363)
    parser = parsed(log.encode())
    assert parser.software == "Bedrock Dedicated Server"


def test_a_plugin_of_bedrock_is_not_believed() -> None:
    lines = [
        "[2024-02-06 19:12:29.769 INFO][LeviLamina] Light-Weight BDS Plugin Loader",
        "[2024-02-06 19:16:03.695 INFO][Greeter] Player connected: Al Be, xuid: 2535000000000001",
    ]
    assert parse("\n".join(lines)) == []


def test_pocketmines_console_is_known_by_its_start() -> None:
    lines = [
        "[20:15:00.101] [Server thread/INFO]: Starting Minecraft: Bedrock Edition server version v1.21.80",
        "[20:16:03.101] [Server thread/INFO]: Ada B C[127.0.0.1:51000] logged in with entity id 1 at (w, 1, 64, 1)",
    ]
    parser = parsed("\n".join(lines).encode())
    assert (parser.software, parser.game_version, parser.counts.understood) == ("PocketMine-MP", "1.21.80", 2)


@pytest.mark.parametrize(
    ("logger", "kinds"),
    [
        ("com.velocitypowered.proxy.connection.client.ConnectedPlayer", ["player_arrival", "player_lost_connection"]),
        (
            "com.velocitypowered.proxy.connection.client.InitialConnectSessionHandler",
            ["player_arrival", "player_lost_connection"],
        ),
        ("com.example.greeter.Greeter", []),
    ],
)
def test_velocitys_file_names_the_class(logger: str, kinds: list[str]) -> None:
    begin = f"[20:01:02] [Netty NIO Worker #1/INFO] [{logger}]: [connected player] Al (/192.0.2.4:50123) has "
    assert [event.kind for event in parse(f"{begin}connected\n{begin}disconnected\n")] == kinds

"""What the parser reads, however its blocks are cut, and what it must not be talked into."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.events import LogEvent, ParserState, Setback
from pteroassets.sources.minecraft.intake import classify
from pteroassets.sources.minecraft.log import LogParser
from tests.sources.minecraft.writing import login, paper, parse

FIXTURES = Path(__file__).parents[2] / "fixtures" / "minecraft"
LOGS = [path.read_bytes() for path in sorted((FIXTURES / "golden").glob("*.log"))]
DIRTY = (
    b"\xef\xbb\xbf[23:59:50] [Server thread/INFO]: Starting minecraft server version 1.21.4\r\n"
    b"> \x1b[32m[23:59:55] [Server thread/INFO]: Al joined the game\x1b[m\r\n"
    b"[00:00:01] [Server thread/INFO]: caf\xe9 joined the game\r\n"
    b"[23:59:59] [Worker-1/INFO]: late\r\n"
    b"[00:00:02] [Server thread/INFO]: Bo joined the game\r\n"
    b"[00:30:00] [Server thread/INFO]: tick\r\n\r\n"
    b"[00:10:00] [Server thread/INFO]: Cleo left the game"
)
APPENDED = (
    b"2021-07-18 [16:55:50] [Server thread/INFO]: Starting Minecraft: Bedrock Edition server version v1.17.0\n"
    b"2021-07-18 [16:55:51] [Server thread/INFO]: This server is running PocketMine-MP version 3.21.1\n"
    b"2021-07-18 [16:57:28] [Server thread/INFO]: Al joined the game\n"
    b"2021-07-21 06:48:32 Server|INFO > Loading altay.yml...\n"
    b"2021-07-21 06:48:33 Server|INFO > Starting Minecraft: Bedrock Edition server version v1.17.10\n"
    b"2021-07-21 06:48:34 Server|INFO > This server is running Altay version 3.22.1+dev\n"
    b"2021-07-21 06:49:02 Server|INFO > Bo joined the game\n"
)


def only(line: str) -> LogEvent | None:
    events = parse(f"[12:00:00] [Server thread/INFO]: {line}\n")
    assert len(events) <= 1
    return events[0] if events else None


# ---------- cuts


@given(
    log=st.sampled_from([*LOGS, DIRTY, APPENDED]), cuts=st.lists(st.integers(min_value=0, max_value=6000), max_size=12)
)
@example(log=DIRTY, cuts=list(range(len(DIRTY))))
def test_events_and_counts_do_not_depend_on_where_blocks_are_cut(log: bytes, cuts: list[int]) -> None:
    whole, parser = LogParser(), LogParser()
    expected = [*whole.feed(log), *whole.finish()]
    places = [0, *sorted(cuts), len(log)]
    events = [e for start, end in itertools.pairwise(places) for e in parser.feed(log[start:end])]
    events += parser.finish()
    assert events == expected
    assert parser.state == whole.state


@given(log=st.sampled_from([*LOGS, DIRTY, APPENDED]), cut=st.integers(min_value=0, max_value=6000))
def test_a_parser_resumed_from_stored_state_goes_on_as_if_never_left(log: bytes, cut: int) -> None:
    whole, first = LogParser(), LogParser()
    expected = [*whole.feed(log), *whole.finish()]
    before = first.feed(log[:cut])
    second = LogParser(ParserState.from_json(json.loads(json.dumps(first.state.to_json()))))
    after = [*second.feed(log[first.state.bytes_consumed :]), *second.finish()]
    assert [*before, *after] == expected
    assert second.state == whole.state


def test_a_byte_order_mark_is_cut_at_the_files_first_byte_only() -> None:
    line = b"\xef\xbb\xbf" + paper("12:00:00 Al joined the game").encode()
    parser = LogParser()
    assert [len(parser.feed(line)), len(parser.feed(line))] == [1, 0]
    assert len(parse(line + line)) == 1


@given(log=st.sampled_from([*LOGS, DIRTY, APPENDED]), data=st.data())
def test_no_mutation_of_a_log_raises_and_every_line_is_counted_once(log: bytes, data: st.DataObject) -> None:
    mutated = bytearray(log)
    for _ in range(data.draw(st.integers(min_value=1, max_value=30))):
        place = data.draw(st.integers(min_value=0, max_value=len(mutated) - 1))
        mutated[place] = data.draw(st.integers(min_value=0, max_value=255))
    parser = LogParser()
    events = [*parser.feed(bytes(mutated)), *parser.finish()]
    counts = parser.counts
    assert counts.understood + counts.ignored + counts.unknown + counts.continuations == counts.lines
    assert min(counts.understood, counts.ignored, counts.unknown, counts.continuations) >= 0
    assert [event.line_number for event in events] == sorted({event.line_number for event in events})
    json.dumps(parser.state.to_json(), allow_nan=False)


def test_a_last_line_without_a_line_feed_counts_only_when_the_file_is_closed() -> None:
    parser = LogParser()
    assert parser.feed(paper("12:00:00 Al joined the game").encode().rstrip(b"\n")) == []
    assert parser.state.bytes_consumed == 0
    assert [event.kind for event in parser.finish()] == ["player_join"]


def test_a_file_to_which_another_program_appends_is_read_on_in_its_layout() -> None:
    parser = LogParser()
    events = parser.feed(APPENDED)
    assert [(event.kind, event.player, event.line_number) for event in events if event.player] == [
        ("player_join", "Al", 3),
        ("player_join", "Bo", 7),
    ]
    assert (parser.state.format_name, parser.software, parser.game_version) == ("altay", "Altay", "1.17.10")
    assert (parser.counts.lines, parser.counts.continuations, parser.counts.understood) == (7, 0, 6)


def test_a_line_of_another_layout_is_read_in_its_own() -> None:
    other = b"[12:00:01 INFO]: Al left the game\n[12:00:01 INFO]: Starting to think\n  [12:00:01 INFO]: Bo is in\n"
    parser = LogParser()
    parser.feed(paper("12:00:00 Al joined the game").encode() + other + paper("12:00:02 Bo joined the game").encode())
    assert (parser.state.format_name, parser.counts.understood, parser.counts.continuations) == ("bracketed", 3, 1)


def test_a_state_of_another_parser_version_is_refused() -> None:
    state = ParserState().to_json() | {"parser_version": "0"}
    with pytest.raises(ValueError, match="parser 0"):
        ParserState.from_json(state)


# ---------- time


def test_midnight_passes_on_lines_that_are_no_events() -> None:
    events = parse(
        paper("23:59:00 Al joined the game", "23:59:59 noise", "00:00:01 noise", "23:59:30 Al left the game")
    )
    assert [event.day for event in events] == [0, 1]


def test_a_line_written_late_at_midnight_belongs_to_the_day_before_and_midnight_passes_once() -> None:
    events = parse(
        paper("23:59:59 a", "00:00:00 Al joined the game", "23:59:59 Bo joined the game", "00:00:01 Al left the game")
    )
    assert [(event.player, event.day) for event in events] == [("Al", 1), ("Bo", 0), ("Al", 1)]


def test_a_clock_set_back_keeps_the_day_and_is_noted() -> None:
    events = parse(paper("02:59:50 noise", "02:00:10 Al joined the game"))
    assert [(event.day, event.setback) for event in events] == [(0, Setback(0, 10790, 7210))]


def test_lines_some_seconds_out_of_order_are_no_step_of_the_clock() -> None:
    events = parse(paper("12:00:05 noise", "12:00:03 Al joined the game"))
    assert [(event.day, event.setback) for event in events] == [(0, None)]


def test_a_dated_line_shows_its_date_in_several_languages() -> None:
    stamps = [
        ("12Mar2026", "2026-03-12"),
        ("07nov.2024", "2024-11-07"),
        ("12mars2024", "2024-03-12"),
        ("05фев.2024", "2024-02-05"),  # noqa: RUF001 - as Java writes it in Russian
        ("31Xyz2024", None),
        ("31Feb2024", None),
    ]
    for stamp, date in stamps:
        (event,) = parse(f"[{stamp} 20:01:02.123] [Server thread/INFO] [net.minecraft.x/]: Al joined the game\n")
        assert (event.dated and event.dated.isoformat(), event.seconds) == (date, 72062)


@pytest.mark.parametrize(
    "prefix",
    [
        "[20:01:02] [Server thread/INFO]: ",
        "[20:01:02] [Chunk I/O Executor Thread-1/INFO]: ",
        "[20:01:02] [Region Scheduler Thread #0/INFO]: ",
        "[20:01:02] [Server thread/INFO] [net.minecraft.server.management.PlayerList]: ",
        "[20:01:02] [Server thread/INFO] []: ",
        "[12Mar2024 20:01:02.123] [Server thread/INFO] [net.minecraft.server.MinecraftServer/]: ",
        "[20:01:02] [Server thread/INFO] (Minecraft) ",
        "2024-03-12 20:01:02,123 INFO  [Server thread] n.m.s.d.DedicatedServer.m_6352_(656): ",
        "[2024/03/12 20:01:02] [Server thread/INFO]: ",
        "2013-08-01 20:01:02 [INFO] ",
        "2013-08-01 20:01:02 [INFO] [Minecraft-Server] ",
        "2019/02/16 20:01:02 [INFO] ",
        "[20:01:02 INFO]: ",
        "> [20:01:02 INFO]: ",
        "\x1b[33m[20:01:02 INFO]: \x1b[m",
        ">....\r[20:01:02 INFO]: ",
        "[20:01:02 INFO] [somelogger]: ".replace("somelogger", "net.minecraft.x"),
        "[20:01:02] [Server thread/WARN]:  ",
        "[20:01:02] [Server thread/INFO] [minecraft/DedicatedServer]: ",
        "[20:01:02] [Server thread/INFO] [ne.mi.se.pl.PlayerList/]: ",
        "[12mars2024 20:01:02.123] [Server thread/INFO] [net.minecraft.server.players.PlayerList/]: ",
        "[07нояб.2024 20:01:02.123] [Server thread/INFO] [net.minecraft.server.players.PlayerList/]: ",  # noqa: RUF001 - as Java writes it in Russian
        "[08:01:02 PM] [Server thread/INFO]: ",
        "[2024-03-12 8:01:02 pm] [Server thread/INFO]: ",
        "[08:01:02 PM INFO]: ",
        "2024-03-12T20:01:02Z [20:01:02] [Server thread/INFO]: ",
        "2024-03-12T20:01:02.123456789Z stdout F [20:01:02] [Server thread/INFO]: ",
        "minecraft-1  | [20:01:02 INFO]: ",
        "Mar 12 20:01:02 host java[123]: [20:01:02] [Server thread/INFO]: ",
        "2013-08-01 20:01:02 [INFO] [Minecraft] ",
        "2024-03-12 [20:01:02.123] [Server thread/INFO]: ",
        "2020-03-12 [20:01:02] [Server thread/INFO]: ",
        "2024-03-12 20:01:02.123 [main] INFO  - ",
        "[Tue, 12. Mar 2024 20:01:02 UTC INFO] ",
        "2024-03-12 20:01:02 | ",
    ],
)
def test_a_login_is_read_behind_every_prefix(prefix: str) -> None:
    (event,) = parse(prefix + login("", "Nora_7").strip() + "\r\n")
    assert (event.kind, event.player, event.seconds) == ("player_login", "Nora_7", 72062)
    assert event.detail is not None
    assert event.detail["address"] == "192.0.2.4"


@pytest.mark.parametrize(
    ("line", "dated"),
    [
        ("2024-03-12T20:01:02Z [20:01:02] [Server thread/INFO]: Al joined the game", "2024-03-12"),
        ("2024-03-12T23:01:02Z [01:01:02] [Server thread/INFO]: Al joined the game", "2024-03-13"),
        ("2024-03-12T01:01:02Z [20:01:02] [Server thread/INFO]: Al joined the game", "2024-03-11"),
    ],
)
def test_a_log_shippers_date_is_turned_to_the_zone_of_the_line(line: str, dated: str) -> None:
    (event,) = parse(line + "\n")
    assert event.dated is not None
    assert event.dated.isoformat() == dated


def test_a_line_of_fabrics_loader_beside_others_is_no_continuation() -> None:
    log = "[12:00:00] [main/INFO]: a\n[12:00:01] [Server thread/INFO] (Minecraft) Al joined the game\n"
    parser = LogParser()
    assert [event.kind for event in parser.feed(log.encode())] == ["player_join"]
    assert parser.counts.continuations == 0


@pytest.mark.parametrize(
    "level", ["INFO", "INFORMATION", "WARNUNG", "SCHWERWIEGEND", "AM FEINSTEN", "信息".encode("gbk").decode("latin-1")]
)
def test_levels_of_a_proxy_are_words_of_any_language_and_encoding(level: str) -> None:
    line = f"20:01:02 [{level}] [Al] <-> ServerConnector [lobby] has connected\n"
    events = parse(line.encode("latin-1"))
    assert [(event.kind, event.player) for event in events] == [("player_switch", "Al")]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("小明", "gbk"),
        ("你好世界", "gbk"),
        ("Вася", "cp1251"),
        ("Öztürk", "cp1252"),
        ("café", "latin-1"),
        ("小明", "utf-8"),
    ],
)
def test_a_name_in_an_old_encoding_is_read(name: str, encoding: str) -> None:
    (event,) = parse(paper(f"12:00:00 {name} joined the game").encode(encoding))
    assert event.player == name


def test_zero_bytes_before_a_line_are_cut() -> None:
    assert [event.player for event in parse(b"\x00\x00" + paper("12:00:00 Al joined the game").encode())] == ["Al"]
    assert [event.player for event in parse(paper("12:00:00 Al joined the game").encode("utf-16"))] == ["Al"]


# ---------- lines


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/192.0.2.4:50123", "192.0.2.4"),
        ("/[2001:db8:0:0:0:0:0:4]:50123", "2001:db8:0:0:0:0:0:4"),
        ("/[fe80:0:0:0:0:0:0:1%0]:50123", "fe80:0:0:0:0:0:0:1"),
        ("player.example.com/192.0.2.4:50123", "192.0.2.4"),
        ("/192.0.2.4:0", "192.0.2.4"),
        ("local:E:1a2b", None),
        ("IP hidden", None),
    ],
)
def test_a_login_shows_its_address_without_port(address: str, shown: str | None) -> None:
    event = only(f"Al[{address}] logged in with entity id 7 at (1.0, 2.0, 3.0)")
    assert event is not None
    assert event.detail is not None
    assert event.detail.get("address") == shown


@pytest.mark.parametrize(
    ("place", "world"),
    [
        ("at (1.5, 64.0, -3.25)", None),
        ("at ([world_nether]1.5, 64.0, -3.25)", "world_nether"),
        ("in world4(0) at (1.5, 64.0, -3.25)", "world4"),
        ("at (world, 1.5, 64.0, -3.25)", "world"),
    ],
)
def test_a_login_shows_where_in_each_softwares_way(place: str, world: str | None) -> None:
    event = only(f"Al[/192.0.2.4:1] logged in with entity id 7 {place}")
    assert event is not None
    assert event.detail is not None
    assert (event.detail.get("world"), event.detail["x"], event.detail["z"]) == (world, 1.5, -3.25)


@pytest.mark.parametrize("name", ["Al", "a", "12345", ".Bo_Ray", "Вася", "小明", "Big Al", "back\\slash", "x" * 40])
def test_a_name_is_whatever_stands_before_the_fixed_words(name: str) -> None:
    for line in (
        login("", name).strip(),
        f"{name} joined the game",
        f"{name} lost connection: Disconnected",
        f"{name} left the game",
        f"{name} issued server command: /home",
        f"UUID of player {name} is 3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f",
    ):
        event = only(line)
        assert event is not None, line
        assert event.player == name


def test_an_emote_is_no_departure() -> None:
    assert only("* Bo left the game") is None


def test_a_line_without_prefix_is_never_an_event() -> None:
    assert parse("[12:00:00] [Server thread/INFO]: noise\nSteve left the game\n") == []


def test_a_mods_own_logger_says_nothing_but_a_login() -> None:
    prefix = "[12:00:00] [Server thread/INFO] [com.example.bridge.Chat/]: "
    assert parse(f"{prefix}Steve left the game\n{prefix}<Steve> hi\n") == []
    assert [event.kind for event in parse(prefix + login("", "Al").strip() + "\n")] == ["player_login"]


def test_chat_and_command_text_is_kept_only_when_asked_for() -> None:
    log = paper("12:00:00 <Al> secret", "12:00:01 Al issued server command: /login secret")
    assert [event.detail for event in parse(log)] == [None, None]
    kept = [event.detail for event in parse(log, keep_text=True)]
    assert kept == [{"text": "secret"}, {"text": "/login secret"}]


def test_an_items_name_is_kept_only_when_asked_for() -> None:
    log = paper("12:00:00 Al was slain by Bo using [my words]")
    assert [event.detail for event in parse(log)] == [{"cause": "melee", "killer": "Bo"}]
    assert parse(log, keep_text=True)[0].detail == {"cause": "melee", "killer": "Bo", "item": "[my words]"}


@pytest.mark.parametrize(
    ("line", "cause", "killer"),
    [
        ("Al drowned whilst trying to escape Zombie", "drowning", "Zombie"),
        ("Al was shot by Skeleton", "arrow", "Skeleton"),
        ("Al was killed by [Intentional Game Design]", "intentional_game_design", None),
        ("Al was blown up by Creeper", "explosion", "Creeper"),
        ("Al didn't want to live in the same world as Bo", "void", "Bo"),
        ("Al left the confines of this world", "border", None),
        ("Al walked into fire while fighting Blaze", "fire", "Blaze"),
        ("Al fell off some twisting vines", "fall", None),
        ("Al was burned to a crisp while fighting Blaze", "fire", "Blaze"),
        ("Al went off with a bang due to a firework fired from Crossbow by Bo", "fireworks", "Bo"),
        ("Al died", "generic", None),
    ],
)
def test_a_death_has_cause_and_killer(line: str, cause: str, killer: str | None) -> None:
    event = only(line)
    assert event is not None
    assert event.kind == "player_death"
    assert event.player == "Al"
    assert event.detail == ({"cause": cause, "killer": killer} if killer else {"cause": cause})


@pytest.mark.parametrize(
    "line",
    [
        "Al was very brave",
        "Al moved too quickly! 1.0,2.0,3.0",
        "Thread died of boredom",
        "Done (1.2s)! Run /geyser help for help!",
        "There are 2 of a max of 20 players online: Al, Bo",
        "/192.0.2.8:40001 lost connection",
        "Al joined the game late",
    ],
)
def test_look_alikes_are_no_events(line: str) -> None:
    assert only(line) is None


@pytest.mark.parametrize(
    ("line", "player", "reason"),
    [
        ("/192.0.2.8:40001 lost connection: Disconnected", None, "Disconnected"),
        ("Al (/192.0.2.8:40001) lost connection: Timed out", "Al", "Timed out"),
        ("Disconnecting Al (/192.0.2.8:40001): The server is full!", "Al", "The server is full!"),
        (
            (
                "com.mojang.authlib.GameProfile@1a2b[id=<null>,name=Al,properties={},legacy=false] (/192.0.2.8:40001)"
                " lost connection: Failed to verify username!"
            ),
            "Al",
            "Failed to verify username!",
        ),
    ],
)
def test_an_attempt_that_never_entered_is_a_refusal(line: str, player: str | None, reason: str) -> None:
    event = only(line)
    assert event is not None
    assert event.detail is not None
    assert (event.kind, event.player, event.detail["reason"]) == ("login_refused", player, reason)


def test_no_reason_shows_an_address() -> None:
    for reason in (
        "Connection reset by peer: /192.0.2.4:50123",
        "refused: [2001:db8:0:0:0:0:0:4]:50123",
        "fe80::1:2:3",
    ):
        event = only(f"Al lost connection: {reason}")
        assert event is not None
        assert event.detail is not None
        text = str(event.detail["reason"])
        assert "[address]" in text
        assert not any(piece in text for piece in ("192.0.2.4", "db8", "fe80"))


def test_bytes_that_are_no_utf_8_never_fail_a_file() -> None:
    names = [event.player for event in parse(DIRTY)]
    assert names == [None, "Al", "café", "Bo", "Cleo"]


def test_every_golden_log_is_a_server_log() -> None:
    assert [classify(log) for log in [*LOGS, DIRTY]] == [None] * (len(LOGS) + 1)

"""Forms that few logs have, each seen in a real one: other names, layouts, months, and departures without a line."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from pteroassets.sources.minecraft.history import PlayerSession
from pteroassets.sources.minecraft.intake import classify
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.months import read_date
from pteroassets.sources.minecraft.reasons import close_reason, is_refusal, plain_reason
from pteroassets.sources.minecraft.sessions import build_sessions
from pteroassets.sources.minecraft.text import decode
from tests.sources.minecraft.writing import file_of, parse

LOGIN = "[/192.0.2.4:50123] logged in with entity id 41 at ([world]1.5, 64.0, -3.25)"


def log(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def sessions(*lines: str) -> list[PlayerSession]:
    return list(build_sessions([file_of(log(*lines))]).sessions)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("018月2022", date(2022, 8, 1)),
        ("1211월2021", date(2021, 11, 12)),
        ("16thg 82025", date(2025, 8, 16)),
        ("12Mar2024", date(2024, 3, 12)),
        ("2016-7-22", date(2016, 7, 22)),
    ],
)
def test_a_date_is_read_as_the_machines_language_writes_it(text: str, day: date) -> None:
    assert read_date(text) == day


@pytest.mark.parametrize(
    "prefix",
    [
        "[018月2022 20:01:02.123] [Server thread/INFO] [net.minecraft.server.MinecraftServer/]: ",
        "28.08 20:01:02 [Server] Server thread/INFO ",
        "[Server] [20:01:02 INFO]: ",
        "2025-08-16T01:28:41+0000 host java[812]: [20:01:02] [Server thread/INFO]: ",
        "Aug 16 01:28:41 [20:01:02] [Server thread/INFO]: ",
        "[pod/mc-0/minecraft] [20:01:02] [Server thread/INFO]: ",
        "20:01:02 [INFO] ",
    ],
)
def test_a_line_is_read_behind_whatever_stands_before_it(prefix: str) -> None:
    lines = [prefix + "Starting minecraft server version 1.6.4", prefix + "Al" + LOGIN]
    assert classify(log(*lines)) is None
    assert [event.kind for event in parse(log(*lines))] == ["server_start", "player_login"]


def test_a_star_before_a_name_is_of_the_name_and_with_a_space_it_is_not() -> None:
    prefix = "[20:01:02] [Server thread/INFO]: "
    events = parse(
        log(prefix + "*Gamma391" + LOGIN, prefix + "* Gamma391 left the game", prefix + "*Gamma391 left the game")
    )
    assert [(event.kind, event.player) for event in events] == [
        ("player_login", "*Gamma391"),
        ("player_leave", "*Gamma391"),
    ]


@pytest.mark.parametrize(
    "who", ["IP hidden", "Pella_3 (IP hidden)", "Q (8b2a7c1d-0000-4000-8000-0123456789ab)", "Q (/192.0.2.8:40001)"]
)
def test_a_hidden_address_makes_no_player_of_who_knocked(who: str) -> None:
    assert sessions(f"[20:01:02] [Server thread/INFO]: {who} lost connection: Disconnected") == []


@pytest.mark.parametrize(
    "peer", ["[Al]", "[Al|/192.0.2.4:1]", "[/[0:0:0:0:0:0:0:1%0]:51486|Al]", "[Al|/[2001:db8:0:0:0:0:0:4]:51486]"]
)
def test_a_proxys_peer_is_known_with_any_address(peer: str) -> None:
    prefix = "[20:01:02] [Netty Worker IO Thread #0/INFO]: "
    events = parse(
        log(
            f"{prefix}{peer} <-> ServerConnector [lobby] has connected",
            f"{prefix}{peer} -> UpstreamBridge has disconnected",
        )
    )
    assert [(event.kind, event.player) for event in events] == [
        ("player_switch", "Al"),
        ("player_lost_connection", "Al"),
    ]


def test_a_connect_that_failed_is_no_session() -> None:
    prefix = "20:01:0"
    found = sessions(
        f"{prefix}0 [INFO] Enabled BungeeCord version git:BungeeCord-Bootstrap:1.20:1:1",
        f"{prefix}1 [INFO] [Al] <-> ServerConnector [lobby] has connected",
        f"{prefix}2 [INFO] [Al] disconnected with: Kicked whilst connecting to lobby: You are not white-listed",
        f"{prefix}2 [INFO] [Al] -> UpstreamBridge has disconnected",
        f"{prefix}3 [INFO] [Bo] <-> ServerConnector [lobby] has connected",
        f"{prefix}4 [INFO] [Bo] -> UpstreamBridge has disconnected",
    )
    assert [session.player_name for session in found] == ["Bo"]


@pytest.mark.parametrize(
    "last", ["20:09:00 [INFO] Al" + LOGIN, "20:09:00 [INFO] Stopping server", "20:09:00 [INFO] Saving chunks"]
)
def test_a_kick_that_no_departure_follows_ends_the_session_at_its_line(last: str) -> None:
    found = sessions(
        "20:00:00 [INFO] Starting minecraft server version 1.5.2",
        "20:01:00 [INFO] Al" + LOGIN,
        "20:05:00 [INFO] [Op: Kicked Al from the game: 'spam']",
        last,
    )
    assert (found[0].close_reason, found[0].leave_line_number, found[0].close_detail) == ("kicked", 3, "spam")


def test_who_speaks_after_a_kick_line_was_not_kicked() -> None:
    found = sessions(
        "20:00:00 [INFO] Starting minecraft server version 1.5.2",
        "20:01:00 [INFO] Al" + LOGIN,
        "20:05:00 [INFO] [Op: Kicked Al from the game: 'spam']",
        "20:06:00 [INFO] <Al> still here",
        "20:09:00 [INFO] Stopping server",
    )
    assert [session.close_reason for session in found] == ["server_stopped"]


def test_a_crash_line_that_ended_nothing_is_forgotten_when_somebody_leaves_much_later() -> None:
    prefix = "[Server thread/INFO]: "
    found = sessions(
        f"[20:00:00] {prefix}Starting minecraft server version 1.20.1",
        f"[20:01:00] {prefix}Al{LOGIN}",
        f"[20:02:00] {prefix}Preparing crash report with UUID 8b2a7c1d-0000-4000-8000-0123456789ab",
        f"[20:32:00] {prefix}Al lost connection: Disconnected",
    )
    assert [session.close_reason for session in found] == ["left"]


@pytest.mark.parametrize(
    ("line", "player"),
    [
        ("[NetworkSession: Al] Session closed due to client disconnect", "Al"),
        ("Al[/192.0.2.4:50123] logged out due to client disconnect", "Al"),
    ],
)
def test_pocketmine_tells_a_departure_in_two_ways(line: str, player: str) -> None:
    (event,) = parse(log(f"2024-03-12 [20:01:02.123] [Server thread/INFO]: {line}"))
    assert (event.kind, event.player) == ("player_lost_connection", player)


@pytest.mark.parametrize(
    "line",
    [
        "2020-09-08 20:57:01 Server|INFO - Al[/192.0.2.4:5] logged in with entity id 1 at (world, 1.5, 64, 3.2)",
        "2020-09-08 20:57:01 Server|INFO > Al[/192.0.2.4:5] logged in with entity id 1 at (world, 1.5, 64, 3.2)",
        "2016-7-22 20:33:58 [INFO] Al[/192.0.2.4:5] logged in with entity id 1 at (world, 1.5, 64, 3.2)",
        "20:33:58 [INFO] Al[/192.0.2.4:5] logged in with entity id 1 at (world, 1.5, 64, 3.2)",
        "2024-03-12 [20:01:02] [a/INFO]: Al[/192.0.2.4:5] [ClientID: 7] logged in with entity id 1 at (world, 1, 2, 3)",
    ],
)
def test_pocketmine_and_its_forks_tell_an_entry_in_several_layouts(line: str) -> None:
    (event,) = parse(log(line))
    assert (event.kind, event.player) == ("player_login", "Al")
    assert event.detail is not None
    assert event.detail["world"] == "world"


def test_bedrock_without_a_log_file_says_so_before_each_line() -> None:
    events = parse(
        log(
            "NO LOG FILE! - [2024-03-12 20:01:02 INFO] Starting Server",
            "NO LOG FILE! - [2024-03-12 20:02:02 INFO] Player connected: Nora Seven, xuid: 2535400000000001",
        )
    )
    assert Counter(event.kind for event in events) == {"server_start": 1, "player_login": 1}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("disconnect.overflow", "left"),
        ("连接超时", "timed_out"),
        ("已断开连接", "left"),
        ("Server shutting down", "server_stopped"),
        ("io.netty.channel.ConnectTimeoutException", "timed_out"),
        ("Your connection to lobby encountered a problem.", "left"),
        ("Disconnected from Server", "left"),
        ("Be nice", "kicked"),
    ],
)
def test_a_reason_is_a_kicks_only_where_it_is_nobody_elses_word(reason: str, expected: str) -> None:
    assert close_reason(reason) == expected


@pytest.mark.parametrize(
    "reason", ["Incompatible protocol (419)", "disconnectionScreen.outdatedClient", "Login timeout"]
)
def test_what_is_said_to_who_never_entered_shows_nobody(reason: str) -> None:
    assert is_refusal(reason)


def test_the_text_of_a_wrapped_reason_may_stand_in_its_parts() -> None:
    parts = "TextComponent{text='You have ', siblings=[]}, TextComponent{text='been kicked', siblings=[]}"
    wrapped = "TextComponent{text='', siblings=[" + parts + "]}"
    assert plain_reason(wrapped) == "You have been kicked"
    assert plain_reason("StringTextComponent{text='Disconnected', siblings=[]}") == "Disconnected"


def test_a_section_sign_alone_tells_gbk() -> None:
    assert decode(b"disconnected with: \xa1\xecfTimed out") == "disconnected with: §fTimed out"


def test_a_server_ready_after_nanoseconds_is_ready() -> None:
    parser = LogParser()
    line = '2012-08-01 20:01:02 [INFO] Done (5067462000ns)! For help, type "help" or "?"'
    assert [event.kind for event in parser.feed(log(line)) + parser.finish()] == ["server_ready"]


@pytest.mark.parametrize(
    ("lines", "version", "software"),
    [
        (
            ["2015-10-06 [08:30:01] [Server thread/INFO]: Starte Minecraft: PE-Serverversion v0.12.1 alpha"],
            *("0.12.1", "PocketMine-MP"),
        ),
        (
            [
                "2025-12-02 20:25:06 [main] INFO - Iniciando Servidor de Minecraft: BE, versão §bv1.21.124§r",
                "2025-12-02 20:25:06 [main] INFO - Este servidor está rodando PowerNukkitX versão §e2.0§r (API 2)",
            ],
            *("1.21.124", "PowerNukkitX"),
        ),
        (
            [
                "2016-9-15 00:12:02 [INFO] Loading nukkit.yml...",
                "2016-9-15 00:12:02 [INFO] Minecraft: PE 서버 버전 v0.15.6 alpha 시작 중",
                '2016-9-15 00:12:02 [INFO] 이 서버는 Nukkit 에서 버전 1.0dev "x" 으로 열립니다 (API 1.0.0)',
            ],
            *("0.15.6", "Nukkit"),
        ),
    ],
)
def test_a_start_is_read_in_the_servers_language(lines: list[str], version: str, software: str) -> None:
    parser = LogParser()
    events = parser.feed(log(*lines))
    assert "server_start" in {event.kind for event in events}
    assert (parser.game_version, parser.software) == (version, software)


def test_pocketmine_tells_entry_and_departure_in_german() -> None:
    prefix = "2015-10-06 [08:30:35] [Server thread/INFO]: Al[/192.0.2.34:63106] loggte sich "
    entry, departure = parse(
        log(f"{prefix}mit Entity ID 1 bei (hub, 129, 32, 128) ein", f'{prefix}wegen "client disconnect" aus')
    )
    assert entry.kind == "player_login"
    assert entry.detail is not None
    assert (entry.detail["world"], entry.detail["x"]) == ("hub", 129.0)
    assert (departure.kind, departure.detail) == ("player_lost_connection", {"reason": "client disconnect"})

"""What each kind of message says, in the words of each server program."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from pteroassets.sources.minecraft.events import LogEvent, ParserState
from pteroassets.sources.minecraft.log import LogParser
from tests.sources.minecraft.writing import paper, parse

JAVA = "[12:00:00] [Server thread/INFO]: "
BUNGEE = "12:00:00 [INFO] "
VELOCITY = "[12:00:00] [Netty epoll Worker #1/INFO] [com.velocitypowered.proxy.connection.client.ConnectedPlayer]: "
WATERFALL = "[12:00:00] [Netty Worker IO Thread #0/INFO]: "
BEDROCK = "[2024-03-12 12:00:00:123 INFO] "
POCKETMINE = "2024-03-12 [12:00:00.123] [Server thread/INFO]: "
NUKKIT = "2024-03-12 12:00:00.123 [main] INFO  - "
ID = "3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f"


def only(line: str) -> LogEvent | None:
    events = parse(f"{line}\n")
    assert len(events) <= 1
    return events[0] if events else None


@pytest.mark.parametrize(
    ("line", "kind", "player", "detail"),
    [
        # ---------- runs
        (JAVA + "Starting minecraft server version 20w17a", "server_start", None, {"game_version": "20w17a"}),
        (BEDROCK + "Starting Server", "server_start", None, None),
        (POCKETMINE + "Starting Minecraft: PE server version v1.1.5", "server_start", None, {"game_version": "1.1.5"}),
        (
            NUKKIT + "§bStarting Minecraft: BE server version v1.20.60",
            "server_start",
            None,
            {"game_version": "1.20.60"},
        ),
        (BUNGEE + "Enabled BungeeCord version git:a:1.20", "server_start", None, {"software": "BungeeCord"}),
        (
            "[12:00:00] [main/INFO]: Enabled Waterfall version git:Waterfall-Bootstrap:1.20",
            *("server_start", None, {"software": "Waterfall"}),
        ),
        (
            "[12:00:00] [main/INFO]: Booting up Velocity 3.3.0-SNAPSHOT (git-1a2b3c4d)...",
            *("server_start", None, {"software": "Velocity"}),
        ),
        (JAVA + 'Done (12,345s)! For help, type "help" or "?"', "server_ready", None, {"startup_seconds": 12.345}),
        (
            VELOCITY.replace("connection.client.ConnectedPlayer", "Velocity") + "Done (3.82s)!",
            *("server_ready", None, {"startup_seconds": 3.82, "software": "Velocity"}),
        ),
        (BEDROCK + "Server started.", "server_ready", None, {"software": "Bedrock Dedicated Server"}),
        (BUNGEE + "Listening on /0.0.0.0:25565", "server_ready", None, {"software": "BungeeCord"}),
        (JAVA + "[Rcon: Stopping the server]", "server_stop", None, None),
        (BUNGEE + "Closing listener [id: 0x1, L:/0.0.0.0:1]", "server_stop", None, None),
        (BEDROCK + "Server stop requested.", "server_stop", None, None),
        (POCKETMINE + "Stopping other threads", "server_stop", None, None),
        (
            JAVA + "Can't keep up! Is the server overloaded? Running 2345ms or 46 ticks behind",
            *("server_overload", None, {"behind_milliseconds": 2345, "ticks": 46}),
        ),
        (
            JAVA
            + "Can't keep up! Did the system time change, or is the server overloaded? Running 2345ms behind,"
            + " skipping 46 tick(s)",
            *("server_overload", None, {"behind_milliseconds": 2345, "ticks": 46}),
        ),
        (JAVA + "Can't keep up! Is the server overloaded?", "server_overload", None, None),
        (
            POCKETMINE + "An unrecoverable error has occurred and the server has crashed. Creating a crash dump",
            *("server_crash", None, {"cause": "crash_report"}),
        ),
        # ---------- entering and leaving
        (
            BEDROCK + "Player disconnected: Nora Seven, xuid: 2535400000000001, pfid: 1a2b",
            *("player_lost_connection", "Nora Seven", None),
        ),
        (
            NUKKIT + "§bNora§f[/192.0.2.4:1] logged out due to timeout",
            *("player_lost_connection", "Nora", {"reason": "timeout"}),
        ),
        (
            VELOCITY + "[connected player] Nora_7 (/192.0.2.4:1) has disconnected: Timed out",
            *("player_lost_connection", "Nora_7", {"reason": "Timed out"}),
        ),
        (
            VELOCITY + "[connected player] Nora_7 (/192.0.2.4:1): kicked from server lobby: Spam",
            *("player_kick", "Nora_7", {"reason": "Spam"}),
        ),
        (VELOCITY + " [server connection] Al -> lobby has connected", "player_switch", "Al", {"server": "lobby"}),
        (
            VELOCITY + "[connected player] Al (/192.0.2.4:1) -> executed command /x",
            *("player_command", "Al", None),
        ),
        (WATERFALL + "[Al] <-> ServerConnector [lobby] has connected", "player_switch", "Al", {"server": "lobby"}),
        (BUNGEE + "[Al] <-> InitialHandler has connected", "player_arrival", "Al", None),
        (WATERFALL + "[/192.0.2.4:1|Al] <-> InitialHandler has connected", "player_arrival", "Al", None),
        (VELOCITY + "[connected player] Al (/192.0.2.4:1) has connected", "player_arrival", "Al", None),
        (
            BUNGEE + "[Al] <-> ServerConnector [lobby] has disconnected",
            *("player_switch_failed", "Al", {"server": "lobby", "reached": 1}),
        ),
        (
            VELOCITY + "[connected player] Al (/192.0.2.4:1): unable to connect to server lobby",
            *("player_switch_failed", "Al", {"server": "lobby"}),
        ),
        (
            VELOCITY + "[connected player] Al (/192.0.2.4:1): disconnected while connecting to lobby: Full",
            *("player_switch_failed", "Al", {"server": "lobby"}),
        ),
        (BUNGEE + "[Al|/192.0.2.4:1] <-> ServerConnector [a] has connected", "player_switch", "Al", {"server": "a"}),
        (BUNGEE + "[Al] -> UpstreamBridge has disconnected", "player_lost_connection", "Al", None),
        (
            BUNGEE + "[Al] -> UpstreamBridge - read timed out",
            *("player_lost_connection", "Al", {"reason": "read timed out"}),
        ),
        (BUNGEE + "[Al] disconnected with: Bye", "player_kick", "Al", {"reason": "Bye"}),
        (BUNGEE + "[Al] executed command: /x", "player_command", "Al", None),
        (JAVA + "Al has left the game", "player_leave", "Al", None),
        (JAVA + "§a[§6VIP§a] Al left the game", "player_leave", "Al", None),
        (JAVA + "Al (formerly known as Alma) joined the game", "player_join", "Al", {"formerly": "Alma"}),
        (JAVA + "Kicked Al from the game: 'Spam'", "player_kick", "Al", {"reason": "Spam"}),
        (JAVA + "[Bo: Kicked Al: Spam]", "player_kick", "Al", {"reason": "Spam"}),
        (JAVA + "Al was kicked for floating too long!", "player_kick", "Al", {"reason": "floating too long"}),
        # ---------- in other languages
        (JAVA + "玩家 小明 加入了游戏~", "player_join", "小明", None),
        (JAVA + "小明加入了游戏", "player_join", "小明", None),
        (JAVA + "玩家 Al 退出了游戏~", "player_leave", "Al", None),
        (JAVA + "« Al 離開遊戲", "player_leave", "Al", None),
        (JAVA + "Al 与服务器失去连接: 连接超时", "player_lost_connection", "Al", {"reason": "连接超时"}),
        (JAVA + "Al 使用了指令: /x", "player_command", "Al", None),
        (JAVA + "Al выполнил команду: /x", "player_command", "Al", None),
        (JAVA + "Al masuk ke permainan", "player_join", "Al", None),
        (JAVA + "Al keluar dari permainan", "player_leave", "Al", None),
        (JAVA + "Al がゲームに参加しました", "player_join", "Al", None),
        # ---------- activity
        (
            JAVA + "Al has completed the challenge [X]",
            *("player_advancement", "Al"),
            {"advancement": "X", "type": "challenge"},
        ),
        (JAVA + "Al has reached the goal [X]", "player_advancement", "Al", {"advancement": "X", "type": "goal"}),
        (
            JAVA + "Al has just earned the achievement [X]",
            *("player_advancement", "Al", {"advancement": "X", "type": "achievement"}),
        ),
        (
            JAVA + "Duke of Dirt was slain by Zombie",
            "player_death",
            "Duke of Dirt",
            {"cause": "melee", "killer": "Zombie"},
        ),
        (
            JAVA
            + "Actually, the message was too long to deliver fully. Sorry! Here's a stripped version: "
            + "Al was slain by Bo",
            *("player_death", "Al", {"cause": "melee", "killer": "Bo"}),
        ),
        *(
            (JAVA + f"Al[{shown}] logged in with entity id 7 at (Nowhere)", "player_login", "Al", detail)
            for shown, detail in (
                ("/192.0.2.4:50123", {"entity_id": 7, "address": "192.0.2.4"}),
                ("host.example/192.0.2.4:50123", {"entity_id": 7, "address": "192.0.2.4"}),
                ("/[2001:db8::4%eth0]:50123", {"entity_id": 7, "address": "2001:db8::4"}),
                ("/2001:db8:0:0:0:0:0:4:50123", {"entity_id": 7, "address": "2001:db8:0:0:0:0:0:4"}),
                ("/١٩٢.0.2.4:50123", {"entity_id": 7}),  # digits, but not of an address
            )
        ),
    ],
)
def test_a_message_is_read(line: str, kind: str, player: str | None, detail: dict[str, object] | None) -> None:
    event = only(line)
    assert event is not None
    assert (event.kind, event.player, event.detail) == (kind, player, detail)


def test_a_bedrock_player_has_the_uuid_of_the_account_number() -> None:
    event = only(BEDROCK + "Player connected: Nora Seven, xuid: 2535400000000001")
    assert event is not None
    assert (event.kind, event.player) == ("player_login", "Nora Seven")
    assert event.player_uuid == UUID(int=2535400000000001)
    without = only(BEDROCK + "Player connected: Bo, xuid: ")
    assert without is not None
    assert without.player_uuid is None


def test_a_translated_uuid_line_is_read() -> None:
    event = only(JAVA + f"玩家 Al 的通用唯一标识符(UUID)是 {ID}")
    assert event is not None
    assert (event.kind, event.player, event.player_uuid) == ("player_uuid", "Al", UUID(ID))


def test_glowstone_says_in_its_own_words_who_entered_and_left() -> None:
    brand = "2019/02/16 12:00:00 [INFO] This server is running Glowstone version 2018.9 (MC: 1.12.2)\n"
    line = "2019/02/16 12:00:01 [INFO] Al [/192.0.2.4:1]"
    events = parse(f"{brand}{line} connected, UUID: {ID}\n{line} lost connection\n")
    assert [event.kind for event in events] == ["server_software", "player_login", "player_lost_connection"]
    # of other programs the same line is a login that failed
    assert [event.kind for event in parse(f"{line} lost connection\n")] == ["login_refused"]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("You are banned from this server.", "banned"),
        ("You are not white-listed on this server!", "not_whitelisted"),
        ("The server is full!", "full"),
        ("Outdated client! Please use 1.21.4", "version"),
        ("Failed to verify username!", "verification"),
        ("Authentication servers are down. Please try again later, sorry!", "verification"),
        ("Took too long to log in", "timed_out"),
        ("You must wait 2 seconds before logging-in again.", "throttled"),
        ("Server is still starting! Please wait before reconnecting.", "starting"),
        ("This server requires you to connect with Velocity.", "forwarding"),
        ("Go away", "other"),
    ],
)
def test_a_refusal_has_a_cause(reason: str, cause: str) -> None:
    for who in (
        "Al (/192.0.2.8:40001)",
        f"com.mojang.authlib.GameProfile@1a[id={ID},name=Al,properties={{}},legacy=false] (/192.0.2.8:40001)",
        f"GameProfile[id={ID}, name=Al, properties={{}}] (/192.0.2.8:40001)",
    ):
        for line in (f"Disconnecting {who}: {reason}", f"{who} lost connection: {reason}"):
            event = only(JAVA + line)
            assert event is not None
            assert (event.kind, event.player) == ("login_refused", "Al")
            assert event.detail == {"reason": reason, "cause": cause}


def test_a_mod_list_refused_never_entered() -> None:
    for line in ("Al lost connection: Server Mod rejections:", "Disconnecting Al due to sync failure of x registry"):
        event = only(JAVA + line)
        assert event is not None
        assert (event.kind, event.player) == ("login_refused", "Al")
        assert event.detail is not None
        assert event.detail["cause"] == "mods"


# ---------- what the next lines say


def test_a_crash_names_what_was_thrown_first_of_all() -> None:
    log = paper("12:00:00 Encountered an unexpected exception") + (
        "net.minecraft.ReportedException: Ticking entity\n\tat a.b.C.d(C.java:1)\n"
        "Caused by: java.lang.NullPointerException: x is null\n\t... 9 more\n"
    )
    for text in (log, log + paper("12:00:01 Stopping server")):
        assert parse(text)[0].detail == {"cause": "exception", "exception": "java.lang.NullPointerException"}


def test_a_crash_waits_for_its_trace_however_blocks_are_cut() -> None:
    log = paper("12:00:00 Encountered an unexpected exception").encode() + b"java.lang.Error: a\n"
    parser = LogParser()
    assert parser.feed(log) == []
    assert parser.state.bytes_consumed == 0
    (event,) = parser.feed(paper("12:00:01 noise").encode())
    assert event.detail == {"cause": "exception", "exception": "java.lang.Error"}


def test_a_reason_goes_on_in_the_next_line() -> None:
    log = paper("12:00:00 Al lost connection: You are banned from this server.") + "Reason: griefing\n"
    (event,) = parse(log + paper("12:00:01 noise"))
    assert event.detail == {"reason": "You are banned from this server. Reason: griefing"}


# ---------- which program, which day


@pytest.mark.parametrize(
    ("lines", "software", "version"),
    [
        (
            [JAVA + "Starting minecraft server version 1.21.4", JAVA + 'Done (1.0s)! For help, type "help"'],
            "Vanilla",
            "1.21.4",
        ),
        ([JAVA + "This server is running Paper version 1.21.4-1 (MC: 1.21.4) (x)"], "Paper", "1.21.4"),
        ([JAVA + "This server is running CraftBukkit version git-Spigot-1a-2b (MC: 1.12.2)"], "Spigot", "1.12.2"),
        ([JAVA + "This server is running CraftBukkit version git-Bukkit-1a (MC: 1.8.8)"], "CraftBukkit", "1.8.8"),
        ([JAVA + "[bootstrap] Loading Folia 1.20.4-21 (2024) for Minecraft 1.20.4"], "Folia", "1.20.4"),
        ([JAVA + "Loading Minecraft 1.21 with Fabric Loader 0.16.0"], "Fabric", "1.21"),
        ([JAVA + "Loading Minecraft 1.20.1 with Quilt Loader 0.19.2"], "Quilt", "1.20.1"),
        ([JAVA + "NeoForge mod loading, version 21.1.66, for MC 1.21.1"], "NeoForge", "1.21.1"),
        (
            [
                JAVA + "This server is running Arclight version arclight-1.20.1-1.0.6 (MC: 1.20.1)",
                JAVA + "Forge mod loading, version 47.3.22, for MC 1.20.1 with MCP 1",
            ],
            *("Arclight", "1.20.1"),
        ),
        (["2024-03-12 12:00:00,123 INFO  [main] n.m.s.Main: x"], "Mohist", None),
        (
            ["2013-08-01 12:00:00 [INFO] [ForgeModLoader] Forge Mod Loader version 7.8 for Minecraft 1.5.2"],
            "Forge",
            "1.5.2",
        ),
        ([POCKETMINE + "This server is running PocketMine-MP 5.4.0"], "PocketMine-MP", None),
        ([NUKKIT + "This server is running Nukkit version git-1a (API 1.0)"], "Nukkit", None),
        ([BEDROCK + "Version 1.21.2.02"], "Bedrock Dedicated Server", "1.21.2.02"),
        (["[12:00:00.123 main/INFO] x"], "Geyser", None),
        ([VELOCITY + "[connected player] Al (/192.0.2.4:1) has disconnected"], "Velocity", None),
        ([WATERFALL + "[Al] -> UpstreamBridge has disconnected"], "Waterfall", None),
        ([JAVA + "noise"], None, None),
        # loaders of mods show loggers
        (
            [
                "[12:00:00] [Server thread/INFO] [minecraft/DedicatedServer]: Starting minecraft server version 1.12.2",
                "[12:00:00] [Server thread/INFO] [minecraft/DedicatedServer]: Done (4.8s)! For help, type ?",
            ],
            *(None, "1.12.2"),
        ),
        ([POCKETMINE + "Al joined the game"], "PocketMine-MP", None),
        ([NUKKIT + "noise"], None, None),  # WaterdogPE writes the same layout
        ([NUKKIT + "Al joined the game"], "Nukkit", None),
        ([NUKKIT + "[/192.0.2.4:5|Al] -> Downstream [lobby] has connected"], "WaterdogPE", None),
        (["08:20:23 [INFO ] [/192.0.2.4:5|Al] <-> Upstream has connected (protocol=819)"], "WaterdogPE", None),
        ([NUKKIT + "[Al] -> Upstream has disconnected"], None, None),  # as /say writes it
    ],
)
def test_software_and_version_are_recognised(lines: list[str], software: str | None, version: str | None) -> None:
    parser = LogParser()
    parser.feed("".join(f"{line}\n" for line in lines).encode())
    assert (parser.software, parser.game_version) == (software, version)
    assert parser.state.software == software


def test_a_crash_reports_name_dates_the_first_line() -> None:
    parser = LogParser()
    saved = "This crash report has been saved to: /srv/crash-reports/crash-2026-03-12_23.59.58-server.txt"
    parser.feed(paper("22:00:00 a", "00:10:00 b", "23:59:59 c", f"00:00:01 {saved}").encode())
    # the report was written on the second day, the line that names it on the third
    assert parser.state.last is not None
    assert parser.state.last.day == 2
    assert (parser.state.first_date, parser.state.first_date_source) == (date(2026, 3, 11), "crash_report")
    assert ParserState.from_json(parser.state.to_json()) == parser.state


def test_a_dated_line_dates_the_first_line_before_any_report() -> None:
    parser = LogParser()
    parser.feed(b"[12Mar2024 20:01:02.123] [Server thread/INFO] [net.minecraft.x/]: a\n")
    assert (parser.state.first_date, parser.state.first_date_source) == (date(2024, 3, 12), "line")
    undated = LogParser()
    undated.feed(paper("12:00:00 a").encode())
    assert (undated.state.first_date, undated.state.first_date_source) == (None, None)


def test_lines_without_a_time_give_events_without_one() -> None:
    parser = LogParser()
    log = "[2021-07-01 20:00:00 INFO] Starting Server\n[INFO] Player connected: Al, xuid: 1\n"
    events = parser.feed(log.encode())
    assert [(event.seconds, event.stamp is None) for event in events] == [(72000, False), (None, True)]
    assert not parser.state.has_times
    assert parser.state.first == parser.state.last == events[0].stamp


def test_unknown_lines_are_handed_over_one_by_one() -> None:
    unknown: list[bytes] = []
    parser = LogParser(note_unknown=unknown.append)
    parser.feed(
        paper("12:00:00 what is this", "12:00:01 Al joined the game", "12:00:02 [Plugin] x", "12:00:03 y").encode()
    )
    assert unknown == [b"what is this", b"y"]
    assert parser.counts.unknown == 2

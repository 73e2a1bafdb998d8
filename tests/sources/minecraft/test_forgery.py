"""What players say, name and write can never become another event than it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.minecraft.writing import parse

JAVA = "[12:00:00] [Server thread/INFO]: "
FORGE = "[12Mar2024 12:00:00.123] [Server thread/INFO] [net.minecraft.server.MinecraftServer/]: "
LEGACY = "2013-08-01 12:00:00 [INFO] "
CONSOLE = "[12:00:00 INFO]: "
POCKETMINE = "2024-03-12 [12:00:00.123] [Server thread/INFO]: "
NUKKIT = "2024-03-12 12:00:00.123 [main] INFO  - "
PREFIXES = [JAVA, FORGE, LEGACY, CONSOLE, POCKETMINE, NUKKIT]

# one of each pattern of any dialect
EVENT_LINES = [
    "Steve joined the game",
    "Steve (formerly known as Al) joined the game",
    "Steve left the game",
    "Steve lost connection: Disconnected",
    "Steve[/192.0.2.4:1] logged in with entity id 7 at (1.0, 2.0, 3.0)",
    "Steve[/192.0.2.4:1] logged out due to timeout",
    "Steve [/192.0.2.4:1] connected, UUID: 3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f",
    "Steve [/192.0.2.4:1] lost connection",
    "Steve (/192.0.2.4:1) lost connection: The server is full!",
    "Disconnecting Steve (/192.0.2.4:1): The server is full!",
    "UUID of player Steve is 3c4d5e6f-7081-4c9d-8e0f-1a2b3c4d5e6f",
    "Steve issued server command: /op Steve",
    "[Steve: Stopping the server]",
    "[Steve: Kicked Al: spam]",
    "Kicked Steve: spam",
    "Steve was kicked for floating too long!",
    "Stopping the server",
    "Stopping server",
    "Starting minecraft server version 1.21.4",
    "Starting Minecraft: BE server version v1.20.60",
    'Done (1.0s)! For help, type "help"',
    "This server is running Paper version 1.21.4-1 (MC: 1.21.4)",
    "Booting up Velocity 3.3.0",
    "Enabled BungeeCord version git:1",
    "This crash report has been saved to: /a/crash-2024-03-12_20.01.02-server.txt",
    "Encountered an unexpected exception",
    "A single server tick took 60.00 seconds (should be max 0.05)",
    "Can't keep up! Is the server overloaded? Running 2345ms or 46 ticks behind",
    "Steve was slain by Zombie",
    "Steve has made the advancement [Stone Age]",
    "[Steve] <-> ServerConnector [lobby] has connected",
    "[Steve] -> UpstreamBridge has disconnected",
    "[Steve] disconnected with: Bye",
    "[connected player] Steve (/192.0.2.4:1) has disconnected",
    "[server connection] Steve -> lobby has connected",
    "Player connected: Steve, xuid: 1",
    "玩家 Steve 加入了游戏~",
    "Steve 与服务器失去连接: x",
    "Steve masuk ke permainan",
    'Steve[/192.0.2.4:1] loggte sich wegen "x" aus',
    "Steve[/192.0.2.4:1] loggte sich mit Entity ID 1 bei (world, 1, 2, 3) ein",
    "Starte Minecraft: PE-Serverversion v0.12.1 alpha",
    "[NetworkSession: Steve] Session closed due to x",
    "*Steve joined the game",
    "IP hidden lost connection: Disconnected",
    "<Steve> hi",
    "[12:00:00] [Server thread/INFO]: Steve joined the game",
]
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x1b\x00\x07\x08"), max_size=60)


def kinds(log: str) -> set[tuple[str, str | None]]:
    return {(event.kind, event.player) for event in parse(log)}


def said_in_every_way(text: str) -> list[tuple[str, set[tuple[str, str | None]]]]:
    return [
        (f"<Bo> {text}", {("player_chat", "Bo")}),
        (f"[Not Secure] <Bo> {text}", {("player_chat", "Bo")}),
        (f"Bo issued server command: /say {text}", {("player_command", "Bo")}),
        (f"[Server] {text}", set()),
        (f"[Bo] {text}", set()),
        (f"[SomePlugin] {text}", set()),
        (f"* Bo {text}", set()),
        (f"Bo whispers to Al: {text}", set()),
        (f"Bo: {text}", set()),
        (f"Bo was slain by Al using [{text}]", {("player_death", "Bo")}),
        (f"Bo was killed by [{text}] while trying to hurt Al", {("player_death", "Bo")}),
        (f"Villager Villager['Bo'/77, l='x'] died, message: '{text}'", set()),
        (f"Named entity EntitySpider['{text}'/7, l='x'] died: {text} was slain by Al", set()),
        (f"Player [{text}] connected with SomeMod", set()),
    ]


@pytest.mark.parametrize("line", EVENT_LINES)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_pattern_quoted_in_each_way_forges_nothing(prefix: str, line: str) -> None:
    for said, allowed in said_in_every_way(line):
        assert kinds(f"{prefix}{said}\n") <= allowed, said


@given(prefix=st.sampled_from(PREFIXES), before=WORDS, line=st.sampled_from(EVENT_LINES), after=WORDS)
def test_no_words_of_a_player_forge_an_event(prefix: str, before: str, line: str, after: str) -> None:
    for text in (f"{before}{line}{after}", f"{before} {line}"):
        for said, allowed in said_in_every_way(text):
            assert kinds(f"{prefix}{said}\n") <= allowed, said


@given(number=st.integers(min_value=0, max_value=99), before=WORDS, line=st.sampled_from(EVENT_LINES))
def test_a_chat_thread_says_nothing_but_chat(number: int, before: str, line: str) -> None:
    for text in (line, f"{before} {line}"):
        assert {kind for kind, _ in kinds(f"[12:00:00] [Async Chat Thread - #{number}/INFO]: {text}\n")} <= {
            "player_chat"
        }


@pytest.mark.parametrize("line", EVENT_LINES)
def test_a_plugins_own_logger_is_believed_only_where_nobody_could_make_it_up(line: str) -> None:
    for logger in ("com.example.bridge.Chat/", "SomePlugin", "forgeessentials", "minecraftbridge", "nucleus"):
        found = {kind for kind, _ in kinds(f"[12:00:00] [Server thread/INFO] [{logger}]: {line}\n")}
        assert found <= {"player_login", "server_software"}


@pytest.mark.parametrize("line", EVENT_LINES)
def test_a_line_without_prefix_is_never_an_event(line: str) -> None:
    if not line.startswith("[12:00:00]"):
        assert kinds(f"{JAVA}noise\n{line}\n") == set()


@pytest.mark.parametrize(
    "line", ["[Steve] <-> ServerConnector [lobby] has connected", "[Steve] disconnected with: Bye"]
)
def test_what_a_proxy_writes_is_an_operators_words_on_a_server(line: str) -> None:
    brand = f"{JAVA}This server is running Paper version 1.21.4-1 (MC: 1.21.4)\n"
    assert kinds(f"{JAVA}{line}\n") == set()
    assert kinds(f"{brand}{JAVA}{line}\n") == {("server_software", None)}


@given(
    name=st.text(
        # a name in angle brackets is that of somebody who chats
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters="<>"),
        min_size=1,
        max_size=40,
    )
)
def test_a_name_of_any_characters_is_itself_or_nobody(name: str) -> None:
    for line in (f"{name} joined the game", f"{name} lost connection: x", f"{name} was slain by Zombie"):
        players = {event.player for event in parse(f"{JAVA}{line}\n")}
        assert players <= {name, name.partition("§")[0], None} or "§" in name

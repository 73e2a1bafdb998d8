"""Who is in: clients that no back-end of a proxy took, players whom a mod made, and those of Bedrock who only spawn."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.simulator.world.software import HABITS
from pteroassets.sources.minecraft.formats import BUNGEECORD_FAMILY, PROXIES, VELOCITY_FAMILY, is_proxy
from pteroassets.sources.minecraft.history import SessionBuild
from pteroassets.sources.minecraft.places import Egg, place_of
from pteroassets.sources.minecraft.sessions import build_sessions
from tests.sources.minecraft.writing import at, build, file_of, paper, parse

# what a client is told: of the game, of plugins, in other languages, and nothing at all
TEXTS = (
    *("You are not whitelisted on this server!", "Du stehst nicht auf der Whitelist dieses Servers!", "服务器已满", ""),
    *("§cBanni: triche", "Exception Connecting:QuietException : Server is online mode!", "Сервер заполнен", "null"),
    *("Kicked whilst connecting to lobby: Full", "Impossible de se connecter à lobby", "lobby", " "),
)
WHENS = ("before", "after", "long_after")


def bungeecord(*lines: str) -> SessionBuild:
    """Lines ``12:00:00 message`` of a proxy that has just started."""
    start = "12:00:00 [INFO] Enabled BungeeCord version git:BungeeCord-Bootstrap:1.21:1:1\n"
    return build(start + "".join(f"{line[:8]} [INFO] {line[9:]}\n" for line in lines))


def velocity(*lines: str, player: str = "com.velocitypowered.proxy.connection.client.ConnectedPlayer") -> SessionBuild:
    start = "[12:00:00] [main/INFO] [com.velocitypowered.proxy.VelocityServer]: Booting up Velocity 3.5.0 (git-1)...\n"
    written = (f"[{line[:8]}] [Netty NIO Worker #1/INFO] [{player}]: {line[9:]}\n" for line in lines)
    return build(start + "".join(written))


def refused(built: SessionBuild) -> int:
    return sum(run.refused_entries for run in built.runs)


def stays(built: SessionBuild) -> list[tuple[str, object, object]]:
    return [(session.player_name, session.joined_at, session.left_at) for session in built.sessions]


# ---------- proxies


@pytest.mark.parametrize("text", [None, *TEXTS])
@pytest.mark.parametrize("when", WHENS)
def test_whom_the_only_back_end_did_not_take_was_never_in(when: str, text: str | None) -> None:
    going = ["12:01:05 [Al] -> UpstreamBridge has disconnected"]
    if text is not None:
        going.insert(0, f"12:01:05 [Al] disconnected with: {text}")
    cut = "[Al] <-> ServerConnector [lobby] has disconnected"
    stamp = {"before": "12:01:04", "after": "12:01:05", "long_after": "12:01:34"}[when]
    going.insert(0 if when == "before" else len(going), f"{stamp} {cut}")
    built = bungeecord("12:01:04 [Al] <-> ServerConnector [lobby] has connected", *going, "12:09:00 noise")
    assert (built.sessions, refused(built)) == ((), 1)


@pytest.mark.parametrize("text", TEXTS)
def test_whom_a_back_end_took_and_threw_out_later_was_in(text: str) -> None:
    built = bungeecord(
        "12:01:04 [Al] <-> ServerConnector [lobby] has connected",
        f"12:31:04 [Al] disconnected with: {text}",
        "12:31:04 [Al] -> UpstreamBridge has disconnected",
        "12:31:04 [Al] <-> DownstreamBridge <-> [lobby] has disconnected",
    )
    assert (stays(built), refused(built)) == ([("Al", at("12:01:04"), at("12:31:04"))], 0)


@pytest.mark.parametrize("is_cut_first", [True, False])
def test_a_stay_begins_at_the_back_end_that_took_the_player(is_cut_first: bool) -> None:  # noqa: FBT001
    lines = [
        "12:01:01 [Al] <-> ServerConnector [lobby] has disconnected",
        "12:01:01 [Al] <-> ServerConnector [hub] has connected",
    ]
    built = bungeecord(
        "12:01:00 [Al] <-> ServerConnector [lobby] has connected",
        *(lines if is_cut_first else reversed(lines)),
        "12:05:00 [Al] -> UpstreamBridge has disconnected",
    )
    assert (stays(built), refused(built)) == ([("Al", at("12:01:01"), at("12:05:00"))], 0)
    assert [session.server_switches for session in built.sessions] == [0]
    assert [session.join_line_number for session in built.sessions] == [4 if is_cut_first else 3]


def test_a_back_end_that_turns_out_to_have_failed_after_the_departure_shortens_the_stay() -> None:
    built = bungeecord(
        "12:01:00 [Al] <-> ServerConnector [lobby] has connected",
        "12:01:02 [Al] <-> ServerConnector [hub] has connected",
        "12:01:05 [Al] -> UpstreamBridge has disconnected",
        "12:01:06 [Al] <-> ServerConnector [lobby] has disconnected",
    )
    assert stays(built) == [("Al", at("12:01:02"), at("12:01:05"))]
    assert (built.sessions[0].server_switches, built.sessions[0].session_key) == (0, "a:3")


def test_a_switch_that_fails_after_the_player_was_elsewhere_ends_nothing() -> None:
    built = bungeecord(
        "12:01:00 [Al] <-> ServerConnector [lobby] has connected",
        "12:05:00 [Al] <-> ServerConnector [games] has connected",
        "12:05:00 [Al] <-> ServerConnector [games] has disconnected",
        "12:09:00 [Al] -> UpstreamBridge has disconnected",
        # long after, of a connection that no line shows
        "12:30:00 [Al] <-> ServerConnector [lobby] has disconnected",
    )
    assert (stays(built), refused(built)) == ([("Al", at("12:01:00"), at("12:09:00"))], 0)


def test_who_waits_at_a_proxy_when_the_log_ends_is_not_in_yet() -> None:
    lines = [
        "12:01:00 [Al] <-> ServerConnector [lobby] has connected",
        "12:01:01 [Al] <-> ServerConnector [lobby] has disconnected",
    ]
    assert bungeecord(*lines).sessions == ()
    stopped = bungeecord(*lines, "12:02:00 Closing IO threads")
    assert (stopped.sessions, refused(stopped)) == ((), 1)


def test_every_turn_that_ends_without_a_back_end_is_a_refused_entry() -> None:
    turns = [
        line
        for minute in range(1, 6)
        for line in (
            f"12:0{minute}:00 [Al] <-> ServerConnector [lobby] has connected",
            f"12:0{minute}:01 [Al] <-> ServerConnector [lobby] has disconnected",
            f"12:0{minute}:04 [Al] -> UpstreamBridge has disconnected",
        )
    ]
    built = bungeecord(*turns)
    assert (built.sessions, refused(built)) == ((), 5)


WHO = "[connected player] Al (/192.0.2.4:50123)"


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1), (1, 2, 0)])
def test_whom_no_back_end_of_velocity_took_was_never_in(order: tuple[int, ...], text: str) -> None:
    ends = [
        f"12:01:02 {WHO}: disconnected while connecting to lobby: {text}",
        "12:01:02 [server connection] Al -> lobby has disconnected",
        f"12:01:02 {WHO} has disconnected: {text}",
    ]
    built = velocity(
        f"12:01:00 {WHO} has connected",
        "12:01:01 [server connection] Al -> lobby has connected",
        *(ends[number] for number in order),
    )
    assert (built.sessions, refused(built)) == ((), 1)


@pytest.mark.parametrize("own_line_first", [True, False])
def test_velocitys_line_of_the_back_end_can_come_before_the_players_own(own_line_first: bool) -> None:  # noqa: FBT001
    came = [f"12:01:00 {WHO} has connected", "12:01:00 [server connection] Al -> lobby has connected"]
    went = [f"12:08:00 {WHO} has disconnected: Getrennt", "12:08:00 [server connection] Al -> lobby has disconnected"]
    built = velocity(
        *(came if own_line_first else reversed(came)),
        "12:01:30 [server connection] Al -> games has connected",
        *(went if own_line_first else reversed(went)),
    )
    assert (stays(built), refused(built)) == ([("Al", at("12:01:00"), at("12:08:00"))], 0)
    assert built.sessions[0].server_switches == 1


def test_what_a_player_is_told_when_his_back_end_dies_does_not_unmake_his_stay() -> None:
    built = velocity(
        f"12:01:00 {WHO} has connected",
        "12:01:01 [server connection] Al -> lobby has connected",
        "12:40:00 [server connection] Al -> lobby has disconnected",
        f"12:40:00 {WHO}: unable to connect to server games",
        f"12:40:00 {WHO} has disconnected: Unable to connect you to games. Please try again later.",
    )
    assert (stays(built), refused(built)) == ([("Al", at("12:01:01"), at("12:40:00"))], 0)


def test_a_waterdogs_player_to_whom_the_back_end_sent_no_game_was_never_in() -> None:
    prefix = "2026-03-12 12:01:0{}.000 [Bedrock Listener - #1] INFO  - [/192.0.2.4:5|Al] "
    built = build(
        "2026-03-12 12:00:00.000 [WaterdogPE-main] INFO  - Starting WaterDogPE proxy software!\n"
        + prefix.format(1)
        + "<-> Upstream has connected (protocol=819 version=1.21.93)\n"
        + prefix.format(2)
        + "-> Downstream [lobby] has connected\n"
        + prefix.format(8)
        + "Downstream lobby did not send StartGame within 5s\n"
        + prefix.format(8)
        + "-> Upstream has disconnected: Übertragung fehlgeschlagen\n"
    )
    assert (built.sessions, refused(built)) == ((), 1)


@pytest.mark.parametrize("name", sorted(BUNGEECORD_FAMILY))
def test_whoever_leaves_a_proxy_of_any_name_was_seen_by_a_proxy(name: str) -> None:
    for prefix in ("{} [INFO] ", "[{}] [Netty Worker IO Thread #0/INFO]: "):
        start = prefix.format("12:00:00").replace("Netty Worker IO Thread #0", "main")
        start += f"Enabled {name} version 1.0.2\n"
        gone = prefix.format("12:05:00") + "[Al] -> UpstreamBridge has disconnected\n"
        came = prefix.format("12:01:00") + "[Al] <-> ServerConnector [lobby] has connected\n"
        built = build(start + came + gone)
        assert [session.is_proxy for session in built.sessions] == [True]
        assert [(run.software, run.is_proxy) for run in built.runs] == [(name, True)]
        # the end of a stay of before the log, in a file that shows nothing else
        late = build_sessions([file_of(gone + gone.replace("Al", "Bo"), key="b")])
        assert [session.is_proxy for session in late.sessions] == [True, True]


@pytest.mark.parametrize("name", ["Waterfall", "Travertine", "FlameCord", "HexaCord", "XCord", "Velocity-CTD"])
def test_a_proxy_to_which_nobody_has_come_is_one_by_its_name(name: str) -> None:
    line = f"Booting up {name} 3.4.0" if name.startswith("Velocity") else f"Enabled {name} version git:x"
    (run,) = build(f"[12:00:00] [main/INFO]: {line}\n").runs
    assert (run.software, run.is_proxy) == (name, True)


def test_there_is_one_list_of_proxies() -> None:
    assert {habits.title for habits in HABITS.values() if habits.is_proxy} <= PROXIES
    assert not any(habits.title in PROXIES for habits in HABITS.values() if not habits.is_proxy)
    # each has a place for its logs, which is a proxy's
    for name in PROXIES:
        place = place_of(Egg(name=name))
        assert place is not None, name
        assert is_proxy(place.software), name
    assert [is_proxy(name) for name in ("Paper", None)] == [False, None]
    assert VELOCITY_FAMILY < PROXIES


# ---------- fake players


def bot(time: str, name: str, shown: str = "local") -> str:
    return f"{time} {name}[{shown}] logged in with entity id 12 at (1.0, 64.0, 1.0)"


def entry(time: str, name: str) -> str:
    return f"{time} {name}[/192.0.2.4:50123] logged in with entity id 11 at (1.0, 64.0, 1.0)"


@pytest.mark.parametrize("shown", ["local", "embedded"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_player_made_by_a_mod_is_none(order: tuple[int, int], shown: str) -> None:
    came = [bot("12:01:00", "Bot_1", shown), "12:01:00 Bot_1 joined the game"]
    built = build(
        paper(
            entry("12:00:00", "Al"),
            *(came[number] for number in order),
            "12:02:00 Bot_1 was slain by Zombie",
            "12:05:00 Bot_1 lost connection: Killed",
            "12:05:00 Bot_1 left the game",
            bot("12:06:00", "Bot_2", shown),
            "12:30:00 Al lost connection: Disconnected",
        )
    )
    assert stays(built) == [("Al", at("12:00:00"), at("12:30:00"))]
    assert (built.fake_players, refused(built)) == ({"Bot_1", "Bot_2"}, 0)
    assert [run.fake_players for run in built.runs] == [2]


def test_the_lines_of_fake_players_are_not_taken_for_those_of_players() -> None:
    built = build(
        paper(
            # in the same second, of somebody whose own join line a plugin keeps back
            entry("12:00:00", "Al"),
            bot("12:00:00", "Bot_1"),
            "12:00:00 Helper Bot_1 joined the game",
            "12:00:01 Bot_1 joined the game",
            "12:02:00 Helper Bot_1 was slain by Zombie",
            "12:03:00 Helper Bot_1 left the game",
            "12:03:00 Bot_1 lost connection: Killed",
            "12:30:00 Al left the game",
        )
    )
    assert stays(built) == [("Al", at("12:00:00"), at("12:30:00"))]


def test_the_fake_player_that_stands_in_for_somebody_ends_where_he_comes_back() -> None:
    built = build(
        paper(
            entry("12:00:00", "Al"),
            "12:10:00 Al lost connection: You logged in from another location",
            "12:10:00 Al left the game",
            bot("12:10:00", "Al"),
            "12:10:00 Al joined the game",
            "12:40:00 Al lost connection: You logged in from another location",
            "12:40:00 Al left the game",
            entry("12:40:00", "Al"),
            "12:50:00 Al lost connection: Disconnected",
        )
    )
    assert stays(built) == [("Al", at("12:00:00"), at("12:10:00")), ("Al", at("12:40:00"), at("12:50:00"))]


def test_a_fake_player_who_was_there_before_missing_files_is_one_after_them() -> None:
    first = file_of(paper(entry("12:00:00", "Al"), bot("12:01:00", "Bot_1")))
    second = file_of(paper("13:00:00 Bot_1 lost connection: Killed"), key="b", gap_before=True)
    assert [session.player_name for session in build_sessions([first, second]).sessions] == ["Al"]


def test_a_log_of_fake_players_alone_has_no_players() -> None:
    lines = [bot("12:01:00", "Bot_1"), "12:01:00 Bot_1 joined the game", "12:01:01 Bot_1 joined the game"]
    built = build(paper("12:00:00 Starting minecraft server version 1.21.4", *lines, "12:02:00 Stopping server"))
    assert (built.sessions, built.fake_players) == ((), {"Bot_1"})


def test_whoever_plays_over_the_network_or_as_the_worlds_owner_is_no_fake() -> None:
    for shown in ("/127.0.0.1:5000", "/192.0.2.4:0", "local:E:1a2b", "IP hidden", "/[0:0:0:0:0:0:0:1%0]:5000"):
        line = f"12:00:00 Al[{shown}] logged in with entity id 1 at ([minecraft:overworld]1.5, 64.0, -3.25)"
        built = build(paper(line))
        assert ([session.player_name for session in built.sessions], built.fake_players) == (["Al"], frozenset()), shown


# ---------- Bedrock


def bedrock(*lines: str) -> SessionBuild:
    start = "[2026-03-12 12:00:00:100 INFO] Starting Server\n"
    return build(start + "".join(f"[2026-03-12 {line[:8]}:101 INFO] {line[9:]}\n" for line in lines))


@pytest.mark.parametrize("xuid", ["", "2535400000000001"])
@pytest.mark.parametrize("name", ["Nora", "Nora Seven", "Nora(2)", "Player Spawned"])
def test_who_spawns_without_a_line_before_is_in(name: str, xuid: str) -> None:
    built = bedrock(
        f"12:01:00 Player Spawned: {name} xuid: {xuid}, pfid: ",
        f"12:05:00 Player disconnected: {name}, xuid: {xuid}, pfid: ",
        f"12:06:00 Player connected: {name}, xuid: {xuid}",
        f"12:06:09 Player Spawned: {name} xuid: {xuid}, pfid: 6b00",
        f"12:09:00 Player disconnected: {name}, xuid: {xuid}, pfid: 6b00",
    )
    assert stays(built) == [(name, at("12:01:00"), at("12:05:00")), (name, at("12:06:00"), at("12:09:00"))]


def test_two_who_share_a_screen_are_two_players() -> None:
    built = bedrock(
        "12:01:00 Player connected: Nora, xuid: 2535400000000001",
        "12:01:04 Player Spawned: Nora xuid: 2535400000000001, pfid: 6b00",
        "12:02:00 Player Spawned: Nora(2) xuid: , pfid: ",
        "12:09:00 Player disconnected: Nora, xuid: 2535400000000001, pfid: 6b00",
        "12:09:00 Player disconnected: Nora(2), xuid: , pfid: ",
    )
    assert stays(built) == [("Nora", at("12:01:00"), at("12:09:00")), ("Nora(2)", at("12:02:00"), at("12:09:00"))]


def test_a_spawn_line_that_comes_late_opens_nothing_anew() -> None:
    built = bedrock(
        "12:01:00 Player connected: Nora, xuid: 2535400000000001",
        "12:01:01 Player disconnected: Nora, xuid: 2535400000000001",
        "12:01:02 Player Spawned: Nora xuid: 2535400000000001, pfid: 6b00",
    )
    assert stays(built) == [("Nora", at("12:01:00"), at("12:01:01"))]


# ---------- refused entries


def test_each_client_that_did_not_get_in_is_counted_once() -> None:
    profile = "com.mojang.authlib.GameProfile@1a2b[id=<null>,name=Bo,properties={},legacy=false] (/192.0.2.8:40001)"
    built = build(
        paper(
            "12:00:00 Starting minecraft server version 1.21.4",
            # two lines of one client, and of a second one
            f"12:01:00 Disconnecting {profile}: Nicht auf der Whitelist",
            f"12:01:00 {profile} lost connection: Nicht auf der Whitelist",
            f"12:02:00 Disconnecting {profile}: ",
            "12:03:00 Al lost connection: Server Mod rejections: [x]",
            "12:03:00 Al left the game",
            "12:04:00 Cy lost connection: Disconnected",
            # without a name it may be anybody: a scanner, a ping
            "12:05:00 /192.0.2.9:40001 lost connection: Timed out",
            entry("12:06:00", "Al"),
            "12:07:00 Al lost connection: Disconnected",
            "12:07:00 Al left the game",
        )
    )
    assert (refused(built), len(built.sessions)) == (4, 1)


PROFILE = "com.mojang.authlib.GameProfile@1a2b[id=<null>,name=Al,properties={},legacy=false] (/192.0.2.8:40001)"
ADDRESS = "[/192.0.2.4:50123]"
POCKETMINE = "2026-03-12 [12:01:00.123] [Server thread/INFO]: "


@pytest.mark.parametrize("end", ["", " "])  # an editor or a shipper cuts what is blank
@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[12:01:00] [Server thread/INFO]: Disconnecting Al (/192.0.2.8:40001):", "login_refused"),
        (f"[12:01:00] [Server thread/INFO]: Disconnecting {PROFILE}:", "login_refused"),
        (f"[12:01:00] [Server thread/INFO]: {PROFILE} lost connection:", "login_refused"),
        ("[12:01:00] [Server thread/INFO]: Al (/192.0.2.8:40001) lost connection:", "login_refused"),
        ("[12:01:00] [Server thread/INFO]: Kicked Al:", "player_kick"),
        ("[12:01:00] [Server thread/INFO]: Al lost connection:", "player_lost_connection"),
        (f"{POCKETMINE}Al{ADDRESS} logged out due to", "player_lost_connection"),
        (f"{POCKETMINE}[NetworkSession: Al] Session closed due to", "player_lost_connection"),
        ("12:01:00 [INFO] [Al] disconnected with:", "player_kick"),
        *(
            (f"[12:01:00] [Netty NIO Worker #1/INFO] [com.velocitypowered.proxy.X]: {WHO}{text}:", kind)
            for text, kind in (
                (" has disconnected", "player_lost_connection"),
                (": kicked from server lobby", "player_kick"),
                (": disconnected while connecting to lobby", "player_switch_failed"),
            )
        ),
    ],
)
def test_who_is_told_nothing_goes_all_the_same(line: str, kind: str, end: str) -> None:
    (event,) = parse(f"{line}{end}\n")
    assert (event.kind, event.player) == (kind, "Al")
    assert not (event.detail or {}).get("reason")


# ---------- players who are called like words of the game

_WORDS = (
    *("Kicked", "Set", "Villager", "Server", "Player", "UUID", "Disconnected", "Disconnecting", "left", "Stopping"),
    *("Done", "Starting", "This", "Loading", "Enabled", "Booting", "Preparing", "Encountered", "Considering", "A"),
    *("Can't", "CONSOLE", "Stopped", "Banned", "Opped", "Made", "Gave", "Saved", "There", "You", "The", "UUID_of"),
    *("lost", "connection", "joined", "logged", "in", "has", "was", "drowned", "died", "Named", "Thread", "Rcon"),
    *("Connection", "NeoForge", "Forge", "MinecraftForge", "Glowstone", "Ready", "An", "Minecraft", "Closing"),
)


def life_of(name: str) -> list[str]:
    return [
        entry("12:01:00", name),
        f"12:01:00 {name} joined the game",
        f"12:02:00 {name} has made the advancement [Stone Age]",
        f"12:03:00 {name} issued server command: /home",
        f"12:04:00 {name} was slain by Zombie",
        f"12:05:00 {name} lost connection: Disconnected",
        f"12:05:00 {name} left the game",
    ]


@pytest.mark.parametrize("name", _WORDS)
def test_a_player_may_be_called_like_a_word_of_the_game(name: str) -> None:
    for log in (paper(*life_of(name)), "".join(f"2013-08-01 {line[:8]} [INFO] {line[9:]}\n" for line in life_of(name))):
        (session,) = build(log).sessions
        assert (session.player_name, session.close_reason) == (name, "left")
        assert (session.advancements, session.commands, session.deaths) == (1, 1, 1)


@pytest.mark.parametrize("name", [word for word in _WORDS if re.fullmatch(r"\w+", word)])
def test_a_proxys_player_may_be_called_like_a_word_of_the_game(name: str) -> None:
    built = bungeecord(
        f"12:01:00 [{name}] <-> ServerConnector [lobby] has connected",
        f"12:05:00 [{name}] -> UpstreamBridge has disconnected",
    )
    assert stays(built) == [(name, at("12:01:00"), at("12:05:00"))]
    spawned = bedrock(
        f"12:01:00 Player Spawned: {name} xuid: , pfid: ", f"12:05:00 Player disconnected: {name}, xuid: "
    )
    assert stays(spawned) == [(name, at("12:01:00"), at("12:05:00"))]


@given(name=st.from_regex(r"[A-Za-z0-9_]{1,16}", fullmatch=True))
def test_a_player_of_any_name_comes_and_goes(name: str) -> None:
    (session,) = build(paper(*life_of(name))).sessions
    assert (session.player_name, session.close_reason, session.deaths) == (name, "left", 1)


@pytest.mark.parametrize(
    ("line", "player", "reason"),
    [
        ("Kicked Al from the game: 'left the game'", "Al", "left the game"),
        ("Kicked Al: Al lost connection: x", "Al", "Al lost connection: x"),
        ("Kicked Al", "Al", None),
        ("Kicked Al: drowned", "Al", "drowned"),
    ],
)
def test_who_is_kicked_for_words_of_the_game_is_kicked(line: str, player: str, reason: str | None) -> None:
    built = build(paper(entry("12:00:00", player), f"12:01:00 {line}", f"12:01:00 {player} left the game"))
    assert [(session.close_reason, session.close_detail) for session in built.sessions] == [("kicked", reason)]

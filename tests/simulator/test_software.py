"""Each software writes as it does: its lines, its files and their places; and proxies see what their back-ends see."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.logs.files import FULL_BYTES, LogFile
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.true_rows import TrueSession
from pteroassets.simulator.world.chance import epoch
from pteroassets.simulator.world.entities import Server
from pteroassets.simulator.world.software import HABITS, Software

from .conftest import ANCHOR, REASONS, Caller
from .reading import text_of


def server_of(world: World, software: Software) -> Server:
    at = epoch(ANCHOR)
    return next(server for server in world.estate.servers(at) if server.software(at) == software)


def text_of_all(world: World, software: Software) -> str:
    at = epoch(ANCHOR)
    servers = [server for server in world.estate.servers(at) if server.software(at) == software]
    return "".join(text_of(file) for server in servers for file in world.log_files(server, at))


# ---------------------------------------------------------------------- lines


@pytest.mark.parametrize(
    ("software", "pieces"),
    [
        ("purpur", ["This server is running Purpur version", "[bootstrap] Loading Purpur"]),
        ("folia", ["[Region Scheduler Thread #1/INFO]: ", "This server is running Folia version"]),
        ("fabric", [" with Fabric Loader ", "[main/INFO]: Loading Minecraft"]),
        ("neoforge", ["NeoForge mod loading, version ", "[22Oct2026 ", "Preparing crash report with UUID "]),
        ("forge", [": Forge mod loading, version "]),
        ("mohist", [" n.m.s.d.DedicatedServer.m_", " INFO  [Server thread] ", " 退出了游戏~", " 加入了游戏~"]),
        ("sponge", [" in world(0) at (", "[Server thread/INFO] [net.minecraft.server.players.PlayerList]: "]),
        ("bedrock", ["NO LOG FILE!", "Player Spawned: ", " xuid: 2535", ", pfid: ", "Quit correctly"]),
        ("pocketmine", ["] logged out due to client disconnect", " at (world, ", "Creating a crash dump"]),
        ("bungeecord", ["<-> InitialHandler has pinged", "DownstreamBridge <-> [lobby] has disconnected"]),
        (
            "velocity",
            ["[initial connection] /", ": kicked from server ", "Shutting down the proxy...", ": read timed out"],
        ),
        ("paper", [" (logged in as: .", "[floodgate] ", "is 00000000-0000-0000-0009-", ":0] logged in with entity id"]),
        ("spigot", ["Did the system time change, or is the server overloaded?", "was kicked for floating too long!"]),
    ],
)
def test_a_software_writes_lines_of_its_own(sampler: World, software: Software, pieces: list[str]) -> None:
    text = text_of_all(sampler, software)
    assert [piece for piece in pieces if piece not in text] == []


def test_the_sampler_has_every_software(sampler: World) -> None:
    at = epoch(ANCHOR)
    shown = {server.software(at) for server in sampler.estate.servers(at)}
    assert shown == set(HABITS) - {"none"}
    assert sum(server.has_geyser for server in sampler.estate.servers(at)) == 1


def test_paper_writes_the_join_before_the_login_and_vanilla_after_it(sampler: World) -> None:
    for software, is_join_first in (("paper", True), ("folia", True), ("vanilla", False), ("fabric", False)):
        text = text_of_all(sampler, software)  # type: ignore[arg-type]  # names of the table
        name = next(line for line in text.splitlines() if line.endswith(" joined the game") and "<" not in line)
        name = name.split(": ", 1)[1].removesuffix(" joined the game")
        assert (text.index(f"]: {name} joined") < text.index(f"]: {name}[/")) is is_join_first, software


# ---------------------------------------------------------------------- files


def test_a_proxys_log_is_moved_up_when_it_is_full_and_only_the_first_one_grows(sampler: World) -> None:
    server, at = server_of(sampler, "bungeecord"), epoch(ANCHOR)
    files = sampler.log_files(server, at)
    assert [file.name for file in files] == [f"proxy.log.{age}" for age in range(len(files) - 1, -1, -1)]
    assert len(files) > 2
    assert {file.folder for file in files} == {"/"}
    *full, live = files
    assert live.is_live
    for file in full:
        assert FULL_BYTES - 500 < file.size <= FULL_BYTES
        assert file.size == len(file.content)
    later = sampler.log_files(server, at + 600)[-1]
    assert later.content.startswith(live.content)
    assert later.size > live.size
    moved = sampler.log_files(server, at + 86400 * 5)
    assert full[-1].content in [file.content for file in moved]
    assert [file.name for file in moved if file.content == full[-1].content] != [full[-1].name]


def test_a_log_that_is_appended_holds_all_runs_and_days(sampler: World) -> None:
    for software, name in (("pocketmine", "server.log"), ("bedrock", "Dedicated_Server.txt")):
        server = server_of(sampler, software)  # type: ignore[arg-type]  # names of the table
        files: list[LogFile] = sampler.log_files(server, epoch(ANCHOR))
        assert [(file.folder, file.name) for file in files] == [("/", name)]
        starts = [run for run in sampler.truth.runs(ANCHOR) if run.server_uuid == server.uuid]
        text = text_of(files[0])
        marker = "Starting Server\n" if software == "bedrock" else "Bedrock Edition server version"
        assert text.count(marker) == len(starts) > 5
        assert files[0].size == len(files[0].content)


def test_logs_outside_of_the_log_folder_are_listed_and_read_where_they_lie(sampler: World) -> None:
    with Simulation(sampler, ManualClock(ANCHOR)) as simulation:
        caller = Caller(simulation)
        for software in ("bungeecord", "pocketmine", "bedrock"):
            server = server_of(sampler, software)
            listed = caller.json(f"client/servers/{server.uuid}/files/list", directory="/")["data"]
            sizes = {item["attributes"]["name"]: item["attributes"]["size"] for item in listed}
            assert "logs" not in sizes
            assert caller.get(f"client/servers/{server.uuid}/files/list", directory="/logs").status_code == 500
            for file in sampler.log_files(server, epoch(ANCHOR)):
                read = caller.get(f"client/servers/{server.uuid}/files/contents", file=f"/{file.name}")
                assert len(read.content) == sizes[file.name] == file.size


def test_a_crash_report_bears_the_name_that_the_log_gave(sampler: World) -> None:
    server = server_of(sampler, "neoforge")
    reports = [
        run.crash_report
        for run in sampler.truth.runs(ANCHOR)
        if run.server_uuid == server.uuid and run.crash_report is not None
    ]
    assert reports
    text = text_of_all(sampler, "neoforge")
    with Simulation(sampler, ManualClock(ANCHOR)) as simulation:
        caller = Caller(simulation)
        for name in reports:
            assert f"This crash report has been saved to: /home/container/./crash-reports/{name}\n" in text
            read = caller.get(f"client/servers/{server.uuid}/files/contents", file=f"/crash-reports/{name}")
            assert read.text.startswith("---- Minecraft Crash Report ----")


# ---------------------------------------------------------------------- runs


def test_runs_tell_their_software_their_crashes_and_their_overload_warnings(sampler: World) -> None:
    runs = sampler.truth.runs(ANCHOR)
    assert {run.software for run in runs} == {habits.title for habits in HABITS.values() if habits.title}
    causes = Counter((run.end_reason, run.crash_cause) for run in runs)
    assert causes["crashed", "exception"] > 3
    assert causes["crashed", "watchdog"] > 0
    assert causes["crashed", None] > 3, "killed: no line says so"
    assert causes["stopped", None] > 3
    assert causes["stopped", "exception"] == causes["stopped", "watchdog"] == 0
    named = {run.crash_exception.split(":")[0] for run in runs if run.crash_exception is not None}
    assert "java.lang.OutOfMemoryError" in named
    for software in ("paper", "spigot", "sponge", "velocity"):
        shown = text_of_all(sampler, software).count("Can't keep up!")
        servers = {
            server.uuid
            for server in sampler.estate.servers(epoch(ANCHOR))
            if server.software(epoch(ANCHOR)) == software
        }
        assert shown == sum(run.overload_warnings for run in runs if run.server_uuid in servers)
        assert (shown > 0) is (software != "velocity")


# ---------------------------------------------------------------------- closings

FAMILIES: dict[str, set[Software]] = {
    "vanilla": {"vanilla", "fabric"},
    "bukkit": {"paper", "spigot", "purpur", "folia", "mohist"},
    "modded": {"forge", "neoforge", "sponge"},
    "phones and consoles": {"bedrock"},
    "pocketmine": {"pocketmine"},
    "proxies": {"bungeecord", "velocity"},
}


def test_the_truth_world_has_each_way_to_close_on_each_kind_of_software(truth_world: World) -> None:
    at = epoch(ANCHOR)
    assert set().union(*FAMILIES.values()) == set(HABITS) - {"none"}
    software = {server.uuid: server.software(at) for server in truth_world.estate.servers(at)}
    family_of = {member: family for family, members in FAMILIES.items() for member in members}
    closings = Counter(
        (family_of[software[session.server_uuid]], session.close_reason)
        for session in truth_world.truth.sessions(ANCHOR)
    )
    # the first says nothing of why, and a proxy turns a second login away
    unspoken = {("phones and consoles", reason) for reason in ("kicked", "timed_out", "joined_again")}
    unspoken.add(("proxies", "joined_again"))
    for family in FAMILIES:
        for reason in REASONS:
            if (family, reason) in unspoken:
                assert closings[family, reason] == 0
            else:
                assert closings[family, reason] >= 5, (family, reason)


def test_every_software_is_in_the_demo(demo: World) -> None:
    at = epoch(ANCHOR)
    servers = demo.estate.servers(at)
    assert {server.software(at) for server in servers} == set(HABITS)
    assert 28 <= len(servers) <= 33
    assert len(demo.truth.networks(ANCHOR)) == 2


# ---------------------------------------------------------------------- networks


@pytest.fixture(scope="module")
def by_network_session(sampler: World) -> dict[str, list[TrueSession]]:
    found: defaultdict[str, list[TrueSession]] = defaultdict(list)
    for session in sampler.truth.sessions(ANCHOR):
        if session.network_session is not None:
            found[session.network_session].append(session)
    return found


def test_each_stay_on_a_network_is_one_session_of_the_proxy_and_one_of_each_back_end(
    sampler: World, by_network_session: dict[str, list[TrueSession]]
) -> None:
    networks = {network.proxy_uuid: set(network.members.values()) for network in sampler.truth.networks(ANCHOR)}
    assert len(networks) == 2
    switches: Counter[int] = Counter()
    second = timedelta(seconds=1)
    for sessions in by_network_session.values():
        (own,) = [session for session in sessions if session.is_proxy]
        inner = [session for session in sessions if not session.is_proxy]
        assert len(inner) == own.server_switches + 1
        switches[own.server_switches] += 1
        assert {session.server_uuid for session in inner} <= networks[own.server_uuid]
        assert {session.player_name for session in sessions} == {own.player_name}
        assert abs(own.joined_at - min(session.joined_at for session in inner)) <= second
        last = max(inner, key=lambda session: session.joined_at)
        assert (own.left_at is None) or (last.left_at is None) or abs(own.left_at - last.left_at) <= 2 * second
    assert min(switches[count] for count in (0, 1, 2)) > 20


def test_every_session_behind_a_proxy_belongs_to_one_of_the_proxys(
    sampler: World, by_network_session: dict[str, list[TrueSession]]
) -> None:
    members = {uuid for network in sampler.truth.networks(ANCHOR) for uuid in network.members.values()}
    behind = [session for session in sampler.truth.sessions(ANCHOR) if session.server_uuid in members]
    assert len(behind) > 500
    assert all(session.network_session in by_network_session for session in behind)


def test_a_proxy_that_dies_takes_its_players_off_the_back_ends(
    by_network_session: dict[str, list[TrueSession]],
) -> None:
    torn = [
        sessions
        for sessions in by_network_session.values()
        if any(session.is_proxy and session.close_reason == "server_crashed" for session in sessions)
    ]
    assert torn
    for sessions in torn:
        last = max((session for session in sessions if not session.is_proxy), key=lambda session: session.joined_at)
        assert last.left_at is not None
    assert any(session.close_reason == "left" for sessions in torn for session in sessions if not session.is_proxy)


def test_who_plays_on_phones_and_consoles_has_another_kind_of_account(sampler: World) -> None:
    at = epoch(ANCHOR)
    names = {server.uuid: server for server in sampler.estate.servers(at)}
    shown: defaultdict[str, set[bool]] = defaultdict(set)
    for session in sampler.truth.sessions(ANCHOR):
        server = names[session.server_uuid]
        kind = "geyser" if server.has_geyser else server.software(at)
        shown[kind].add(session.player_xuid is not None)
        if kind == "geyser":
            assert session.player_uuid is not None
            is_guest = session.player_uuid.startswith("00000000-0000-0000-0009-")
            assert session.player_name.startswith(".") is is_guest is (session.player_xuid is not None)
        if kind in {"bedrock", "pocketmine"}:
            assert " " in session.player_name
            assert session.player_uuid is None
    assert shown["geyser"] == {True, False}
    assert shown["bedrock"] == shown["pocketmine"] == {True}
    assert shown["vanilla"] == shown["bungeecord"] == {False}

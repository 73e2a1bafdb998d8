# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""The lines that a run of a Java server writes, without their times.

Each software has its own order and its own thread and logger names; chat quotes log lines, failed logins leave lines of
people who never entered, and plain noise lies between. What is no Java server has its lines in `other_lines`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import HOUR, MINUTE, dice
from pteroassets.simulator.world.life import KICKS, Run, Visit, moments, online_names
from pteroassets.simulator.world.zones import Zone, date_of

FLOOD_LINES: Final = 45_000
"""Lines of the flood that makes one log file larger than what the panel shows (4 MiB)."""


class Line(NamedTuple):
    """One entry of a log: its second, the thread and level, the logger (where the software shows it), the message.

    A message may hold line breaks: what follows the first has no prefix in the file.
    """

    at: int
    thread: str
    logger: str
    text: str


_SERVER: Final = "Server thread/INFO"
_WARN: Final = "Server thread/WARN"
_ERROR: Final = "Server thread/ERROR"
_MAIN: Final = "net.minecraft.server.MinecraftServer/"
_DEDICATED: Final = "net.minecraft.server.dedicated.DedicatedServer/"
_LIST: Final = "net.minecraft.server.players.PlayerList/"
_GAME: Final = "net.minecraft.server.network.ServerGamePacketListenerImpl/"
_LOGIN: Final = "net.minecraft.server.network.ServerLoginPacketListenerImpl/"

_ANNOUNCEMENTS: Final = dict(KICKS)
_BRANDS: Final = {
    "paper": "Paper version 1.21.4-232-main@12d8fe0",
    "spigot": "CraftBukkit version git-Spigot-79a30d7",
    "purpur": "Purpur version 1.21.4-2416-1ac9f3a",
    "folia": "Folia version 1.21.4-6-main@4e1b3c2",
    "mohist": "Mohist version 1.20.1-f5a2b4c",
}
CHAT: Final = (
    "hello", "lag?", "anyone on?", "gg", "sell 64 dirt", "my base got griefed :(", "¿hola?", "日本語", "100% legit",
    "who has iron", "brb", "Steve joined the game", "Alex left the game", "Al lost connection: Disconnected",
    "[20:01:02] [Server thread/INFO]: Steve joined the game",
    "Steve[/192.0.2.4:50123] logged in with entity id 77 at (1.5, 64.0, -3.25)",
    "[23:59:59] [Server thread/INFO]: Stopping the server", f"my code is {CANARIES['chat']}-4711",
)  # fmt: skip
_COMMANDS: Final = (
    "/home", "/spawn", "/tpa Alex", "/shop", "/say Steve left the game", "/msg Bo hi", "/warp market",
    f"/login {CANARIES['command']}-hunter2",
)  # fmt: skip
DEATHS: Final = (
    "was slain by Zombie", "fell from a high place", "drowned", "tried to swim in lava", "was shot by Skeleton",
    "hit the ground too hard", "was blown up by Creeper", "starved to death",
    "was killed by [Intentional Game Design]", "was slain by Spider using [Steve joined the game]",
)  # fmt: skip
ADVANCED: Final = (
    "has made the advancement [Stone Age]", "has made the advancement [Acquire Hardware]",
    "has made the advancement [We Need to Go Deeper]", "has completed the challenge [Monsters Hunted]",
    "has reached the goal [Sky's the Limit]",
)  # fmt: skip
SAID: Final = ("restart in 5 minutes", "Steve joined the game", "Alex left the game", "vote please")
_REFUSALS: Final = (
    "You are not white-listed on this server!", "You are banned from this server!\nReason: griefing",
    "Failed to verify username!", "The server is full!", "Took too long to log in",
)  # fmt: skip
_FRAMES: Final = "\tat com.example.shop.Shop.open(Shop.java:87) ~[shop.jar:?]\n\t... 12 more"
_TRACE: Final = f'java.lang.NullPointerException: Cannot invoke "Object.hashCode()" because "place" is null\n{_FRAMES}'


def lines_of(run: Run, *, seed: int, zone: Zone, flood_at: int) -> list[Line]:
    """Return every line of *run* in the order of the file."""
    throw = dice(seed, "lines", run.server.index, run.number)
    lines = [*_start(run, throw)]
    for visit in run.visits:
        lines += _entrance(run, visit, throw)
        lines += _deeds(run, visit, throw)
        if visit.text is not None and visit.reason != "server_stopped":
            lines += _departure(run, visit, visit.text, throw)
    lines += _noise(run, throw)
    lines += _strangers(run, throw)
    if run.server.index == 0 and run.ready_at < flood_at < (run.stopping_at or run.ended_at):
        lines += _flood(flood_at)
    lines.sort(key=lambda line: line.at)  # stable: what was made first stays first within a second
    lines += _end(run, throw, zone)
    return lines


def _start(run: Run, throw: Random) -> Iterator[Line]:
    version = run.habits.version
    at = run.started_at
    yield from _loading(run, version)
    yield Line(at, _SERVER, _DEDICATED, f"Starting minecraft server version {version}")
    yield Line(at, _SERVER, _DEDICATED, "Loading properties")
    if (brand := _BRANDS.get(run.software)) is not None:
        yield Line(
            at,
            _SERVER,
            "",
            f"This server is running {brand} (MC: {version}) (Implementing API version {version}-R0.1-SNAPSHOT)",
        )
    yield Line(at + 1, _SERVER, _DEDICATED, "Default game type: SURVIVAL")
    yield Line(at + 1, _SERVER, _DEDICATED, "Starting Minecraft server on 0.0.0.0:25565")
    yield Line(at + 2, _SERVER, _MAIN, 'Preparing level "world"')
    if run.server.has_geyser:
        yield Line(at + 3, _SERVER, "", "[Geyser-Spigot] Done (1.273s)! Run /geyser help for help!")
    seconds = f"{run.ready_at - at - 1}.{throw.randrange(1000):03}"
    if run.server.index % 6 == 2:
        seconds = seconds.replace(".", ",")  # a machine with a decimal comma
    yield Line(run.ready_at, _SERVER, _DEDICATED, f'Done ({seconds}s)! For help, type "help"')


def _loading(run: Run, version: str) -> Iterator[Line]:
    """Yield what the loader of a software writes before the server's own start line, and of mods after it."""
    at = run.container_at + 1
    match run.software:
        case "paper" | "purpur" | "folia":
            build = f"{run.habits.title} {version}-232-main"
            yield Line(at, "ServerMain/INFO", "", f"[bootstrap] Loading {build} for Minecraft {version}")
        case "fabric":
            yield Line(at, "main/INFO", "", f"Loading Minecraft {version} with Fabric Loader 0.16.9")
            yield Line(at, "main/INFO", "", "Loading 2 mods:\n\t- fabric-api 0.105.0\n\t- lithium 0.13.1")
        case "forge" | "neoforge":
            name = "Forge mod loading, version 47.2.0, for MC 1.20.1 with MCP 20230612.114412"
            if run.software == "neoforge":
                name = "NeoForge mod loading, version 21.1.77, for MC 1.21.1"
            logger = "cpw.mods.modlauncher.Launcher/MODLAUNCHER"
            yield Line(at, "main/INFO", logger, "ModLauncher running: args [--launchTarget, forgeserver]")
            yield Line(run.started_at - 1, "modloading-worker-0/INFO", "forge.common.ForgeMod/FORGEMOD", name)
        case "sponge":
            yield Line(at, "main/INFO", "launch", "Loading Sponge, please wait...")
        case _:
            pass


def _place(throw: Random) -> str:
    return f"{throw.uniform(-900, 900):.6f}, {throw.randrange(50, 120)}.0, {throw.uniform(-900, 900):.6f}"


def _entrance(run: Run, visit: Visit, throw: Random) -> Iterator[Line]:
    at = visit.joined_at
    before = max(at - throw.randrange(2), run.ready_at)
    is_guest = run.server.has_geyser and visit.player.xuid is not None
    if is_guest:
        yield from _knock_of_geyser(visit, before)
    yield Line(
        before,
        f"User Authenticator #{throw.randrange(1, 9)}/INFO",
        _LOGIN,
        f"UUID of player {visit.name} is {visit.uuid}",
    )
    address = f"/{visit.player.address}:{0 if is_guest else visit.port}"
    match run.software:
        case "sponge":
            place = f"in world(0) at ({_place(throw)})"
        case _:
            place = f"at ({'[world]' if run.habits.is_bukkit else ''}{_place(throw)})"
    thread = _SERVER
    if run.software == "folia":
        thread = f"Region Scheduler Thread #{throw.randrange(4)}/INFO"
    login = Line(at, thread, _LIST, f"{visit.name}[{address}] logged in with entity id {visit.entity_id} {place}")
    former = f" (formerly known as {visit.former_name})" if visit.former_name else ""
    joined = Line(at, thread, _MAIN, f"{visit.name}{former} joined the game")
    match run.software:
        case "paper" | "purpur" | "folia":
            yield joined
            yield login
            if run.server.index % 4 == 0:
                yield Line(at, _SERVER, "", f"[DiscordLink] {visit.name} joined the game")
        case "spigot":
            yield login
        case "mohist":
            yield login
            # it shows some messages in the language of its makers
            yield joined._replace(text=f"玩家 {visit.name} 加入了游戏~")
        case _:
            yield login
            yield joined


def _knock_of_geyser(visit: Visit, at: int) -> Iterator[Line]:
    """Yield what the bridge between the two kinds of the game says of a guest who is about to enter."""
    guest = visit.player.gamertag
    for text in (
        f"[Geyser-Spigot] Player connected with username {guest}",
        f"[Geyser-Spigot] {guest} (logged in as: {visit.name}) has connected to the Java server",
        f"[floodgate] Floodgate player logged in as {visit.name} joined (UUID: {visit.uuid})",
    ):
        yield Line(at, "Netty Server IO #2/INFO", "", text)


def _departure(run: Run, visit: Visit, text: str, throw: Random) -> Iterator[Line]:
    if announced := _ANNOUNCEMENTS.get(text):
        yield Line(visit.left_at, _SERVER, _GAME, announced.format(name=visit.name))
    lost = Line(visit.left_at, _SERVER, _GAME, f"{visit.name} lost connection: {text}")
    left = Line(visit.left_at, _SERVER, _MAIN, f"{visit.name} left the game")
    if run.software == "mohist":
        left = left._replace(text=f"玩家 {visit.name} 退出了游戏~")
    yield from (left, lost) if throw.random() < 0.08 else (lost, left)


def _deeds(run: Run, visit: Visit, throw: Random) -> Iterator[Line]:
    is_bukkit = run.habits.is_bukkit
    insecure = "[Not Secure] " if run.software == "vanilla" and run.server.index % 2 else ""
    for at, deed in visit.deeds:
        match deed:
            case "chat":
                thread = f"Async Chat Thread - #{throw.randrange(4)}/INFO" if is_bukkit else _SERVER
                yield Line(at, thread, _MAIN, f"{insecure}<{visit.name}> {throw.choice(CHAT)}")
            case "command":
                yield Line(at, _SERVER, _GAME, f"{visit.name} issued server command: {throw.choice(_COMMANDS)}")
            case "death":
                yield Line(at, _SERVER, _MAIN, f"{visit.name} {throw.choice(DEATHS)}")
            case "advancement":
                yield Line(at, _SERVER, _MAIN, f"{visit.name} {throw.choice(ADVANCED)}")
            case "say":
                yield Line(at, _SERVER, _MAIN, f"[{visit.name}] {throw.choice(SAID)}")
            case "me":
                yield Line(at, _SERVER, _MAIN, f"* {visit.name} {throw.choice(('waves', 'left the game', 'sighs'))}")


def _noise(run: Run, throw: Random) -> Iterator[Line]:
    end = run.stopping_at or run.ended_at
    is_bukkit = run.habits.is_bukkit
    for at in range(run.ready_at + 5 * MINUTE, end - 2, 5 * MINUTE):
        text = f"[AutoSave] World saved in {throw.randrange(40, 400)} ms" if is_bukkit else "Saved the game"
        yield Line(at, _SERVER, _MAIN, text)
    for at in run.overloads:
        behind = throw.randrange(2000, 9000)
        yield Line(at, _WARN, _MAIN, _overload(run, behind))
    for at in moments(throw, run.ready_at, end, 7 * HOUR):
        yield Line(at, _SERVER, _MAIN, _player_list(online_names(run, at)))
    for at in moments(throw, run.ready_at, end, 9 * HOUR):
        yield Line(
            at,
            _SERVER,
            "net.minecraft.world.entity.LivingEntity/",
            f"Villager Villager['Steve'/{throw.randrange(99)}, l='ServerLevel[world]', x=1.00, y=64.00, z=2.00] died, "
            "message: 'Steve was slain by Zombie'",
        )
    if not is_bukkit:
        return
    for at in moments(throw, run.ready_at, end, 8 * HOUR):
        tail = "\nSteve joined the game" if throw.random() < 0.3 else ""
        yield Line(at, _ERROR, "", f"Could not pass event PlayerInteractEvent to Shop v1.2.3\n{_TRACE}{tail}")
    for at in moments(throw, run.ready_at, end, 40 * HOUR):
        yield Line(
            at, "Paper Watchdog Thread/ERROR", "", "--- DO NOT REPORT THIS TO PAPER - THIS IS NOT A BUG OR A CRASH ---"
        )


def _overload(run: Run, behind: int) -> str:
    if run.habits.version.startswith("1.12"):
        return (
            "Can't keep up! Did the system time change, or is the server overloaded? "
            f"Running {behind}ms behind, skipping {behind // 50} tick(s)"
        )
    return f"Can't keep up! Is the server overloaded? Running {behind}ms or {behind // 50} ticks behind"


def _player_list(names: list[str]) -> str:
    return f"There are {len(names)} of a max of 20 players online: {', '.join(names)}"


def _strangers(run: Run, throw: Random) -> Iterator[Line]:
    """Yield the lines of people who knocked and never entered; some bear the name of somebody who is online."""
    end = run.stopping_at or run.ended_at
    for at in moments(throw, run.ready_at, end, 5 * HOUR):
        online = online_names(run, at)
        name = throw.choice(online) if online and throw.random() < 0.5 else f"Visitor_{throw.randrange(100)}"
        address = f"/{CANARIES['player_address']}{throw.randrange(250, 255)}:{throw.randrange(20000, 65000)}"
        identity = str(uuid.UUID(int=throw.getrandbits(128), version=4))
        profile = (
            f"com.mojang.authlib.GameProfile@{throw.getrandbits(28):x}"
            f"[id={identity},name={name},properties={{}},legacy=false] ({address})"
        )
        reason = throw.choice(_REFUSALS)
        match throw.randrange(4):
            case 0:
                yield Line(at, _SERVER, _LOGIN, f"Disconnecting {profile}: {reason}")
                yield Line(at, _SERVER, _LOGIN, f"{profile} lost connection: {reason}")
            case 1:
                yield Line(at, _SERVER, _LOGIN, f"{address} lost connection: Disconnected")
            case 2:
                yield Line(at, _SERVER, _LOGIN, f"Disconnecting {name} ({address}): {reason}")
                yield Line(at, _SERVER, _LOGIN, f"{name} ({address}) lost connection: {reason}")
            case _ if name.startswith("Visitor"):
                # refused for its mods: a departure of somebody who never came
                yield Line(
                    at,
                    f"User Authenticator #{throw.randrange(1, 9)}/INFO",
                    _LOGIN,
                    f"UUID of player {name} is {identity}",
                )
                yield Line(at + 1, _SERVER, _GAME, f"{name} lost connection: Disconnected")
                yield Line(at + 1, _SERVER, _MAIN, f"{name} left the game")
            case _:
                yield Line(at, _SERVER, _LOGIN, f"Disconnecting {profile}: {reason}")


def _flood(at: int) -> Iterator[Line]:
    for number in range(FLOOD_LINES):
        yield Line(
            at + number // 900,
            _ERROR,
            "",
            f"Failed to load chunk {number % 641}, {-(number % 389)}: palette entry {number % 97} is missing",
        )


def _end(run: Run, throw: Random, zone: Zone) -> Iterator[Line]:
    at = run.stopping_at
    if at is None:
        return
    if run.end in {"crash", "watchdog"}:
        yield from _crash(run, at, throw, zone)
        return
    yield Line(at, _SERVER, _DEDICATED, "Stopping the server")
    yield Line(at, _SERVER, _MAIN, "Stopping server")
    yield Line(min(at + 1, run.ended_at), _SERVER, _MAIN, "Saving players")
    for visit in run.visits:
        if visit.reason == "server_stopped" and visit.text is not None:
            yield from _departure(run, visit, visit.text, throw)
    yield Line(min(at + 2, run.ended_at), _SERVER, _MAIN, "Saving worlds")
    yield Line(
        min(at + 2, run.ended_at), _SERVER, _MAIN, "Saving chunks for level 'ServerLevel[world]'/minecraft:overworld"
    )


def crash_report_name(zone: Zone, at: int) -> str:
    """Return the name of the report of a crash at *at*: local time."""
    local = (at + zone.offset(at)) % 86400
    return f"crash-{date_of(zone.day(at))}_{local // 3600:02}.{local // 60 % 60:02}.{local % 60:02}-server.txt"


def _crash(run: Run, at: int, throw: Random, zone: Zone) -> Iterator[Line]:
    thread = _ERROR
    if run.end == "watchdog":
        thread = "Server Watchdog/ERROR"
        fatal = "Server Watchdog/FATAL"
        yield Line(at, fatal, _MAIN, "A single server tick took 60.00 seconds (should be max 0.05)")
        yield Line(at, fatal, _MAIN, "Considering it to be crashed, server will forcibly shutdown.")
    else:
        yield Line(at, _ERROR, _MAIN, f"Encountered an unexpected exception\n{run.exception}\n{_FRAMES}")
    if run.has_report:
        if run.habits.has_debug_log:
            identity = uuid.UUID(int=throw.getrandbits(128), version=4)
            yield Line(at, thread, _MAIN, f"Preparing crash report with UUID {identity}")
        name = crash_report_name(zone, at)
        yield Line(at, thread, _MAIN, f"This crash report has been saved to: /home/container/./crash-reports/{name}")
    if run.end == "crash" and throw.random() < 0.5:
        yield Line(min(at + 1, run.ended_at), _SERVER, _MAIN, "Stopping server")

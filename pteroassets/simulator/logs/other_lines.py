"""The lines of what is no Java server: proxies, and the servers of phones and consoles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from pteroassets.simulator.logs.lines import CHAT, DEATHS, SAID, Line, lines_of
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import HOUR, MINUTE, dice
from pteroassets.simulator.world.life import Run, Visit, moments, online_names
from pteroassets.simulator.world.software import Software
from pteroassets.simulator.world.zones import Zone

_INFO: Final = "INFO"
_PLAYER: Final = "com.velocitypowered.proxy.connection.client.ConnectedPlayer"
_BACKEND: Final = "com.velocitypowered.proxy.connection.backend.VelocityServerConnection"
_VELOCITY: Final = "com.velocitypowered.proxy.VelocityServer"
_MAIN: Final = "main/INFO"
_NETTY: Final = "Netty epoll Worker #{}/INFO"
_THREAD: Final = "Server thread/INFO"


def every_line_of(run: Run, *, seed: int, zone: Zone, flood_at: int) -> list[Line]:
    """Return every line of *run*, whatever its software, in the order of the file."""
    writer = _WRITERS.get(run.software)
    if writer is None:
        return lines_of(run, seed=seed, zone=zone, flood_at=flood_at)
    throw = dice(seed, "lines", run.server.index, run.number)
    # stable: what was made first stays first within a second
    return sorted(writer(run, throw), key=lambda line: line.at)


def _address(throw: Random) -> str:
    return f"/{CANARIES['player_address']}{throw.randrange(250, 255)}:{throw.randrange(20000, 65000)}"


# ---------------------------------------------------------------------- Bedrock Dedicated Server


def _bedrock(run: Run, throw: Random) -> Iterator[Line]:
    at = run.started_at
    yield Line(at, "", "", "NO LOG FILE! - setting up server logging...")
    yield Line(at, _INFO, "", "Starting Server")
    yield Line(at, _INFO, "", f"Version {run.habits.version}")
    yield Line(at, _INFO, "", f"Session ID {throw.getrandbits(64):x}")
    yield Line(at, _INFO, "", "Level Name: Bedrock level")
    yield Line(at + 1, _INFO, "", "Game mode: 0 Survival")
    yield Line(at + 1, _INFO, "", "IPv4 supported, port: 19132: Used for gameplay and LAN discovery")
    yield Line(run.ready_at, _INFO, "", "Server started.")
    for visit in run.visits:
        device = f"{visit.player.key & 0xFFFFFFFFFFFFFFFF:016x}"
        account = f"{visit.name}, xuid: {visit.player.xuid}"
        yield Line(visit.joined_at, _INFO, "", f"Player connected: {account}")
        spawned = visit.joined_at + throw.randrange(1, 10)
        yield Line(spawned, _INFO, "", f"Player Spawned: {visit.name} xuid: {visit.player.xuid}, pfid: {device}")
        if visit.text is not None and visit.reason != "server_stopped":
            yield Line(visit.left_at, _INFO, "", f"Player disconnected: {account}, pfid: {device}")
    for at in range(run.ready_at + 10 * MINUTE, run.last - 2, 10 * MINUTE):
        yield Line(at, _INFO, "", "Running AutoCompaction...")
    if run.stopping_at is None:
        return
    yield Line(run.last, _INFO, "", "Server stop requested.")
    for visit in run.visits:
        if visit.text is not None and visit.reason == "server_stopped":
            account = f"{visit.name}, xuid: {visit.player.xuid}"
            yield Line(visit.left_at, _INFO, "", f"Player disconnected: {account}")
    yield Line(min(run.last + 2, run.ended_at), _INFO, "", "Stopping server...")
    yield Line(run.ended_at, _INFO, "", "Quit correctly")


# ---------------------------------------------------------------------- PocketMine-MP

_POCKETMINE_REASONS: Final = {
    "Disconnected": "client disconnect",
    "Timed out": "timeout",
    "You logged in from another location": "logged in from another location",
}
_FATAL: Final = 'ErrorException: "Undefined array key 3" (EXCEPTION) in "plugins/Shop/src/Shop" at line 87'


def _pocketmine(run: Run, throw: Random) -> Iterator[Line]:
    at = run.started_at
    yield Line(run.container_at + 1, _THREAD, "", "Loading server configuration")
    version = run.habits.version
    yield Line(at, _THREAD, "", f"Starting Minecraft: Bedrock Edition server version v{version}")
    yield Line(at, _THREAD, "", "This server is running PocketMine-MP version 5.23.2")
    yield Line(at + 1, _THREAD, "", "Minecraft network interface running on 0.0.0.0:19132")
    seconds = f"{run.ready_at - at}.{throw.randrange(10)}"
    yield Line(run.ready_at, _THREAD, "", f'Done ({seconds}s)! For help, type "help" or "?"')
    for visit in run.visits:
        yield from _pocketmine_visit(run, visit, throw)
    for at in range(run.ready_at + 10 * MINUTE, run.last - 2, 10 * MINUTE):
        yield Line(at, _THREAD, "", f"[ClearLagg] Removed {throw.randrange(40)} entities")
    for at in moments(throw, run.ready_at, run.last, 7 * HOUR):
        names = online_names(run, at)
        yield Line(at, _THREAD, "", f"There are {len(names)}/20 players online:\n{', '.join(names)}")
    if run.stopping_at is None:
        return
    if run.end != "stop":
        yield Line(run.last, "Server thread/CRITICAL", "", _FATAL)
        crashed = "An unrecoverable error has occurred and the server has crashed. Creating a crash dump"
        yield Line(run.last, "Server thread/EMERGENCY", "", crashed)
        return
    yield Line(run.last, _THREAD, "", "Stopping the server")
    for visit in run.visits:
        if visit.text is not None and visit.reason == "server_stopped":
            yield from _pocketmine_departure(visit, visit.text)
    yield Line(run.ended_at, _THREAD, "", "Stopping other threads")


def _pocketmine_visit(run: Run, visit: Visit, throw: Random) -> Iterator[Line]:
    place = f"(world, {throw.uniform(-900, 900):.4f}, {throw.randrange(50, 120)}, {throw.uniform(-900, 900):.4f})"
    yield Line(
        visit.joined_at,
        _THREAD,
        "",
        f"{visit.name}[/{visit.player.address}:{visit.port}] logged in with entity id {visit.entity_id} at {place}",
    )
    # the line comes when the world around the player has been sent
    spawned = visit.joined_at + throw.randrange(1, 40)
    if spawned < min(visit.left_at, run.last) - 1:
        yield Line(spawned, _THREAD, "", f"{visit.name} joined the game")
    for at, deed in visit.deeds:
        match deed:
            case "chat":
                yield Line(at, _THREAD, "", f"<{visit.name}> {throw.choice(CHAT)}")
            case "death":
                yield Line(at, _THREAD, "", f"{visit.name} {throw.choice(DEATHS)}")
            case "me":
                yield Line(at, _THREAD, "", f"* {visit.name} left the game")
            case _:
                yield Line(at, _THREAD, "", f"[{visit.name}] {throw.choice(SAID)}")
    if visit.text is not None and visit.reason != "server_stopped":
        yield from _pocketmine_departure(visit, visit.text)


def _pocketmine_departure(visit: Visit, text: str) -> Iterator[Line]:
    reason = _POCKETMINE_REASONS.get(text, text)
    yield Line(visit.left_at, _THREAD, "", f"{visit.name} left the game")
    address = f"/{visit.player.address}:{visit.port}"
    yield Line(visit.left_at, _THREAD, "", f"{visit.name}[{address}] logged out due to {reason}")


# ---------------------------------------------------------------------- BungeeCord


def _bungeecord(run: Run, throw: Random) -> Iterator[Line]:
    at = run.started_at
    yield Line(run.container_at + 1, _INFO, "", "Using mbed TLS based native cipher.")
    yield Line(at, _INFO, "", f"Enabled BungeeCord version git:BungeeCord-Bootstrap:{run.habits.version}:b8a9b83:1853")
    yield Line(run.ready_at, _INFO, "", "Listening on /0.0.0.0:25577")
    for visit in run.visits:
        yield from _bungeecord_visit(visit, throw)
    for at in moments(throw, run.ready_at, run.last, 2 * MINUTE):
        yield Line(at, _INFO, "", f"[{_address(throw)}] <-> InitialHandler has pinged")
    for at in moments(throw, run.ready_at, run.last, 9 * HOUR):
        name = f"Visitor_{throw.randrange(100)}"
        yield Line(at, _INFO, "", f"[{name}] <-> InitialHandler has connected")
        yield Line(at, _INFO, "", f"[{name}] <-> ServerConnector [lobby] has disconnected")
        yield Line(at, _INFO, "", f"[{name}] disconnected with: Could not connect to a default or fallback server")
        yield Line(at, _INFO, "", f"[{name}] -> UpstreamBridge has disconnected")
    if run.stopping_at is None:
        return
    yield Line(run.last, _INFO, "", f"Closing listener [id: 0x{throw.getrandbits(32):08x}, L:/0.0.0.0:25577]")
    leaving = [visit for visit in run.visits if visit.reason == "server_stopped"]
    yield Line(run.last, _INFO, "", f"Disconnecting {len(leaving)} connections")
    for visit in leaving:
        yield from _bungeecord_departure(visit)
    yield Line(run.ended_at, _INFO, "", "Closing IO threads")
    yield Line(run.ended_at, _INFO, "", "Thank you and goodbye")


def _bungeecord_visit(visit: Visit, throw: Random) -> Iterator[Line]:
    who = f"[{visit.name}]"
    yield Line(visit.joined_at - throw.randrange(2), _INFO, "", f"{who} <-> InitialHandler has connected")
    for number, stop in enumerate(visit.stops):
        yield Line(stop.entered_at, _INFO, "", f"{who} <-> ServerConnector [{stop.name}] has connected")
        if number < len(visit.stops) - 1:
            yield Line(stop.left_at, _INFO, "", f"{who} <-> DownstreamBridge <-> [{stop.name}] has disconnected")
    for at, command in _commands(visit, throw):
        yield Line(at, _INFO, "", f"{who} executed command: {command}")
    if visit.reason != "server_stopped" and visit.text is not None:
        yield from _bungeecord_departure(visit)


def _bungeecord_departure(visit: Visit) -> Iterator[Line]:
    who, at = f"[{visit.name}]", visit.left_at
    match visit.reason:
        case "kicked" | "server_stopped":
            yield Line(at, _INFO, "", f"{who} disconnected with: {visit.text}")
        case "timed_out":
            yield Line(at, "WARNING", "", f"{who} -> UpstreamBridge - read timed out")
        case _:
            pass
    yield Line(at, _INFO, "", f"{who} -> UpstreamBridge has disconnected")
    yield Line(at, _INFO, "", f"{who} <-> DownstreamBridge <-> [{visit.stops[-1].name}] has disconnected")


def _commands(visit: Visit, throw: Random) -> Iterator[tuple[int, str]]:
    """Yield the commands that a visitor of a proxy gave: those before a switch are the way to the next server."""
    switches = {stop.entered_at - 1: stop.name for stop in visit.stops[1:]}
    for at, _ in visit.deeds:
        yield at, f"/server {switches[at]}" if at in switches else throw.choice(_PROXY_COMMANDS)


_PROXY_COMMANDS: Final = ("/glist", "/alert hello", "/find Steve", f"/login {CANARIES['command']}-hunter2")

# ---------------------------------------------------------------------- Velocity


def _velocity(run: Run, throw: Random) -> Iterator[Line]:
    at = run.started_at
    yield Line(at, _MAIN, _VELOCITY, f"Booting up Velocity {run.habits.version} (git-f7a4d3a2-b484)...")
    yield Line(at + 1, _MAIN, _VELOCITY, "Loading localizations...")
    yield Line(at + 1, _MAIN, _VELOCITY, "Connections will use epoll channels, libdeflate (Linux x86_64) compression")
    seconds = f"{run.ready_at - at}.{throw.randrange(100):02}"
    yield Line(run.ready_at, _MAIN, _VELOCITY, f"Done ({seconds}s)!")
    for visit in run.visits:
        yield from _velocity_visit(visit, throw)
    for at in moments(throw, run.ready_at, run.last, 4 * MINUTE):
        thread = _NETTY.format(throw.randrange(4))
        yield Line(at, thread, "", f"[initial connection] {_address(throw)} has disconnected")
    for at in moments(throw, run.ready_at, run.last, 9 * HOUR):
        thread, who = _NETTY.format(throw.randrange(4)), f"Visitor_{throw.randrange(100)} ({_address(throw)})"
        yield Line(at, thread, _PLAYER, f"[connected player] {who} has connected")
        yield Line(at, thread, _PLAYER, f"[connected player] {who}: unable to connect to server lobby")
        yield Line(at, thread, _PLAYER, f"[connected player] {who} has disconnected: Unable to connect you to lobby.")
    if run.stopping_at is None:
        return
    yield Line(run.last, "Velocity Shutdown Thread/INFO", _VELOCITY, "Shutting down the proxy...")
    for visit in run.visits:
        if visit.reason == "server_stopped":
            yield from _velocity_departure(visit, throw)
    yield Line(run.ended_at, "Velocity Shutdown Thread/INFO", _VELOCITY, "Closing endpoint /0.0.0.0:25565")


def _velocity_who(visit: Visit) -> str:
    return f"[connected player] {visit.name} (/{visit.player.address}:{visit.port})"


def _velocity_visit(visit: Visit, throw: Random) -> Iterator[Line]:
    thread = _NETTY.format(throw.randrange(4))
    who = _velocity_who(visit)
    yield Line(visit.joined_at - throw.randrange(2), thread, _PLAYER, f"{who} has connected")
    for number, stop in enumerate(visit.stops):
        link = f"[server connection] {visit.name} -> {stop.name}"
        yield Line(stop.entered_at, thread, _BACKEND, f"{link} has connected")
        if number < len(visit.stops) - 1:
            yield Line(stop.left_at, thread, _BACKEND, f"{link} has disconnected")
    for at, command in _commands(visit, throw):
        yield Line(at, thread, _PLAYER, f"{who} -> executed command {command}")
    if visit.reason != "server_stopped" and visit.text is not None:
        yield from _velocity_departure(visit, throw)


def _velocity_departure(visit: Visit, throw: Random) -> Iterator[Line]:
    thread, at = _NETTY.format(throw.randrange(4)), visit.left_at
    who, last = _velocity_who(visit), visit.stops[-1].name
    match visit.reason:
        case "kicked":
            yield Line(at, thread, _PLAYER, f"{who}: kicked from server {last}: {visit.text}")
            yield Line(at, thread, _PLAYER, f"{who} has disconnected: {visit.text}")
        case "timed_out":
            yield Line(at, thread.replace("INFO", "ERROR"), _PLAYER, f"{who}: read timed out")
            yield Line(at, thread, _PLAYER, f"{who} has disconnected")
        case "server_stopped":
            yield Line(at, thread, _PLAYER, f"{who} has disconnected: Proxy shutting down.")
        case _:
            yield Line(at, thread, _PLAYER, f"{who} has disconnected")
    yield Line(at, thread, _BACKEND, f"[server connection] {visit.name} -> {last} has disconnected")


_WRITERS: Final[dict[Software, Callable[[Run, Random], Iterator[Line]]]] = {
    "bedrock": _bedrock,
    "pocketmine": _pocketmine,
    "bungeecord": _bungeecord,
    "velocity": _velocity,
}

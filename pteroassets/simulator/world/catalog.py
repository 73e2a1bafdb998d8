"""The four stock nests of a panel, one of its owner's making, and their eggs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pteroassets.simulator.world.software import HABITS, Software


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of an egg."""

    id: int
    name: str
    env: str
    default: str
    rules: str
    is_viewable: bool = True
    is_editable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Egg:
    """A kind of server that the panel can install."""

    id: int
    nest_id: int
    name: str
    description: str | None
    images: dict[str, str]
    startup: str
    stop: str
    done: str
    entry: str
    installer: str
    software: Software
    features: tuple[str, ...] | None = None
    files: dict[str, Any] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()

    @property
    def is_minecraft_server(self) -> bool:
        """Whether servers of this egg write Minecraft logs."""
        return self.software != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nest:
    """A group of eggs."""

    id: int
    name: str
    description: str | None


NESTS: Final = (
    Nest(id=1, name="Minecraft", description="Servers for Minecraft, from Vanilla to proxies."),
    Nest(id=2, name="Source Engine", description="Games that run on the Source dedicated server."),
    Nest(id=3, name="Voice Servers", description="Mumble and Teamspeak."),
    Nest(id=4, name="Rust", description=None),
    Nest(id=5, name="Community Eggs", description="Eggs that others made."),
)

_JAVA = {f"Java {version}": f"ghcr.io/pterodactyl/yolks:java_{version}" for version in (21, 17, 16, 11, 8)}
_PROPERTIES = {
    "server.properties": {
        "parser": "properties",
        "find": {"server-ip": "0.0.0.0", "server-port": "{{server.build.default.port}}"},  # noqa: S104 - text of an egg
    }
}
_JAVA_START = "java -Xms128M -XX:MaxRAMPercentage=95.0 -jar {{SERVER_JARFILE}}"
_FEATURES = ("eula", "java_version", "pid_limit")

# name, nest, software, description, stop, done, startup, variables (name, env, default, rules, viewable, editable)
_Row = tuple[str, int, Software, str | None, str, str, str, tuple[tuple[str, str, str, str, bool, bool], ...]]
_JAR = ("Server Jar File", "SERVER_JARFILE", "server.jar", "required|string", True, True)
_ROWS: Final[tuple[_Row, ...]] = (
    (
        "Bungeecord",
        1,
        "bungeecord",
        "A proxy in front of several servers.",
        "end",
        "Listening on ",
        _JAVA_START,
        (_JAR, ("Bungeecord Version", "BUNGEE_VERSION", "latest", "required|alpha_num|max:6", True, True)),
    ),
    (
        "Forge Minecraft",
        1,
        "forge",
        "Minecraft with mods.",
        "stop",
        ")! For help, type ",
        "java -Xms128M -XX:MaxRAMPercentage=95.0 @unix_args.txt",
        (
            _JAR,
            ("Minecraft Version", "MC_VERSION", "latest", "required|string|max:9", True, True),
            ("Build Type", "BUILD_TYPE", "recommended", "required|string", True, True),
        ),
    ),
    (
        "Sponge (SpongeVanilla)",
        1,
        "sponge",
        "Vanilla with a plugin interface.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (_JAR, ("Sponge Version", "SPONGE_VERSION", "1.12.2-7.3.0", "required|string", True, True)),
    ),
    (
        "Vanilla Minecraft",
        1,
        "vanilla",
        "The game as its makers ship it.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (_JAR, ("Server Version", "VANILLA_VERSION", "latest", "required|string|between:3,15", True, True)),
    ),
    (
        "Paper",
        1,
        "paper",
        "Minecraft with plugins, made fast.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (
            ("Minecraft Version", "MINECRAFT_VERSION", "latest", "nullable|string|max:20", True, True),
            _JAR,
            ("Download Path", "DL_PATH", "", "nullable|string", False, False),
            ("Build Number", "BUILD_NUMBER", "latest", "required|string|max:20", True, True),
        ),
    ),
    (
        "Garrys Mod",
        2,
        "none",
        "A sandbox of physics.",
        "quit",
        "gameserver Steam ID",
        "./srcds_run -game garrysmod -port {{SERVER_PORT}} +map {{SRCDS_MAP}}",
        (
            ("Map", "SRCDS_MAP", "gm_flatgrass", "required|string", True, True),
            ("Steam Account Token", "STEAM_ACC", "", "nullable|string|size:32", True, True),
        ),
    ),
    (
        "Team Fortress 2",
        2,
        "none",
        "Nine classes, two teams.",
        "quit",
        "gameserver Steam ID",
        "./srcds_run -game tf -port {{SERVER_PORT}} +map {{SRCDS_MAP}}",
        (("Default Map", "SRCDS_MAP", "cp_dustbowl", "required|string", True, True),),
    ),
    (
        "Counter-Strike: Global Offensive",
        2,
        "none",
        None,
        "quit",
        "Connection to Steam servers successful",
        "./srcds_run -game csgo -port {{SERVER_PORT}} +map {{SRCDS_MAP}}",
        (("Map", "SRCDS_MAP", "de_dust2", "required|string", True, True),),
    ),
    (
        "Ark: Survival Evolved",
        2,
        "none",
        "Dinosaurs.",
        "^C",
        "Waiting commands for",
        "./ShooterGameServer {{SERVER_MAP}}?listen",
        (("Admin Password", "ARK_ADMIN_PASSWORD", "PleaseChangeMe", "required|string|max:100", True, True),),
    ),
    (
        "Mumble Server",
        3,
        "none",
        "Voice, open source.",
        "^C",
        "Server listening on",
        "mumble-server -fg",
        (("Maximum Users", "MAX_USERS", "100", "required|numeric|digits_between:1,5", True, False),),
    ),
    (
        "Teamspeak3 Server",
        3,
        "none",
        "Voice, for clans.",
        "^C",
        "listening on 0.0.0.0:",
        "./ts3server default_voice_port={{SERVER_PORT}}",
        (("File Transfer Port", "FILE_TRANSFER", "30033", "required|integer", True, False),),
    ),
    (
        "Rust",
        4,
        "none",
        "Hunger, cold and other people.",
        "quit",
        "Server startup complete",
        "./RustDedicated -batchmode +server.port {{SERVER_PORT}}",
        (
            ("Server Name", "HOSTNAME", "A Rust Server", "required|string|max:60", True, True),
            ("RCON Password", "RCON_PASS", "CHANGEME", "required|regex:/^[\\w.-]*$/|max:64", True, True),
            ("Max Players", "MAX_PLAYERS", "40", "required|integer", True, True),
        ),
    ),
    (
        "Purpur",
        5,
        "purpur",
        "A fork of Paper that lets you change everything.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (_JAR, ("Minecraft Version", "MC_VERSION", "latest", "required|string|max:20", True, True)),
    ),
    (
        "Folia",
        5,
        "folia",
        "A fork of Paper whose regions tick in parallel.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (_JAR, ("Minecraft Version", "MC_VERSION", "latest", "required|string|max:20", True, True)),
    ),
    (
        "Fabric",
        5,
        "fabric",
        "A light loader of mods.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (_JAR, ("Minecraft Version", "MC_VERSION", "latest", "required|string|max:20", True, True)),
    ),
    (
        "NeoForge",
        5,
        "neoforge",
        "Minecraft with mods, after Forge.",
        "stop",
        ")! For help, type ",
        "java -Xms128M -XX:MaxRAMPercentage=95.0 @unix_args.txt",
        (_JAR, ("Minecraft Version", "MC_VERSION", "latest", "required|string|max:20", True, True)),
    ),
    (
        "Mohist",
        5,
        "mohist",
        "Mods of Forge and plugins of Bukkit at once.",
        "stop",
        ")! For help, type ",
        _JAVA_START,
        (_JAR, ("Minecraft Version", "MC_VERSION", "latest", "required|string|max:20", True, True)),
    ),
    (
        "Velocity",
        5,
        "velocity",
        "A proxy in front of several servers.",
        "end",
        "Done (",
        _JAVA_START,
        (_JAR, ("Velocity Version", "VELOCITY_VERSION", "latest", "required|string|max:20", True, True)),
    ),
    (
        "Vanilla Bedrock",
        5,
        "bedrock",
        "The game of phones and consoles.",
        "stop",
        "Server started.",
        "./bedrock_server",
        (("Bedrock Version", "BEDROCK_VERSION", "latest", "required|string|max:20", True, True),),
    ),
    (
        "PocketmineMP",
        5,
        "pocketmine",
        "The game of phones and consoles, in PHP.",
        "stop",
        ")! For help, type ",
        "./bin/php7/bin/php ./PocketMine-MP.phar --no-wizard",
        (("PocketMine Version", "VERSION", "PM5", "required|string|max:10", True, True),),
    ),
)


def _eggs() -> tuple[Egg, ...]:
    eggs = []
    variable_id = 0
    for number, (name, nest, software, description, stop, done, startup, variables) in enumerate(_ROWS, start=1):
        rows = []
        for title, env, default, rules, viewable, editable in variables:
            variable_id += 1
            rows.append(
                Variable(
                    id=variable_id,
                    name=title,
                    env=env,
                    default=default,
                    rules=rules,
                    is_viewable=viewable,
                    is_editable=editable,
                )
            )
        is_java = startup.startswith("java ")
        eggs.append(
            Egg(
                id=number,
                nest_id=nest,
                name=name,
                description=description,
                images=_JAVA if is_java else {name: f"ghcr.io/pterodactyl/games:{name.split()[0].lower()}"},
                startup=startup,
                stop=stop,
                done=done,
                entry="ash" if is_java else "bash",
                installer="ghcr.io/pterodactyl/installers:" + ("alpine" if is_java else "debian"),
                software=software,
                features=_FEATURES if is_java else None,
                files=_PROPERTIES if is_java and not HABITS[software].is_proxy else {},
                variables=tuple(rows),
            )
        )
    return tuple(eggs)


EGGS: Final = _eggs()
EGG_BY_ID: Final = {egg.id: egg for egg in EGGS}
EGG_BY_NAME: Final = {egg.name: egg for egg in EGGS}

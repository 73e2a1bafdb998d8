"""What the lines of logs say, all in one place: the dialects of the server programs, and what says nothing.

To add a server program, add what it says otherwise than others as a `Dialect` here, how its lines begin to ``layouts``
if no layout there fits, and a golden log to the tests; nothing else changes.
"""
# ruff: noqa: RUF001 - words are written as servers write them

from __future__ import annotations

from dataclasses import replace

from pteroassets.sources.minecraft.messages import ADDRESS, NAME, UUID_TEXT, Dialect, Message
from pteroassets.sources.minecraft.text import any_of

_SOFTWARE = (
    # before the general form, since many programs give CraftBukkit's name and their own in the version
    Message(
        kind="server_software",
        begins=(b"This server is running CraftBukkit version ",),
        pattern=r"This server is running CraftBukkit version .*?\b(?:git-)?(?P<software>MCPC-Plus|Spigot|Paper|Mohist"
        r"|Magma|Arclight|CatServer|TacoSpigot|Purpur|Thermos|Cauldron)\b.*?(?:\(MC: (?P<version>[\w.-]+)\).*)?",
        from_anyone=True,
        is_claim=True,
    ),
    Message(
        kind="server_software",
        begins=(b"This server is running ",),
        pattern=r"This server is running (?P<software>[A-Z][\w+-]*) version [^ ].*?"
        r"(?:\(MC: (?P<version>[\w.-]+)\).*)?",
        from_anyone=True,
        is_claim=True,
    ),
    Message(
        kind="server_software",
        begins=(b"Loading ", b"[bootstrap] Loading "),
        pattern=r"(?:\[bootstrap\] )?Loading (?P<software>[A-Z][A-Za-z]+) \d\S* .*"
        r"for Minecraft (?P<version>\d[\w.-]*).*",
        from_anyone=True,
        is_claim=True,
    ),
    Message(
        kind="server_software",
        begins=(b"Loading Minecraft ",),
        pattern=r"Loading Minecraft (?P<version>\d\S*) with (?P<software>Fabric|Quilt) Loader.*",
        from_anyone=True,
    ),
    Message(
        kind="server_software",
        begins=(b"Regionised ticking is enabled with ",),
        pattern=r"Regionised ticking is enabled with \d+ tick threads",
        detail={"software": "Folia"},
        from_anyone=True,
    ),
    Message(
        kind="server_software",
        begins=(b"Loading Sponge",),
        pattern=r"Loading Sponge\w*, please wait.*",
        detail={"software": "Sponge"},
        from_anyone=True,
    ),
    Message(
        kind="server_software",
        begins=(b"Loading for game Minecraft ",),
        pattern=r"Loading for game Minecraft (?P<version>\d\S*)",
        detail={"software": "Fabric"},
        from_anyone=True,
    ),
    Message(
        kind="server_software",
        begins=(b"NeoForge mod loading, version",),
        pattern=r"NeoForge mod loading, version.*?(?:for MC (?P<version>\d[\w.-]*).*)?",
        detail={"software": "NeoForge"},
        from_anyone=True,
    ),
    Message(
        kind="server_software",
        begins=(
            *(b"Forge mod loading, version", b"MinecraftForge v", b"Forge Mod Loader version "),
            *(b"[ForgeModLoader] ", b"[MinecraftForge] "),  # up to 1.6 the logger is a part of the message
        ),
        pattern=r"(?:\[\w+\] )?(?:Forge mod loading, version.*?|MinecraftForge v.*?|Minecraft Forge \d\S* Initialized"
        r"|Forge Mod Loader version .*?)(?:for (?:MC|Minecraft) (?P<version>\d[\w.-]*).*)?",
        detail={"software": "Forge"},
        from_anyone=True,
    ),
)

#: BungeeCord and what is built on it, as their start lines name them.
BUNGEECORD_FAMILY = frozenset({"BungeeCord", "Waterfall", "Travertine", "FlameCord", "HexaCord", "XCord", "Waterdog"})
VELOCITY_FAMILY = frozenset({"Velocity", "Velocity-CTD"})
WATERDOGPE_FAMILY = frozenset({"WaterdogPE"})
#: Every proxy: the one list of them, which places, sessions and the warehouse go by.
PROXIES = BUNGEECORD_FAMILY | VELOCITY_FAMILY | WATERDOGPE_FAMILY


def is_proxy(software: str | None) -> bool | None:
    """Tell whether a program is a proxy, by the name that the log gives it; None where it gives none."""
    return None if software is None else software in PROXIES


def _proxy_starts(bungeecord: str, velocity: str) -> tuple[Message, ...]:
    return (
        Message(
            kind="server_start",
            begins=(b"Booting up ",),
            pattern=rf"Booting up (?P<software>{velocity}) \d.*",
        ),
        Message(
            kind="server_start",
            begins=(b"Enabled ",),
            pattern=rf"Enabled (?P<software>{bungeecord}) version \S+.*",
        ),
    )


_PROXY_STARTS = _proxy_starts(r"[A-Z][\w-]*", r"[A-Z][\w-]*")
# in a layout that servers share with proxies: a mod of a server may boot up or be enabled as well
_NAMED_PROXY_STARTS = _proxy_starts("|".join(sorted(BUNGEECORD_FAMILY)), "|".join(sorted(VELOCITY_FAMILY)))

_READY = Message(
    kind="server_ready",
    begins=(b"Done (",),
    # nanoseconds up to 1.2
    pattern=r"Done \((?:(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?) ?s|\d{1,15}ns)\)!(?: For help, .*)?",
)

_LOGGED_IN = r" logged in with entity id (?:(?P<entity>\d{1,18})|\w+) (?P<place>(?:at|in) .*)"

_ENTRANCE = (
    # a connection without a network address: Carpet and other mods, and the game's own tests, make such players
    Message(
        kind="fake_login",
        then=(b"logged in with entity id ",),
        pattern=rf"{NAME}\[(?:local|embedded)\]{_LOGGED_IN}",
        from_anyone=True,
    ),
    Message(
        kind="player_login",
        then=(b"logged in with entity id ",),
        # the Genisys family adds a client id, and writes a world in place of the entity's number
        pattern=rf"{NAME}\[{ADDRESS}\](?: \[ClientID: [^\]]*\])?{_LOGGED_IN}",
        from_anyone=True,
    ),
    Message(
        kind="player_join",
        anchors=(*("加入了游戏".encode(), "加入了遊戲".encode(), "がゲームに参加しました".encode()),),
        then=(b"joined the game", b"(formerly known as ", b"masuk ke permainan"),
        pattern=rf"{NAME}(?: \(formerly known as (?P<formerly>[^)]{{1,60}})\))? joined the game\.?"
        rf"|(?:玩家 )?{NAME.replace('name', 'profile')} ?"
        r"(?:加入了(?:游戏|遊戲)~?|masuk ke permainan|がゲームに参加しました)",
    ),
)

_DEPARTURE = (
    Message(
        kind="login_refused",
        then=(b"lost connection: Server Mod rejections",),
        pattern=rf"{NAME} lost connection: (?P<reason>Server Mod rejections.*)",
        detail={"cause": "mods"},
    ),
    Message(
        kind="player_leave",
        anchors=(*("退出了游戏".encode(), "遊戲".encode(), "がゲームを退出しました".encode()),),
        then=(b"left the game", b"has left the game", b"keluar dari permainan"),
        pattern=rf"{NAME} (?:has )?left the game\.?"
        rf"|(?:玩家 |« )?{NAME.replace('name', 'profile')} ?"
        r"(?:退出了游戏~?|離開了?遊戲|keluar dari permainan|がゲームを退出しました)",
    ),
    Message(
        kind="player_lost_connection",
        anchors=("与服务器失去连接".encode(),),
        then=(b"lost connection",),
        pattern=rf"{NAME}(?: lost connection: ?| ?与服务器失去连接[:：] ?)(?P<reason>.*)",
    ),
)

_PROFILE = r"(?:[\w.]+\.)?GameProfile(?:@\w+)?[\[(].*?\bname(?:=|: )(?P<profile>[^,\])]+).*?[\])]"
_REFUSALS = (
    Message(
        kind="login_refused",
        then=(b"lost connection",),
        # of ProtocolSupport it holds more words than a name
        begins=(
            b"com.mojang.authlib.GameProfile",
            b"GameProfile[",
            b"protocolsupport.protocol.utils.authlib.GameProfile",
        ),
        pattern=rf"(?:{_PROFILE}(?: \([^)]*\))?|{NAME} ?(?:\((?:/[^)]*|IP hidden|[0-9a-f-]{{36}})\)|\[/.*?\])"
        r"|/\S+|IP hidden)"
        r" lost connection(?:: ?(?P<reason>.*))?",
    ),
    Message(
        kind="login_refused",
        begins=(b"Disconnecting ",),
        pattern=rf"Disconnecting (?:{_PROFILE}(?: \([^)]*\))?: ?"
        rf"|/\S+?: |{NAME} ?(?:\(/[^)]*\): ?|\(IP hidden\): ?|\[/.*?\]: ?|(?=due to )))(?P<reason>.*)",
    ),
)

_KICKS = (
    Message(
        kind="player_kick",
        begins=(b"Kicked ",),
        echo=b"Kicked ",
        pattern=rf"(?:\[[^\[\]:]{{1,60}}: )?Kicked {NAME}(?: from the game)?(?:: ?'?(?P<reason>.*?)'?)?\]?",
    ),
    Message(
        kind="player_kick",
        then=(b"was kicked for floating", b"was kicked due to keepalive"),
        pattern=rf"{NAME} was kicked (?:for|due to) (?P<reason>(?:floating|keepalive).*?)!?",
    ),
)

_ADVANCEMENTS = tuple(
    Message(
        kind="player_advancement",
        then=(then.encode(),),
        pattern=rf"{NAME} {then} \[(?P<title>.*)\]",
        detail={"type": type_},
    )
    for then, type_ in (
        ("has made the advancement", "task"),
        ("has completed the challenge", "challenge"),
        ("has reached the goal", "goal"),
        ("has just earned the achievement", "achievement"),
    )
)

_ACTIVITY = (
    Message(
        kind="player_command",
        anchors=("使用了指令".encode(), "выполнил команду".encode()),
        then=(b"issued server command: ",),
        pattern=rf"{NAME} (?:issued server command|使用了指令|выполнил команду): ?(?P<text>.*)",
    ),
    *_ADVANCEMENTS,
)

_IDENTITY = Message(
    kind="player_uuid",
    begins=(b"UUID of player ",),
    anchors=("的通用唯一标识符".encode(),),
    pattern=rf"UUID of player {NAME} is {UUID_TEXT}"
    rf"|玩家 {NAME.replace('name', 'profile')} 的通用唯一标识符\(UUID\)是 {UUID_TEXT.replace('uuid', 'uuid_2')}",
)

_STOPS = (
    Message(
        kind="server_stop",
        begins=(b"Stopping the server", b"Stopping server", b"CONSOLE: Stopping the server"),
        echo=b"Stopping the server]",
        pattern=r"\[[^\[\]:]{1,60}: Stopping the server\]|(?:CONSOLE: )?Stopping (?:the )?server\.{0,3}",
    ),
)

_CRASHES = (
    Message(
        kind="server_crash",
        begins=(b"This crash report has been saved to: ",),
        pattern=r"This crash report has been saved to: (?:.*[/\\])?(?P<report>[^/\\]+)",
        detail={"cause": "crash_report"},
    ),
    Message(
        kind="server_crash",
        begins=(b"Preparing crash report",),
        pattern=r"Preparing crash report with UUID .*",
        detail={"cause": "crash_report"},
    ),
    Message(
        kind="server_crash",
        begins=(b"Encountered an unexpected exception",),
        pattern=r"Encountered an unexpected exception(?:[: ]+(?P<exception>[\w.$]+)(?::.*)?)?.*",
        detail={"cause": "exception"},
    ),
    Message(
        kind="server_crash",
        begins=(b"A single server tick took ", b"Considering it to be crashed"),
        pattern=r"A single server tick took .*|Considering it to be crashed, server will forcibly shutdown\.",
        detail={"cause": "watchdog"},
    ),
)

_OVERLOAD = Message(
    kind="server_overload",
    begins=(b"Can't keep up!",),
    pattern=r"Can't keep up!(?:.*?Running (?P<behind>\d{1,15})ms(?: or (?P<ticks>\d{1,12}) ticks)? behind"
    r"(?:, skipping (?P<skipped>\d{1,12}) tick\(s\))?)?.*",
)

# refusals before departures: where the address is hidden, what stands in its place looks like a part of the name
_COMMON = (*_ENTRANCE, *_REFUSALS, *_DEPARTURE, *_ACTIVITY, _IDENTITY, *_KICKS, _OVERLOAD, *_STOPS, *_CRASHES, _READY)

# on a console in the layout of Java's servers the start is the line that tells it
_POCKETMINE_START = Message(
    kind="server_start",
    begins=(b"Starting Minecraft: ",),
    pattern=r"Starting Minecraft: (?:PE|BE|Bedrock Edition)\b.*? server version v?(?P<version>\S+)(?: \S.*)?",
    detail={"software": "PocketMine-MP"},
)

JAVA = Dialect(
    name="java",
    messages=(
        *_COMMON,
        _POCKETMINE_START,
        Message(
            kind="server_start",
            begins=(b"Starting minecraft server version ",),
            pattern=r"Starting minecraft server version (?P<version>\S.*)",
        ),
        *_NAMED_PROXY_STARTS,
        *_SOFTWARE,
    ),
)

GLOWSTONE = Dialect(
    name="glowstone",
    software=frozenset({"Glowstone", "Glowstone++"}),
    messages=(
        Message(
            kind="server_start",
            begins=(b"Glowstone version: ",),
            pattern=r"Glowstone version: .*",
            detail={"software": "Glowstone"},
        ),
        Message(
            kind="player_login",
            anchors=(b"] connected, UUID: ",),
            pattern=rf"{NAME} \[{ADDRESS}\] connected, UUID: {UUID_TEXT}",
        ),
        Message(
            kind="player_lost_connection",
            then=(b"lost connection",),
            pattern=rf"{NAME} \[{ADDRESS.replace('address', 'at')}\] lost connection",
        ),
        Message(kind="player_kick", then=(b"kicked: ",), pattern=rf"{NAME} kicked: (?P<reason>.*)"),
        Message(kind="server_ready", begins=(b"Ready for connections.",), pattern=r"Ready for connections\."),
        Message(
            kind="server_stop",
            begins=(b"The server is shutting down",),
            pattern=r"The server is shutting down\.{0,3}",
        ),
        *JAVA.messages,
    ),
)

_LOGGED_OUT = Message(
    kind="player_lost_connection",
    anchors=(b" logged out due to",),
    pattern=rf"{NAME}\[{ADDRESS.replace('address', 'at')}\] logged out due to ?(?P<reason>.*)",
)


def _after_any_name(message: Message) -> Message:
    """Return a declared entry or departure that is found however many words the name has, as Bedrock's may."""
    if message.kind not in ("player_login", "player_lost_connection"):
        return message
    return replace(message, then=(), anchors=(*message.anchors, *(b" " + words for words in message.then)))


POCKETMINE = Dialect(
    name="pocketmine",
    signs=rb"message (?:Starting Minecraft:? (?:PE|BE|Bedrock)|Loading (?:\xc2\xa7.)?(?:pocketmine|nukkit|pnx)\.yml"
    rb"|This server is running (?:PocketMine|Nukkit)"
    rb"|Starte Minecraft: |Iniciando Servidor de Minecraft: |Minecraft: PE |"
    + "이 서버는 (?:PocketMine|Nukkit)".encode()
    + rb"|[^\[\]\n]{1,40}\[/[^\]\n]*\] logged in with entity id \d+ at \([^\[\d-])",
    software=frozenset(
        {"PocketMine-MP", "Nukkit", "PowerNukkit", "PowerNukkitX", "Genisys", "ImagicalMine", "Altay", "Turanic"}
    ),
    messages=(
        *map(_after_any_name, _COMMON),
        _LOGGED_OUT,
        Message(
            kind="player_advancement",
            then=(b"has just earned the achievement",),
            pattern=rf"{NAME} has just earned the achievement (?P<title>[^\[\]]+)",
            detail={"type": "achievement"},
        ),
        Message(
            kind="server_start",
            begins=(b"Starting Minecraft",),
            pattern=r"Starting Minecraft:? .*?server version v?(?P<version>\S+)(?: \S.*)?",
        ),
        # in German, Portuguese and Korean
        Message(
            kind="server_start",
            begins=(b"Starte Minecraft: ", b"Iniciando Servidor de Minecraft: ", b"Minecraft: PE "),
            pattern=r"Starte Minecraft: .*?[Ss]erverversion v?(?P<version>\S+).*"
            r"|Iniciando Servidor de Minecraft: .*?vers\S+ v?(?P<version_2>\S+)"
            r"|Minecraft: PE 서버 버전 v?(?P<version_3>\S+).* 시작 중",
        ),
        Message(
            kind="server_ready",
            begins=(b"Fertig (", b"Finalizado (", "완료 (".encode()),
            pattern=r"(?:Fertig|Finalizado|완료) \((?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)(?:s|초)\)! .*",
        ),
        Message(
            kind="server_software",
            begins=("Este servidor está rodando ".encode(), "이 서버는 ".encode()),
            pattern=r"(?:Este servidor está rodando|이 서버는) (?P<software>[A-Z][\w+-]*) (?:versão|에서) .*",
            is_claim=True,
        ),
        Message(
            kind="player_login",
            anchors=(b" loggte sich mit Entity ID ",),
            pattern=rf"{NAME}\[{ADDRESS}\] loggte sich mit Entity ID (?P<entity>\d{{1,18}}) bei (?P<place>\(.*\)) ein",
        ),
        Message(
            kind="player_lost_connection",
            anchors=(b" loggte sich wegen ",),
            pattern=rf'{NAME}\[{ADDRESS.replace("address", "at")}\] loggte sich wegen "(?P<reason>.*)" aus',
        ),
        # since version 4, and the only departure line of somebody who has not spawned yet
        Message(
            kind="player_lost_connection",
            begins=(b"[NetworkSession: ",),
            pattern=rf"\[NetworkSession: {NAME}\] Session closed due to ?(?P<reason>.*)",
        ),
        Message(kind="server_stop", begins=(b"Stopping other threads",), pattern=r"Stopping other threads"),
        Message(
            kind="server_crash",
            begins=(b"An unrecoverable error has occurred",),
            pattern=r"An unrecoverable error has occurred and the server has crashed\. Creating a crash dump",
            detail={"cause": "crash_report"},
        ),
        Message(
            kind="server_software",
            begins=(b"This server is running ",),
            pattern=r"This server is running (?P<software>[A-Z][\w+-]*)(?: version)? \S.*?"
            r"(?:Minecraft(?:: \w+)? v?(?P<version>\d[\w.]*).*)?",
            is_claim=True,
        ),
    ),
)


def _after_short_name(message: Message) -> Message:
    """Return a message that is found behind a name of up to four words, where looking for any name costs too much."""
    words = tuple(anchor.removeprefix(b" ") for anchor in message.anchors if anchor.startswith(b" "))
    return (
        replace(message, anchors=tuple(set(message.anchors) - {b" " + word for word in words}), then=words)
        if words
        else message
    )


#: The same on consoles whose layout is that of Java's servers.
POCKETMINE_CONSOLE = replace(
    POCKETMINE,
    name="pocketmine_console",
    signs=None,
    messages=(*_COMMON, *map(_after_short_name, POCKETMINE.messages[len(_COMMON) :])),
)

NUKKIT = replace(POCKETMINE, name="nukkit", signs=None, default_software="Nukkit")

#: Up to 1.6, and PocketMine up to 1.4, which names itself nowhere.
LEGACY = Dialect(name="legacy", messages=(*JAVA.messages, _LOGGED_OUT))

#: The same on consoles up to 1.6, whose layout is BungeeCord's.
CONSOLE = replace(
    LEGACY,
    name="console",
    software=frozenset({"Vanilla", "CraftBukkit", "Spigot", "Forge", "MCPC-Plus"}),
    default_software="Vanilla",
    signs=rb"message (?:Starting minecraft server version |This server is running C"
    rb"|[^\[\]\n]{1,40} ?\[/[^\]\n]*\] logged in with entity id \d+ at \([\[\d-])",
)

_PEER = r"\[(?:/[^|\n]*\|)?(?P<name>[^\[\]|/:*<>]{1,60}?)(?:\|/[^|\n]*?)?\]"

BUNGEECORD = Dialect(
    name="bungeecord",
    software=BUNGEECORD_FAMILY,
    default_software="BungeeCord",
    messages=(
        Message(
            kind="player_arrival",
            of_peer=b"<-> InitialHandler has connected",
            pattern=rf"{_PEER} <-> InitialHandler has connected",
        ),
        Message(
            kind="player_switch",
            of_peer=b"<-> ServerConnector [",
            pattern=rf"{_PEER} <-> ServerConnector \[(?P<server>[^\[\]]+)\] has connected",
        ),
        Message(
            # once a back-end has taken the player, the connection to it is a DownstreamBridge
            kind="player_switch_failed",
            of_peer=b"<-> ServerConnector [",
            pattern=rf"{_PEER} <-> ServerConnector \[(?P<server>[^\[\]]+)\] has disconnected",
            detail={"reached": 1},
        ),
        Message(
            kind="player_lost_connection",
            of_peer=b"-> UpstreamBridge ",
            pattern=rf"{_PEER} -> UpstreamBridge "
            r"(?:has disconnected)?(?: ?- (?P<reason>read timed out|encountered exception).*)?",
        ),
        Message(
            kind="player_kick",
            of_peer=b"disconnected with:",
            pattern=rf"{_PEER} disconnected with: ?(?P<reason>.*)",
        ),
        Message(
            kind="player_command",
            of_peer=b"executed command: ",
            pattern=rf"{_PEER} executed command: (?P<text>.*)",
        ),
        *_PROXY_STARTS,
        Message(kind="server_ready", begins=(b"Listening on /",), pattern=r"Listening on /.*"),
        Message(
            kind="server_stop",
            begins=(b"Closing listener [", b"Disconnecting ", b"Closing IO threads"),
            pattern=r"Closing listener \[.*|Disconnecting \d+ connections?|Closing IO threads",
        ),
        *_SOFTWARE,
    ),
)

#: The same in the layout of Paper.
WATERFALL = replace(
    BUNGEECORD,
    name="waterfall",
    signs=rb"thread Netty Worker|message \[.{1,120}?\] "
    rb"(?:<-> (?:InitialHandler|ServerConnector|DownstreamBridge)|-> UpstreamBridge|disconnected with: )",
    default_software="Waterfall",
)

#: A proxy for Bedrock, in the layouts of Nukkit and of BungeeCord. What it told a player stands after the departure.
WATERDOGPE = Dialect(
    name="waterdogpe",
    software=WATERDOGPE_FAMILY,
    default_software="WaterdogPE",
    # with the address, which nobody can put into the bracket that /say writes
    signs=rb"message (?:Starting WaterDogPE |\[/[^\[\]\n]{1,120}\] (?:<-> Upstream |-> (?:Upstream|Downstream) "
    rb"|Unable to connect to downstream ))",
    messages=(
        Message(
            kind="player_arrival",
            of_peer=b"<-> Upstream has connected",
            pattern=rf"{_PEER} <-> Upstream has connected(?: \(.*\))?",
        ),
        Message(
            kind="player_switch",
            of_peer=b"-> Downstream [",
            pattern=rf"{_PEER} -> Downstream \[(?P<server>[^\[\]]+)\] has connected",
        ),
        Message(
            kind="player_switch_failed",
            of_peer=b"Unable to connect to downstream ",
            pattern=rf"{_PEER} Unable to connect to downstream (?P<server>\S+).*",
        ),
        Message(
            kind="player_switch_failed",
            of_peer=b"Downstream ",
            pattern=rf"{_PEER} Downstream (?P<server>\S+) did not send StartGame within .*",
        ),
        Message(
            kind="player_lost_connection",
            of_peer=b"-> Upstream has disconnected",
            pattern=rf"{_PEER} -> Upstream has disconnected(?:: ?(?:null|(?P<reason>.*)))?",
        ),
        Message(
            kind="server_start",
            begins=(b"Starting WaterDogPE ",),
            pattern=r"Starting WaterDogPE .*",
            detail={"software": "WaterdogPE"},
        ),
    ),
)

_CONNECTED = r"\[connected player\] (?P<name>[^\[\]/:*<>()]{1,60}?) \([^)]*\)"

VELOCITY = Dialect(
    name="velocity",
    software=VELOCITY_FAMILY,
    signs=rb"thread (?:Netty (?:epoll|NIO|kqueue|io_uring) Worker|Velocity )|logger com\.velocitypowered"
    rb"|message \[(?:connected player|server connection)\] ",
    default_software="Velocity",
    messages=(
        Message(
            kind="player_switch",
            begins=(b"[server connection] ",),
            pattern=r"\[server connection\] (?P<name>[^\[\]/:*<>]{1,60}?) -> (?P<server>.+) has connected",
        ),
        Message(
            kind="player_arrival",
            begins=(b"[connected player] ",),
            pattern=rf"{_CONNECTED} has connected",
        ),
        Message(
            kind="player_switch_failed",
            begins=(b"[connected player] ",),
            pattern=rf"{_CONNECTED}: (?:unable to connect to server|disconnected while connecting to) "
            r"(?P<server>[^:]+)(?::.*)?",
        ),
        Message(
            kind="player_lost_connection",
            begins=(b"[connected player] ",),
            pattern=rf"{_CONNECTED} has disconnected(?:: ?(?P<reason>.*))?",
        ),
        # "has disconnected" follows, without the reason
        Message(
            kind="player_lost_connection",
            begins=(b"[connected player] ",),
            pattern=rf"{_CONNECTED}: (?P<reason>read timed out)",
        ),
        Message(
            kind="player_kick",
            begins=(b"[connected player] ",),
            pattern=rf"{_CONNECTED}: kicked from server \S+?(?:: ?(?P<reason>.*))?",
        ),
        Message(
            kind="player_command",
            begins=(b"[connected player] ",),
            pattern=rf"{_CONNECTED} -> executed command (?P<text>.*)",
        ),
        *_PROXY_STARTS,
        _READY,
        Message(kind="server_stop", begins=(b"Shutting down the proxy",), pattern=r"Shutting down the proxy\.{0,3}"),
    ),
)

BEDROCK = Dialect(
    name="bedrock",
    default_software="Bedrock Dedicated Server",
    messages=(
        Message(
            kind="player_login",
            begins=(b"Player connected: ",),
            pattern=r"Player connected: (?P<name>[^,]{1,60})(?:, xuid: ?(?P<xuid>\d{0,20}).*)?",
        ),
        Message(
            kind="player_spawn",
            begins=(b"Player Spawned: ",),
            pattern=r"Player Spawned: (?P<name>.{1,60}?),? xuid: ?(?P<xuid>\d{0,20}).*",
        ),
        Message(
            kind="player_lost_connection",
            begins=(b"Player disconnected: ",),
            pattern=r"Player disconnected: (?P<name>[^,]{1,60})(?:, xuid: ?(?P<xuid>\d{0,20}).*)?",
        ),
        Message(kind="server_start", begins=(b"Starting Server",), pattern=r"Starting Server"),
        Message(
            kind="server_software",
            begins=(b"Version",),
            pattern=r"Version:? (?P<version>\d[\w.]*)",
            detail={"software": "Bedrock Dedicated Server"},
        ),
        Message(kind="server_ready", begins=(b"Server started.",), pattern=r"Server started\."),
        Message(
            kind="server_stop",
            begins=(b"Server stop requested.", b"Stopping server..."),
            pattern=r"Server stop requested\.|Stopping server\.\.\.",
        ),
    ),
)

GEYSER = Dialect(
    name="geyser",
    default_software="Geyser",
    messages=(
        Message(
            kind="server_ready",
            begins=(b"Done (",),
            pattern=r"Done \((?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)s\)! Run /geyser help.*",
        ),
        Message(kind="server_stop", begins=(b"Shutting down Geyser",), pattern=r"Shutting down Geyser\.{0,3}"),
    ),
)

# what other programs are built on: a program's own name wins over them
_BASES = {"Vanilla": 0, "CraftBukkit": 1, "Forge": 1, "Fabric": 1}


def rank_of_software(software: str | None) -> int:
    """Return how special a program's name is; of two that a log names, the more special one is meant."""
    return -1 if software is None else _BASES.get(software, 2)


#: Messages known to say nothing about players or runs: literal beginnings, and patterns. So are all in brackets.
IGNORED_WORDS = (
    *(
        b"* ",
        b"**",
        b"\t",
        b"[",
        b"at ",
        b"    at ",
        b"Caused by: ",
        b"Using ",
        b"Time elapsed: ",
        b"Thread RCON",
        b"RCON running",
    ),
    *(b"Saving ", b"Saved ", b"Preparing level", b"Preparing start", b"Preparing spawn", b"Default game type"),
    *(b"Generating keypair", b"Starting Minecraft server on", b"Starting remote control", b"Starting GS4"),
    *(b"Starting Query", b"Server empty for", b"Automatic saving", b"Reload", b"Villager ", b"Named entity "),
    *(b"ThreadedAnvil", b"All chunks", b"All dimensions", b"All RegionFile", b"Flushing", b"Environment: ", b"Set "),
    *(b"Gave ", b"Teleported ", b"Opped ", b"De-opped ", b"Made ", b"Banned ", b"Unbanned ", b"Added ", b"Removed "),
    *(b"Whitelist ", b"Turned ", b"Enabling ", b"Enabled ", b"Disabling ", b"Disabled ", b"Server permissions"),
    *(b"You need to agree", b"Failed to load eula", b"**** ", b"---", b"com.example", b"java.", b"net.", b"org."),
    *(b"There are ", b"Running AutoCompaction", b"NO LOG FILE!", b"Quit correctly"),
    # the game and its libraries
    *(
        b"handleDisconnection() called twice",
        b"Reached end of stream for /",
        b"Unknown command",
        b"Unknown or incomplete",
    ),
    *(b"The server will make no attempt", b"While this makes the game possible", b'To change this, set "online-mode"'),
    *(b"To start the server with more ram", b"Failed to load user banlist", b"Failed to load ip banlist"),
    *(b"Failed to load operators list", b"Failed to load white-list", b"Scanning for legacy world dragon"),
    *(
        b"Ambiguity between arguments",
        b"Exception handling console input",
        b"Connection reset",
        b"Closing listening thr",
    ),
    # a damaged world floods its log with these
    *(b"Failed to load chunk", b"Chunk file at ", b"Ignoring heightmap data"),
    *(b"Couldn't parse element", b"Parsing error loading recipe", b"Skipping feature", b"Gathering id map"),
    # the settings of each world that Spigot and its forks print at each start
    *(
        b"View Distance: ",
        b"Simulation Distance: ",
        b"Mob Spawn Range: ",
        b"Entity Activation Range",
        b"Hopper Transfer",
    ),
    *(b"Entity Tracking Range", b"Item Merge Radius", b"Item Despawn Rate", b"Arrow Despawn Rate", b"Custom Map Seeds"),
    *(b"Max TNT Explosions", b"Tile Max Tick Time", b"Nerfing mobs", b"Zombie Aggressive", b"Experience Merge Radius"),
    *(
        b"Allow Zombie Pigmen",
        b"Max Entity Collisions",
        b"Sending up to ",
        b"Max Entity Tick",
        b"Cactus Growth Modifier",
    ),
    *(b"Cane Growth Modifier", b"Melon Growth Modifier", b"Wheat Growth Modifier", b"Sapling Growth Modifier"),
    # mods and their loaders
    *(b"Client protocol version ", b"Client attempting to join with", b"Attempting connection with missing mods"),
    *(b"Sending event FML", b"Sent event FML", b"Bar Step: ", b"Potentially Dangerous alternative prefix"),
    *(b"No data fixer registered for", b"Reference map '", b"Force-disabling mixin", b"Error loading class: "),
    # proxies
    *(b"Discovered module: ", b"Attempting to update plugin", b"Attempting to Jenkins download", b"Download complete"),
    *(b"Forced host server ", b"Not on Windows, attempting", b"Epoll is ", b"Netty is not using", b"Started query on "),
    *(b"Waterfall has reached end of life", b"MinecraftForge support is", b"Listening websockets on "),
    *(b"Closing pending connections", b"Thank you and goodbye", "§cCommand not found".encode(), b"Closing endpoint "),
    *(b"The proxy is running in offline mode", b"Plugin listener "),
    # Bedrock, PocketMine and Nukkit
    *(b"Commit ID", b"Configuration: ", b"Game mode: ", b"Difficulty: ", b"Server Telemetry", b"Player added to allow"),
    *(b"Player PartyIdUpdate", b"Unloading level", b"Unloading world", b"Player data not found for"),
    *(b"Online mode is ", b"Minecraft network interface running"),
    *(b"Session ID", b"Level Name: ", b"opening worlds", b"IPv4 supp", b"IPv6 supp"),
    *(verb + bytes([first]) for verb in (b"Loading ", b"Loaded ") for first in b"abcdefghijklmnopqrstuvwxyz0123456789"),
)
#: The same, where the message was read and says nothing: a ping of the server list, or a scanner.
IGNORED_WHEN_READ = (rb"/\S++ lost connection",)
#: What may follow the name that such a message begins with.
IGNORED_AFTER_NAME = (b"moved too quickly!", b"moved wrongly!")
IGNORED_PATTERNS = (rb"[^ \n]*+ (?:\(vehicle of[^)\n]*\) )?" + any_of(IGNORED_AFTER_NAME),)

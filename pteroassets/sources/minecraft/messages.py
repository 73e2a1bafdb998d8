"""What the message of a line says: patterns for finding candidates in a block, and the full reading of one line.

Finding is generous and runs over all bytes; reading is strict, anchored at both ends and runs on candidates only.
Chat can hold any text, so nothing but the part right after the line's prefix is ever matched, and whatever begins
with a bracket or stands on a chat thread is a plugin's or a player's word. Formats of the messages:
the server programs' default log configurations and language files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from pteroassets.sources.minecraft.deaths import FIRST_WORDS, read_death
from pteroassets.sources.minecraft.events import Detail, Kind
from pteroassets.sources.minecraft.reasons import plain_reason

_WORD = rb"[^\s<>\[\]/:*]++"

#: What a line of interest may begin with, after its prefix.
CANDIDATE = (
    rb"(?:"
    + _WORD
    + rb"(?: (?:"
    + FIRST_WORDS
    + rb"|has (?:made the adv|completed the ch|reached the goal|just earned)|\(formerly known as |[\[(]/))"
    + rb"|<|\[(?:Not Secure\] <|[^\]\n]{1,60}+(?<=Stopping the server)\])"
    + rb"|Starting minecraft server|Done \(|Stopping (?:the )?server|UUID of player|Disconnecting "
    + rb"|com\.mojang\.authlib\.GameProfile"
    + rb"|This (?:server is running|crash report has)|Preparing crash report|Encountered an unexpected exception"
    + rb"|A single server tick|Considering it to be|Loading [A-Z]|(?:Neo)?Forge mod loading|MinecraftForge v)"
)

#: Words that make a line one of interest wherever they stand, since names may hold spaces before them.
ANCHORS = (
    b" logged in with entity id ",
    b" lost connection",
    b" joined the game",
    b" left the game",
    b" issued server command: ",
    b"[Async Chat Thread",
)

#: Threads that write nothing but chat, in the CraftBukkit family.
CHAT_THREAD = b"Async Chat Thread"

#: Messages known to say nothing about players or runs.
IGNORED = (
    rb"(?:\[(?!Not Secure\] <|[^\]\n]{1,60}+(?<=Stopping the server)\])|\*|\t|\s*at |Caused by: |Can't keep up!"
    rb"|Sav(?:ing|ed) |Preparing (?:level|start|spawn)|Load(?:ing|ed) [a-z0-9]|Default game type|Generating keypair"
    rb"|Starting (?:Minecraft server on|remote control|GS4|Query)|Using |Time elapsed: |Thread RCON|RCON running"
    rb"|Server empty for|Automatic saving|Reload|There are \d|Villager |Named entity |ThreadedAnvil|All (?:chunks|"
    rb"dimensions|RegionFile)|Flushing|Environment: |Set |Gave |Teleported |Opped |De-opped |Made |Kicked |Banned "
    rb"|Unbanned |Added |Removed |Whitelist |Turned |Enabl(?:ing|ed) |Disabl(?:ing|ed) |Reloading|Server permissions"
    rb"|You need to agree|Failed to load eula|\*\*\*\* |-{3}|com\.example|java\.|net\.|org\.|"
    + _WORD
    + rb"(?: \(vehicle of[^)\n]*\))? moved (?:too quickly|wrongly)!)"
)

_NAME = r"[^<>\[\]/:*]{1,60}?"
_NUMBER = r"-?\d{1,300}(?:\.\d+)?(?:E-?\d{1,2})?"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class Reading(NamedTuple):
    """What one line says: an event's parts, or the software that writes the log."""

    kind: Kind | None
    player: str | None = None
    player_uuid: UUID | None = None
    detail: Detail | None = None
    software: str | None = None


_CHAT = re.compile(r"(?:\[Not Secure\] )?<(?P<name>[^<>]{1,64})> ?(?P<text>.*)")
# a chat thread's lines are chat whatever their layout; the name is the last word before the mark
_CHAT_LAYOUT = re.compile(
    r"(?:.{0,64}<(?P<angled>[^<>]{1,64})>|(?P<plain>[^<>]{0,64}?(?P<name>[\w.]{1,40})) ?(?::|»|>|➤|→)) ?(?P<text>.*)"
)
# each with words that its lines contain, which are far cheaper to look for than the pattern is to match
_MESSAGES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (name, words, re.compile(pattern))
    for name, words, pattern in (
        ("command", " issued server command: ", rf"(?P<name>{_NAME}) issued server command: (?P<text>.*)"),
        ("lost", " lost connection: ", rf"(?P<name>{_NAME}) lost connection: (?P<reason>.*)"),
        ("left", " left the game", rf"(?P<name>{_NAME}) (?:has )?left the game\.?"),
        (
            "joined",
            " joined the game",
            rf"(?P<name>{_NAME})(?: \(formerly known as (?P<formerly>[^)]{{1,60}})\))? joined the game\.?",
        ),
        (
            "login",
            " logged in with entity id ",
            (
                rf"(?P<name>{_NAME})\[(?P<address>/?[^\s\[\]]*(?:\[[^\[\]\s]*\])?[^\s\[\]]*|IP hidden)\]"
                r" logged in with entity id (?P<entity>\d{1,19}) (?P<place>(?:at|in) .*)"
            ),
        ),
        ("uuid", "UUID of player ", rf"UUID of player (?P<name>{_NAME}) is (?P<uuid>{_UUID})"),
        (
            "advancement",
            " has ",
            (
                rf"(?P<name>{_NAME}) has (?P<type>made the advancement|completed the challenge|reached the goal"
                r"|just earned the achievement) \[(?P<title>.*)\]"
            ),
        ),
        ("start", "Starting minecraft server version", r"Starting minecraft server version (?P<version>\S.*)"),
        ("ready", "Done (", r"Done \((?P<seconds>\d{1,9}[.,]\d{1,9})s\)!(?: For help, .*)?"),
        ("stop", "Stopping ", r"\[[^\[\]:]{1,60}: Stopping the server\]|Stopping (?:the )?server"),
        (
            "report",
            "crash report",
            r"This crash report has been saved to: (?:.*[/\\])?(?P<report>[^/\\]+)|Preparing crash report with UUID .*",
        ),
        ("exception", "Encountered an unexpected exception", r"Encountered an unexpected exception.*"),
        (
            "watchdog",
            " ",
            r"A single server tick took .*|Considering it to be crashed, server will forcibly shutdown\.",
        ),
        (
            "refused",
            " lost connection",
            (
                rf"(?:com\.mojang\.authlib\.GameProfile@.*?\bname=(?P<profile>[^,\]]+).*?|(?P<name>{_NAME}) "
                r"(?:\(/[^)]*\)|\[/.*?\])|/\S+) lost connection(?:: (?P<reason>.*))?"
            ),
        ),
        (
            "refused",
            "Disconnecting ",
            (
                r"Disconnecting (?:com\.mojang\.authlib\.GameProfile@.*?\bname=(?P<profile>[^,\]]+).*?(?:\]|\)): "
                rf"|/\S+?: |(?P<name>{_NAME}) (?:\(/[^)]*\): |(?=due to )))(?P<reason>.*)"
            ),
        ),
        ("brand", "This server is running ", r"This server is running (?P<brand>[A-Za-z]+) version (?P<version>.*)"),
        (
            "loading",
            "Loading ",
            (
                r"Loading (?P<brand>[A-Z][A-Za-z]+) \d\S* .*for Minecraft.*"
                r"|Loading Minecraft \S+ with (?P<loader>Fabric|Quilt) Loader.*"
            ),
        ),
        ("forge", "Forge", r"(?P<neo>Neo)?Forge mod loading, version.*|MinecraftForge v.*"),
    )
)
_PLACE = re.compile(
    rf"(?:at|in) (?:(?P<sponge>.+?)\(-?\d+\) at )?\((?:\[(?P<world>[^\]]*)\]|(?P<comma>[^,\[\]]*), )?"
    rf"(?P<x>{_NUMBER}), (?P<y>{_NUMBER}), (?P<z>{_NUMBER})\)"
)
_DEATH = re.compile(r"(?P<name>[^\s<>\[\]/:*]{1,40}) (?P<text>.+)")
_ADVANCEMENT_TYPES = {
    "made the advancement": "task",
    "completed the challenge": "challenge",
    "reached the goal": "goal",
    "just earned the achievement": "achievement",
}
_OWN_LOGGERS = ("net.minecraft", "minecraft", "n.m.", "com.mojang", "mojang", "fml", "forge", "neoforge")
_COLOURS = re.compile("§.?")
_MOST_NAME = 40


def decode(line: bytes) -> str:
    """Return a line's text: UTF-8, else cp1252, as parts of some files are; what is neither becomes a mark."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("cp1252", errors="replace")
    return text.replace("\x00", "")  # no Postgres text can hold one


def read_message(message: bytes, *, thread: bytes | None, logger: bytes | None, keep_text: bool) -> Reading | None:
    """Return what *message* says, or None where it says nothing to us.

    Args:
        message: What follows the line's prefix, without the line feed.
        thread: Thread and level, where the layout shows them.
        logger: Logger, where the layout shows one.
        keep_text: Whether the players' own words are wanted: chat, commands, names of items.
    """
    text = decode(message)
    if thread is not None and thread.startswith(CHAT_THREAD):
        return _read_chat_thread(text, keep_text=keep_text)
    # a mod or plugin that logs under its own name may say anything, but not with an entity id
    foreign = bool(logger) and not decode(logger or b"").lower().startswith(_OWN_LOGGERS)
    if (chat := _CHAT.fullmatch(text)) is not None and not foreign:
        return _chat(chat["name"], chat["text"], keep_text=keep_text)
    for message_kind, words, pattern in _MESSAGES:
        if words in text and (match := pattern.fullmatch(text)) is not None:
            if foreign and message_kind not in ("login", "brand", "loading", "forge"):
                return None
            return _READERS[message_kind](match, keep_text)
    if (
        not foreign
        and (match := _DEATH.fullmatch(text)) is not None
        and (death := read_death(match["text"], keep_item=keep_text)) is not None
    ):
        return _of_player("player_death", match["name"], death)
    return None


def _chat(name: str, text: str, *, keep_text: bool) -> Reading:
    return Reading(kind="player_chat", player=plain_name(name), detail={"text": text} if keep_text else None)


def _read_chat_thread(text: str, *, keep_text: bool) -> Reading | None:
    match = _CHAT_LAYOUT.match(text)
    if match is None:
        return None
    return _chat(match["angled"] or match["name"], match["text"], keep_text=keep_text)


def _command(match: re.Match[str], keep_text: bool) -> Reading | None:  # noqa: FBT001 - one signature for all readers
    return _of_player("player_command", match["name"], {"text": match["text"]} if keep_text else None)


def _joined(match: re.Match[str], _: bool) -> Reading | None:  # noqa: FBT001
    formerly = {"formerly": plain_name(match["formerly"])} if match["formerly"] else None
    return _of_player("player_join", match["name"], formerly)


def _uuid(match: re.Match[str], _: bool) -> Reading | None:  # noqa: FBT001
    reading = _of_player("player_uuid", match["name"])
    return reading and reading._replace(player_uuid=UUID(match["uuid"]))


def _advancement(match: re.Match[str], _: bool) -> Reading | None:  # noqa: FBT001
    detail = {"advancement": match["title"], "type": _ADVANCEMENT_TYPES[match["type"]]}
    return _of_player("player_advancement", match["name"], detail)


def _report(match: re.Match[str], _: bool) -> Reading:  # noqa: FBT001
    report = {"report": match["report"]} if match["report"] else {}
    return Reading(kind="server_crash", detail={"cause": "crash_report", **report})


def _refused(match: re.Match[str], _: bool) -> Reading | None:  # noqa: FBT001
    name, reason = match["profile"] or match["name"], match["reason"]
    player = plain_name(name) if name not in (None, "<null>", "null") else None
    if player is None and not reason:
        return None  # a ping of the server list
    return Reading(kind="login_refused", player=player, detail={"reason": plain_reason(reason)} if reason else None)


def _brand(match: re.Match[str], _: bool) -> Reading:  # noqa: FBT001
    return Reading(kind=None, software="Spigot" if "Spigot" in match["version"] else match["brand"])


_READERS: dict[str, Callable[[re.Match[str], bool], Reading | None]] = {
    "command": _command,
    "lost": lambda match, _: _of_player(
        "player_lost_connection", match["name"], {"reason": plain_reason(match["reason"])}
    ),
    "left": lambda match, _: _of_player("player_leave", match["name"]),
    "joined": _joined,
    "login": lambda match, _: _of_player("player_login", match["name"], _login_detail(match)),
    "uuid": _uuid,
    "advancement": _advancement,
    "start": lambda match, _: Reading(kind="server_start", detail={"game_version": match["version"].strip()}),
    "ready": lambda match, _: Reading(
        kind="server_ready", detail={"startup_seconds": float(match["seconds"].replace(",", "."))}
    ),
    "stop": lambda _match, _: Reading(kind="server_stop"),
    "report": _report,
    "exception": lambda _match, _: Reading(kind="server_crash", detail={"cause": "exception"}),
    "watchdog": lambda _match, _: Reading(kind="server_crash", detail={"cause": "watchdog"}),
    "refused": _refused,
    "brand": _brand,
    "loading": lambda match, _: Reading(kind=None, software=match["loader"] or match["brand"]),
    "forge": lambda match, _: Reading(kind=None, software="NeoForge" if match["neo"] else "Forge"),
}


def _of_player(kind: Kind, name: str, detail: Detail | None = None) -> Reading | None:
    plain = plain_name(name)
    return Reading(kind=kind, player=plain, detail=detail) if 0 < len(plain) <= _MOST_NAME else None


def _login_detail(match: re.Match[str]) -> dict[str, str | int | float]:
    detail: dict[str, str | int | float] = {"entity_id": int(match["entity"])}
    if address := _host(match["address"]):
        detail["address"] = address
    if place := _PLACE.fullmatch(match["place"]):
        if world := place["sponge"] or place["world"] or place["comma"]:
            detail["world"] = world
        detail |= {axis: float(place[axis]) for axis in ("x", "y", "z")}
    return detail


def _host(address: str) -> str | None:
    """Return the address of ``host/address:port`` or ``/[address%scope]:port``; None where there is none."""
    match = re.fullmatch(
        r"[^/]*/(?:\[(?P<six>[0-9a-fA-F:.]+)(?:%[^\]]*)?\]|(?P<plain>[0-9a-fA-F:.]+?))(?::\d+)?", address
    )
    return match and (match["six"] or match["plain"])


def plain_name(name: str) -> str:
    """Return *name* without colour codes and outer spaces."""
    return (_COLOURS.sub("", name) if "§" in name else name).strip()

"""How lines begin: the layouts of the part of a line before its message, by which a log is recognised.

Patterns are of bytes, since that is what is scanned; they use possessive quantifiers (``*+``) so that a line which
does not fit is given up at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pteroassets.sources.minecraft.formats import (
    BEDROCK,
    BUNGEECORD,
    CONSOLE,
    GEYSER,
    GLOWSTONE,
    JAVA,
    LEGACY,
    NUKKIT,
    POCKETMINE,
    POCKETMINE_CONSOLE,
    VELOCITY,
    WATERDOGPE,
    WATERFALL,
)
from pteroassets.sources.minecraft.messages import Dialect

_FRACTION = rb"(?:[.,:]\d{1,9})?+"
_TIME = rb"(?P<time>\d\d:\d\d:\d\d)" + _FRACTION
_HALF_DAY_TIME = rb"(?P<time>\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?+ ?[AaPp]\.?[Mm]\.?)"
_DATE = rb"(?P<date>\d{4}[/-]\d\d[/-]\d\d)"
_TEXT = rb"[ -\\^-\xff]*+"  # in a bracket; as one range of bytes it is scanned faster than by what it must not hold
_THREAD = rb"\[(?P<thread>" + _TEXT + rb")\]"  # the level is what follows the last slash
_LEVEL_THREAD = rb"\[(?P<thread>[ -.0-\\^-\xff]*+/" + _TEXT + rb")\]"
_LEVEL = rb"(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)"
_LOGGER = rb"(?: \[(?P<logger>" + _TEXT + rb")\])?+"
_END = rb"(?::  ?| \[(?P<logger>" + _TEXT + rb")\]:  ?| \((?P<loader>[^)\n]*+)\) )"
# what follows the second bracket in the layouts of log4j and Nukkit, and no message of the layouts below
_NO_LEVEL = rb"(?![A-Z]++ ++(?:[^\s\[\]]++ )?+- )"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogFormat:
    """One layout of the part of a line before its message.

    *prefix* is a pattern that starts at the line's first byte and ends where the message begins. Its named groups
    are ``time`` and ``date``, ``thread`` and ``logger`` (or ``loader``) where the layout has them.

    Args:
        name: Of the layout.
        prefix: See above.
        dialects: What may be said in it; the last one where nothing shows another.
        software: The only program that writes so.
        sign: Pattern by which a file is recognised, where lines of the layout alone are not enough.
        is_skimmed: Whether `Skimmer` knows it: a bracket that holds the time, then one that holds the thread.
    """

    name: str
    prefix: bytes
    dialects: tuple[Dialect, ...] = (VELOCITY, WATERFALL, JAVA)
    software: str | None = None
    sign: bytes | None = None
    is_skimmed: bool = False

    @property
    def scan_prefix(self) -> bytes:
        """The same pattern after a line feed, with the time as its only group: for finding all lines of a block."""
        return rb"\n" + re.sub(rb"\(\?P<(?!time>)\w+>", b"(?:", self.prefix)


def _unnamed(pattern: bytes) -> bytes:
    return re.sub(rb"\(\?P<\w+>", b"(?:", pattern)


def _with_and_without_date(format_: LogFormat) -> tuple[LogFormat, LogFormat]:
    """Return a layout in which a date is optional as two: where there is none, nobody has to look for it."""
    optional = rb"(?:" + _DATE + rb"[ T])?+"
    dated = replace(format_, name=f"{format_.name}_dated", prefix=format_.prefix.replace(optional, _DATE + rb"[ T]"))
    return replace(format_, prefix=format_.prefix.replace(optional, b"")), dated


# Layouts exclude each other, so the first line that fits any of them decides for the file.
FORMATS = (
    # Vanilla 1.7 to now, Spigot, Paper, Waterfall; with a logger Forge 1.7-1.12, Sponge, Mohist 1.12, Velocity; with a
    # round bracket Fabric's loader; with milliseconds PocketMine's console from 4.2, and what owners make of log4j
    LogFormat(
        name="bracketed",
        prefix=rb"\[" + _TIME + rb"\] " + _LEVEL_THREAD + _END,
        dialects=(VELOCITY, WATERFALL, POCKETMINE_CONSOLE, JAVA),
        is_skimmed=True,
    ),
    LogFormat(name="bracketed_12h", prefix=rb"\[" + _HALF_DAY_TIME + rb"\] " + _LEVEL_THREAD + _END),
    # Forge 1.13 to now, Arclight; the month is a word of the machine's language, with a number in some
    LogFormat(
        name="forge_dated",
        prefix=rb"\[(?P<date>\d\d[^\]\[\n]{1,24}?\d{4}) " + _TIME + rb"\] " + _THREAD + _END,
        is_skimmed=True,
    ),
    # log4j2 files with a layout of the owner's
    LogFormat(
        name="bracketed_dated",
        prefix=rb"\[" + _DATE + rb"[ T]" + _TIME + rb"\] " + _LEVEL_THREAD + _END,
        is_skimmed=True,
    ),
    LogFormat(
        name="bracketed_dated_12h",
        prefix=rb"\[" + _DATE + rb"[ T]" + _HALF_DAY_TIME + rb"\] " + _LEVEL_THREAD + _END,
    ),
    # what log4j writes where it is not told otherwise, and the same without brackets around the time
    *_with_and_without_date(
        LogFormat(
            name="log4j",
            prefix=rb"(?:" + _DATE + rb"[ T])?+" + _TIME + rb" "
            rb"\[(?P<thread>" + _TEXT + rb")\] " + _LEVEL + rb" ++(?P<logger>[^\s\[\]]++) - ",
        )
    ),
    *_with_and_without_date(
        LogFormat(
            name="unbracketed",
            prefix=rb"(?:" + _DATE + rb"[ T])?+" + _TIME + rb" " + _LEVEL_THREAD + _END,
        )
    ),
    LogFormat(
        name="mohist",
        prefix=_DATE + rb" " + _TIME + rb" [A-Z]++ ++" + _THREAD + rb" (?P<logger>[^\s:]++): ",
        software="Mohist",
    ),
    LogFormat(
        name="pocketmine",
        prefix=_DATE + rb" \[" + _TIME + rb"\] " + _LEVEL_THREAD + rb": ",
        dialects=(POCKETMINE,),
        software="PocketMine-MP",
    ),
    LogFormat(
        name="nukkit",
        prefix=_DATE + rb" " + _TIME + rb" \[[^\]\n]*+\] [A-Z]++ ++- ",
        dialects=(WATERDOGPE, NUKKIT),
    ),
    LogFormat(
        name="altay",
        prefix=_DATE + rb" " + _TIME + rb" (?:[\w .#-]++\|)?+[A-Z]++ [->] ",
        dialects=(POCKETMINE,),
        software="PocketMine-MP",
    ),
    # up to 1.6, where Forge puts its own bracket before the message; PocketMine up to 1.4; Glowstone
    LogFormat(
        name="legacy",
        prefix=rb"(?P<date>\d{4}[/-]\d\d?[/-]\d\d?) "
        + _TIME
        + rb" \[(?!\d)[^\]/\n]++\] "
        + _NO_LEVEL
        + rb"(?:\[Minecraft(?:-Server)?+\] )?+",
        dialects=(GLOWSTONE, POCKETMINE, LEGACY),
    ),
    LogFormat(
        name="weekday",
        prefix=rb"\[[^\s\d\]\[,]{2,12}+, (?P<date>\d\d?\. [^\s\d\]\[]{2,16}+ \d{4}) "
        + _TIME
        + rb" \S{1,8}+ [A-Z]++\] ",
    ),
    # a script's own stamp in place of all else
    LogFormat(
        name="piped",
        prefix=_DATE + rb" " + _TIME + rb" \| ",
        sign=_DATE + rb" " + _TIME + rb" \| (?:Starting minecraft server version |This server is running "
        rb"|Done \(\d|[^\[\n]{1,40}\[[^\]\n]{1,80}\] logged in with entity id \d)",
    ),
    # a panel's capture; day and month without a year, and its own remarks under other tags than the server's
    LogFormat(
        name="multicraft",
        prefix=rb"\d\d\.\d\d "
        + _TIME
        + rb" \[Server\] (?P<thread>[\w #.-]{1,40}/)?+\[?[A-Z]++\]? (?:\[(?P<logger>[^\]\n]*+)\]: )?+",
    ),
    # levels are words of the machine's language, in its encoding; Glowstone writes the same
    LogFormat(
        name="bungeecord",
        prefix=_TIME + rb" \[(?!\d)[^\]/\n]++\] " + _NO_LEVEL,
        dialects=(WATERDOGPE, GLOWSTONE, POCKETMINE, CONSOLE, BUNGEECORD),
    ),
    # up to 1.17 its lines after the start bear no time
    LogFormat(
        name="bedrock",
        prefix=rb"(?:NO LOG FILE! - )?+\[(?:" + _DATE + rb" " + _TIME + rb" )?+[A-Z]++\] ",
        dialects=(BEDROCK,),
        software="Bedrock Dedicated Server",
        sign=rb"(?:NO LOG FILE! - )?\[(?:" + _DATE + rb" " + _TIME + rb" [A-Z]++\] "
        rb"|[A-Z]++\] (?:Starting Server|Version:? \d|Session ID|Level Name: |Server started\.|Game mode: "
        rb"|Player (?:dis)?connected: |Difficulty: |opening worlds|IPv[46] supported))",
    ),
    # LeviLamina and LiteLoaderBDS, which load plugins into Bedrock's server: its own lines are those of "Server"; on
    # the console nothing stands around time and level
    *_with_and_without_date(
        LogFormat(
            name="levilamina",
            prefix=rb"\[?+(?:" + _DATE + rb"[ T])?+" + _TIME + rb" [A-Z]++"
            rb"(?:\]| )\[(?:Server|(?P<logger>" + _TEXT + rb"))\] ",
            dialects=(BEDROCK,),
            software="Bedrock Dedicated Server",
        )
    ),
    LogFormat(
        name="geyser",
        prefix=rb"\[" + _TIME + rb" (?P<thread>[^\]/\n]*+/[A-Z]++)\] ",
        dialects=(GEYSER,),
        software="Geyser",
    ),
    # the console of Paper and Velocity, as a panel, Docker or screen captures it
    *_with_and_without_date(
        LogFormat(
            name="console",
            prefix=rb"\[(?:" + _DATE + rb"[ T])?+" + _TIME + rb" [A-Z]++\]" + _LOGGER + rb": {1,2}+",
        )
    ),
    LogFormat(name="console_12h", prefix=rb"\[" + _HALF_DAY_TIME + rb" [A-Z]++\]" + _LOGGER + rb": {1,2}+"),
)


# what a log shipper's stamp is made of by ``shippers``
_OUTER = rb"(?P<outer_date>\d{4}-\d\d-\d\d)T(?P<outer_time>\d\d:\d\d:\d\d)(?P<outer_zone>[+-]\d\d:\d\d)?+ "
_SHIPPED = "shipped+"


def _shipped(format_: LogFormat) -> LogFormat:
    """Return the layout behind a log shipper's stamp; lines that show no time of their own have that of the stamp."""
    outer = _OUTER if b"(?P<time>" in format_.prefix else _OUTER.replace(b"outer_time", b"time")
    return replace(
        format_,
        name=f"{_SHIPPED}{format_.name}",
        prefix=outer + format_.prefix,
        sign=format_.sign and outer + format_.sign,
    )


# layouts that are known by the shipper's stamp before them only: the owner left out the time, which is there twice
_UNTIMED = (
    LogFormat(name="untimed", prefix=_LEVEL_THREAD + _END),
    LogFormat(name="untimed_console", prefix=rb"\[" + _LEVEL + rb"\]" + _LOGGER + rb": {1,2}+"),
    LogFormat(
        name="untimed_bedrock",
        prefix=rb"(?:NO LOG FILE! - )?+\[[A-Z]++\] ",
        dialects=(BEDROCK,),
        software="Bedrock Dedicated Server",
    ),
)
_TIMED_BEDROCK = LogFormat(
    name="bedrock",
    prefix=rb"(?:NO LOG FILE! - )?+\[" + _DATE + rb" " + _TIME + rb" [A-Z]++\] ",
    dialects=(BEDROCK,),
    software="Bedrock Dedicated Server",
)
_BEHIND_STAMPS = (*(each for each in FORMATS if each.name != "bedrock"), _TIMED_BEDROCK, *_UNTIMED)

ALL_FORMATS = {each.name: each for each in (*FORMATS, *map(_shipped, _BEHIND_STAMPS))}

_BY_NUMBER = list(ALL_FORMATS.values())
_SIGN = re.compile(
    rb"\n(?:" + rb"|".join(rb"(" + _unnamed(each.sign or each.prefix) + rb")" for each in _BY_NUMBER) + rb")"
)


def find_format(data: bytes) -> tuple[LogFormat, int] | None:
    """Return the layout of the first line in *data* that has one, and the place of the line feed before it."""
    match = _SIGN.search(data)
    return (_format_of(match), match.start()) if match is not None else None


_LAYOUT = re.compile(rb"|".join(_unnamed(each.sign or each.prefix) for each in FORMATS))


def has_layout(line: bytes) -> bool:
    """Tell whether *line*, with nothing before it, begins as the lines of a server's log do."""
    return _LAYOUT.match(line) is not None


def format_at(data: bytes, place: int) -> LogFormat | None:
    """Return the layout of the line behind the line feed at *place*."""
    match = _SIGN.match(data, place)
    return _format_of(match) if match is not None else None


def _format_of(match: re.Match[bytes]) -> LogFormat:
    return _BY_NUMBER[(match.lastindex or 0) - 1]

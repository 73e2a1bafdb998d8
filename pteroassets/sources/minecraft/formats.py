"""How the lines of a log begin: one declarative description for each layout, and what is no server log at all.

To add a layout, add a `LogFormat` here and a golden log to the tests. Patterns are of bytes, since that is what is
scanned; they use possessive quantifiers (``*+``) so that a line which does not fit is given up at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

BOM = b"\xef\xbb\xbf"

_TIME = rb"(?P<time>\d\d:\d\d:\d\d)"
_THREAD = rb"\[(?P<thread>[^\]\n]*+)\]"  # the level is what follows the last slash
_LOGGER = rb"(?: \[(?P<logger>[^\]\n]*+)\])?+"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """One layout of the part of a line before its message.

    *prefix* is a pattern that starts at the line's first byte and ends where the message begins. Its named groups
    are ``time`` (required) and ``date``, ``thread`` and ``logger`` where the layout has them.
    """

    name: str
    prefix: bytes

    @property
    def scan_prefix(self) -> bytes:
        """The same pattern after a line feed, with the time as its only group: for finding all lines of a block."""
        return rb"\n" + re.sub(rb"\(\?P<(?!time>)\w+>", b"(?:", self.prefix)


# Layouts exclude each other, so the first line that fits any of them decides for the file.
FORMATS = (
    # Vanilla 1.7 to now, Spigot, Paper; with a logger Forge 1.7-1.12, Sponge, Mohist 1.12, Velocity
    LogFormat(name="bracketed", prefix=rb"\[" + _TIME + rb"\] " + _THREAD + _LOGGER + rb": "),
    # Forge 1.13 to now, Arclight; the month is a word of the machine's language
    LogFormat(
        name="forge_dated",
        prefix=rb"\[(?P<date>\d{1,2}+[^\s\d\]\[]{2,16}+\d{4}) " + _TIME + rb"\.\d{3}\] " + _THREAD + _LOGGER + rb": ",
    ),
    LogFormat(name="fabric_loader", prefix=rb"\[" + _TIME + rb"\] " + _THREAD + rb" \((?P<logger>[^)\n]*+)\) "),
    # log4j2 files with a layout of the owner's
    LogFormat(
        name="bracketed_dated",
        prefix=rb"\[(?P<date>\d{4}[/-]\d\d[/-]\d\d) " + _TIME + rb"(?:[.,]\d{3})?+\] " + _THREAD + _LOGGER + rb": ",
    ),
    # Mohist 1.18 to now
    LogFormat(
        name="mohist",
        prefix=rb"(?P<date>\d{4}-\d\d-\d\d) " + _TIME + rb",\d{3} [A-Z]++ ++" + _THREAD + rb" (?P<logger>[^\s:]++): ",
    ),
    # up to 1.6, where Forge puts its own bracket before the message; Glowstone
    LogFormat(
        name="legacy",
        prefix=rb"(?P<date>\d{4}[/-]\d\d[/-]\d\d) " + _TIME + rb" \[[^\]\n]++\] (?:\[Minecraft(?:-Server)?+\] )?+",
    ),
    # the console of Paper, as a panel, Docker or screen captures it
    LogFormat(name="console", prefix=rb"\[" + _TIME + rb" [A-Z]++\]: "),
)

_MONTHS = {
    # English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian; the first three letters or more
    1: ("jan", "ene", "gen", "sty", "янв"),
    2: ("feb", "fév", "fev", "lut", "фев"),
    3: ("mar", "mär", "maa", "mrz", "мар"),
    4: ("apr", "avr", "abr", "kwi", "апр"),
    5: ("may", "mai", "mag", "mei", "maj", "май", "мая"),
    6: ("jun", "juin", "giu", "cze", "июн"),
    7: ("jul", "juil", "lug", "lip", "июл"),
    8: ("aug", "aoû", "ago", "sie", "авг"),
    9: ("sep", "set", "wrz", "сен"),
    10: ("oct", "okt", "ott", "out", "paź", "окт"),
    11: ("nov", "lis", "ноя"),
    12: ("dec", "dez", "déc", "dic", "gru", "дек"),
}


def read_date(text: str) -> date | None:
    """Return the date of a dated prefix, or None where its month is a word we do not know or no such day exists."""
    if iso := re.fullmatch(r"(\d{4})[/-](\d\d)[/-](\d\d)", text):
        year, month, day = (int(part) for part in iso.groups())
    elif worded := re.fullmatch(r"(\d{1,2})(\D+)(\d{4})", text):
        word = worded[2].lower()
        months = [number for number, starts in _MONTHS.items() if word.startswith(starts)]
        if not months:
            return None
        day, month, year = int(worded[1]), months[0], int(worded[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None  # the file's date stands in; a line's date is never a reason to fail the file


def find_format(data: bytes) -> LogFormat | None:
    """Return the layout of the first line in *data* that has one; *data* begins with a line feed."""
    found, end = None, len(data)
    for format_, pattern in zip(FORMATS, _SCANS, strict=True):
        # only a line before the one found so far can win
        if match := pattern.search(data, 0, end):
            found, end = format_, match.start()
    return found


_SCANS = [re.compile(format_.scan_prefix) for format_ in FORMATS]

_CLIENT = re.compile(rb"\]: (?:Setting user: |Backend library: LWJGL)|\[(?:Render thread|Client thread)/")


def classify(head: bytes) -> str | None:
    """Say why the file that begins with *head* is no server log; None where it is one.

    *head* should be the first 64 KiB, or the whole of a shorter file.
    """
    start = head.removeprefix(BOM).lstrip()[:512].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page under a log's name"
    if start.startswith((b"<?xml", b"<log>", b"<record>")):
        return "XML, as some old Forge versions write it"
    if not start:
        return "no text in it"
    if find_format(b"\n" + clean(head.removeprefix(BOM))) is None:
        return "no line begins as a Minecraft server's lines do"
    if _CLIENT.search(head):
        return "the log of a game client"
    return None


def is_server_log(head: bytes) -> bool:
    """Tell whether the file that begins with *head* is a server's log."""
    return classify(head) is None


_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
_PROMPTS = re.compile(rb"(?m)^(?:>[ ]?)++(?=\[|\d{4})")


def clean(lines: bytes) -> bytes:
    """Cut what terminals leave in captured logs: carriage returns, escape sequences, prompts.

    The number of line feeds stays as it is, so line numbers hold.
    """
    if b"\r" in lines:
        lines = lines.replace(b"\r", b"")
    if b"\x1b" in lines:
        lines = _ESCAPES.sub(b"", lines)
    if lines.startswith(b">") or b"\n>" in lines:
        lines = _PROMPTS.sub(b"", lines)
    return lines

"""What is no server's log, told by its first bytes."""

from __future__ import annotations

import re
from typing import Final

from pteroassets.sources.minecraft.formats import find_format
from pteroassets.sources.minecraft.shippers import find_shipped, unwrap
from pteroassets.sources.minecraft.text import clean, strip_escapes, strip_mark

#: The reason where no layout is known of any line.
NO_LINE: Final = "no line begins as a Minecraft server's lines do"

#: What is said of a game client's log.
CLIENT: Final = "the log of a game client"
_BEGIN = rb"\n(?:\d{4}-\d\d-\d\dT[^ \n]++ )?+\[[^\]\n]++\] "
# at a line's beginning, since players of a server can say all of it: a client's threads, first words, own entry
_CLIENT = re.compile(
    _BEGIN + rb"\[(?:(?:Render|Client) thread/|[^\]\n]++\](?: \[[^\]\n]*+\])?+(?:: | \([^)\n]*+\) )"
    rb"(?:Setting user: |Backend library: LWJGL|Starting integrated minecraft server"
    rb"|[^<>\[\]:\n]{1,40}\[local:E:\w++\] logged in with entity id))"
)


def find_client(data: bytes) -> bool:
    """Tell whether a line in *data*, a line feed and clean lines, is one that game clients alone write."""
    return _CLIENT.search(data) is not None


_NO_LOGS = (
    (b"<!doctype html", "an HTML page under a log's name"),
    (b"<html", "an HTML page under a log's name"),
    (b"<?xml", "XML, as some old Forge versions write it"),
    (b"<log>", "XML, as some old Forge versions write it"),
    (b"<record>", "XML, as some old Forge versions write it"),
    (b"---- minecraft crash report ----", "a crash report"),
    (b"# there is insufficient memory", "the Java machine's report of its own crash"),
    (b"#\n# a fatal error has been detected", "the Java machine's report of its own crash"),
    (b"java hotspot(tm)", "a garbage collector's log"),
    (b"openjdk 64-bit server vm", "a garbage collector's log"),
)
# as an extension of Geyser it writes into a server's log
_NO_SERVER = re.compile(rb"\n\[[\d:.]+ [^\]\n]+\] Starting MCXboxBroadcast Standalone ")
_GC = re.compile(rb"\[[^\]\n]{1,40}\](?:\[[^\]\n]{1,40}\])*\[gc|\d{4}-\d\d-\d\dT\S+: \d+\.\d+: \[(?:Full )?GC")


def classify(head: bytes) -> str | None:
    """Say why the file that begins with *head* is no server log; None where it is one.

    *head* should be the first 64 KiB, or the whole of a shorter file.
    """
    text = strip_escapes(b"\n" + strip_mark(head))
    if find_shipped(text) is not None:
        text = unwrap(text + b"\n").data
    text = clean(text)
    start = text.lstrip()[:512].lower()
    if not start:
        return "no text in it"
    for beginning, reason in _NO_LOGS:
        if start.startswith(beginning):
            return reason
    if _GC.match(text.lstrip()):
        return "a garbage collector's log"
    if find_format(text) is None:
        return NO_LINE
    if _NO_SERVER.search(text):
        return "the log of MCXboxBroadcast, which no player enters"
    if find_client(text):
        return CLIENT
    return None

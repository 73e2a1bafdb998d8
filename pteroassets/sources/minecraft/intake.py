"""A log's bytes before they are parsed: whether they are one, and in the form in which the parser reads them.

What writes logs on Windows leaves UTF-16, old programs end lines with a carriage return alone, and a machine that lost
power leaves a hole of NULs; all of that is read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final

from pteroassets.sources.minecraft.formats import find_format
from pteroassets.sources.minecraft.packing import foreign, is_packed
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
# without any of these no line is such a one, which is known far faster
_WORDS_OF_CLIENTS = (
    *(b"[Render thread/", b"[Client thread/", b"[local:E:"),
    *(b"Setting user: ", b"Backend library: LWJGL", b"Starting integrated minecraft server"),
)


def find_client(data: bytes) -> bool:
    """Return whether a line in *data*, a line feed and clean lines, is one that game clients alone write."""
    return any(word in data for word in _WORDS_OF_CLIENTS) and _CLIENT.search(data) is not None


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
_STANDALONE = b"] Starting MCXboxBroadcast Standalone "
_NO_SERVER = re.compile(rb"\n\[[\d:.]+ [^\]\n]+" + re.escape(_STANDALONE))
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
    if _STANDALONE in text and _NO_SERVER.search(text):
        return "the log of MCXboxBroadcast, which no player enters"
    if find_client(text):
        return CLIENT
    return None


#: As many bytes of a log's beginning as decide what it is.
HEAD_BYTES: Final = 64 << 10

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOKED_AT = 4 << 10
_TEXT_CONTROLS = b"\0\t\n\r\f\x07\x08\x1b"  # the others stand in no text
_CONTROLS = bytes(code for code in [*range(32), 127] if code not in _TEXT_CONTROLS)
_MOST_CONTROLS = 20  # one of so many bytes


def as_text(blocks: Iterable[bytes], *, is_whole: bool = True) -> Iterator[bytes]:
    """Yield a log's bytes as UTF-8 or in whatever encoding its lines are, each line ended by a line feed.

    The first block is the whole of it or `HEAD_BYTES` at least, without the NULs that it may begin with.

    Args:
        blocks: The bytes.
        is_whole: The log does not grow any more. Of one that does, a first line feed may yet come, so lines that end
            with a carriage return alone are not looked for.
    """
    blocks = iter(blocks)
    head = b""
    for block in blocks:
        head += block if head else block.lstrip(b"\0")
        if len(head) >= HEAD_BYTES:
            break
    rest = _with_head(head, blocks)
    if head.startswith(_UTF_16):
        yield from _from_utf_16(rest)
    elif is_whole and b"\r" in head and b"\n" not in head:
        for block in rest:
            yield block.replace(b"\r", b"\n")
    else:
        yield from rest


def refusal(head: bytes) -> str | None:
    """Say why the file that begins with *head* gives no sessions; None where it is a server's log.

    Args:
        head: The first `HEAD_BYTES` of it, or the whole of a shorter file.
    """
    reason = foreign(head)
    if reason is None and is_packed(head):
        reason = "an archive inside an archive: unpack the outer one first"
    if reason is None:
        reason = classify(head)
    if reason == NO_LINE and _is_binary(head):
        reason = f"{NO_LINE}: it is binary data, not text"
    return reason


def is_unplaced(reason: str) -> bool:
    """Return whether *reason* is that of a text none of whose lines is understood."""
    return reason == NO_LINE


def _with_head(head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from blocks


def _from_utf_16(blocks: Iterable[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for block in blocks:
        if text := decoder.decode(block):
            yield text.encode("utf-8", errors="replace")


def _is_binary(head: bytes) -> bool:
    start = head[:_LOOKED_AT]
    kept = start.translate(None, _CONTROLS)
    return (len(start) - len(kept)) * _MOST_CONTROLS > len(start)

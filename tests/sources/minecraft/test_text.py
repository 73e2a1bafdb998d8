"""What terminals leave before lines is cut, in whatever form, and letters of old encodings are not."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.text import Lines, clean, strip_escapes
from tests.sources.minecraft.writing import paper, parse

LEFTOVERS = [
    b"\x1b[m",
    b"\x1b[33;22m",
    b"\x1b[38;2;255;170;0m",
    b"\x1b[38:5:12m",
    b"\x1b[K",
    b"\x1b[2K\x1b[1G",
    b"\x1b[?1h\x1b=",
    b"\x1b>",
    b"\x1b[?2004h",
    b"\x1b[?25l",
    b"\x1b[1 q",
    b"\x1b[!p",
    b"\x1b]0;server\x07",
    b"\x1b]0;server\x1b\\",
    b"\x1b]8;;https://example.com\x1b\\",
    b"\x1bP$q q\x1b\\",
    b"\x1b_hidden\x1b\\",
    b"\x1b^private\x1b\\",
    b"\x1b(B",
    b"\x1b)0",
    b"\x1b%G",
    b"\x1b#8",
    b"\x1b7",
    b"\x1b8",
    b"\x1bM",
    b"\x1bc",
    b"\x1b(B\x1b[m",
    b">....\r",
    b"> \r",
    b">\x1b[K\r",
    b"\r",
    b"\r\r",
    b"\x08\x08",
    b"> \x08\x08",
    b"\x08 \x08\x08 \x08",
    b"\x07",
    b"\x0e\x0f",
    b"\x7f",
    b"\x00\x00",
    b"\x9b33m",
    b"\x9bK",
    b"\xc2\x9b33m",
    b"\xc2\x9d0;server\xc2\x9c",
    b"\x9d0;server\x9c",
    b"\x85",
    b"\x1b[m > ",
    b"> ",
    b">",
]
LAYOUTS = [
    b"[12:00:00] [Server thread/INFO]: ",
    b"[12:00:00 INFO]: ",
    b"2026-03-12 12:00:00 [INFO] ",
    b"[12Mar2026 12:00:00.101] [Server thread/INFO] [net.minecraft.server.MinecraftServer/]: ",
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_what_a_terminal_leaves_before_a_line_is_cut(leftover: bytes, layout: bytes) -> None:
    line = layout + b"Al joined the game\n"
    for log in (leftover + line, line + leftover + line, line + leftover + leftover + line):
        parser = LogParser()
        events = [*parser.feed(log), *parser.finish()]
        assert [event.player for event in events] == ["Al"] * log.count(b"Al")
        assert parser.counts.lines == log.count(b"\n")


SEVEN_BITS = [each for each in LEFTOVERS if each.isascii() and each != b"\x7f"]


@given(leftovers=st.lists(st.sampled_from(SEVEN_BITS), min_size=1, max_size=5), layout=st.sampled_from(LAYOUTS))
def test_any_of_them_can_follow_each_other(leftovers: list[bytes], layout: bytes) -> None:
    assert [event.player for event in parse(b"".join(leftovers) + layout + b"Al joined the game\n")] == ["Al"]


PIECES = [
    b"\x1b[32m",
    b"\x1b[m",
    b"\x1b[0;1m",
    b"\x1b",
    b"\x1b]0;t",
    b"\x9d",
    b"\x9c",
    b"> ",
    b"[",
    b"1",
    b"x",
    b" ",
    b"\n",
]


@given(line=st.lists(st.sampled_from(PIECES), max_size=9), times=st.integers(1, 80))
def test_colours_are_cut_from_many_lines_as_patterns_cut_them_from_one(line: list[bytes], times: int) -> None:
    lines = b"".join(line) + b"\n"
    alone = strip_escapes(b"\n" + lines)[1:]
    with patch("pteroassets.sources.minecraft.text._MOST_COLOURS", 0):
        by_patterns = strip_escapes(b"\n" + lines)[1:]
        many_by_patterns = strip_escapes(b"\n" + lines * times)
    assert alone == by_patterns
    assert strip_escapes(b"\n" + lines * times) == many_by_patterns


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("Ырда", "cp866"), ("Ывс", "koi8_r"), ("Ђорђе", "cp1251"), ("Žiga", "cp1252"), ("小明", "gbk")],
)
def test_letters_of_old_encodings_are_no_controls(name: str, encoding: str) -> None:
    raw = paper(f"12:00:00 {name} joined the game").encode(encoding)
    assert clean(b"\n" + raw) == b"\n" + raw
    continued = f"{name} joined the game\n".encode(encoding)
    assert clean(b"\n" + continued) == b"\n" + continued


@given(st.lists(st.sampled_from([*LEFTOVERS, b"a", b"[", b"\n", b"\tat x", b"\xc2\xa7a", *LAYOUTS]), max_size=12))
def test_what_lines_take_for_clean_is_clean(pieces: list[bytes]) -> None:
    text = b"\n" + b"".join(pieces) + b"\n"
    if Lines(text).is_clean:
        assert clean(text) == text
    assert clean(text).count(b"\n") == text.count(b"\n")

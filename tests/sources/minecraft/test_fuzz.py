"""No line, however mangled, raises; every line is counted once; and where blocks are cut never shows."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pteroassets.sources.minecraft.log import LogParser
from tests.sources.minecraft.test_forgery import EVENT_LINES, PREFIXES

GOLDEN = Path(__file__).parents[2] / "fixtures" / "minecraft" / "golden"
BY_FILE = [path.read_bytes().split(b"\n") for path in sorted(GOLDEN.glob("*.log"))]
BY_FILE += [[(prefix + line).encode() for line in EVENT_LINES] for prefix in PREFIXES]
PIECES = [
    b"[",
    b"]",
    b"<",
    b">",
    b": ",
    b"\xc2\xa7",
    b"\x1b[m",
    b"\r",
    b"\x00",
    b"\xff",
    b" left the game",
    b"/",
    b"\xef\xbb\xbf",
]


def mutate(line: bytes, chance: random.Random) -> bytes:
    changed = bytearray(line)
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0:
                changed[place:place] = chance.choice(PIECES)
            case 1:
                del changed[place : place + chance.randrange(1, 12)]
            case 2:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 3:
                changed[place:place] = changed[: chance.randrange(len(changed) + 1)]
            case _:
                changed[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(8)))
    return bytes(changed).replace(b"\n", b"")


@given(seed=st.integers(min_value=0))
def test_no_mutated_line_raises_and_each_is_counted_once(seed: int) -> None:
    chance = random.Random(seed)
    lines = chance.choice(BY_FILE)
    text = b"".join(mutate(chance.choice(lines), chance) + b"\n" for _ in range(1000))
    whole, cut = LogParser(keep_text=True), LogParser(keep_text=True)
    events = [*whole.feed(text), *whole.finish()]
    counts = whole.counts
    assert counts.lines == 1000
    assert counts.understood + counts.ignored + counts.unknown + counts.continuations == counts.lines
    assert min(counts.understood, counts.ignored, counts.unknown, counts.continuations) >= 0
    assert whole.state.bytes_consumed == len(text)
    place = chance.randrange(len(text))
    assert [*cut.feed(text[:place]), *cut.feed(text[place:]), *cut.finish()] == events
    assert cut.state == whole.state

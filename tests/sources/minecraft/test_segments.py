"""The days and steps back of a block's clock are those that reading its lines one by one tells."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pteroassets.sources.minecraft.blocks import DAY, HALF_DAY, Segment, segments_of
from pteroassets.sources.minecraft.events import OUT_OF_ORDER_SECONDS, LogStamp, ParserState, Setback
from pteroassets.sources.minecraft.scan import Clock

LATE = 5


def one_by_one(times: list[int], state: ParserState) -> list[Segment]:
    """Return the segments of lines that begin at the places 0, 10, 20 and so on."""
    day = state.last.day if state.last is not None else 0
    found, setback, midnights = [Segment(0, day, None)], None, day
    previous = state.clock
    for number, seconds in enumerate(times):
        if seconds < 0:
            continue
        previous = seconds if previous is None else previous
        if midnights > 0 and previous < LATE and seconds >= DAY - LATE:
            found += [Segment(10 * number, day - 1, setback), Segment(10 * number + 10, day, setback)]
            continue
        if previous - seconds > HALF_DAY:
            day, midnights = day + 1, midnights + 1
            found.append(Segment(10 * number, day, setback))
        elif previous - seconds >= OUT_OF_ORDER_SECONDS:
            setback = Setback(day, previous, seconds)
            found.append(Segment(10 * number, day, setback))
        previous = seconds
    return found


@pytest.mark.parametrize("seed", range(200))
def test_segments_are_those_of_the_lines_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    clock = chance.randrange(DAY)
    times = []
    for _ in range(chance.randrange(1, 40)):
        clock = (clock + chance.choice([0, 1, 3, 5000, -1, -100, -130, -5000])) % DAY
        times.append(chance.choice([clock, clock, clock, -1, chance.choice([0, 4, 5, DAY - 1, DAY - 5, DAY - 6])]))
    before = chance.choice([None, 0, 4, 5, DAY - 1, chance.randrange(DAY)])
    last = LogStamp(day=chance.randrange(3), seconds=before) if before is not None else None
    state = ParserState(clock=before, last=last)
    lines = Clock(np.arange(len(times)) * 10, np.array(times))
    assert segments_of(lines, 10 * len(times), state) == one_by_one(times, state)

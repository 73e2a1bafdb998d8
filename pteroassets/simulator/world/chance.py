"""Chance that depends on nothing but its names, so that the order of questions cannot change an answer."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime

MINUTE = 60
HOUR = 3600
DAY = 86400
WEEK = 7 * DAY

_MASK = (1 << 64) - 1


def dice(*names: object) -> random.Random:
    """Return the generator that belongs to *names*; the same names give the same throws in every process."""
    return random.Random("/".join(map(str, names)))


def mix(*numbers: int) -> int:
    """Return 64 well-mixed bits of *numbers*, much faster than a generator."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state ^ number) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def noise(*numbers: int) -> float:
    """Return a number in [0, 1) that belongs to *numbers*."""
    return mix(*numbers) / (_MASK + 1)


def uuid4_of(*names: object) -> str:
    """Return the random-looking (version 4) UUID that belongs to *names*."""
    return str(uuid.UUID(int=dice("uuid", *names).getrandbits(128), version=4))


def utc(second: int) -> datetime:
    """Return the instant *second* seconds after the epoch, aware, in UTC."""
    return datetime.fromtimestamp(second, tz=UTC)


def epoch(instant: datetime) -> int:
    """Return the whole seconds from the epoch to *instant*."""
    return int(instant.timestamp() // 1)

"""Values of documents that nobody promised: what is of the expected kind, or None; never an exception."""

from __future__ import annotations

import math
import re
from typing import Any, Final, cast, get_args

from pteroassets.sources.arma3.records import SideName

LARGEST_ID: Final = 2**31 - 1
"""Of a number that becomes an integer of Postgres."""
_LONGEST: Final = 2_000
_FARTHEST: Final = 1e7
_SIDES: Final[dict[str, SideName]] = {
    **{name: cast("SideName", name) for name in get_args(SideName)},
    "OPFOR": "EAST",
    "BLUFOR": "WEST",
    "INDEPENDENT": "GUER",
    "RESISTANCE": "GUER",
    "GUERRILA": "GUER",  # spelt so by the engine
    "CIVILIAN": "CIV",
}
#: WOG's numbers of sides; OCAP's markers count from 0 in the same order.
SIDE_NUMBERS: Final[dict[int, SideName]] = {1: "EAST", 2: "WEST", 3: "GUER", 4: "CIV"}
# Postgres takes no NUL, and no half of a pair of UTF-16
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_WHOLE: Final = re.compile(r"[+-]?\d{1,10}")


def text(value: Any) -> str | None:
    """Return a text that Postgres can store, without space at its ends; None for an empty one and for no text."""
    if not isinstance(value, str):
        return None
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value[:_LONGEST]).strip() or None


def whole(value: Any) -> int | None:
    """Return a whole number that fits 4 bytes, also of a text or of a float without a fraction."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if _WHOLE.fullmatch(value.strip()) and value.isascii() else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and abs(value) <= LARGEST_ID else None


def count(value: Any) -> int | None:
    """Return a whole number that is not negative."""
    found = whole(value)
    return found if found is not None and found >= 0 else None


def number(value: Any) -> float | None:
    """Return a finite number of the size that metres and seconds have, also of a text."""
    if isinstance(value, str) and len(value) <= 32:  # noqa: PLR2004 - more digits than any number has
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _FARTHEST and math.isfinite(value) else None


def positive(value: Any) -> float | None:
    """Return a number that is not negative; OCAP writes -1 for an unknown distance."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def side(value: Any) -> SideName | None:
    """Return a side by its name, or by its number of WOG."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return _SIDES.get(value.strip().upper())
    found = whole(value)
    return None if found is None else SIDE_NUMBERS.get(found)


def members(value: Any) -> list[tuple[Any, Any]]:
    """Return keys and values of an object; PHP writes one whose keys count from 0, and an empty one, as an array."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def row(value: Any, length: int) -> list[Any]:
    """Return an array of exactly *length* members: the rest is cut off, and what is missing is None."""
    found = value if isinstance(value, list) else []
    return [*found[:length], *[None] * (length - len(found))]

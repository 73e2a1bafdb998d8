"""Numbers with their nouns, for messages."""

from __future__ import annotations

from decimal import Decimal

Number = int | float | Decimal


def counted(number: Number, noun: str, plural: str | None = None) -> str:
    """Return *number* with its noun: ``1 server``, ``2,500 servers``; *plural* if it is not the noun with an s.

    A decimal takes the plural, as in ``1.0 hours``.
    """
    return f"{number:,} {noun if isinstance(number, int) and number == 1 else plural or noun + 's'}"

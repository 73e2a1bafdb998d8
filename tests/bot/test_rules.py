"""When a card is written anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pteroassets.bot.cards.rules import Shown, UpdateRules, reason_to_update

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHOWN = Shown(state="running", cpu_percent=40.0, memory_ratio=0.5, at=AT)
RULES = UpdateRules()


def at(minutes: float, **changes: object) -> Shown:
    return replace(SHOWN, at=AT + timedelta(minutes=minutes), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "now", "reason"),
    [
        (None, at(0), "first sight"),
        (replace(SHOWN, at=None), at(0), "first sight"),
        (SHOWN, at(1), None),
        (SHOWN, at(9.9), None),
        (SHOWN, at(10), "10 minutes passed"),
        (SHOWN, at(1, state="offline", cpu_percent=None), "state changed from running to offline"),
        (SHOWN, at(1, state="unknown", cpu_percent=None), "state changed from running to unknown"),
        (SHOWN, at(1, cpu_percent=90.0), None),
        (SHOWN, at(1, cpu_percent=90.1), "processor use moved by 50 points"),
        (replace(SHOWN, cpu_percent=200.0), at(1), "processor use moved by 160 points"),
        (SHOWN, at(1, cpu_percent=None), None),
        (SHOWN, at(1, memory_ratio=0.949), None),
        (SHOWN, at(1, memory_ratio=0.95), "memory is within 5 % of its limit"),
        (replace(SHOWN, memory_ratio=0.96), at(1, memory_ratio=0.99), None),
        (replace(SHOWN, memory_ratio=0.96), at(1, memory_ratio=0.5), None),
        (SHOWN, at(1, memory_ratio=None), None),
    ],
)
def test_a_card_changes_by_the_ancestors_rules_and_one_more(
    shown: Shown | None, now: Shown, reason: str | None
) -> None:
    assert reason_to_update(shown, now, RULES) == reason


def test_an_operator_sets_the_rules() -> None:
    rules = UpdateRules(cpu_points=10, every=timedelta(minutes=2), memory_percent=40)

    assert reason_to_update(SHOWN, at(1, cpu_percent=51.0), rules) == "processor use moved by 11 points"
    assert reason_to_update(SHOWN, at(1, memory_ratio=0.61), rules) == "memory is within 40 % of its limit"
    assert reason_to_update(SHOWN, at(2), rules) == "2 minutes passed"

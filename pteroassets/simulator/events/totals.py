"""What is true of a stream, counted from what was sent, to compare with what the models say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pteroassets.simulator.events.stream import Sent

Totals = dict[str, int | str | dict[str, int]]
_PRICES = {"transaction": "total_cost", "purchase_sword": "sword_cost", "purchase_armor": "armor_cost"}


def totals(sent: Iterable[Sent]) -> Totals:
    """Return the totals: each event counted once, its copies apart; money as text, since it is exact."""
    sent = list(sent)
    events: list[Any] = [one.event for one in sent if one.event is not None and not one.is_copy]

    def quantities(event_type: str, by: str) -> dict[str, int]:
        counted: Counter[str] = Counter()
        for event in events:
            if event["type"] == event_type:
                counted[event["properties"][by]] += event["properties"]["quantity"]
        return dict(sorted(counted.items()))

    revenue = sum(
        (Decimal(str(one["properties"][_PRICES[one["type"]]])) for one in events if one["type"] in _PRICES), Decimal(0)
    )
    horses = quantities("purchase_a_horse", "size")
    return {
        "events": len(events),
        "copies": sum(one.is_copy for one in sent),
        "late": sum(one.is_late and not one.is_copy for one in sent),
        "players": len({event["player_id"] for event in events}),
        "revenue": f"{revenue:.2f}",
        "swords": sum(quantities("purchase_a_sword", "color").values()),
        "horses": sum(horses.values()),
        "events_by_type": dict(sorted(Counter(event["type"] for event in events).items())),
        "horses_by_size": horses,
        "dead_letters": dict(sorted(Counter(one.reason for one in sent if one.reason is not None).items())),
    }

"""What an event of each type says, by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from pteroassets.simulator.events.reference import Reference

Properties = dict[str, Any]
Maker = Callable[[random.Random, Reference], Properties]

_COLORS: Final = ("red", "blue", "black", "silver")
_SIZES: Final = ("small", "medium", "large")
_SWORDS: Final = ("katana", "rapier", "claymore")
_ARMOURS: Final = ("leather", "chain", "plate")
_PLACES: Final = ("harbour", "castle", "forest", "mine")


def _join_a_guild(chance: random.Random, reference: Reference) -> Properties:
    guild = chance.choice(reference.guilds)
    return {"guild_id": guild["guild_id"], "name": guild["name"]}


def _kill_enemy(chance: random.Random, reference: Reference) -> Properties:
    enemy = chance.choice(reference.enemies)
    return {"enemy_id": enemy["enemy_id"], "name": enemy["name"], "level": int(enemy["level"])}


def _take_damage(chance: random.Random, reference: Reference) -> Properties:
    source = chance.choice(reference.damage_sources)
    return {"enemy_id": source["enemy_id"], "name": source["name"], "damage": int(source["damage"])}


def _accepted_a_quest(chance: random.Random, reference: Reference) -> Properties:
    quest = chance.choice(reference.quests)
    return {"quest_id": quest["quest_id"], "name": quest["name"], "contact": quest["contact"]}


def _transaction(chance: random.Random, reference: Reference) -> Properties:
    line = chance.choice(reference.inventory)
    return {
        "inventory_id": line["inventory_id"],
        "category": line["category"],
        "item_name": line["item_name"],
        "store_id": line["store_id"],
        # text: money is exact
        "total_cost": line["total_cost"],
        "on_hand_qty": int(line["on_hand_qty"]),
    }


TYPES: Final[Mapping[str, Maker]] = {
    "join_a_guild": _join_a_guild,
    "kill_enemy": _kill_enemy,
    "take_damage": _take_damage,
    "accepted_a_quest": _accepted_a_quest,
    "transaction": _transaction,
    "purchase_a_sword": lambda chance, _: {"color": chance.choice(_COLORS), "quantity": chance.randint(1, 3)},
    "purchase_a_horse": lambda chance, _: {
        "size": chance.choice(_SIZES), "speed": chance.randint(10, 60), "quantity": chance.randint(1, 2),
    },
    "guild_action": lambda chance, _: {"action": chance.choice(("join", "join", "leave"))},
    "default": lambda _chance, _: {},
    "purchase_sword": lambda chance, _: {
        "sword_type": chance.choice(_SWORDS), "sword_cost": f"{chance.randint(100, 9_999) / 100:.2f}",
        "location": chance.choice(_PLACES),
    },
    "purchase_armor": lambda chance, _: {
        "armor_type": chance.choice(_ARMOURS), "armor_cost": f"{chance.randint(100, 9_999) / 100:.2f}",
        "location": chance.choice(_PLACES),
    },
    "join_guild": lambda chance, _: {"guild_type": chance.choice(("mages", "rogues", "smiths"))},
    "slayed_dragon": lambda chance, _: {
        "dragon_type": chance.choice(("ice", "fire", "bone")), "location": chance.choice(_PLACES),
        "sword_type": chance.choice(_SWORDS),
    },
    "took_damage": lambda chance, _: {
        "damage_level": chance.randint(1, 99), "cause_damage": chance.choice(("fire", "fall", "arrow")),
        "damage_dealer": chance.choice(("dragon", "bandit")),
    },
    "attempt_daily_quest": lambda chance, _: {"attempted": chance.choice((True, True, False))},
}  # fmt: skip
"""What makes the fields of a type."""

USUAL_MIX: Final[Mapping[str, int]] = {
    "kill_enemy": 40, "take_damage": 25, "accepted_a_quest": 12, "transaction": 10, "join_a_guild": 5,
    "purchase_a_sword": 3, "purchase_a_horse": 3, "guild_action": 2,
}  # fmt: skip
"""How often each type comes where nobody says another mix."""

# by colour or size and speed, how many at once, and how often it is asked for
_SWORDS_BOUGHT: Final = (
    ("red", 2, 300), ("red", 1, 200), ("red", 1, 150), ("blue", 2, 220), ("blue", 1, 200), ("blue", 1, 140),
    ("black", 1, 200), ("black", 1, 100), ("silver", 1, 100),
)  # fmt: skip
_HORSES_BOUGHT: Final = (
    ("small", 10, 1, 300), ("small", 20, 1, 300), ("small", 30, 1, 200),
    ("medium", 20, 1, 400), ("medium", 30, 1, 300), ("medium", 40, 2, 200),
    ("large", 30, 1, 300), ("large", 40, 1, 200), ("large", 60, 1, 100),
)  # fmt: skip


def shops() -> list[tuple[str, Properties]]:
    """Return a load that is always the same, of eighteen purchases asked for again and again and of guild actions.

    1,610 requests buy 2,130 swords; 2,300 buy 800 small, 1,100 medium and 600 large horses; 200 join the guild and 100
    leave it.
    """
    return [
        *(
            ("purchase_a_sword", {"color": color, "quantity": quantity})
            for color, quantity, times in _SWORDS_BOUGHT
            for _ in range(times)
        ),
        *(
            ("purchase_a_horse", {"size": size, "speed": speed, "quantity": quantity})
            for size, speed, quantity, times in _HORSES_BOUGHT
            for _ in range(times)
        ),
        *(
            ("guild_action", {"action": action})
            for action, times in (("join", 200), ("leave", 100))
            for _ in range(times)
        ),
    ]

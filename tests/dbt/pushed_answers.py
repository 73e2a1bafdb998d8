"""What the questions of docs/event-questions.md come to, counted in Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from .pushed import Pushed

_STORES = {"1": "Jita", "2": "Amarr", "3": "Dodixie", "4": "Rens", "5": None}


def answers_of(told: Iterable[Pushed]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the answers to the questions that events, and the reference data, answer alone."""
    of: dict[str, list[Pushed]] = defaultdict(list)
    for one in told:
        of[one.type].append(one)
    joined, templars = defaultdict(set), defaultdict(set)
    for one in of["join_a_guild"]:
        joined[one.game].add(one.properties["guild_id"])
        if one.properties["name"].endswith("Templar"):
            templars[one.game].add(one.properties["guild_id"])
    kills = [one.properties for one in of["kill_enemy"]]
    levels = Counter(kill["level"] for kill in kills)
    lowest = {(kill["enemy_id"], kill["name"], kill["level"]) for kill in kills if kill["level"] == min(levels)}
    quests = Counter((one.properties["quest_id"], one.properties["name"]) for one in of["accepted_a_quest"])
    by_times = sorted(quests.items(), key=lambda one: (-one[1], one[0]))
    means = []
    for game in sorted({one.game for one in of["kill_enemy"]}):
        own = [one.properties["level"] for one in of["kill_enemy"] if one.game == game]
        means.append((game, round(Decimal(sum(own)) / len(own), 2), len(own)))
    most = max(one.properties["damage"] for one in of["take_damage"])
    hits = sorted((one.at, one.player, one) for one in of["take_damage"] if one.properties["damage"] == most)
    return {
        "How many different guilds were joined?": sorted((game, len(ids)) for game, ids in joined.items()),
        "How many joined guilds have a name that ends in Templar?": sorted(
            (game, len(ids)) for game, ids in templars.items()
        ),
        "Which quests are accepted most often?": [(*quest, times) for quest, times in by_times][:5],
        "What is the mean level of the enemies that are killed?": means,
        "Which enemies were killed at the lowest level?": sorted(lowest),
        "At which level are most enemies killed?": sorted(
            one for one in levels.items() if one[1] == max(levels.values())
        ),
        "What is the most expensive item that was bought?": [("Sacred Bow", "Bow", Decimal(1500))],
        "What is the highest price that was paid in each category?": [
            ("Bow", Decimal(1500)), ("Sword", Decimal("1000.1")), ("Armor", Decimal(500)),
        ],
        "What is the stock of each store worth?": [(*store, Decimal(21000)) for store in _STORES.items()],
        "How many different items are there in each category?": [("Armor", 1), ("Bow", 1), ("Sword", 1)],
        "How many different items does each store have?": [("0", 0), *((store, 3) for store in _STORES)],
        "What did the highest damage, and who took it?": [
            (one.properties["enemy_id"], one.properties["name"], most, player, at) for at, player, one in hits
        ],
        "How many horses of each size were bought?": [("medium", 1100, 2), ("small", 800, 2), ("large", 600, 1)],
        "How many swords were bought in each year?": [(date(2026, 1, 1), 2130)],
        "Which dragons were slain, and with which swords?": [("red", "long", 1)],
    }  # fmt: skip

"""Pushed events of games, made by a test that knows what they come to, as the collector stores them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pteroassets.clock import ManualClock
from pteroassets.landing.context import Landing
from pteroassets.landing.events.passes import tally
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
END = START + timedelta(days=40, hours=9)
HOSTILE = "</script><img src=x onerror=document.title='run'>"
UUID_OF_MINECRAFT = "dddddddd-1111-4000-8000-000000000007"
ITEMS = (("Plate Armor", "Armor", "500"), ("Master Sword", "Sword", "1000.10"), ("Sacred Bow", "Bow", 1500))


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """One event as a game tells it; *received* is how long it took, and *ahead* how far the game's clock is ahead."""

    player: str
    at: datetime
    type: str = "default"
    properties: dict[str, Any] = field(default_factory=dict)
    game: str = "arena"
    session: str | None = None
    name: str | None = None
    minecraft: str | None = None
    received: timedelta = timedelta(seconds=1)
    ahead: timedelta | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def received_at(self) -> datetime:
        """When the collector received it, by its own clock."""
        return self.at - (self.ahead or timedelta()) + self.received


_COLUMNS = (
    "game, event_id, event_type, version, player_id, session_id, occurred_at, received_at, "
    "clock_skew_milliseconds, record"
)


def push(connection: Connection, events: Iterable[Pushed]) -> None:
    """Store *events* as the collector does, in their order."""
    events = list(events)
    for day in {one.received_at.date() for one in events}:
        connection.execute("select raw_events.ensure_day(%s)", (day,))
    with connection.cursor() as cursor, cursor.copy(f"copy raw_events.events ({_COLUMNS}) from stdin") as copy:
        for one in events:
            record = {"properties": one.properties}
            record |= {} if one.name is None else {"player_name": one.name}
            record |= {} if one.minecraft is None else {"minecraft_uuid": one.minecraft}
            skew = None if one.ahead is None else round((one.received - one.ahead) / timedelta(milliseconds=1))
            copy.write_row(
                (
                    one.game,
                    one.id,
                    one.type,
                    1,
                    one.player,
                    one.session,
                    one.at,
                    one.received_at,
                    skew,
                    json.dumps(record),
                )
            )


def tally_events(connection: Connection) -> None:
    """Count what came, as the pass does: a build takes in what was counted."""
    tally(Landing(settings=Settings(_env_file=None), clock=ManualClock(END)), connection)  # type: ignore[call-arg]


def events_of_weeks(seed: int) -> Iterator[Pushed]:
    """Yield what forty players of two games do in six weeks: some are there once, some often, few buy."""
    chosen = random.Random(seed)
    for number in range(40):
        game = "arena" if number < 30 else "quarry"
        tells_sessions = number % 3 == 0
        first = START + timedelta(days=number % 14, hours=chosen.randrange(20))
        for visit in range(chosen.choice((1, 1, 2, 5, 9))):
            at = first + timedelta(days=visit * chosen.choice((1, 1, 3)), minutes=chosen.randrange(200))
            session = f"s{number}-{visit}" if tells_sessions else None
            for _ in range(chosen.randrange(1, 14)):
                kind, properties = _deed(chosen)
                yield Pushed(
                    player=f"p{number:02}", game=game, at=at, session=session, type=kind, properties=properties,
                    name=f"Player {number}{HOSTILE}" if number == 7 else f"Player {number}",
                    minecraft=UUID_OF_MINECRAFT if number == 7 else None,
                    ahead=timedelta(seconds=chosen.randrange(3)) if number % 2 else None,
                    received=timedelta(seconds=chosen.randrange(1, 90)),
                    id=uuid.UUID(int=chosen.getrandbits(128), version=4),
                )  # fmt: skip
                at += timedelta(seconds=chosen.choice((1, 20, 300, 1700, 1800, 1801, 2500)))


def _deed(chosen: random.Random) -> tuple[str, dict[str, Any]]:
    item, category, cost = chosen.choice(ITEMS)
    guild = str(chosen.randrange(40))
    enemy = str(chosen.randrange(50))
    return chosen.choice(
        [
            ("join_a_guild", {"guild_id": guild, "name": f"Guild {guild} {chosen.choice(('Templar', 'Guard'))}"}),
            ("kill_enemy", {"enemy_id": enemy, "name": f"Enemy {enemy}", "level": chosen.randrange(1, 101)}),
            ("kill_enemy", {"enemy_id": enemy, "name": f"Enemy {enemy}", "level": chosen.randrange(1, 101)}),
            ("take_damage", {"enemy_id": str(chosen.randrange(9)), "name": HOSTILE, "damage": chosen.randrange(100)}),
            ("accepted_a_quest", {"quest_id": str(chosen.randrange(15)), "name": "Rats", "contact": HOSTILE * 3}),
            (
                "transaction",
                {"inventory_id": "0" + guild, "total_cost": cost, "item_name": item, "category": category,
                 "store_id": str(chosen.randrange(1, 6)), "on_hand_qty": 7},
            ),
            ("default", {}),
        ]
    )  # fmt: skip


def copies_of(events: Iterable[Pushed], seed: int) -> list[Pushed]:
    """Return some of *events* again, received later and one of them changed, as no game should send it."""
    chosen = random.Random(seed)
    again = [replace(one, received=one.received + timedelta(hours=30)) for one in events if chosen.random() < 0.1]
    return [replace(again[0], type="default", properties={}), *again]


def deeds_of_other_games() -> list[Pushed]:
    """Return events of the types that other games push: swords by colour, horses by size, guilds and dragons."""
    said: list[tuple[str, dict[str, Any]]] = [
        *(("purchase_a_horse", {"size": "small", "speed": 5, "quantity": count}) for count in (300, 500)),
        *(("purchase_a_horse", {"size": "medium", "speed": 7, "quantity": count}) for count in (1000, 100)),
        ("purchase_a_horse", {"size": "large", "speed": 9, "quantity": 600}),
        ("purchase_a_sword", {"color": "red", "quantity": 2000}),
        ("purchase_a_sword", {"color": "blue", "quantity": 130}),
        ("purchase_sword", {"sword_type": "long", "sword_cost": "0.10", "location": "Hek"}),
        ("purchase_armor", {"armor_type": "plate", "armor_cost": 0.2}),
        ("guild_action", {"action": "leave"}),
        ("join_guild", {"guild_type": "mages"}),
        ("slayed_dragon", {"dragon_type": "red", "sword_type": "long"}),
        ("took_damage", {"damage_level": 7, "cause_damage": "fire", "damage_dealer": "red"}),
        ("attempt_daily_quest", {"attempted": False}),
        ("join_a_guild", {"guild_id": "7", "name": "Order of the Ash Templar"}),
        ("accepted_a_quest", {"quest_id": "007", "name": "Rats", "contact": "nobody"}),
    ]
    return [
        Pushed(player="p", game="fair", at=START + timedelta(seconds=number), type=kind, properties=properties)
        for number, (kind, properties) in enumerate(said)
    ]

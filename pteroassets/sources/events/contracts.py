"""The contracts: what an event of each type and version has, beside what all events have.

To add a type, add its class here and make its columns in the models. A field may be added where it has a default; one
that was published is never removed, renamed or made to mean something else: that is a new version of the type. Ids are
text, so that leading zeros and large numbers stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=100, description="An id of the game's own, as text.")]
Label = Annotated[str, Meta(max_length=200, description="What people call it.")]
Count = Annotated[int, Meta(ge=0, le=2_147_483_647)]
# of digits alone, since Postgres reads less as a number than Python does
Money = (
    Annotated[float, Meta(ge=0, lt=1e15)]
    | Annotated[str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,6})?$", description="Where a number would not be exact.")]
)
Instant = Annotated[datetime, Meta(tz=True, description="A time with its offset, such as 2026-03-01T20:15:00Z.")]


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of one type and version of event; what it does not name is kept and not looked at.

    Attributes:
        event_type: Its type.
        version: Its version, from 1 up.
    """

    event_type: ClassVar[str]
    version: ClassVar[int] = 1


class JoinAGuild(Contract, frozen=True, kw_only=True):
    """A player joined a guild of the game."""

    event_type: ClassVar[str] = "join_a_guild"
    guild_id: Id
    name: Label | None = None


class KillEnemy(Contract, frozen=True, kw_only=True):
    """A player killed an enemy of a level."""

    event_type: ClassVar[str] = "kill_enemy"
    enemy_id: Id
    name: Label | None = None
    level: Count | None = None


class TakeDamage(Contract, frozen=True, kw_only=True):
    """A player took damage; its sources are numbered apart from the enemies that are killed."""

    event_type: ClassVar[str] = "take_damage"
    enemy_id: Id
    name: Label | None = None
    damage: Count


class AcceptedAQuest(Contract, frozen=True, kw_only=True):
    """A player accepted a quest from somebody."""

    event_type: ClassVar[str] = "accepted_a_quest"
    quest_id: Id
    name: Label | None = None
    contact: Label | None = None


class Transaction(Contract, frozen=True, kw_only=True):
    """A player bought an item in a store of the game; money is in the game's own."""

    event_type: ClassVar[str] = "transaction"
    inventory_id: Id
    category: Label | None = None
    item_name: Label | None = None
    store_id: Id | None = None
    total_cost: Money
    on_hand_qty: Count | None = None


class PurchaseASword(Contract, frozen=True, kw_only=True):
    """A player bought swords of a colour."""

    event_type: ClassVar[str] = "purchase_a_sword"
    color: Label
    quantity: Count


class PurchaseAHorse(Contract, frozen=True, kw_only=True):
    """A player bought horses of a size and a speed."""

    event_type: ClassVar[str] = "purchase_a_horse"
    size: Literal["small", "medium", "large"]
    speed: Count
    quantity: Count


class GuildAction(Contract, frozen=True, kw_only=True):
    """A player joined the guild or left it, in a game that has one."""

    event_type: ClassVar[str] = "guild_action"
    action: Literal["join", "leave"]


class Default(Contract, frozen=True, kw_only=True):
    """A player asked the game for nothing in particular."""

    event_type: ClassVar[str] = "default"


class PurchaseSword(Contract, frozen=True, kw_only=True):
    """A player bought a sword somewhere; money is in the game's own."""

    event_type: ClassVar[str] = "purchase_sword"
    sword_type: Label
    sword_cost: Money
    location: Label | None = None


class PurchaseArmor(Contract, frozen=True, kw_only=True):
    """A player bought an armour somewhere; money is in the game's own."""

    event_type: ClassVar[str] = "purchase_armor"
    armor_type: Label
    armor_cost: Money
    location: Label | None = None


class JoinGuild(Contract, frozen=True, kw_only=True):
    """A player joined a guild of a kind."""

    event_type: ClassVar[str] = "join_guild"
    guild_type: Label


class SlayedDragon(Contract, frozen=True, kw_only=True):
    """A player slew a dragon somewhere."""

    event_type: ClassVar[str] = "slayed_dragon"
    dragon_type: Label
    location: Label | None = None
    sword_type: Label | None = None


class TookDamage(Contract, frozen=True, kw_only=True):
    """A player took damage from somebody, by some cause."""

    event_type: ClassVar[str] = "took_damage"
    damage_level: Count
    cause_damage: Label | None = None
    damage_dealer: Label | None = None


class AttemptDailyQuest(Contract, frozen=True, kw_only=True):
    """A player was offered the quest of the day, and tried it or did not."""

    event_type: ClassVar[str] = "attempt_daily_quest"
    attempted: bool


CONTRACTS: Final[Mapping[tuple[str, int], type[Contract]]] = {
    (one.event_type, one.version): one
    for one in (
        JoinAGuild, KillEnemy, TakeDamage, AcceptedAQuest, Transaction,
        PurchaseASword, PurchaseAHorse, GuildAction,
        Default, PurchaseSword, PurchaseArmor, JoinGuild, SlayedDragon, TookDamage, AttemptDailyQuest,
    )
}  # fmt: skip
"""Every contract by its type and version."""
TYPES: Final = frozenset(event_type for event_type, _ in CONTRACTS)


_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has.

    Attributes:
        event_id: Made by the game, once for each event: one that is sent again has the same.
        type: Type of the event.
        version: Version of the type's contract.
        player_id: Who did it, by the game's own id.
        player_name: What the game calls that player; None if not told.
        minecraft_uuid: The player's UUID in Minecraft, where the game knows it.
        session_id: The player's stay in the game; None where the game has none.
        occurred_at: When it happened, by the game's clock.
        sent_at: When it was sent, by the same clock, from which is known how wrong that clock is; None if not told.
        properties: The fields of the type, an object.
    """

    event_id: UUID
    type: Annotated[str, Meta(min_length=1, max_length=100)]
    version: Annotated[int, Meta(ge=1, le=32_767)]
    player_id: Id
    player_name: Label | None = None
    minecraft_uuid: UUID | None = None
    session_id: Id | None = None
    occurred_at: Instant
    sent_at: Instant | None = None
    properties: msgspec.Raw

    def __post_init__(self) -> None:
        """Refuse times that no clock of a game shows, and that others could not read.

        Raises:
            ValueError: A year is before 1970 or after 9998.
        """
        for name, at in (("occurred_at", self.occurred_at), ("sent_at", self.sent_at)):
            if at is not None and not _FIRST_YEAR <= at.year <= _LAST_YEAR:
                raise ValueError(f"{name} is in the year {at.year}")

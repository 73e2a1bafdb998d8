"""A stream of events that follows from its recipe alone: the same recipe gives the same bytes at the same times."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, Final

from pteroassets.simulator.events.malformed import KINDS, malformed
from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.events.types import TYPES, USUAL_MIX, Properties, shops

MOST_EVENTS: Final = 1_000_000
_AT_ONCE: Final = 6
"""Players that play at the same time, where there are as many."""
_OF_A_SESSION: Final = (5, 45)
_DAY: Final = timedelta(days=1)
#: How much is played in each hour of the day, in UTC.
_RHYTHM: Final = (3, 2, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 11, 14, 17, 20, 20, 17, 11, 6)
_LATEST: Final = timedelta(hours=48)
_COPY_WITHIN: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A player of Minecraft who plays this game too."""

    name: str
    minecraft_uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a stream follows from.

    Attributes:
        seed: Number of the stream.
        begins_at: When the first event happens.
        span: The time in which all happen.
        events: How many, each counted once.
        players: How many at most.
        mix: How often each type comes, in proportion.
        duplicates: Share of events that are sent twice.
        late: Share of events that are sent long after they happened.
        malformed: How many things are sent that are no events, as a share of the events.
        is_live: Whether they are sent as they happen, so that they say when they were sent.
        prefix: Begins the id of each player; follows from the rest where empty.
        identities: Of the first players.
        is_shops: Whether it is the load that is always the same; *events* and *mix* say nothing then.
    """

    seed: int
    begins_at: datetime
    span: timedelta
    events: int = 1_000
    players: int = 50
    mix: Mapping[str, int] = field(default_factory=lambda: USUAL_MIX)
    duplicates: float = 0.0
    late: float = 0.0
    malformed: float = 0.0
    is_live: bool = False
    prefix: str = ""
    identities: Sequence[Identity] = ()
    is_shops: bool = False

    @property
    def player_prefix(self) -> str:
        """Return what the id of each player begins with."""
        told = json.dumps([self.seed, self.begins_at.isoformat(), self.span.total_seconds(), self.events, self.players])
        return self.prefix or hashlib.sha256(told.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One thing that is sent.

    Attributes:
        at: When, of the stream's own time.
        body: Its JSON, or what is none.
        event: The event that it is, as the game meant it; None if it is none.
        reason: Why it is refused; None if it is an event.
        is_copy: Whether the event was sent before.
        is_late: Whether it was sent long after it happened.
    """

    at: datetime
    body: bytes
    event: Mapping[str, Any] | None = None
    reason: str | None = None
    is_copy: bool = False
    is_late: bool = False


def stream(recipe: Recipe, reference: Reference) -> list[Sent]:
    """Return what is sent, in its order.

    Raises:
        ValueError: The recipe cannot be followed; the message names the part.
    """
    _check(recipe)
    chance = random.Random(f"events/{recipe.seed}/{recipe.player_prefix}")
    happened = list(_happened(recipe, reference, chance))
    count = len(happened)
    late = set(chance.sample(range(count), round(recipe.late * count)))
    copied = set(chance.sample(range(count), round(recipe.duplicates * count)))
    sent = []
    for number, event in enumerate(happened):
        at = datetime.fromisoformat(event["occurred_at"])
        if number in late:
            at += chance.uniform(0.1, 1) * min(recipe.span, _LATEST)
        if recipe.is_live:
            event["sent_at"] = _text(at)
        one = Sent(at=at, body=json.dumps(event).encode(), event=event, is_late=number in late)
        sent.append(one)
        if number in copied:
            again = at + chance.random() * min(recipe.span, _COPY_WITHIN)
            sent.append(Sent(at=again, body=one.body, event=event, is_copy=True, is_late=one.is_late))
    for number in range(round(recipe.malformed * count)):
        kind = KINDS[number % len(KINDS)]
        at = recipe.begins_at + chance.random() * recipe.span
        sent.append(Sent(at=at, body=malformed(kind, dict(chance.choice(happened))), reason=kind))
    return sorted(sent, key=lambda one: one.at)


def _check(recipe: Recipe) -> None:
    if not 1 <= recipe.events <= MOST_EVENTS:
        raise ValueError(f"{recipe.events:,} events: it has to be from 1 to {MOST_EVENTS:,}")
    if not 1 <= recipe.players <= MOST_EVENTS:
        raise ValueError(f"{recipe.players:,} players: it has to be from 1 to {MOST_EVENTS:,}")
    if recipe.begins_at.tzinfo is None or recipe.span <= timedelta(0):
        raise ValueError("the time of the stream has no offset, or no length")
    if unknown := sorted(set(recipe.mix) - set(TYPES)):
        raise ValueError(f"no type of event is called {unknown[0]!r}; there are {', '.join(sorted(TYPES))}")
    if not any(recipe.mix.values()) or min(recipe.mix.values()) < 0:
        raise ValueError("the mix needs a weight above 0, and none below")
    for name in ("duplicates", "late", "malformed"):
        if not 0 <= getattr(recipe, name) <= 1:
            raise ValueError(f"the share {name} has to be from 0 to 1, and is {getattr(recipe, name)}")


def _happened(recipe: Recipe, reference: Reference, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Yield each event as it happens, played by some players at a time, who stay for a number of events."""
    kinds = _kinds(recipe, reference, chance)
    playing: list[_Stay] = []
    stays = 0
    for at, (event_type, properties) in zip(_times(recipe, len(kinds), chance), kinds, strict=True):
        if len(playing) < min(_AT_ONCE, recipe.players) and (not playing or chance.random() < 1 / 2):
            stays += 1
            playing.append(_Stay.new(recipe, stays, {stay.player for stay in playing}, chance))
        stay = chance.choice(playing)
        yield _event(recipe, stay, at, event_type, properties, chance)
        stay.left -= 1
        if not stay.left:
            playing.remove(stay)


def _kinds(recipe: Recipe, reference: Reference, chance: random.Random) -> list[tuple[str, Properties]]:
    """Return the type and fields of each event: of each type as many as the mix says, to one."""
    if recipe.is_shops:
        kinds = shops()
    else:
        weights = {name: weight for name, weight in recipe.mix.items() if weight}
        shares = [recipe.events * reached // sum(weights.values()) for reached in accumulate(weights.values())]
        kinds = [
            (name, TYPES[name](chance, reference))
            for name, begin, end in zip(weights, [0, *shares], shares, strict=False)
            for _ in range(end - begin)
        ]
    chance.shuffle(kinds)
    return kinds


def _times(recipe: Recipe, count: int, chance: random.Random) -> list[datetime]:
    if recipe.span < 2 * _DAY:
        return [recipe.begins_at + (number + chance.random()) / count * recipe.span for number in range(count)]
    hour = timedelta(hours=1)
    hours = [recipe.begins_at + number * hour for number in range(recipe.span // hour)]
    weights = [_RHYTHM[one.astimezone(UTC).hour] for one in hours]
    return sorted(one + chance.random() * hour for one in chance.choices(hours, weights, k=count))


@dataclass(slots=True, kw_only=True)
class _Stay:
    """A player in the game; one in three of them plays a game that tells no sessions."""

    player: int
    session_id: str | None
    left: int

    @classmethod
    def new(cls, recipe: Recipe, number: int, others: set[int], chance: random.Random) -> _Stay:
        """Return the stay of one who is not among *others*; some play much more than most."""
        player = 0
        while not player or player in others:
            player = 1 + int(recipe.players * chance.random() ** 2)
        session = f"{recipe.player_prefix}-s{number}" if player % 3 else None
        return cls(player=player, session_id=session, left=chance.randint(*_OF_A_SESSION))


def _event(
    recipe: Recipe, stay: _Stay, at: datetime, event_type: str, properties: Properties, chance: random.Random
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "type": event_type,
        "version": 1,
        "player_id": f"{recipe.player_prefix}-{stay.player:04}",
        "occurred_at": _text(at),
        "properties": properties,
    }
    if stay.session_id is not None:
        event["session_id"] = stay.session_id
    if stay.player <= len(recipe.identities):
        identity = recipe.identities[stay.player - 1]
        event |= {"player_name": identity.name, "minecraft_uuid": identity.minecraft_uuid}
    return event


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")

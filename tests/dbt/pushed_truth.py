"""What pushed events come to, counted in Python from the events alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .pushed import START, Pushed

Player = tuple[str, str]
GAP = timedelta(minutes=30)
GUILD, QUEST, PURCHASE = "join_a_guild", "accepted_a_quest", "transaction"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A stay of a player, by its events in their order."""

    player: Player
    session_id: str | None
    events: tuple[Pushed, ...]

    @property
    def told(self) -> tuple[object, ...]:
        """It as a row of the mart."""
        by_type = Counter(one.type for one in self.events)
        return (
            *self.player, self.session_id, self.events[0].at, self.events[-1].at, len(self.events), by_type,
            cost_of(self.events),
        )  # fmt: skip


def cost_of(events: Iterable[Pushed]) -> Decimal:
    return sum((Decimal(str(one.properties["total_cost"])) for one in events if one.type == PURCHASE), Decimal(0))


def by_player(events: Iterable[Pushed]) -> dict[Player, list[Pushed]]:
    found = defaultdict(list)
    for one in sorted(events, key=lambda one: one.at):
        found[one.game, one.player].append(one)
    return dict(found)


def sessions_of(events: Iterable[Pushed]) -> list[Session]:
    found: list[Session] = []
    for player, own in by_player(events).items():
        for session_id in {one.session for one in own}:
            stays: list[list[Pushed]] = []
            for one in (one for one in own if one.session == session_id):
                if stays and (session_id is not None or one.at - stays[-1][-1].at <= GAP):
                    stays[-1].append(one)
                else:
                    stays.append([one])
            found += [Session(player=player, session_id=session_id, events=tuple(stay)) for stay in stays]
    return found


def days_of(events: Iterable[Pushed]) -> dict[Player, set[date]]:
    """The days of each player: those that a session lies on."""
    days = defaultdict(set)
    for session in sessions_of(events):
        first, last = session.events[0].at.date(), session.events[-1].at.date()
        days[session.player] |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    return dict(days)


def steps_of(own: Iterable[Pushed]) -> int:
    """How far a player came: 1, or more with each deed that comes after the one before."""
    wanted, at, step = [GUILD, QUEST, PURCHASE], START, 1
    own = list(own)
    for kind in wanted:
        times = [one.at for one in own if one.type == kind and (step == 1 or one.at >= at)]
        if not times:
            return step
        at, step = min(times), step + 1
    return step

"""One game, played by dice from a seed: everything that happened in it is known.

What is written of a game differs between a site's page and each generation of recordings; what happened does not. Odd
cases are in every game, whatever its seed: a killer that nobody names, a suicide, a team kill, a vehicle that is shot
and one whose crew changes, a kill by a mine that a vehicle is blamed for, a soldier that another player takes over, a
player who leaves and comes back, somebody unconscious, names with apostrophes and in Cyrillic, and soldiers whom nobody
plays.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

SIDES: Final = ("EAST", "WEST", "GUER", "CIV")
_ISLANDS: Final = ("Altis", "Malden", "Чернарусь", "Lythium")
_MISSIONS: Final = ("Высота 88", "Farmer's Bridge", 'Port "Нептун"', "Night & Fog", "Ridge <7>")
_NAMES: Final = ("Heron", "Выдра", "O'Neil", "D'Artagnan", "Рысь", "[GF]Falcon", 'Mr "Fox"', "Ёж", "Marten", "Lynx&Co")
_FACTIONS: Final = {"EAST": "Blue Ridge Militia", "WEST": "Coast Guard", "GUER": "Ополчение", "CIV": "Farmers"}
_ROLES: Final = ("Squad leader", "Medic", "Gunner", "Rifleman", "Driver")
_WEAPONS: Final = ("AK-12 5.45 mm", "MX 6.5 mm", "СВД", "RPG-7V", "M67")
_VEHICLES: Final = (("car", "Offroad (HMG)"), ("apc", "BTR-K Камыш"), ("heli", "Scout 500"), ("truck", "O'Hara truck"))
_METRES_A_SECOND: Final = 3.0
_FIELD: Final = (2000.0, 3500.0)
"""Where people and vehicles set out, in metres each way."""
_LEG_METRES: Final = 600.0
_FIRST_PLAYER: Final = 7001


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A person with a number of the site's."""

    player_id: int
    name: str


@dataclass(slots=True, kw_only=True)
class Soldier:
    """A unit; *stints* are who held it from which frame, and empty where nobody did."""

    unit_id: int
    name: str
    side: str
    squad: str
    role: str
    start: int
    stints: list[tuple[int, Player]] = field(default_factory=list)
    left_at: int | None = None
    """Last frame in which it is recorded, where its player left."""
    killed_at: int | None = None
    origin: tuple[float, float] = (0.0, 0.0)
    heading: int = 0
    vehicle: int | None = None
    boarded: tuple[int, int] = (0, -1)
    """First and last frame in the vehicle."""
    swoon: range = range(0)
    """Frames in which it lies unconscious, and alive."""

    def player_at(self, frame: int) -> Player | None:
        """Return who holds it at *frame*."""
        held = [player for first, player in self.stints if first <= frame]
        return held[-1] if held else None

    def name_at(self, frame: int) -> str:
        """Return the name above its head at *frame*."""
        player = self.player_at(frame)
        return self.name if player is None else player.name

    def vehicle_at(self, frame: int) -> int | None:
        """Return the vehicle in which it sits at *frame*."""
        return self.vehicle if self.boarded[0] <= frame <= self.boarded[1] else None

    def is_there(self, frame: int) -> bool:
        """Return whether it is recorded and alive at *frame*."""
        is_alive = self.killed_at is None or frame <= self.killed_at
        return self.start <= frame and is_alive and (self.left_at is None or frame <= self.left_at)


@dataclass(slots=True, kw_only=True)
class Machine:
    """A vehicle."""

    vehicle_id: int
    kind: str
    name: str
    side: str
    origin: tuple[float, float]
    heading: int
    destroyed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A kill as it was; of victim and killer either the unit or the vehicle alone is set, or nothing."""

    frame: int
    victim: int | None = None
    victim_machine: int | None = None
    killer: int | None = None
    killer_machine: int | None = None
    weapon: str = ""
    metres: int | None = None


@dataclass(slots=True, kw_only=True)
class Game:
    """All that happened; frames are *delay* seconds, and the last one is *end*."""

    number: int
    seed: int
    started_at: datetime
    delay: float
    end: int
    mission: str
    mission_id: int
    island: str
    slots: int
    soldiers: list[Soldier] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    hits: list[Death] = field(default_factory=list)
    comings: list[tuple[int, bool, Player, int]] = field(default_factory=list)
    """Frame, whether somebody came, who, and which soldier."""
    winner: str | None = None
    commanders: dict[str, Player] = field(default_factory=dict)

    @property
    def ended_at(self) -> datetime:
        """When the last frame was."""
        return self.started_at + timedelta(seconds=self.end * self.delay)

    @property
    def players(self) -> dict[int, tuple[Player, Soldier]]:
        """Everybody who played, with the first soldier of each."""
        found: dict[int, tuple[Player, Soldier]] = {}
        for soldier in self.soldiers:
            for _, player in soldier.stints:
                found.setdefault(player.player_id, (player, soldier))
        return found

    @property
    def sides(self) -> list[str]:
        """The sides that have soldiers."""
        return [side for side in SIDES if any(one.side == side for one in self.soldiers)]

    def heads(self, side: str) -> int:
        """Return how many people played on a side."""
        return sum(soldier.side == side for _, soldier in self.players.values())

    def faction(self, side: str) -> str:
        """Return what a side calls itself."""
        return _FACTIONS[side]

    def place(self, unit: Soldier | Machine, frame: int) -> tuple[float, float]:
        """Return where something is at *frame*, in metres; it goes to and fro at a walk, and stops where it dies."""
        if isinstance(unit, Soldier):
            vehicle = unit.vehicle_at(frame)
            if vehicle is not None:
                return self.place(self.machine(vehicle), frame)
            stop = unit.killed_at
        else:
            stop = unit.destroyed_at
        gone = min(frame, stop if stop is not None else frame) * self.delay * _METRES_A_SECOND
        way = _LEG_METRES - abs(gone % (2 * _LEG_METRES) - _LEG_METRES)
        angle = math.radians(unit.heading)
        x, y = unit.origin
        return round(x + way * math.sin(angle), 1), round(y + way * math.cos(angle), 1)

    def soldier(self, unit_id: int) -> Soldier:
        """Return a soldier by number."""
        return next(one for one in self.soldiers if one.unit_id == unit_id)

    def machine(self, vehicle_id: int) -> Machine:
        """Return a vehicle by number."""
        return next(one for one in self.machines if one.vehicle_id == vehicle_id)

    def is_team_kill(self, death: Death) -> bool | None:
        """Return whether both were of one side; None where somebody is unknown."""
        if death.victim is None or death.killer is None:
            return None
        one, other = self.soldier(death.victim), self.soldier(death.killer)
        return one.side == other.side and one is not other


def play(
    seed: int,
    number: int,
    started_at: datetime,
    *,
    players: int = 24,
    minutes: float = 20.0,
    delay: float = 5.0,
) -> Game:
    """Return a game, the same for the same arguments.

    Args:
        seed: Decides everything else.
        number: Of the game, which no other has.
        started_at: When its first frame is.
        players: Soldiers that somebody plays from the begin, eight at least.
        minutes: How long it lasts.
        delay: Seconds of a frame.
    """
    chance = random.Random(f"{seed}/{number}")
    count = max(8, players)
    game = Game(
        number=number,
        seed=seed,
        started_at=started_at.astimezone(UTC),
        delay=delay,
        end=max(40, int(minutes * 60 / delay)),
        mission=chance.choice(_MISSIONS),
        mission_id=chance.randrange(1, 900),
        island=chance.choice(_ISLANDS),
        slots=count + chance.randrange(2, 9),
    )
    _muster(game, count, chance)
    _man(game)
    _odd_cases(game, chance)
    _fight(game, chance)
    game.deaths.sort(key=lambda one: one.frame)
    game.hits.sort(key=lambda one: one.frame)
    game.comings.sort(key=lambda one: one[0])
    alive = {side: sum(one.side == side and one.killed_at is None for one in game.soldiers) for side in game.sides}
    game.winner = max(alive, key=lambda side: alive[side])
    return game


def _name(index: int) -> str:
    again, place = divmod(index, len(_NAMES))
    return _NAMES[place] + (f" {again + 1}" if again else "")


def _muster(game: Game, count: int, chance: random.Random) -> None:
    """Give every player a soldier, some soldiers nobody, and some of them vehicles. Numbers count over both."""
    sides = SIDES[: chance.choice((2, 2, 3))]
    shuffled = list(range(count))
    chance.shuffle(shuffled)
    for index in range(count + 2):
        side = sides[index % len(sides)]
        is_played = index < count
        player = Player(player_id=_FIRST_PLAYER + shuffled[index], name=_name(shuffled[index])) if is_played else None
        soldier = Soldier(
            unit_id=index,
            name=player.name if player else f"Guard {index}",
            side=side,
            squad=f"{side[0]} {1 + index // (4 * len(sides))}-{1 + index % 4}",
            role=_ROLES[(index // len(sides)) % len(_ROLES)],
            start=0 if index < count - 1 else chance.randrange(2, 6),
            stints=[],
            origin=(round(chance.uniform(*_FIELD), 1), round(chance.uniform(*_FIELD), 1)),
            heading=chance.randrange(360),
        )
        game.soldiers.append(soldier)
        if player is not None:
            soldier.stints.append((soldier.start, player))
            game.comings.append((soldier.start, True, player, index))
            game.commanders.setdefault(side, player)
    for index in range(max(3, count // 12)):
        kind, name = _VEHICLES[index % len(_VEHICLES)]
        game.machines.append(
            Machine(
                vehicle_id=len(game.soldiers) + index,
                kind=kind,
                name=name,
                side=sides[index % len(sides)],
                origin=(round(chance.uniform(*_FIELD), 1), round(chance.uniform(*_FIELD), 1)),
                heading=chance.randrange(360),
            )
        )


def _man(game: Game) -> None:
    """Let soldiers drive; the first eight are spared for what must happen, and so is the first vehicle."""
    third = game.end // 3
    for machine in game.machines[1:]:
        crew = [one for one in game.soldiers[8:] if one.side == machine.side and one.vehicle is None and one.start == 0]
        for one in crew[:2]:
            one.vehicle, one.boarded = machine.vehicle_id, (third // 2, third)


def _fight(game: Game, chance: random.Random) -> None:
    """Let soldiers shoot, one after the other, so that nobody kills once dead."""
    victims = [one for one in game.soldiers[8:] if one.start < game.end // 4 and chance.random() < 0.6]  # noqa: PLR2004 - most are hit
    chance.shuffle(victims)
    frames = sorted(chance.randrange(game.end // 4, game.end - 2) for _ in victims)
    for victim, frame in zip(victims, frames, strict=True):
        able = [one for one in game.soldiers if one is not victim and one.is_there(frame) and one.killed_at != frame]
        enemies = [one for one in able if one.side != victim.side]
        if enemies:
            _kill(game, victim, chance.choice(enemies), frame, chance.choice(_WEAPONS))


def _kill(game: Game, victim: Soldier, killer: Soldier, frame: int, weapon: str) -> None:
    metres = round(math.dist(game.place(victim, frame), game.place(killer, frame)))
    mounted = killer.vehicle_at(frame)
    said = f"{game.machine(mounted).name}: HMG" if mounted is not None else weapon
    victim.killed_at = frame
    death = Death(frame=frame, victim=victim.unit_id, killer=killer.unit_id, weapon=said, metres=metres)
    game.deaths.append(death)
    if frame:
        game.hits.append(
            Death(frame=frame - 1, victim=victim.unit_id, killer=killer.unit_id, weapon=said, metres=metres)
        )


def _odd_cases(game: Game, chance: random.Random) -> None:
    """Let happen what must be in every game, with the first eight soldiers, whom the fight spared."""
    unknown, suicide, friend, mined, taken, leaver, driver, relief = game.soldiers[:8]
    middle = game.end // 2
    unknown.killed_at = middle
    game.deaths.append(Death(frame=middle, victim=unknown.unit_id))
    suicide.killed_at = middle + 1
    game.deaths.append(Death(frame=middle + 1, victim=suicide.unit_id, killer=suicide.unit_id, weapon="M67", metres=0))
    comrade = next(one for one in (taken, leaver, driver, relief) if one.side == friend.side)
    _kill(game, friend, comrade, middle - 3, "AK-12 5.45 mm")
    comrade.swoon = range(middle - 2, middle)
    machine, target = game.machines[0], game.machines[-1]
    mined.killed_at = middle + 2
    game.deaths.append(
        Death(frame=middle + 2, victim=mined.unit_id, killer_machine=machine.vehicle_id, metres=chance.randrange(9, 40))
    )
    # a crew that changes: the driver gets out, and another takes the wheel
    driver.vehicle, driver.boarded = machine.vehicle_id, (2, 10)
    relief.vehicle, relief.boarded = machine.vehicle_id, (12, middle)
    target.destroyed_at = middle + 4
    game.deaths.append(
        Death(
            frame=middle + 4,
            victim_machine=target.vehicle_id,
            killer=relief.unit_id,
            weapon="RPG-7V",
            metres=round(math.dist(game.place(target, middle + 4), game.place(relief, middle + 4))),
        )
    )
    for one in game.soldiers:  # who sat in it when it was hit got out before
        if one.vehicle == target.vehicle_id:
            one.boarded = (one.boarded[0], min(one.boarded[1], middle + 3))
    # another player takes the soldier of one who left
    newcomer = Player(player_id=_FIRST_PLAYER + 900, name="Сменщик O'Two")
    before = taken.stints[0][1]
    taken.stints.append((middle + 5, newcomer))
    game.comings += [(middle + 3, False, before, taken.unit_id), (middle + 5, True, newcomer, taken.unit_id)]
    # who leaves and comes back has a new soldier
    back = leaver.stints[0][1]
    leaver.left_at = middle - 2
    game.comings.append((middle - 2, False, back, leaver.unit_id))
    again = Soldier(
        unit_id=max(one.vehicle_id for one in game.machines) + 1,
        name=back.name,
        side=leaver.side,
        squad=leaver.squad,
        role=leaver.role,
        start=middle + 2,
        stints=[(middle + 2, back)],
        origin=leaver.origin,
        heading=leaver.heading,
    )
    game.soldiers.append(again)
    game.comings.append((again.start, True, back, again.unit_id))

"""The figures of a game as people who were there would tell them: players alone, as the WOG site counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pteroassets.simulator.arma3.game import Death, Game


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueKill:
    """A kill of a player; the killer is None where nobody is known, or a soldier whom nobody plays."""

    second: int
    victim: str
    victim_vehicle: str | None
    killer: str | None
    killer_vehicle: str | None
    weapon: str | None
    metres: int | None
    is_team_kill: bool | None
    is_suicide: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a digest of a game says.

    Attributes:
        heads: Players by side.
        survivors: Players by side who were never killed in this game.
        kills: Of enemies, by player; neither team kills nor oneself.
        team_kills: By player.
        vehicles: How many of each class and name.
        all_kills: In their order.
        longest: Distance of the farthest kill, in metres.
    """

    heads: dict[str, int]
    survivors: dict[str, int]
    kills: dict[str, int]
    team_kills: dict[str, int]
    vehicles: dict[tuple[str, str], int]
    all_kills: tuple[TrueKill, ...]
    longest: int | None


def figures(game: Game) -> Figures:
    """Return what happened to the players of a game."""
    kills = tuple(_kills(game))
    dead = {kill.victim for kill in kills}
    survivors = {
        side: sum(soldier.side == side and player.name not in dead for player, soldier in game.players.values())
        for side in game.sides
    }
    enemies = Counter(one.killer for one in kills if one.is_team_kill is False and not one.is_suicide)
    friends = Counter(one.killer for one in kills if one.is_team_kill)
    return Figures(
        heads={side: game.heads(side) for side in game.sides},
        survivors=survivors,
        kills={name: count for name, count in enemies.items() if name is not None},
        team_kills={name: count for name, count in friends.items() if name is not None},
        vehicles=dict(Counter((one.kind, one.name) for one in game.machines)),
        all_kills=kills,
        longest=max((one.metres for one in kills if one.metres is not None), default=None),
    )


def _kills(game: Game) -> Iterator[TrueKill]:
    for death in game.deaths:
        victim = _player(game, death.victim, death)
        if victim is None:
            continue
        killer = _player(game, death.killer, death)
        is_known = killer is not None
        yield TrueKill(
            second=int(death.frame * game.delay),
            victim=victim,
            victim_vehicle=_vehicle(game, death.victim, death),
            killer=killer,
            killer_vehicle=_vehicle(game, death.killer, death) if is_known else None,
            weapon=(death.weapon or None) if is_known else None,
            metres=death.metres if is_known else None,
            is_team_kill=game.is_team_kill(death) if is_known else None,
            is_suicide=death.victim == death.killer if is_known else None,
        )


def _player(game: Game, unit: int | None, death: Death) -> str | None:
    player = None if unit is None else game.soldier(unit).player_at(death.frame)
    return None if player is None else player.name


def _vehicle(game: Game, unit: int | None, death: Death) -> str | None:
    vehicle = None if unit is None else game.soldier(unit).vehicle_at(death.frame)
    return None if vehicle is None else game.machine(vehicle).name

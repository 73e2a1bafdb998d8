"""A game of the WOG site: its page and its digest together, as rows.

The digest is JSON with four objects, whose keys are ids as text::

    factions       side (1 EAST, 2 WEST, 3 GUER, 4 CIV) -> [?, faction, heads]
    players        player -> [side, name, slot, squad]
    vehiclesUnits  vehicle -> [class, name]
    playersDead    second -> victim -> [victim's vehicle, killer, killer's vehicle, weapon, metres, team kill]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from pteroassets.sources.arma3.records import Kill, Reading, Replay, ReplayOutcome, Side, SideName, Unit, Vehicle
from pteroassets.sources.arma3.unpacking import Limits, Unreadable, decode, unpack
from pteroassets.sources.arma3.values import SIDE_NUMBERS, count, members, number, positive, row, side, text, whole
from pteroassets.sources.arma3.wog import SITE, ZONE, GamePage, game_url, read_page

_LIMITS: Final = Limits(unpacked_bytes=64 << 20)
_PARTS: Final = ("factions", "players", "vehiclesUnits", "playersDead")


@dataclass(slots=True, kw_only=True)
class _Digest:
    factions: dict[SideName, tuple[str | None, int | None]] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    vehicles: list[Vehicle] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def skip(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1


def read_game(page: bytes | None, digest: bytes | None, *, game: int, site: str = SITE, zone: str = ZONE) -> Reading:
    """Return a game as rows; never raises on what the site sent.

    Args:
        page: The game's page, or None where it could not be fetched.
        digest: The game's digest, likewise.
        game: Its number.
        site: Address of the site.
        zone: Zone of the times on the page.
    """
    missing: dict[str, str] = {}
    outcome: ReplayOutcome = "ok"
    reasons = []
    shown, told = GamePage(), _Digest()
    try:
        shown = read_page(_fetched(page), ZoneInfo(zone))
        missing |= shown.missing
    except Unreadable as unreadable:
        outcome = unreadable.outcome
        reasons.append(f"the page: {unreadable.reason}")
        missing["page"] = unreadable.reason
        shown.winner_reason = "the page was not read"
    try:
        told = _read_digest(_fetched(digest))
        missing |= told.missing
    except Unreadable as unreadable:
        # a page that says that there is no game outweighs what is wrong with the digest
        outcome = outcome if outcome == "not_found" else unreadable.outcome
        reasons.append(f"the digest: {unreadable.reason}")
        missing["digest"] = unreadable.reason
    if outcome == "ok" and missing:
        outcome = "incomplete"
        reasons += [f"{name}: {reason}" for name, reason in sorted(missing.items())]
    replay = Replay(
        source="wog",
        replay_id=str(game),
        site_number=game,
        url=game_url(game, site),
        generation="wog",
        mission=shown.mission,
        mission_id=shown.mission_id,
        island=shown.island,
        played_on=shown.started_at.date() if shown.started_at else shown.played_on,
        started_at=shown.started_at,
        ended_at=shown.ended_at,
        zone=zone,
        clock="page" if shown.started_at else "unknown",
        clock_reason=f"the page's times, which name no zone, taken as {zone}"
        if shown.started_at
        else "no time was read",
        duration_seconds=shown.duration_seconds,
        slots=shown.slots,
        players=shown.players if shown.players is not None else len(told.units) or None,
        winner=shown.winner,
        winner_reason=shown.winner_reason,
        missing=missing,
        counts=told.counts,
        outcome=outcome,
        reason="; ".join(reasons) or None,
    )
    return Reading(
        replay=replay,
        sides=tuple(_sides(shown, told)),
        units=tuple(told.units),
        vehicles=tuple(told.vehicles),
        kills=tuple(told.kills),
    )


def _fetched(content: bytes | None) -> bytes:
    if content is None:
        raise Unreadable("incomplete", "it was not fetched")
    return content


def _sides(shown: GamePage, told: _Digest) -> Iterator[Side]:
    roster = [unit.side for unit in told.units]
    for name in SIDE_NUMBERS.values():
        faction, heads = told.factions.get(name, (None, None))
        commander, player = shown.commanders.get(name, (None, None))
        if heads is None and told.units:
            heads = roster.count(name)
        if heads or name in shown.commanders:
            yield Side(side=name, faction=faction, players=heads, commander_name=commander, commander_id=player)


def _read_digest(content: bytes) -> _Digest:
    document = decode(unpack(content, _LIMITS), dict[str, Any])
    told = _Digest()
    for name in _PARTS:
        if not isinstance(document.get(name), dict | list):
            told.missing[name] = f"the digest has no object {name!r}"
    if len(told.missing) == len(_PARTS):
        raise Unreadable("not_a_replay", "it has none of a digest's objects")
    for key, value in members(document.get("factions")):
        where = side(key)
        if where is not None:
            told.factions[where] = _faction(value, where)
        else:
            told.skip("factions_of_no_side")
    _read_kills(document, told)
    _read_units(document, told)
    for key, value in members(document.get("vehiclesUnits")):
        vehicle, (kind, name) = whole(key), row(value, 2)
        if vehicle is None:
            told.skip("vehicles_without_number")
        else:
            told.vehicles.append(Vehicle(vehicle_id=vehicle, vehicle_class=text(kind), name=text(name)))
    return told


def _faction(value: Any, where: SideName) -> tuple[str | None, int | None]:
    _, name, heads = row(value, 3)
    # the second member is a name where it is a text at all; some games repeat the side there
    found = text(name)
    return None if found is not None and side(found) == where else found, count(heads)


def _roster(document: dict[str, Any]) -> dict[int, tuple[SideName | None, str | None, str | None, str | None]]:
    found = {}
    for key, value in members(document.get("players")):
        player, (where, name, slot, squad) = whole(key), row(value, 4)
        if player is not None:
            found[player] = (side(where), text(name), text(slot), text(squad))
    return found


def _read_units(document: dict[str, Any], told: _Digest) -> None:
    died: dict[int, float] = {}
    for kill in told.kills:
        if kill.victim_id is not None:
            died.setdefault(kill.victim_id, kill.second)
    roster = _roster(document)
    told.units = [
        Unit(
            unit_id=player,
            player_id=player,
            name=name,
            side=where,
            squad=squad,
            role=slot,
            is_player=True,
            survived=None if "playersDead" in told.missing else player not in died,
            died_second=died.get(player),
        )
        for player, (where, name, slot, squad) in roster.items()
    ]
    for _ in range(len(members(document.get("players"))) - len(roster)):
        told.skip("players_without_number")


def _read_kills(document: dict[str, Any], told: _Digest) -> None:
    roster = _roster(document)
    found = []
    for key, victims in members(document.get("playersDead")):
        second = positive(key)
        if second is None or not isinstance(victims, dict | list):
            told.skip("kills_without_second")
            continue
        found += [(second, victim, value) for victim, value in members(victims)]
    found.sort(key=lambda one: one[0])  # stable: those of one second stay in the digest's order
    for second, victim, value in found:
        told.kills.append(_kill(len(told.kills), second, victim, value, roster))


def _kill(
    place: int,
    second: float,
    victim: Any,
    value: Any,
    roster: dict[int, tuple[SideName | None, str | None, str | None, str | None]],
) -> Kill:
    victim_vehicle, killer, killer_vehicle, weapon, metres, is_team_kill = row(value, 6)
    dead, by = count(victim), count(killer)
    reason = None
    if killer in {None, "", 0, "0", "null"} if not isinstance(killer, dict | list) else False:
        by, reason = None, "the digest names no killer"
    elif by is None:
        reason = f"the digest's killer is no player's number: {str(killer)[:40]!r}"
    elif by not in roster:
        reason = f"player {by} is not in the roster of this game"
    dead_side, dead_name = roster.get(dead, (None, None))[:2] if dead is not None else (None, None)
    by_side, by_name = roster.get(by, (None, None))[:2] if by is not None else (None, None)
    said = number(is_team_kill) if not isinstance(is_team_kill, bool) else float(is_team_kill)
    return Kill(
        number=place,
        second=second,
        victim_kind="unknown" if dead is None else "unit",
        victim_id=dead,
        victim_name=dead_name,
        victim_side=dead_side,
        victim_vehicle=text(victim_vehicle),
        killer_kind="unknown" if by is None else "unit",
        killer_id=by,
        killer_name=by_name,
        killer_side=by_side,
        killer_vehicle=text(killer_vehicle),
        killer_reason=reason,
        is_doubtful=by is not None and by not in roster,
        weapon=text(weapon),
        distance_metres=positive(metres),
        is_team_kill=None if said is None or by is None else said != 0,
        is_suicide=None if by is None or dead is None else by == dead,
    )

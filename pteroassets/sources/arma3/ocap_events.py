"""Events of an OCAP recording: kills, hits, who came and left, and what was said."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

from pteroassets.sources.arma3.ocap_entities import Entities
from pteroassets.sources.arma3.records import ActorKind, Connect, Generation, Hit, Kill, Message, SideName
from pteroassets.sources.arma3.values import count, positive, side, text, whole

_NOBODY: Final = 666
"""What the dialect of SolidGames writes in the place of who left."""
#: Generations whose writer says 0, which is somebody's number too, where it knows nobody.
_ZERO_IS_NOBODY: Final[frozenset[Generation]] = frozenset({"extension5", "stream", "reforger", "chunked"})
_END: Final = "endMission"
_SHOT: Final = "fired"
_LAST_WORDS: Final = "mission_message"


class _Actor(TypedDict):
    kind: ActorKind
    unit: int | None
    name: str | None
    side: SideName | None
    vehicle_id: int | None
    vehicle: str | None


@dataclass(slots=True, kw_only=True)
class Events:
    """The rows of events, and how the game ended."""

    kills: list[Kill] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    connects: list[Connect] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    killed: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Of a unit: frames in which it was killed."""
    winner: SideName | None = None
    winner_reason: str | None = None
    end_message: str | None = None


def read_events(events: list[Any], entities: Entities, generation: Generation) -> Events:
    """Return rows of *events*, in their order; what is no event at all is counted with *entities*."""
    found = Events()
    left = {
        (event[0], event[2])
        for event in events
        if isinstance(event, list) and event[1:2] == ["disconnected"] and _is_hashable(event)
    }
    ended, last_words = False, []
    for event in events:
        if not isinstance(event, list) or len(event) < 2 or not isinstance(event[1], str):  # noqa: PLR2004 - its form
            entities.counts["events_unreadable"] += 1
            continue
        frame, kind = count(event[0]), event[1]
        if frame is None or frame > entities.end + 1:
            entities.counts["events_without_frame"] += 1
            continue
        second = entities.second(frame)
        if kind in {"killed", "hit"}:
            harm = _harm(event, frame, entities, generation, left)
            if kind == "hit":
                found.hits.append(Hit(number=len(found.hits), second=second, **harm))
                continue
            found.kills.append(Kill(number=len(found.kills), second=second, **harm))
            if harm["victim_id"] is not None:
                found.killed[harm["victim_id"]].append(frame)
        elif kind in {"connected", "disconnected"}:
            name, unit = text(event[2]) if len(event) > 2 else None, count(event[3]) if len(event) > 3 else None  # noqa: PLR2004 - its form
            if name is None:
                entities.counts["connects_without_name"] += 1
                continue
            is_unit = unit in entities.soldiers and not (kind == "disconnected" and unit == _NOBODY)
            found.connects.append(
                Connect(
                    number=len(found.connects),
                    second=second,
                    is_connect=kind == "connected",
                    name=name,
                    unit_id=unit if is_unit else None,
                )
            )
        elif kind == _SHOT:
            entities.counts["shots"] += 1  # each of them, by Reforger; a row of each would tell little
        else:
            said = event[2] if len(event) == 3 else event[2:]  # noqa: PLR2004 - its form
            found.messages.append(
                Message(number=len(found.messages), second=second, kind=text(kind) or "unknown", text=_words(said))
            )
            if kind == _END:
                ended = True
                _end(found, said)
            elif kind == _LAST_WORDS and frame >= entities.end - 1 and (words := _words(said)):
                last_words.append(words)
    if not ended:
        found.end_message = "\n".join(last_words) or None
        found.winner_reason = (
            "the recording ends with words, from which no winner is guessed"
            if last_words
            else "the recording has no end of the mission"
        )
    for frames in found.killed.values():
        frames.sort()
    return found


def _is_hashable(event: list[Any]) -> bool:
    return len(event) > 2 and isinstance(event[0], int) and isinstance(event[2], str)  # noqa: PLR2004 - its form


def _words(said: Any) -> str | None:
    if isinstance(said, str):
        return text(said)
    try:
        return None if said is None or said == [] else text(json.dumps(said, ensure_ascii=False))
    except RecursionError:
        return None


def _end(found: Events, said: Any) -> None:
    where, words = [*said, None, None][:2] if isinstance(said, list) else (None, said)
    found.end_message = _words(words)
    found.winner = side(where) if isinstance(where, str) else None
    found.winner_reason = None
    if found.winner is None:
        named = text(where) if isinstance(where, str) else None
        found.winner_reason = (
            f"the end names no side but {named!r}" if named else "the end of the mission names no side"
        )


def _harm(
    event: list[Any], frame: int, entities: Entities, generation: Generation, left: set[tuple[int, str]]
) -> dict[str, Any]:
    """Return the fields of a kill or a hit.

    ``[frame, kind, victim, [attacker, weapon], metres]``, or in a form that only the newest viewer takes
    ``[frame, kind, attacker, victim, weapon, metres]``.
    """
    by: Any = None
    weapon: Any = None
    metres: Any = None
    if len(event) > 3 and isinstance(event[3], list):  # noqa: PLR2004 - its form
        victim_id = whole(event[2])
        by, weapon = [*event[3], None, None][:2]
        metres = event[4] if len(event) > 4 else None  # noqa: PLR2004 - its form
    elif len(event) > 4:  # noqa: PLR2004 - its form
        by, victim_id, weapon = event[2], whole(event[3]), event[4]
        metres = event[5] if len(event) > 5 else None  # noqa: PLR2004 - its form
    else:
        victim_id = whole(event[2]) if len(event) > 2 else None  # noqa: PLR2004 - its form
    victim, killer = _actor(victim_id, frame, entities), _actor(whole(by), frame, entities)
    reason, is_doubtful = None, False
    if killer["kind"] == "unknown":
        reason = "the recording names no killer"
        if whole(by) is not None and whole(by) != -1:
            reason = f"the killer's number {whole(by)} is nobody's in this recording"
        elif (frame, victim["name"]) in left:
            reason = "the victim disconnected in that frame, of which its soldier dies"
    elif killer["kind"] == "vehicle":
        reason = "the recording names the vehicle, and nobody in it"
    if whole(by) == 0 and generation in _ZERO_IS_NOBODY and killer["kind"] != "unknown":
        soldier = entities.soldiers.get(0)
        if soldier is not None and (soldier.start > frame or soldier.was_dead(frame)):
            killer, reason = _actor(None, frame, entities), "the writer's 0 is nobody: soldier 0 was not alive then"
        else:
            is_doubtful, reason = True, reason or "0 is soldier 0, or what the writer says where it knows nobody"
    is_known = victim["unit"] is not None and killer["unit"] is not None
    is_same = is_known and victim["unit"] == killer["unit"]
    sides = (victim["side"], killer["side"])
    return {
        "victim_kind": victim["kind"],
        "victim_id": victim["unit"],
        "victim_name": victim["name"],
        "victim_side": victim["side"],
        "victim_vehicle_id": victim["vehicle_id"],
        "victim_vehicle": victim["vehicle"],
        "killer_kind": killer["kind"],
        "killer_id": killer["unit"],
        "killer_name": killer["name"],
        "killer_side": killer["side"],
        "killer_vehicle_id": killer["vehicle_id"],
        "killer_vehicle": killer["vehicle"],
        "killer_reason": reason,
        "is_doubtful": is_doubtful,
        "weapon": text(weapon),
        "distance_metres": positive(metres),
        "is_team_kill": None if None in sides else sides[0] == sides[1] and not is_same,
        "is_suicide": is_same if is_known else None,
    }


def _actor(number: int | None, frame: int, entities: Entities) -> _Actor:
    """Return a unit or a vehicle by its number; a number that is nobody's is nobody."""
    found: _Actor = {
        "kind": "unknown",
        "unit": None,
        "name": None,
        "side": None,
        "vehicle_id": None,
        "vehicle": None,
    }
    if number is None:
        return found
    soldier, vehicle = entities.soldiers.get(number), entities.vehicles.get(number)
    if soldier is not None:
        aboard = entities.vehicle_of(number, frame)
        model = None if aboard is None else entities.vehicles[aboard].name
        found |= {"kind": "unit", "unit": number, "name": soldier.named(frame), "side": soldier.side}
        found |= {"vehicle_id": aboard, "vehicle": model}
    elif vehicle is not None:
        found |= {"kind": "vehicle", "side": vehicle.side, "vehicle_id": number, "vehicle": vehicle.name}
    return found

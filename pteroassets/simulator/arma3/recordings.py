"""A game as OCAP records it, in each generation of its JSON.

==========  =====================================================================================================
generation  what of the game it does not tell
==========  =====================================================================================================
legacy      who took over a soldier; distances are text
solidgames  who was hit, and who won
extension4  nothing; who leaves is killed by nobody in that frame
extension5  kills by nobody, which are not sent
stream      where anybody was, since only changes were received
reforger    markers
==========  =====================================================================================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from pteroassets.simulator.arma3.game import SIDES, Death, Game, Machine, Soldier
from pteroassets.simulator.arma3.pages import MOSCOW

GENERATIONS: Final = ("legacy", "solidgames", "extension4", "extension5", "stream", "reforger")
_MEMBERS: Final = {"legacy": 4, "solidgames": 6, "extension4": 7, "extension5": 9, "stream": 7, "reforger": 6}
_VERSIONS: Final[dict[str, dict[str, str]]] = {
    "extension4": {"addonVersion": "1.1.0", "extensionVersion": "4.4.2.3", "extensionBuild": "simulated"},
    "extension5": {"addonVersion": "2.1.0", "extensionVersion": "5.0.0-rc.2", "extensionBuild": "simulated"},
    "stream": {"addonVersion": "2.1.0", "extensionVersion": "5.0.0", "extensionBuild": "simulated"},
    "reforger": {"addonVersion": "0.1.0", "extensionVersion": "0.1.0", "extensionBuild": "reforger-simulated"},
}
_WITH_RANGES: Final = {"extension4", "extension5", "stream", "reforger"}
_WITH_VEHICLE_NUMBER: Final = {"extension5", "stream", "reforger"}
_WITH_SWOONS: Final = {"extension4", "extension5", "stream"}
_NOBODY: Final = 666


def file_name(game: Game, generation: str) -> str:
    """Return the name under which a generation keeps a game, with its suffixes."""
    end = game.ended_at.astimezone(MOSCOW)
    match generation:
        case "solidgames":
            return f"{end:%Y_%m_%d__%H_%M_%S}__{game.number}_ocap.json"
        case "extension5" | "stream" | "reforger":
            return f"game_{game.number}_{end:%Y%m%d_%H%M%S}.json.gz"
        case _:
            return f"{end:%Y_%m_%d__%H_%M}_game_{game.number}.json.gz"


def recording(game: Game, generation: str) -> bytes:
    """Return the JSON of a game; packing is the server's."""
    document: dict[str, Any] = {
        **_VERSIONS.get(generation, {}),
        "worldName": game.island,
        "missionName": game.mission,
        "missionAuthor": "",
        "captureDelay": game.delay,
        "endFrame": game.end + (generation == "stream"),
        "entities": list(_entities(game, generation)),
        "events": list(_events(game, generation)),
    }
    if generation in _WITH_RANGES - {"reforger"}:
        document["tags"] = "TvT"
        document["times"] = [
            {
                "frameNum": frame,
                "systemTimeUTC": f"{game.started_at + timedelta(seconds=frame * game.delay):%Y-%m-%dT%H:%M:%S}.000",
                "date": "2035-06-24T05:30:00",
                "timeMultiplier": 1.0,
                "time": frame * game.delay,
            }
            for frame in (0, 10)
        ]
    if generation == "solidgames":
        document["playersCount"] = [sum(one.side == side for one in game.soldiers) for side in SIDES]
        document["EditorMarkers"] = [["base", "База", "hd_flag", [1000, 1000, 0], [1, 1], "ColorEAST", "Solid", 1, 0]]
        document["Markers"] = [
            [1, 1, "own#1", "hd_dot", "Точка", "ColorRed", [1500, 1500], 0, game.soldiers[0].name],
            [2, 3, "own#1", [1510, 1500]],
            [3, 9, "own#1"],
        ]
    elif generation not in {"legacy", "reforger"}:
        document["Markers"] = [
            [
                "mil_objective",
                "Hill",
                0,
                game.end,
                -1,
                "800000",
                -1,
                [[0, [1500.0, 1500.0], 0, 1]],
                [1, 1],
                "ICON",
                "Solid",
            ]
        ]
    return json.dumps(document, ensure_ascii=False).encode()


def _entities(game: Game, generation: str) -> Iterator[dict[str, Any] | None]:
    everything: dict[int, Soldier | Machine] = {one.unit_id: one for one in game.soldiers}
    everything |= {one.vehicle_id: one for one in game.machines}
    for number in range(max(everything) + 1):
        one = everything.get(number)
        if isinstance(one, Soldier):
            yield _soldier(game, one, generation)
        elif one is not None:
            yield _machine(game, one, generation)
        elif generation == "reforger":
            yield None
        else:
            yield {"id": number, "type": "", "name": "", "startFrameNum": 0, "positions": [], "framesFired": []}


def _soldier(game: Game, one: Soldier, generation: str) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "id": one.unit_id,
        "type": "unit",
        "name": one.name,
        "group": one.squad,
        "side": one.side,
        "isPlayer": int(bool(one.stints)),
        "startFrameNum": one.start,
        "framesFired": [],
    }
    if generation == "solidgames":
        entity |= {"description": one.role, "class": ""}
    elif generation != "legacy":
        entity["role"] = one.role
    last = game.end if one.left_at is None else one.left_at
    frames: list[int] = list(range(one.start, last + 1))
    if generation == "stream":
        frames = frames[::3]
    entity["positions"] = [_state(game, one, frame, generation) for frame in frames]
    return entity


def _state(game: Game, one: Soldier, frame: int, generation: str) -> list[Any]:
    x, y = game.place(one, frame)
    vehicle = one.vehicle_at(frame)
    # the frame after a kill is the first that shows it
    is_dead = one.killed_at is not None and frame > one.killed_at
    state: list[Any] = [
        [round(x), round(y)] if generation == "legacy" else [x, y, 3.1] if generation != "solidgames" else [x, y],
        one.heading,
        0 if is_dead else 2 if generation in _WITH_SWOONS and frame in one.swoon else 1,
        (vehicle or 0) if generation in _WITH_VEHICLE_NUMBER else int(vehicle is not None),
        "" if is_dead else one.name_at(frame),
        int(bool(one.player_at(frame)) and not is_dead),
        "Man",
        one.squad,
        one.side,
    ]
    return state[: _MEMBERS[generation]]


def _machine(game: Game, one: Machine, generation: str) -> dict[str, Any]:
    entity: dict[str, Any] = {"id": one.vehicle_id, "type": "vehicle", "name": one.name, "class": one.kind}
    entity["startFrameNum"] = 0
    if generation != "legacy":
        entity["framesFired"] = []
    if generation == "solidgames":  # memory that nobody set
        entity |= {"group": "", "side": "", "description": "", "isPlayer": 34982112}
    elif generation in _WITH_VEHICLE_NUMBER:
        entity |= {"side": "UNKNOWN" if generation == "stream" else one.side, "isPlayer": 0}
    positions: list[list[Any]] = []
    drivers = [soldier for soldier in game.soldiers if soldier.vehicle == one.vehicle_id]
    for frame in range(game.end + 1):
        x, y = game.place(one, frame)
        crew = [soldier.unit_id for soldier in drivers if soldier.vehicle_at(frame) is not None]
        state: list[Any] = [[x, y, 1.0], one.heading, int(one.destroyed_at is None or frame <= one.destroyed_at), crew]
        if generation not in _WITH_RANGES:
            positions.append(state)
        elif positions and positions[-1][:4] == state and generation != "stream":
            positions[-1][4][1] = frame
        else:
            positions.append([*state, [frame, frame]])
    entity["positions"] = positions
    return entity


def _events(game: Game, generation: str) -> Iterator[list[Any]]:
    found: list[tuple[int, list[Any]]] = []
    if generation not in {"legacy", "solidgames"}:
        found.append((0, [0, "generalEvent", "Mission started"]))
    for frame, is_coming, player, unit in game.comings:
        event: list[Any] = [frame, "connected" if is_coming else "disconnected", player.name]
        if generation == "solidgames":
            event.append(unit if is_coming else _NOBODY)
        found.append((frame, event))
        if generation == "extension4" and not is_coming and game.soldier(unit).left_at is not None:
            found.append((frame, [frame, "killed", unit, ["null"], -1]))
    if generation != "solidgames":
        found += [(hit.frame, _harm(hit, "hit", generation)) for hit in game.hits]
    for death in game.deaths:
        is_nobody = death.killer is None and death.killer_machine is None
        if not (is_nobody and generation == "extension5"):
            found.append((death.frame, _harm(death, "killed", generation)))
    last = game.end
    if generation == "solidgames":
        found.append((last, [last, "mission_message", f"Победа: {game.winner}. Спасибо за игру!"]))
    elif generation != "legacy":
        found.append((last, [last, "endMission", [game.winner or "", "The end"]]))
    found.sort(key=lambda one: one[0])
    return iter([event for _, event in found])


def _harm(death: Death, kind: str, generation: str) -> list[Any]:
    victim = death.victim if death.victim is not None else death.victim_machine
    if death.killer is None and death.killer_machine is None:
        return [death.frame, kind, victim, ["null"], -1]
    by = [death.killer, death.weapon] if death.killer is not None else [death.killer_machine]
    metres: Any = str(death.metres) if generation == "legacy" else death.metres
    if generation == "extension5" and kind == "hit" and death.metres is not None:
        metres = death.metres + 0.25
    return [death.frame, kind, victim, by, metres]


def large(mebibytes: int) -> bytes:
    """Return a recording of the newest generation of about that size: many soldiers on a long walk."""
    frame = b'[[%d.25,%d.5,12.125],%d,1,0,"Soldier %d",1,"Man","Alpha 1-1","WEST"]'
    frames, soldiers = 4_000, max(2, math.ceil(mebibytes * 2**20 / (4_000 * 72)))
    parts = []
    for number in range(soldiers):
        walk = b",".join(frame % (1000 + at // 2, 2000 + number, at % 360, number) for at in range(frames))
        parts.append(
            b'{"id":%d,"type":"unit","name":"Soldier %d","group":"Alpha 1-1","side":"WEST","isPlayer":1,"role":"Man",'
            b'"startFrameNum":0,"framesFired":[],"positions":[%s]}' % (number, number, walk)
        )
    return (
        b'{"extensionVersion":"5.0.0","worldName":"Altis","missionName":"Long walk","captureDelay":1,"endFrame":%d,'
        b'"events":[[%d,"endMission",["WEST","The end"]]],"Markers":[],"entities":[%s]}'
        % (frames - 1, frames - 1, b",".join(parts))
    )

"""Units and vehicles of an OCAP recording, walked frame by frame, one entity at a time.

A unit's position is ``[[x, y, z?], heading, life, vehicle, name?, is player?, role?, group?, side?]``, one for each
frame from ``startFrameNum``; life is 0 dead, 1 awake, 2 unconscious. A vehicle's is ``[[x, y, z?], heading, alive,
crew]``, one for each frame, or with the frames ``[first, last]`` that it stands for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from pteroassets.sources.arma3.ocap_tracks import Tracks
from pteroassets.sources.arma3.positions import PositionCell, RollUp
from pteroassets.sources.arma3.records import SideName, Stint, Unit, Vehicle
from pteroassets.sources.arma3.values import count, side, text, whole

_FARTHEST_CELL: Final = 2**30


class Entity(msgspec.Struct, gc=False):
    """An entity as it is written; nothing of it is promised."""

    id: Any = None
    type: Any = None
    name: Any = None
    group: Any = None
    side: Any = None
    is_player: Any = msgspec.field(default=None, name="isPlayer")
    role: Any = None
    description: Any = None
    vehicle_class: Any = msgspec.field(default=None, name="class")
    start: Any = msgspec.field(default=None, name="startFrameNum")
    positions: Any = None


@dataclass(slots=True, kw_only=True)
class Soldier:
    """What a walk over a unit found; frames, not seconds."""

    unit_id: int
    name: str | None
    side: SideName | None
    squad: str | None
    role: str | None
    is_player: bool
    start: int
    last: int | None = None
    is_reliable: bool = True
    members: int = 0
    """Of its longest position, which tells generations apart."""
    is_alive: bool | None = None
    deaths: list[int] = field(default_factory=list)
    stints: list[list[Any]] = field(default_factory=list)
    """First frame, last frame, name, whether a player."""

    def was_dead(self, frame: int) -> bool:
        """Return whether it had died before *frame* and not come back to life, as far as deaths tell."""
        return self.is_alive is False and bool(self.deaths) and self.deaths[-1] < frame

    def named(self, frame: int) -> str | None:
        """Return its name at *frame*."""
        if not self.stints:
            return self.name
        place = bisect_right([stint[0] for stint in self.stints], frame) - 1
        return str(self.stints[max(place, 0)][2])


@dataclass(slots=True, kw_only=True)
class Entities:
    """What the walk over all entities found."""

    end: int
    delay: float
    roll_up: RollUp
    soldiers: dict[int, Soldier] = field(default_factory=dict)
    vehicles: dict[int, Vehicle] = field(default_factory=dict)
    placeholders: set[int] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cells: dict[tuple[int, int, int, int], list[int]] = field(default_factory=dict)
    """Of unit, step and square: frames alive, and those of them in a vehicle."""
    tracks: Tracks | None = None
    """Every position, where they are kept."""
    crews: dict[int, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Of a unit: first frame, last frame and vehicle."""

    def second(self, frame: int) -> float:
        """Return when a frame is."""
        return round(frame * self.delay, 3)

    def vehicle_of(self, unit_id: int, frame: int) -> int | None:
        """Return the vehicle in which a unit sat at *frame*."""
        for first, last, vehicle in self.crews.get(unit_id, ()):
            if first <= frame <= last:
                return vehicle
        return None

    # ------------------------------------------------------------------ units

    def walk_unit(self, entity: Entity, unit_id: int, *, needs_every_frame: bool) -> None:
        """Take a unit; where *needs_every_frame*, positions count only if there is one for each frame to the end."""
        start = count(entity.start) or 0
        soldier = Soldier(
            unit_id=unit_id,
            name=text(entity.name),
            side=side(entity.side),
            squad=text(entity.group),
            role=text(entity.role) or text(entity.description),
            is_player=whole(entity.is_player) == 1 or entity.is_player is True,
            start=start,
        )
        self.soldiers[unit_id] = soldier
        positions = entity.positions if isinstance(entity.positions, list) else []
        if not positions:
            return
        soldier.members = max((len(one) for one in positions[:8] if isinstance(one, list)), default=0)
        if start + len(positions) - 1 > self.end + 1:
            self.counts["positions_beyond_the_end"] += start + len(positions) - 2 - self.end
            positions = positions[: max(0, self.end + 2 - start)]
            if not positions:
                soldier.is_reliable = False
                return
        if needs_every_frame and abs(len(positions) - (self.end - start + 1)) > 1:
            soldier.is_reliable = False
            self._names_alone(soldier, positions)
            return
        soldier.last = min(start + len(positions) - 1, self.end)
        self._walk_frames(soldier, positions)
        if self.tracks is not None:
            for frame, one in enumerate(positions, start):
                self.tracks.add(unit_id, frame, frame, one, is_unit=True)

    def _names_alone(self, soldier: Soldier, positions: list[Any]) -> None:
        for one in positions:
            if isinstance(one, list) and len(one) > 5 and one[5] == 1 and text(one[4]):  # noqa: PLR2004 - its form
                soldier.is_player = True
                soldier.name = text(one[4])
                return

    def _walk_frames(self, soldier: Soldier, positions: list[Any]) -> None:
        """Follow life, names and squares; this loop is what reading a recording costs."""
        grid, start = self.roll_up.grid_metres, soldier.start
        per_step = max(1, round(self.roll_up.step_seconds / self.delay))
        unit_id, cells, bad = soldier.unit_id, self.cells, 0
        was, name, is_player = 1, soldier.name or "", soldier.is_player
        said_name: Any = None
        said_player: Any = None
        deaths, end_of_step = soldier.deaths, -1
        cell = [0, 0]
        at_x: Any = None
        at_y: Any = None
        for frame, one in enumerate(positions, start):
            try:
                place, life, vehicle, size = one[0], one[2], one[3], len(one)
                x, y = place[0] // grid, place[1] // grid
            except (TypeError, LookupError):
                bad += 1
                continue
            if life != was:
                if life == 0:
                    deaths.append(frame)
                was = life
            if life == 0:
                continue  # the dead have neither a name nor a place of interest
            if size > 4 and (one[4] != said_name or (size > 5 and one[5] != said_player)):  # noqa: PLR2004 - its form
                said_name = one[4]
                name = text(said_name) or name  # an empty name means the one before
                if size > 5:  # noqa: PLR2004 - its form
                    said_player = one[5]
                    is_player = said_player is True or said_player == 1
                self._stint(soldier, frame, name, is_player=is_player)
            if x != at_x or y != at_y or frame >= end_of_step:
                step = frame // per_step
                end_of_step, at_x, at_y = (step + 1) * per_step, x, y
                if not (-_FARTHEST_CELL < x < _FARTHEST_CELL and -_FARTHEST_CELL < y < _FARTHEST_CELL):
                    bad, at_x = bad + 1, None
                    continue
                cell = cells.setdefault((unit_id, step, int(x), int(y)), [0, 0])
            cell[0] += 1
            if vehicle:
                cell[1] += 1
        if bad:
            self.counts["positions_unreadable"] += bad
        if bad == len(positions):
            soldier.is_reliable = False
            return
        soldier.is_alive = was != 0
        if soldier.stints:
            soldier.stints[-1][1] = soldier.last
        elif soldier.name:
            soldier.stints.append([start, soldier.last, soldier.name, soldier.is_player])

    @staticmethod
    def _stint(soldier: Soldier, frame: int, name: str, *, is_player: bool) -> None:
        soldier.is_player = soldier.is_player or is_player
        stints = soldier.stints
        if not name or (stints and stints[-1][2] == name and (stints[-1][3] == is_player)):
            return
        if stints:
            stints[-1][1] = frame - 1
        stints.append([frame, frame, name, is_player])

    # ------------------------------------------------------------------ vehicles

    def walk_vehicle(self, entity: Entity, vehicle_id: int) -> None:
        """Take a vehicle, with who sat in it when."""
        start = count(entity.start) or 0
        positions = entity.positions if isinstance(entity.positions, list) else []
        aboard: dict[int, int] = {}
        before: Any = []
        first_frame, last_frame, is_alive, bad = start, None, None, 0
        for place, one in enumerate(positions):
            if not isinstance(one, list) or len(one) < 4:  # noqa: PLR2004 - its form
                bad += 1
                continue
            first = last = start + place
            if len(one) > 4:  # noqa: PLR2004 - its form
                span = one[4] if isinstance(one[4], list) and len(one[4]) == 2 else ()  # noqa: PLR2004 - the same
                found = [count(frame) for frame in span]
                if not found or None in found or found[1] < found[0]:  # type: ignore[operator] # None is refused before
                    bad += 1
                    continue
                first, last = int(found[0] or 0), int(found[1] or 0)
            if first > self.end + 1:
                self.counts["positions_beyond_the_end"] += 1
                continue
            first_frame = first if last_frame is None else min(first_frame, first)
            if one[3] != before:
                before = one[3]
                self._board(vehicle_id, aboard, before, first)
            last_frame = min(max(last, last_frame or 0), self.end)
            is_alive = one[2] != 0
            if self.tracks is not None:
                self.tracks.add(vehicle_id, first, last, one, is_unit=False)
        if last_frame is not None:
            self._board(vehicle_id, aboard, [], last_frame + 1)
        if bad:
            self.counts["positions_unreadable"] += bad
        self.vehicles[vehicle_id] = Vehicle(
            vehicle_id=vehicle_id,
            vehicle_class=text(entity.vehicle_class),
            name=text(entity.name),
            side=side(entity.side),
            first_second=self.second(first_frame),
            last_second=None if last_frame is None else self.second(last_frame),
            survived=is_alive,
        )

    def _board(self, vehicle: int, aboard: dict[int, int], crew: Any, frame: int) -> None:
        now = {unit for unit in map(count, crew if isinstance(crew, list) else []) if unit is not None}
        for unit in aboard.keys() - now:
            self.crews[unit].append((aboard.pop(unit), frame - 1, vehicle))
        for unit in now - aboard.keys():
            aboard[unit] = frame

    # ------------------------------------------------------------------ rows

    def unit_rows(self, killed: Mapping[int, list[int]]) -> list[Unit]:
        """Return the units; *killed* has the frames of the kills of which each was the victim."""
        return [self._unit_row(one, killed.get(one.unit_id, [])) for one in self.soldiers.values()]

    def _unit_row(self, one: Soldier, killed: list[int]) -> Unit:
        # the frame after a kill shows the death; of a kill in the last frame there is none after
        is_killed_unseen = bool(killed) and (not one.deaths or one.last is None or killed[-1] >= one.last)
        is_alive = one.is_alive if one.is_reliable and one.last is not None else None
        died = min([*one.deaths[:1], *killed[:1]], default=None)
        return Unit(
            unit_id=one.unit_id,
            name=next((str(stint[2]) for stint in one.stints if stint[3]), None) or one.name,
            side=one.side,
            squad=one.squad,
            role=one.role,
            is_player=one.is_player,
            first_second=self.second(one.start),
            last_second=None if one.last is None else self.second(one.last),
            survived=False if is_killed_unseen else is_alive,
            died_second=None if died is None else self.second(died),
            death_without_kill=len(one.deaths) > len(killed),
        )

    def stint_rows(self) -> list[Stint]:
        """Return who held which unit when."""
        return [
            Stint(
                unit_id=one.unit_id,
                number=place,
                name=name,
                is_player=is_player,
                first_second=self.second(first),
                last_second=self.second(last),
            )
            for one in self.soldiers.values()
            for place, (first, last, name, is_player) in enumerate(one.stints)
        ]

    def cell_rows(self) -> list[PositionCell]:
        """Return the rolled-up positions."""
        return [
            PositionCell(
                unit_id=unit,
                step=step,
                cell_x=x,
                cell_y=y,
                seconds=self.second(alive),
                vehicle_seconds=self.second(driven),
            )
            for (unit, step, x, y), (alive, driven) in self.cells.items()
        ]

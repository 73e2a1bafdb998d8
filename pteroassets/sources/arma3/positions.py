"""Where units and vehicles of a recording were, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """How positions are rolled up: to squares of *grid_metres* and spans of *step_seconds*; *keeps_all* keeps each."""

    grid_metres: int = 100
    step_seconds: int = 60
    keeps_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionCell:
    """One row for each unit, step and square of the grid in which it was alive.

    Attributes:
        unit_id: Who.
        step: Number of the span, from 0: its seconds begin at ``step * step_seconds``.
        cell_x: Column of the grid, from 0 in the west; its metres begin at ``cell_x * grid_metres``.
        cell_y: Row of the grid, from 0 in the south.
        seconds: How long, alive.
        vehicle_seconds: How much of that in a vehicle.
    """

    unit_id: int
    step: int
    cell_x: int
    cell_y: int
    seconds: float
    vehicle_seconds: float


class FullPosition(NamedTuple):
    """One row for each span in which a unit or a vehicle did not stir; rows of an entity are numbered from 0.

    Attributes:
        entity_id: Unit or vehicle.
        number: Place among the rows of that entity.
        first_second: When it was there first.
        last_second: When it was there last, unchanged.
        x: Metres from the south-west corner.
        y: The same.
        z: Metres above the sea; None where the recording has no heights.
        heading: Degrees, clockwise from the north.
        life: 0 dead or wrecked, 1 awake or whole, 2 unconscious.
        is_in_vehicle: Of units.
    """

    entity_id: int
    number: int
    first_second: float
    last_second: float
    x: float
    y: float
    z: float | None
    heading: int | None
    life: int | None
    is_in_vehicle: bool | None

"""Every position of a recording, in columns: a million of them take fifty megabytes, and ten times that as objects."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterator
from typing import Any, Final

from pteroassets.sources.arma3.positions import FullPosition
from pteroassets.sources.arma3.values import number, row, whole

_NONE: Final = -1
_LIVES: Final = frozenset({0, 1, 2})


class Tracks(Collection[FullPosition]):
    """The positions of all entities, each as long as nothing of it changed.

    Args:
        delay: Seconds of a frame.
        end: The last frame.
    """

    def __init__(self, delay: float, end: int) -> None:
        self._delay = delay
        self._end = end
        self._entities, self._firsts, self._lasts = array("i"), array("i"), array("i")
        self._x, self._y, self._z = array("d"), array("d"), array("d")
        self._headings, self._lives, self._aboard = array("h"), array("b"), array("b")
        self._before: tuple[Any, ...] = ()

    def __len__(self) -> int:
        return len(self._entities)

    def __contains__(self, one: object) -> bool:
        return any(one == found for found in self)

    def __iter__(self) -> Iterator[FullPosition]:
        place, before = 0, None
        for at, entity in enumerate(self._entities):
            place = place + 1 if entity == before else 0
            before = entity
            z, heading, life, aboard = self._z[at], self._headings[at], self._lives[at], self._aboard[at]
            yield FullPosition(
                entity_id=entity,
                number=place,
                first_second=round(self._firsts[at] * self._delay, 3),
                last_second=round(self._lasts[at] * self._delay, 3),
                x=self._x[at],
                y=self._y[at],
                z=None if math.isnan(z) else z,
                heading=None if heading == _NONE else heading,
                life=None if life == _NONE else life,
                is_in_vehicle=None if aboard == _NONE else bool(aboard),
            )

    def add(self, entity: int, first: int, last: int, position: Any, *, is_unit: bool) -> None:
        """Take a position of *entity* from frame *first* to *last*; what cannot be read of it is passed over.

        All positions of an entity come one after the other.
        """
        if not isinstance(position, list) or len(position) < 4:  # noqa: PLR2004 - its form
            return
        x, y, z = map(number, row(position[0], 3))
        last = min(last, self._end)
        if x is None or y is None or first > last:
            return
        heading, life = whole(position[1]), whole(position[2])
        found = (
            entity,
            x,
            y,
            z,
            _NONE if heading is None else heading % 360,
            life if life in _LIVES else _NONE,
            int(bool(position[3])) if is_unit else _NONE,
        )
        if found == self._before and self._lasts[-1] == first - 1:
            self._lasts[-1] = last
            return
        self._before = found
        self._entities.append(entity)
        self._firsts.append(first)
        self._lasts.append(last)
        self._x.append(x)
        self._y.append(y)
        self._z.append(math.nan if z is None else z)
        self._headings.append(found[4])
        self._lives.append(found[5])
        self._aboard.append(found[6])

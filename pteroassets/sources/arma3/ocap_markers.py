"""Markers of an OCAP recording, in both forms.

OCAP2 writes a marker as a whole: ``[kind, text, first frame, last frame, owner, colour, side, [position, ...], size,
shape, brush]``. The dialect of SolidGames writes what was done: ``[1, frame, key, kind, text, colour, [x, y], side,
author]`` makes one, ``[2, frame, key, [x, y]]`` moves it and ``[3, frame, key]`` takes it away; what the mission's
editor placed stands apart as ``[name, text, kind or shape, [x, y, z], size, colour, brush, alpha, side]``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pteroassets.sources.arma3.ocap_entities import Entities
from pteroassets.sources.arma3.records import Marker
from pteroassets.sources.arma3.values import SIDE_NUMBERS, count, number, row, text, whole

_SHAPES: Final = frozenset({"ICON", "RECTANGLE", "ELLIPSE", "POLYLINE"})
_MINE: Final = "Minefield"
_SHOT: Final = "magIcons/"


def read_markers(markers: list[Any], editor_markers: list[Any], entities: Entities) -> list[Marker]:
    """Return all markers; what is none is counted with *entities*."""
    found: list[Marker] = []
    by_key: dict[Any, int] = {}
    for one in markers:
        if not isinstance(one, list) or len(one) < 3:  # noqa: PLR2004 - its form
            entities.counts["markers_unreadable"] += 1
        elif isinstance(one[0], str):
            found.append(_whole(len(found), one, entities))
        else:
            _operation(found, by_key, one, entities)
    for one in editor_markers:
        if isinstance(one, list) and one:
            found.append(_of_editor(len(found), one))
        else:
            entities.counts["markers_unreadable"] += 1
    return found


def _place(value: Any) -> tuple[float | None, float | None]:
    """Return x and y of a point, or of the first one of a line."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    x, y = row(value, 2)
    return number(x), number(y)


def _seen_by(value: Any) -> Any:
    sees = count(value)
    return None if sees is None else SIDE_NUMBERS.get(sees + 1)


def _second(value: Any, entities: Entities) -> float | None:
    frame = count(value)
    return None if frame is None else entities.second(min(frame, entities.end))


def _whole(place: int, one: list[Any], entities: Entities) -> Marker:
    kind, words, first, last, owner, colour, sees, positions, _size, shape = row(one, 10)
    moves = positions if isinstance(positions, list) else []
    x, y = _place(row(moves[0], 2)[1]) if moves else (None, None)
    owner_id = whole(owner)
    return Marker(
        number=place,
        kind=text(kind),
        text=text(words),
        colour=text(colour),
        shape=text(shape),
        side=_seen_by(sees),
        owner_unit_id=owner_id if owner_id in entities.soldiers else None,
        first_second=_second(first, entities),
        last_second=_second(last, entities),
        x=x,
        y=y,
        moves=max(0, len(moves) - 1),
        is_projectile=kind.startswith(_SHOT) or kind == _MINE,
    )


def _operation(found: list[Marker], by_key: dict[Any, int], one: list[Any], entities: Entities) -> None:
    what, frame = whole(one[0]), one[1]
    key = one[2] if isinstance(one[2], str | int) else None
    if what == 1:
        _, _, _, kind, words, colour, at, sees, author = row(one, 9)
        x, y = _place(at)
        by_key[key] = len(found)
        found.append(
            Marker(
                number=len(found),
                kind=text(kind),
                text=text(words),
                colour=text(colour),
                side=_seen_by(sees),
                owner_name=text(author),
                first_second=_second(frame, entities),
                x=x,
                y=y,
                is_projectile=(text(kind) or "").startswith(_SHOT),
            )
        )
    elif what in {2, 3} and key in by_key:
        before = found[by_key[key]]
        found[by_key[key]] = (
            replace(before, moves=before.moves + 1)
            if what == 2  # noqa: PLR2004 - moved
            else replace(before, last_second=_second(frame, entities))
        )
    else:
        entities.counts["markers_unreadable"] += 1


def _of_editor(place: int, one: list[Any]) -> Marker:
    _name, words, kind, at, _size, colour, _brush, _alpha, sees = row(one, 9)
    x, y = _place(at)
    named = text(kind)
    return Marker(
        number=place,
        kind=None if named in _SHAPES else named,
        text=text(words),
        colour=text(colour),
        shape=named if named in _SHAPES else "ICON",
        side=_seen_by(sees),
        x=x,
        y=y,
    )

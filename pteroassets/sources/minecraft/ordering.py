"""In which order a server wrote its log files: decided here alone, for the log tool and for the warehouse.

Closed logs of a day are numbered upwards by some servers and downwards by others, whose newest file is always number 1
and takes the next number at each start; and one folder can hold both. So the first line of a file tells where it
stands, and its number only decides between files whose first lines say the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from pteroassets.sources.minecraft.dates import shown_again_for
from pteroassets.sources.minecraft.events import LogStamp
from pteroassets.sources.minecraft.file_names import Numbered

Direction = Literal[1, -1]  # numbers rise, or fall, with the time
File = TypeVar("File")
_UNKNOWN = datetime.combine(date.min, time())


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What tells where a file stands among those of its server.

    Attributes:
        is_live: The server still writes to it.
        day: Local day of its first line; None where nothing tells it.
        first_at: Its first line, all of one server's as local times or all as instants; None where it is not known.
        named: The day and the number in its name, if that has both.
        age: Of files that move up by one at each rotation: the higher, the older. It counts where a day is not known.
        last: Stamp of its last line, where it is known.
        name: Decides where nothing else does.
    """

    is_live: bool
    day: date | None
    first_at: datetime | None = None
    named: Numbered | None = None
    age: int | None = None
    last: LogStamp | None = None
    name: str = ""


def in_order(files: Iterable[File], place_of: Callable[[File], Place], *, zone: ZoneInfo | None = None) -> list[File]:
    """Return *files* of one server in the order in which they were written: undated ones after dated, live ones last.

    Args:
        files: All that are known.
        place_of: Tells of each where it stands.
        zone: In which their local times are, so that an hour that is shown twice is known; None for instants.
    """
    places = [(place_of(file), file) for file in files]
    directions = directions_of([place for place, _ in places])
    is_by_age = any(place.age is not None and place.day is None for place, _ in places)
    again = _second_showing([place for place, _ in places], zone) if zone is not None else set()

    def key(entry: tuple[Place, File]) -> tuple[bool, bool, date, bool, datetime, int, int, str]:
        place = entry[0]
        if place.age is not None and is_by_age:
            return place.is_live, True, date.min, True, _UNKNOWN, 0, -place.age, place.name
        day = place.day or date.min
        first_at = place.first_at or _UNKNOWN
        if zone is not None and place.first_at is not None:
            first_at = place.first_at.replace(tzinfo=zone, fold=id(place) in again).astimezone(UTC)
        number = place.named[1] * direction_on(place.named[0], directions) if place.named is not None else 0
        is_last = place.first_at is None  # of its day, where no line of it is known yet
        return place.is_live, place.day is None, day, is_last, first_at, number, 0, place.name

    return [file for _, file in sorted(places, key=key)]


def directions_of(places: Iterable[Place]) -> dict[date, Direction]:
    """Return which way the numbers run, of the days whose files tell it by their first lines."""
    by_day: dict[date, list[tuple[datetime, int]]] = {}
    for place in places:
        if place.first_at is not None and place.named is not None:
            by_day.setdefault(place.named[0], []).append((place.first_at, place.named[1]))
    found: dict[date, Direction] = {}
    for day, numbered in by_day.items():
        pairs = itertools.pairwise(sorted(numbered))
        votes = sum(_sign(later[1] - earlier[1]) for earlier, later in pairs if earlier[0] != later[0])
        if votes:
            found[day] = 1 if votes > 0 else -1
    return found


def direction_on(day: date, directions: Mapping[date, Direction]) -> Direction:
    """Return which way the numbers run on *day*, as the nearest day that tells it does; upwards where none does."""
    if day in directions:
        return directions[day]
    nearest = min(directions, key=lambda other: (abs((other - day).days), other), default=None)
    return directions[nearest] if nearest is not None else 1


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _second_showing(places: Sequence[Place], zone: ZoneInfo) -> set[int]:
    """Return the ids of the files that began when an hour was shown for the second time.

    Of files that begin within that hour, one that begins after another one's last line, in which the clock goes back,
    came after it. For the others the numbers tell, where the days around show which way these run.
    """
    found: set[int] = set()
    by_day: dict[date, list[Place]] = {}
    for place in places:
        if place.day is not None and place.first_at is not None and shown_again_for(place.first_at, zone):
            by_day.setdefault(place.day, []).append(place)
    for day, within in by_day.items():
        hour = {id(place) for place in within}
        others = directions_of(
            place
            for place in places
            if id(place) not in hour and place.day is not None and abs((place.day - day).days) <= 1
        )
        for place in within:
            if any(_began_after_change(place, other, zone) for other in within if other is not place):
                found.add(id(place))
        if others:
            direction = direction_on(day, others)
            numbered = sorted(
                (place.named[1] * direction, place.first_at, id(place))
                for place in within
                if place.named is not None and place.first_at is not None and id(place) not in found
            )
            steps = [number for number in range(1, len(numbered)) if numbered[number][1] < numbered[number - 1][1]]
            if len(steps) == 1:
                found |= {key for *_, key in numbered[steps[0] :]}
    return found


def _began_after_change(file: Place, other: Place, zone: ZoneInfo) -> bool:
    """Tell whether *file* begins after *other*, in which an hour began to be shown again and whose end lies in it."""
    step = other.last.setback if other.last is not None else None
    if file.first_at is None or other.day is None or other.last is None or step is None:
        return False
    end = datetime.combine(other.day, time()) + timedelta(seconds=other.last.seconds)
    is_change = other.last.day == step.day == 0 and step.from_seconds - step.to_seconds <= _HOUR
    return is_change and bool(shown_again_for(end, zone)) and file.first_at >= end


_HOUR = 3600

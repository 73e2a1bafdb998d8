"""In which order a server wrote its log files, and which of them are missing: for the log tool and for the warehouse.

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
from pteroassets.sources.minecraft.places import Numbered

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
        if len(numbered) == 1:
            continue  # as on most days
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
    """Return whether *file* begins after *other*, in which an hour began to be shown again and whose end lies in it."""
    step = other.last.setback if other.last is not None else None
    if file.first_at is None or other.day is None or other.last is None or step is None:
        return False
    end = datetime.combine(other.day, time()) + timedelta(seconds=other.last.seconds)
    is_change = other.last.day == step.day == 0 and step.from_seconds - step.to_seconds <= _HOUR
    return is_change and bool(shown_again_for(end, zone)) and file.first_at >= end


_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInHistory:
    """What tells whether there is something between a file and its neighbours.

    Attributes:
        log_date: Local day of its first line, where it is known.
        named: The day and the number in its name, where that has both.
        first_at: Its first line, of all files in the same kind of time.
        is_listed: Its name is one that it has now.
        is_whole: Its end could be read.
        is_beginning: It grew, and has no name now: its end may be in a file that was not read.
        begins_with_start: Its first event is the start of a run.
        goes_on: It has no day in its name and begins where the one before ended, perhaps days after that began.
    """

    log_date: date | None
    named: Numbered | None
    first_at: datetime | None
    is_listed: bool = True
    is_whole: bool = True
    is_beginning: bool = False
    begins_with_start: bool = False
    goes_on: bool = False


def gaps(files: Sequence[FileInHistory], unread: Iterable[Numbered] = ()) -> list[bool]:
    """Tell of each of *files*, which are in order, whether files between the one before it and it are missing.

    The files of a day are numbered from 1 without holes, upwards or downwards, so a number that none of them has is a
    missing file's. It stands between those whose numbers are around it; below the lowest one it stands on that one's
    far side: before the first file of a day that is numbered upwards, after the last of one numbered downwards. A file
    that does not begin with a start line was closed at midnight, so the one before it is of the day before; a cut
    archive misses its end.

    Args:
        files: In the order in which they were written.
        unread: Files that are there, and were not read.
    """
    found = [False, *(_is_gap(before, file) for before, file in itertools.pairwise(files))][: len(files)]
    directions = directions_of(
        Place(is_live=False, day=file.log_date, first_at=file.first_at, named=file.named)
        for file in files
        if file.named is not None
    )
    lost = set(unread)
    by_day: dict[date, list[int]] = {}
    for index, file in enumerate(files):
        # a number that a file had before it vanished may be another's by now
        if file.named is not None and (file.is_listed or file.named not in lost):
            by_day.setdefault(file.named[0], []).append(index)
    missing = [
        place
        for day, indices in by_day.items()
        for place in _missing_on(day, files, indices, lost, direction_on(day, directions))
    ]
    missing += [_place_of_day(day, files) for day in {day for day, _ in lost} - set(by_day)]
    for place in missing:
        if 0 < place < len(files) and files[place].log_date is not None and files[place - 1].log_date is not None:
            found[place] = True
    return found


def _is_gap(before: FileInHistory, file: FileInHistory) -> bool:
    if before.log_date is None or file.log_date is None or file.goes_on:
        return False
    return not before.is_whole or (not file.begins_with_start and (file.log_date - before.log_date).days > 1)


def _missing_on(
    day: date, files: Sequence[FileInHistory], indices: Sequence[int], unread: set[Numbered], direction: Direction
) -> Iterable[int]:
    """Yield the places of the files right after what is missing of a day; *indices* are those of its files."""
    numbers = [named[1] for index in indices if (named := files[index].named) is not None]
    if numbers == [1] and not unread:
        return  # as on most days
    known = sorted(set(numbers))
    for low, high in itertools.pairwise(known):
        if high > low + 1:
            yield _between(low, high, numbers, [files[index].is_listed for index in indices], indices)
    lowest, highest = numbers.index(known[0]), len(numbers) - 1 - numbers[::-1].index(known[-1])
    if known[0] > 1:
        is_first = _is_before(lowest, len(numbers), direction)
        yield indices[0] if is_first else _after(day, files, indices[lowest])
    if any(other == day and number > known[-1] for other, number in unread):
        is_first = _is_before(highest, len(numbers), -direction)
        yield indices[0] if is_first else _after(day, files, indices[highest])


def _is_before(place: int, count: int, direction: int) -> bool:
    """Return whether what lies beyond the number at *place* comes before all of its day."""
    return direction > 0 if count == 1 else place == 0


def _after(day: date, files: Sequence[FileInHistory], index: int) -> int:
    """Return the place after a file and those whose end may be what is missing: they grew, and have no name now."""
    place = index + 1
    while place < len(files) and files[place].log_date == day and files[place].is_beginning:
        place += 1
    return place


def _between(low: int, high: int, numbers: Sequence[int], listed: Sequence[bool], indices: Sequence[int]) -> int:
    """Return the place of the later of the neighbours around the missing numbers between *low* and *high*."""
    around = [
        (not (listed[place - 1] and listed[place]), abs(one - other), indices[place])
        for place, (one, other) in enumerate(itertools.pairwise(numbers), start=1)
        if min(one, other) <= low and high <= max(one, other)
    ]
    return min(around)[2]


def _place_of_day(day: date, files: Sequence[FileInHistory]) -> int:
    """Return the place of the first file that comes after all that was closed on *day*, of which no file is known."""
    return next(
        (
            index
            for index, file in enumerate(files)
            if file.log_date is not None and (file.log_date > day or (file.log_date == day and not file.is_beginning))
        ),
        len(files),
    )

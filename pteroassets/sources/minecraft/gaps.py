"""Which files of a server's history are missing, as the names of their neighbours tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pteroassets.sources.minecraft.file_names import Numbered
from pteroassets.sources.minecraft.ordering import Direction, Place, direction_on, directions_of


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
    """Tell whether what lies beyond the number at *place* comes before all of its day."""
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

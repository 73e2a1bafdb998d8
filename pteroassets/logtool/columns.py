"""A file's events in columns: a busy year has millions, and as objects they would not fit into memory."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, TypeVar, cast
from uuid import UUID

from pteroassets.sources.minecraft.events import Kind, LogEvent, Setback

# neither sessions nor runs nor the report are made of these; they are most of what there is
_UNUSED_KINDS = {"player_chat", "player_command", "player_death", "player_advancement", "server_overload"}
_UNUSED_DETAILS = {"address", "world", "x", "y", "z", "text"}
_NONE = -1
_Value = TypeVar("_Value")


class EventColumns:
    """The events of one file in line order, without what the report has no use for."""

    def __init__(self) -> None:
        self._lines = array("q")
        self._days = array("l")
        self._seconds = array("l")
        self._dates = array("l")
        self._kinds = array("B")
        self._players = array("l")
        self._uuids: dict[int, UUID] = {}
        self._details: dict[int, dict[str, str | int | float]] = {}
        self._setbacks: list[tuple[int, Setback | None]] = []  # from which event on
        self._offsets: list[tuple[int, int | None]] = []  # the same
        self._kind_numbers: dict[str, int] = {}
        self._player_numbers: dict[str, int] = {}

    def extend(self, events: Iterable[LogEvent]) -> None:
        """Add *events*, which follow those that are there."""
        for event in events:
            index = len(self._lines)
            self._lines.append(event.line_number)
            self._days.append(event.day)
            self._seconds.append(_NONE if event.seconds is None else event.seconds)
            self._dates.append(_NONE if event.dated is None else event.dated.toordinal())
            self._kinds.append(self._kind_numbers.setdefault(event.kind, len(self._kind_numbers)))
            self._players.append(
                _NONE
                if event.player is None
                else self._player_numbers.setdefault(event.player, len(self._player_numbers))
            )
            if event.player_uuid is not None:
                self._uuids[index] = event.player_uuid
            if event.detail is not None and event.kind not in _UNUSED_KINDS:
                kept = {name: value for name, value in event.detail.items() if name not in _UNUSED_DETAILS}
                if kept:
                    self._details[index] = kept
            if event.setback != (self._setbacks[-1][1] if self._setbacks else None):
                self._setbacks.append((index, event.setback))
            if event.offset != (self._offsets[-1][1] if self._offsets else None):
                self._offsets.append((index, event.offset))

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> LogEvent:
        return self._row(range(len(self))[index], list(self._kind_numbers), list(self._player_numbers))

    def __iter__(self) -> Iterator[LogEvent]:
        kinds, players = list(self._kind_numbers), list(self._player_numbers)
        return (self._row(index, kinds, players) for index in range(len(self)))

    def counts(self) -> dict[str, int]:
        """Return how many events there are of each kind, most frequent first."""
        kinds = list(self._kind_numbers)
        return {kinds[number]: count for number, count in Counter(self._kinds).most_common()}

    def players(self) -> set[str]:
        """Return every name that an event shows."""
        return set(self._player_numbers)

    def _row(self, index: int, kinds: list[str], players: list[str]) -> LogEvent:
        player, seconds, ordinal = self._players[index], self._seconds[index], self._dates[index]
        return LogEvent(
            line_number=self._lines[index],
            day=self._days[index],
            seconds=None if seconds == _NONE else seconds,
            dated=None if ordinal == _NONE else date.fromordinal(ordinal),
            setback=_value_at(self._setbacks, index),
            kind=cast("Kind", kinds[self._kinds[index]]),
            player=None if player == _NONE else players[player],
            player_uuid=self._uuids.get(index),
            detail=self._details.get(index),
            offset=_value_at(self._offsets, index),
        )


def _value_at(changes: list[tuple[int, _Value | None]], index: int) -> _Value | None:
    place = bisect_right(changes, index, key=_index_of) if changes else 0
    return changes[place - 1][1] if place else None


def _index_of(change: tuple[int, Any]) -> int:
    return change[0]

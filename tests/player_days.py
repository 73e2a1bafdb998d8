"""Actives, retention and activity counted day by day, from who was there on which day: slow, and plain to see."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

DAY = timedelta(days=1)
LATER = (1, 3, 7, 14, 30, 60, 90)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Who was on a server, or on the host, on which of its days, and for how many seconds.

    Attributes:
        seconds: Of each player, by day.
        first: First day of which the log is known, *first_whole* the first of which all of it is.
        last: Last day of which it is known, *last_whole* the last of which all of it is.
        is_whole: Whether nobody can have been there before.
    """

    seconds: Mapping[str, Mapping[date, float]]
    first: date
    first_whole: date
    last: date
    last_whole: date
    is_whole: bool

    @property
    def newcomers_from(self) -> date:
        return self.first if self.is_whole else self.first + 7 * DAY

    def days(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += DAY

    def within(self, day: date, days: int) -> int:
        """Return how many were there on *day* or one of those before it, *days* in all."""
        return sum(any(day - days * DAY < there <= day for there in of_player) for of_player in self.seconds.values())


def actives(scope: Scope) -> dict[date, tuple[int | None, ...]]:
    """Return of each day: actives of 1, 7 and 30 days, new, returning, won back, lapsed; None where unknown."""
    found = {}
    for day in scope.days():
        new = returning = won_back = lapsed = 0
        for there in scope.seconds.values():
            before = [each for each in there if each < day]
            if day in there:
                new += not before
                returning += bool(before) and max(before) >= day - 30 * DAY
                won_back += bool(before) and max(before) < day - 30 * DAY
            else:
                lapsed += bool(before) and max(before) == day - 30 * DAY
        known = {days: scope.is_whole or day >= scope.first_whole + (days - 1) * DAY for days in (7, 30)}
        sees_newcomers = day >= scope.newcomers_from
        found[day] = (
            scope.within(day, 1),
            scope.within(day, 7) if known[7] else None,
            scope.within(day, 30) if known[30] else None,
            new if sees_newcomers else None,
            returning if sees_newcomers else None,
            won_back if scope.is_whole or day >= scope.first_whole + 31 * DAY else None,
            lapsed if known[30] else None,
        )
    return found


def cohort_of(day: date, grain: str) -> tuple[date, date]:
    """Return the first and the last day of the cohort of *day*."""
    if grain == "day":
        return day, day
    if grain == "week":
        monday = day - day.weekday() * DAY
        return monday, monday + 6 * DAY
    first = day.replace(day=1)
    return first, (first + 31 * DAY).replace(day=1) - DAY


def retention(groups: Mapping[str, list[tuple[Scope, str]]], newest: date) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return n, who returned and the reason, by group, grain, begin, kind and N.

    Args:
        groups: Of each key the players with the scope that they are known by.
        newest: The newest day that is wholly known of any scope.
    """
    cohorts: dict[tuple[str, str, date, date], list[tuple[Scope, str]]] = defaultdict(list)
    for key, players in groups.items():
        for scope, player in players:
            for grain in ("day", "week", "month"):
                cohorts[key, grain, *cohort_of(min(scope.seconds[player]), grain)].append((scope, player))
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for (key, grain, start, end), players in cohorts.items():
        new = [(scope, player) for scope, player in players if start >= scope.newcomers_from]
        for later in LATER:
            passed = [(scope, player) for scope, player in new if end + later * DAY <= scope.last_whole]
            waiting = [each for each in new if each not in passed and each[0].last_whole >= newest - 2 * DAY]
            reason = None
            if not new:
                reason = "history_too_short"
            elif waiting:
                reason = "immature"
            elif not passed:
                reason = "log_ends_before"
            returned: Counter[str] = Counter()
            for scope, player in passed:
                first = min(scope.seconds[player])
                returned["classic"] += first + later * DAY in scope.seconds[player]
                returned["within"] += any(first < day <= first + later * DAY for day in scope.seconds[player])
            for kind in ("classic", "within"):
                counted = (None, None) if reason else (len(passed), returned[kind])
                found[key, grain, start, kind, later] = (len(players), *counted, reason)
    return found


def wilson(returned: int, counted: int) -> tuple[float, float]:
    """Return the bounds of the interval at 95 % as textbooks have them."""
    z, share = 1.96, returned / counted
    middle = share + z * z / (2 * counted)
    half = z * math.sqrt(share * (1 - share) / counted + z * z / (4 * counted * counted))
    below = 1 + z * z / counted
    return max((middle - half) / below, 0.0), min((middle + half) / below, 1.0)


def activity(scope: Scope) -> dict[tuple[str, date], tuple[float | None, str | None, str | None]]:
    """Return the index, the group and the group a week before, by player and Monday."""
    found: dict[tuple[str, date], tuple[float | None, str | None, str | None]] = {}
    for player, seconds in scope.seconds.items():
        weeks: dict[date, float] = defaultdict(float)
        for day, played in seconds.items():
            weeks[day - day.weekday() * DAY] += played / 60
        monday, group_before = min(weeks), "unseen"
        while monday + 6 * DAY <= scope.last_whole:
            minutes = [weeks.get(monday - before * 7 * DAY) for before in range(4)]
            index = 5 - 5 * sum(1 / (math.pi / 2 * (each or 0) / 30 + 1) for each in minutes[:3]) / 3
            group = next(
                name
                for name, least in [
                    ("very_active", 3.75),
                    ("active", 3),
                    ("regular", 2),
                    ("irregular", 1),
                    ("inactive", -1),
                ]
                if index >= least
            )
            is_known = scope.is_whole or monday - 14 * DAY >= scope.first_whole
            if any(each is not None for each in minutes):
                found[player, monday] = (index, group, group_before) if is_known else (None, None, None)
            group_before = group if is_known else None
            monday += 7 * DAY
    return found

"""A pass as one value: what runs it, when, how old its tables may get, what it feeds and what it needs.

Jobs, schedules, freshness, the demo's history, ``pteroassets backfill`` and the tests are made from these values alone.
They do not import Dagster, so that the command line and the demo load fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from pteroassets.landing.context import Landing
from pteroassets.landing.servers import ServerGroup
from pteroassets.settings import PresetName, Settings
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

Advance = Callable[[int, int], None]
"""Called with how much is done, and of how much."""
Backfill = Callable[[Landing, Advance, ServerGroup], list[LoadReport]]
"""Fetches all history that a source still has of the servers of a group."""
GOES_ON: Final = "part of a pass that went on"
BROKE_OFF: Final = "the pass broke off"
"""What the ledger says first of a load that does not end its pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a pass runs, and how old its tables may get before that is a warning, and a failure.

    Attributes:
        cron: When it runs, in the preset's zone.
        every: The usual time between two passes.
        warn_after: Longer than the longest time between two passes and a run.
        stale_after: Longer than that.
    """

    cron: str
    every: timedelta
    warn_after: timedelta
    stale_after: timedelta

    def kept_every(self, interval: timedelta) -> Rhythm:
        """Return the rhythm of a pass that is made only every *interval*: its tables may get older by as much."""
        longer = max(interval - self.every, timedelta())
        return replace(
            self,
            every=self.every + longer,
            warn_after=self.warn_after + longer,
            stale_after=self.stale_after + longer,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One reading of a source, how it is landed, and the models that its data feed.

    Attributes:
        name: Name of its job; its schedule is ``<name>_schedule``.
        description: What its job does.
        tables: Every table that it lands, schema and name; each has an asset.
        read: Reads the source and lands the rows; is given the time to the next pass, until which samples hold.
        derive: Makes further tables from what was landed; may run once after several readings.
        why_not_now: Says why a run that is due by the schedule is left out; None if it is to be made.
        interval_kept: Says how much time is between two passes, given the schedule's; None if it is always that.
        feeds: The models made from its data, as a dbt selection.
        rhythms: When it runs, for each preset.
        needs: Names of the settings that it cannot run without.
        is_optional: Whether it is left out if those are not set; other passes then fail and say what is missing.
        ends_with: The table whose load ends a reading.
        history_step: Time between two readings of the demo's history.
        backfill: Fetches all history that the source still has, of the servers of a group; None if it keeps none.
    """

    name: str
    description: str
    tables: tuple[str, ...]
    read: Callable[[Landing, Connection, timedelta], Iterable[LoadReport]]
    derive: Callable[[Landing, Connection], Iterable[LoadReport]] | None = None
    why_not_now: Callable[[Landing, Connection, timedelta], str | None] | None = None
    interval_kept: Callable[[Landing, Connection, timedelta], timedelta] | None = None
    feeds: str
    rhythms: Mapping[PresetName, Rhythm]
    needs: tuple[str, ...] = ()
    is_optional: bool = False
    ends_with: str
    history_step: timedelta
    backfill: Backfill | None = None

    def is_on(self, settings: Settings) -> bool:
        """Return whether its schedule runs."""
        return not self.is_optional or all(getattr(settings, name) is not None for name in self.needs)

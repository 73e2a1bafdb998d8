"""A pass as one value: what runs it, when, how old its tables may get, what it feeds and what it needs.

Jobs, schedules, freshness, the demo's history, ``pteroassets backfill`` and the tests are made of these values alone.
They know no Dagster, so that the command line and the demo read them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pteroassets.landing.context import Landing
from pteroassets.settings import PresetName, Settings
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

Advance = Callable[[int, int], None]
"""Told how much is done, of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a pass runs, and how old what it builds may get before that is a warning, and a failure.

    Attributes:
        cron: In the zone of the preset.
        every: The usual time between two passes.
        warn_after: Longer than the longest time between two passes and a run.
        stale_after: Longer than that.
    """

    cron: str
    every: timedelta
    warn_after: timedelta
    stale_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One reading of a source, landed, and the models that its data feed.

    Attributes:
        name: Of its job; its schedule is ``<name>_schedule``.
        description: Of its job.
        tables: Every table that it lands, schema and name; each has an asset.
        read: Reads the source and lands what it says; takes the time to the next pass, for what holds until then.
        derive: Makes further tables of what was landed; once after several readings is enough.
        feeds: The models made of its data, as dbt selects them.
        rhythms: By preset.
        needs: Names of settings without which it cannot run.
        is_optional: Whether it is left out where those are not set; other passes fail there, and say what is missing.
        ends_with: The table whose load ends a reading.
        history_step: Time between two readings of the demo's history.
        backfill: Fetches all that the source still holds of the past; None where it keeps no past.
    """

    name: str
    description: str
    tables: tuple[str, ...]
    read: Callable[[Landing, Connection, timedelta], Iterable[LoadReport]]
    derive: Callable[[Landing, Connection], Iterable[LoadReport]] | None = None
    feeds: str
    rhythms: Mapping[PresetName, Rhythm]
    needs: tuple[str, ...] = ()
    is_optional: bool = False
    ends_with: str
    history_step: timedelta
    backfill: Callable[[Landing, Advance], list[LoadReport]] | None = None

    def is_on(self, settings: Settings) -> bool:
        """Tell whether it runs by itself."""
        return not self.is_optional or all(getattr(settings, name) is not None for name in self.needs)

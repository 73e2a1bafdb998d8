"""Every source, in the order in which the data flows, with its passes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

import psycopg

from pteroassets.landing.arma3.passes import PASSES as ARMA3
from pteroassets.landing.context import Landing
from pteroassets.landing.events.passes import PASSES as EVENTS
from pteroassets.landing.minecraft.passes import PASSES as MINECRAFT
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.pterodactyl.estate import ENTITIES_PASS
from pteroassets.landing.pterodactyl.passes import UTILIZATION_PASS
from pteroassets.landing.pterodactyl.upkeep import UPKEEP_PASS
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import Connection

# A name here is a module of `pteroassets.defs` and a source of dbt.
SOURCES: Mapping[str, tuple[Pass, ...]] = {
    "pterodactyl": (ENTITIES_PASS, UTILIZATION_PASS, UPKEEP_PASS),
    "minecraft": MINECRAFT,
    "arma3": ARMA3,
    "events": EVENTS,
}
PASSES: Mapping[str, Pass] = {one.name: one for passes in SOURCES.values() for one in passes}


def rhythms(settings: Settings) -> dict[str, Rhythm]:
    """Return the rhythm of each pass as it is kept now.

    The settings, or what the warehouse knows of the panel's limits and servers, may make it slower than the schedule.
    Where the warehouse cannot be asked, which is told in the log, it is the schedule's.
    """
    found = {name: one.rhythms[settings.pteroassets_schedules] for name, one in PASSES.items()}
    if settings.postgres_host is None:
        return found
    landing = Landing(settings=settings)
    try:
        with landing.connect() as connection:
            for name, one in PASSES.items():
                if one.interval_kept is not None:
                    found[name] = found[name].kept_every(one.interval_kept(landing, connection, found[name].every))
    except psycopg.Error as error:
        logging.getLogger(__name__).warning("the intervals of passes are taken from the schedules: %s", error)
    return found


def late_after(settings: Settings, connection: Connection) -> dict[str, tuple[str, timedelta]]:
    """Return of each pass that runs the table whose load ends it, its name, and how old that load may get."""
    landing = Landing(settings=settings)
    found = {}
    for name, one in PASSES.items():
        if one.is_on(settings):
            rhythm = one.rhythms[settings.pteroassets_schedules]
            if one.interval_kept is not None:
                rhythm = rhythm.kept_every(one.interval_kept(landing, connection, rhythm.every))
            found[one.ends_with] = name, rhythm.stale_after
    return found

"""The passes over the panel, each as one value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.pterodactyl.estate import land_estate
from pteroassets.landing.pterodactyl.utilization import land_utilization
from pteroassets.sources.pterodactyl.application import ENTITIES
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

_KEYS = ("pterodactyl_url", "pterodactyl_app_key", "pterodactyl_cli_key")


def read_entities(
    landing: Landing, connection: Connection, *, entities: tuple[str, ...] = ENTITIES, allow_shrink: bool = False
) -> Iterator[tuple[str, LoadReport]]:
    """Read the panel's lists and land a version for each record that changed, and the zone of each server."""
    with landing.panel() as panel:
        yield from land_estate(
            panel,
            connection,
            redactor=landing.redactor,
            clock=landing.clock,
            zones=landing.zones,
            entities=entities,
            allow_shrink=allow_shrink or landing.settings.pteroassets_allow_shrink,
        )


def read_utilization(landing: Landing, connection: Connection, interval: timedelta) -> Iterator[LoadReport]:
    """Sample what every server consumes; a sample holds for *interval* at the most."""
    with landing.panel() as panel:
        yield land_utilization(panel, connection, clock=landing.clock, interval_seconds=int(interval.total_seconds()))


ENTITIES_PASS = Pass(
    name="entities",
    description="Read the panel's entities and rebuild what they feed.",
    tables=(*(f"raw_pterodactyl.{entity}" for entity in ENTITIES), "ops.server_timezones"),
    read=lambda landing, connection, _interval: (report for _, report in read_entities(landing, connection)),
    feeds=" ".join(f"source:pterodactyl.{entity}+" for entity in ENTITIES),
    rhythms={
        "fresh": Rhythm(
            cron="0 * * * *",
            every=timedelta(hours=1),
            warn_after=timedelta(hours=2, minutes=15),
            stale_after=timedelta(hours=3),
        ),
        # a night of a clock change makes twelve hours thirteen
        "stiv": Rhythm(
            cron="0 6,12,18 * * *",
            every=timedelta(hours=6),
            warn_after=timedelta(hours=13, minutes=30),
            stale_after=timedelta(hours=14),
        ),
    },
    needs=_KEYS,
    ends_with=f"raw_pterodactyl.{ENTITIES[-1]}",
    history_step=timedelta(hours=12),
)

UTILIZATION_PASS = Pass(
    name="utilization",
    description="Sample what every server consumes and rebuild what that feeds.",
    tables=("raw_pterodactyl.utilization_samples",),
    read=read_utilization,
    feeds="source:pterodactyl.utilization_samples+ compat_pterodactyl__last_update",
    rhythms={
        "fresh": Rhythm(
            cron="*/5 * * * *",
            every=timedelta(minutes=5),
            warn_after=timedelta(minutes=15),
            stale_after=timedelta(minutes=20),
        ),
        "stiv": Rhythm(
            cron="*/30 * * * *",
            every=timedelta(minutes=30),
            warn_after=timedelta(minutes=70),
            stale_after=timedelta(minutes=95),
        ),
    },
    needs=_KEYS,
    ends_with="raw_pterodactyl.utilization_samples",
    history_step=timedelta(minutes=30),
)

PASSES = (ENTITIES_PASS, UTILIZATION_PASS)

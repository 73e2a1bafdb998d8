"""The daily pass over what the panel lists for one server at a time: backups, schedules with their tasks, and activity.

Path of the data::

    client?type=admin-all --list_servers--> servers
    servers --server_lists--> Reading --land_entities--> raw_pterodactyl.backups, .schedules
    servers --activity--> entries --read_all_activity--> raw_pterodactyl.activity
    ListRead --land_list_reads--> raw_pterodactyl.list_reads

One request for each server and list is much for a panel with many servers, so they go out evenly and leave most of the
limit to samples and logs; a list is landed with what came of asking for it, in one transaction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from datetime import timedelta

from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.landing.pterodactyl.activity import ACTIVITY, read_all_activity, summed
from pteroassets.landing.pterodactyl.estate import land_entities
from pteroassets.landing.pterodactyl.list_reads import READS, land_list_reads, note_gone, problems_of, refuse_nothing
from pteroassets.sources.pterodactyl.client import ALL_KEYS, PanelClient, ServerListing, list_servers
from pteroassets.sources.pterodactyl.server_lists import (
    ENTITIES_OF_SERVERS,
    EntityOfServers,
    ServerAsker,
    ServerList,
    read_server_lists,
)
from pteroassets.sources.pterodactyl.utilization import Pace
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

LISTS: tuple[ServerList, ...] = (*ENTITIES_OF_SERVERS, "activity")
# of what may be used: so much goes out at once, and the rest at so much a minute, which sampling leaves unused
_AT_ONCE = 0.25
_A_MINUTE = 0.2


def read_upkeep(
    landing: Landing, connection: Connection, *, lists: Collection[str] = LISTS, allow_shrink: bool = False
) -> Iterator[LoadReport]:
    """Read *lists* of every server and land each in its own transaction, yielding a report for each load.

    The last report is that of ``list_reads``, over all of them.

    Raises:
        NothingReadError: Of none of the servers that can be asked could a list be read.
        PanelError: The list of servers could not be read, or the panel no longer accepts the key.
        ShrinkRefusedError: A list lacks more than half of what was there before.
    """
    outcomes: list[LoadReport] = []
    ended: list[LoadReport] = []
    with landing.panel() as panel:
        listing = list_servers(panel)
        asker = ServerAsker(panel, _pace(landing, panel))
        for entity in ENTITIES_OF_SERVERS:
            if entity in lists:
                report, reads = _land_entity(landing, connection, asker, listing, entity, allow_shrink=allow_shrink)
                outcomes.append(reads)
                ended.append(reads)
                yield report
        if "activity" in lists:
            parts = []
            for report, reads in read_all_activity(landing, connection, asker, listing):
                parts.append(report)
                outcomes.append(reads)
            ended.append(outcomes[-1])  # only the last part says how it went
            yield summed(parts)
    if outcomes:
        yield dataclasses.replace(summed(outcomes), is_complete=all(report.is_complete for report in ended))


def _land_entity(
    landing: Landing,
    connection: Connection,
    asker: ServerAsker,
    listing: ServerListing,
    entity: EntityOfServers,
    *,
    allow_shrink: bool,
) -> tuple[LoadReport, LoadReport]:
    found = read_server_lists(asker, entity, listing, redactor=landing.redactor, clock=landing.clock)
    with connection.transaction():
        report = land_entities(
            connection,
            found.reading,
            allow_shrink=allow_shrink or landing.settings.pteroassets_allow_shrink,
            replaces=entity == "backups",
            problems=problems_of(found.reads, listing.problem),
        )
        reads = land_list_reads(connection, entity, found.reads, report)
        if listing.problem is None:
            note_gone(connection, entity, [server.uuid for server in listing.servers])
    refuse_nothing(asker.panel.name, entity, found.reads)
    return report, reads


def _pace(landing: Landing, panel: PanelClient) -> Pace:
    limit = panel.limits.get("client")
    if limit is None:  # then the budget lets requests go one at a time
        return Pace(landing.clock, requests=0, seconds=0.0, free=0)
    usable = limit * landing.settings.pteroassets_request_share
    return Pace(landing.clock, requests=1, seconds=60 / (usable * _A_MINUTE), free=int(usable * _AT_ONCE))


_DAILY = {"warn_after": timedelta(hours=36), "stale_after": timedelta(hours=50)}
UPKEEP_PASS = Pass(
    name="upkeep",
    description="Read the backups, schedules and activity of every server and rebuild what they feed.",
    tables=(*(f"raw_pterodactyl.{entity}" for entity in LISTS), READS),
    read=lambda landing, connection, _interval: read_upkeep(landing, connection),
    feeds=" ".join(f"source:pterodactyl.{table}+" for table in (*LISTS, "list_reads")),
    rhythms={
        "fresh": Rhythm(cron="10 5 * * *", every=timedelta(days=1), **_DAILY),
        "stiv": Rhythm(cron="10 5 * * *", every=timedelta(days=1), **_DAILY),
    },
    needs=ALL_KEYS,
    ends_with=ACTIVITY,
    # never at the end of a history of whole days: a pass takes minutes, in which the world would go beyond that
    history_step=timedelta(days=2, hours=12),
)

"""The pass over sites of replays: their lists, then each replay that is due; and when there is nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Final

from pteroassets.landing.arma3 import rows
from pteroassets.landing.arma3.ratings import RATINGS, rate_players
from pteroassets.landing.arma3.site_pass import SitePass, begin, reported, sites
from pteroassets.landing.arma3.tables import TABLES
from pteroassets.landing.context import Landing
from pteroassets.landing.passes import Pass, Rhythm
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

MOST_PER_PASS: Final = 100
"""Replays that one pass asks a site for; the rest stay due."""
MADE_EVERY: Final = timedelta(minutes=55)
"""A pass is made at least so often, also when nothing is new, lest its tables count as stale."""


def read_sites(landing: Landing, connection: Connection) -> list[LoadReport]:
    """Read the list of every site, and the replays that are due; return a report for each table.

    Raises:
        MissingSettingError: No site is named.
        OptOutError: Players are to be forgotten, and the key of their list is missing.
    """
    passes: list[SitePass] = []
    begun = landing.clock.now()
    with rows.one_at_a_time(connection):
        for site in sites(landing):
            with closing(begin(landing, connection, site)) as one:
                passes.append(one)
                one.read_list()
                one.land(rows.due(connection, site.name, site.source, now=one.now, most=MOST_PER_PASS))
        return reported(landing, connection, passes, begun, is_whole=True)


def interval_kept(landing: Landing, _connection: Connection, every: timedelta) -> timedelta:
    """Return the time between two readings of the lists: that of the settings, if it is longer than the schedule's."""
    return max(every, timedelta(minutes=landing.settings.pteroassets_replay_poll_minutes))


def nothing_due(landing: Landing, connection: Connection, every: timedelta) -> str | None:
    """Return why a pass is left out: its sites list nothing new and no replay is due; None if there is work.

    It asks for each list, conditionally where the site allows it: a request, where a run would take seconds of a core.
    """
    now = landing.clock.now()
    is_untold = _has_untold(connection)
    kept, asked_at = interval_kept(landing, connection, every), _asked_at(landing, connection)
    # ticks come some seconds sooner or later, so half an interval tells one from the next
    if not is_untold and kept > every and asked_at is not None and now < asked_at + kept - every / 2:
        return f"the lists are read every {kept // timedelta(minutes=1)} minutes, next at {asked_at + kept:%R} UTC"
    row = connection.execute(
        "select max(observed_at) from ops.loads where table_name = %s and is_complete", (TABLES[-1],)
    ).fetchone()
    last = row[0] if row is not None else None
    if last is None or now - last >= max(MADE_EVERY, kept - every / 2) or is_untold:
        return None
    with rows.if_nobody_does(connection) as is_free:
        if not is_free:
            return "a pass is under way, which may take longer than the time between two"
        for site in sites(landing):
            with closing(begin(landing, connection, site)) as one:
                if not one.read_list() or rows.due(connection, site.name, site.source, now=now, most=1):
                    return None
    return f"nothing is new or due; every replay was read, and the last pass was at {last:%R} UTC"


def _asked_at(landing: Landing, connection: Connection) -> datetime | None:
    """Return when a list of the sites was asked for last."""
    row = connection.execute(
        "select max(asked_at) from raw_arma3.pages where url = any(%s)", ([site.list_url for site in sites(landing)],)
    ).fetchone()
    return row[0] if row is not None else None


def _has_untold(connection: Connection) -> bool:
    """Return whether it is yet to be decided whether to tell of a replay, as after the first pass, before any model."""
    row = connection.execute(
        """
        select to_regclass('marts.fct_arma3_replays') is not null and exists (
            select from raw_arma3.replays
            left join ops.replay_notices as given on given.replay_key = replays.replay_key
            where replays.landed_at is not null and replays.documents_digest is distinct from given.documents_digest
        )
        """
    ).fetchone()
    return bool(row and row[0])


def _read(landing: Landing, connection: Connection, _interval: timedelta) -> Iterator[LoadReport]:
    yield from read_sites(landing, connection)


_EVERY_5_MINUTES: Final = Rhythm(
    cron="*/5 * * * *",
    every=timedelta(minutes=5),
    warn_after=timedelta(minutes=90),  # ticks without anything new are skipped, see `MADE_EVERY`
    stale_after=timedelta(hours=3),
)
PASSES: Final = (
    Pass(
        name="replays",
        description="Read the replays of Arma 3 that are new or due, and rebuild what they feed.",
        tables=(*TABLES, RATINGS),
        read=_read,
        derive=rate_players,
        why_not_now=nothing_due,
        interval_kept=interval_kept,
        feeds="source:arma3+ source:ops.replay_notices+",
        rhythms={"fresh": _EVERY_5_MINUTES, "stiv": _EVERY_5_MINUTES},
        needs=("pteroassets_replay_sites",),
        is_optional=True,
        ends_with=TABLES[-1],
        history_step=timedelta(hours=12),
    ),
)

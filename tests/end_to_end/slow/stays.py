"""True sessions as the truth tests count them, cut at the borders of days and hours of a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pteroassets.simulator.true_rows import TrueSession
from pteroassets.warehouse.connection import connect
from tests.harness import Platform


def query(platform: Platform, text: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text).fetchall()


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A true session with the key that the marts give its player; it counts until its certain end."""

    true: TrueSession
    player: str
    zone: ZoneInfo
    until: datetime

    @property
    def server(self) -> str:
        return self.true.server_uuid

    @property
    def since(self) -> datetime:
        return self.true.joined_at

    @property
    def is_proxy(self) -> bool:
        return self.true.is_proxy

    def days(self) -> Iterator[tuple[date, float]]:
        """Yield each day of the server's clock that it touches, with its seconds on it."""
        for day, (since, until) in cut(self, lambda at: midnight_after(at, self.zone)):
            yield day.astimezone(self.zone).date(), (until - since).total_seconds()

    def hours(self) -> Iterator[tuple[datetime, datetime, datetime]]:
        """Yield the begin of each hour of the server's clock that it touches, and its part of it."""
        for at, (since, until) in cut(self, lambda at: hour_of(at, self.zone) + timedelta(hours=1)):
            yield hour_of(at, self.zone), since, until


def cut(stay: Stay, border: Any) -> Iterator[tuple[datetime, tuple[datetime, datetime]]]:
    since = stay.since
    while True:
        until = min(border(since), stay.until)
        yield since, (since, until)
        since = until
        if since >= stay.until:
            return


def midnight_after(at: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC)


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    # fold, which tells the two hours of the same name apart, is kept by replace
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def stays_of(estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]) -> list[Stay]:
    """Return every true session, with what the marts call its player."""
    found = {
        (server, name, joined_at): (player, until)
        for server, name, joined_at, player, until in query(
            estate,
            "select server_uuid::text, player_name, joined_at, player_id::text, counted_until "
            "from marts.fct_player_sessions",
        )
    }
    return [
        Stay(
            true=true,
            player=found[key][0],
            zone=ZoneInfo(estate.simulation.log_timezones[true.server_uuid]),
            # of an inferred end the marts count the lower bound, of which test_truth says that it is one
            until=true.left_at if true.is_end_observed and true.left_at is not None else found[key][1],
        )
        for key, true in true_sessions.items()
    ]

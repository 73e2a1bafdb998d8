"""What a warehouse says of pushed events, however they came: on both paths it is the same."""

from __future__ import annotations

from dataclasses import dataclass

from pteroassets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is in `raw_events`.

    Attributes:
        events: Events, each counted once.
        copies: Rows of events that were there already.
        by_type: Events of each type.
        players: Players of all games.
        dead_letters: What was refused, by reason.
        digest: Of every row as it came, in the order of ids: the same where not a byte differs.
    """

    events: int
    copies: int
    by_type: dict[str, int]
    players: int
    dead_letters: dict[str, int]
    digest: str

    @property
    def rows(self) -> int:
        """Return how many rows that is."""
        return self.events + self.copies + sum(self.dead_letters.values())


def figures_of(connection: Connection) -> Figures:
    """Return the figures of the warehouse of *connection*."""
    ((events, rows, players, digest),) = connection.execute(
        """
        select
            count(distinct (game, event_id)),
            count(*),
            count(distinct (game, player_id)),
            coalesce(md5(string_agg(md5(game || event_type || record::text), '' order by event_id)), '')
        from raw_events.events
        """
    ).fetchall()
    by_type = connection.execute(
        "select event_type, count(distinct (game, event_id)) from raw_events.events group by 1 order by 1"
    ).fetchall()
    letters = connection.execute(
        "select reason, count(*) from raw_events.dead_letters group by 1 order by 1"
    ).fetchall()  # fmt: skip
    return Figures(
        events=events,
        copies=rows - events,
        by_type=dict(by_type),
        players=players,
        dead_letters=dict(letters),
        digest=digest,
    )

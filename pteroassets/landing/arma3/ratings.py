"""Ratings of players by the results of their sides, computed from what the models say of the games.

The method is that of R. C. Weng and C.-J. Lin, A Bayesian approximation method for online ranking, Journal of Machine
Learning Research 12, 2011 (their algorithm 4, Plackett-Luce), by the library openskill. A player is a mean and a
deviation; a side is the sum of its players; the side that won is first and all others share the second place. What a
side gains or loses is dealt out among its players by their variance: who is known less moves more.

All of it is computed anew, in the order of play, where the games differ from those of the last time (decision 45).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from openskill.models import PlackettLuce, PlackettLuceRating

from pteroassets.landing.context import Landing
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, copy_rows, lock_table_for_load, record_load, table_identifier

RATINGS: Final = "derived_arma3.ratings"
START: Final = 1000.0
"""Rating of somebody who is new."""
SCALE: Final = 40.0
"""Points for one unit of the method, whose first deviation is 25/3: a new player is 1000 ± 333."""
FORMULA: Final = "openskill 6 PlackettLuce(mu=0, sigma=25/3, beta=25/6, tau=1/12), 1000 + 40 mu"
"""Is part of what is compared, so that another formula rates all games anew."""
_COLUMNS: Final = {
    "player_hash": "text",
    "played_on": "date",
    "rating": "float8",
    "deviation": "float8",
    "games": "int4",
    "wins": "int4",
    "games_digest": "text",
    "_load_id": "uuid",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedGame:
    """A game whose winner is known.

    Attributes:
        played_on: Day on which it began.
        sides: Players of each side, by what names them.
        winner: The side that won.
    """

    played_on: date
    sides: dict[str, tuple[str, ...]]
    winner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingOfDay:
    """How a player stood after the last game of a day; *games* and *wins* are all those up to then."""

    player: str
    played_on: date
    rating: float
    deviation: float
    games: int
    wins: int


def rate(games: Iterable[RatedGame]) -> list[RatingOfDay]:
    """Return the ratings after each day of each player; *games* are in the order in which they were played.

    A game with players on fewer than two sides, or won by a side without players, rates nobody.
    """
    # the mean of a new player is 0, so that a side is not stronger for being larger: missions balance that otherwise
    model = PlackettLuce(mu=0.0, sigma=25 / 3, beta=25 / 6, tau=1 / 12)
    standing: dict[str, PlackettLuceRating] = {}
    games_of: defaultdict[str, int] = defaultdict(int)
    wins_of: defaultdict[str, int] = defaultdict(int)
    found: dict[tuple[str, date], RatingOfDay] = {}
    for game in games:
        sides = {side: players for side, players in sorted(game.sides.items()) if players}
        if len(sides) < 2 or game.winner not in sides:  # noqa: PLR2004 - one side has nobody to win against
            continue
        teams = [[standing.get(one) or model.rating(name=one) for one in players] for players in sides.values()]
        ranks = [0.0 if side == game.winner else 1.0 for side in sides]
        for side, team in zip(sides, model.rate(teams, ranks=ranks), strict=True):
            for player, new in zip(sides[side], team, strict=True):
                standing[player] = new
                games_of[player] += 1
                wins_of[player] += side == game.winner
                found[player, game.played_on] = RatingOfDay(
                    player=player,
                    played_on=game.played_on,
                    rating=START + SCALE * new.mu,
                    deviation=SCALE * new.sigma,
                    games=games_of[player],
                    wins=wins_of[player],
                )
    return list(found.values())


def rate_players(landing: Landing, connection: Connection) -> Iterator[LoadReport]:
    """Rate all players anew if the games differ from those that were rated, in one transaction.

    Before the models of games were built for the first time nothing is rated.
    """
    begun = landing.clock.now()
    with connection.transaction():
        lock_table_for_load(connection, RATINGS)
        digest = _digest(connection) if _are_built(connection) else None
        stands = connection.execute(f"select games_digest, count(*) over () from {RATINGS} limit 1").fetchone()
        rated, before = stands or (None, 0)
        games, ratings = 0, []
        is_due = digest is not None and digest != rated
        if is_due:
            found = list(_games(connection))
            games, ratings = len(found), rate(found)
        report = LoadReport(
            table=RATINGS,
            observed_at=begun,
            rows_read=games,
            rows_added=max(len(ratings) - before, 0) if is_due else 0,
            rows_changed=min(len(ratings), before),
            rows_gone=max(before - len(ratings), 0) if is_due else 0,
            seconds=(landing.clock.now() - begun).total_seconds(),
        )
        if is_due:
            connection.execute(f"delete from {RATINGS}")
            rows = (
                (one.player, one.played_on, one.rating, one.deviation, one.games, one.wins, digest, report.load_id)
                for one in ratings
            )
            copy_rows(connection, table_identifier(RATINGS), _COLUMNS, rows)
        record_load(connection, report)
    yield report


def _are_built(connection: Connection) -> bool:
    row = connection.execute(
        "select to_regclass('intermediate.int_arma3__games') is not null "
        "and to_regclass('intermediate.int_arma3__player_games') is not null"
    ).fetchone()
    return row is not None and bool(row[0])


_RATED: Final = "games.is_counted and games.winner_side is not null and games.played_date is not null"


def _digest(connection: Connection) -> str:
    """Return what tells whether the games are those of the last time: asked of one row of each, found by index."""
    row = connection.execute(
        f"""
        select coalesce(md5(string_agg(
            concat_ws('/', games.replay_key, games.winner_side, games.played_date, games.started_at, built._load_id),
            ',' order by games.replay_key
        )), 'none')
        from intermediate.int_arma3__games as games
        cross join lateral (
            select found._load_id from intermediate.int_arma3__player_games as found
            where found.replay_key = games.replay_key limit 1
        ) as built
        where {_RATED}
        """
    ).fetchone()
    return f"{row[0] if row else 'none'} {FORMULA}"


def _games(connection: Connection) -> Iterator[RatedGame]:
    """Yield the games in the order of play; a player is named by a hash, so that no name is kept a second time."""
    rows = connection.execute(
        f"""
        select games.played_date, games.winner_side, jsonb_object_agg(players.side, players.hashes)
        from intermediate.int_arma3__games as games
        cross join lateral (
            select found.side, array_agg(md5(found.player_key) order by md5(found.player_key)) as hashes
            from intermediate.int_arma3__player_games as found
            where found.replay_key = games.replay_key and found.side is not null
            group by found.side
        ) as players
        where {_RATED}
        group by games.replay_key, games.played_date, games.winner_side, games.started_at
        order by games.played_date, games.started_at nulls last, games.replay_key
        """
    )
    for played_on, winner, sides in rows:
        yield RatedGame(
            played_on=played_on, winner=winner, sides={side: tuple(players) for side, players in sides.items()}
        )

"""Games that the tests publish, and what the warehouse has of them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from pteroassets.landing.arma3.tables import TABLES
from pteroassets.landing.context import Landing
from pteroassets.simulator.arma3.game import Game, play
from pteroassets.warehouse.connection import Connection

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)  # the game goes over midnight in Moscow
FIRST, SECOND, THIRD = (play(number, number, EVENING + timedelta(minutes=30 * number)) for number in range(1, 4))
EVERY = timedelta(minutes=5)
KEY = "k" * 16


def with_settings(landing: Landing, **settings: Any) -> Landing:
    """Return *landing* with other settings."""
    return dataclasses.replace(landing, settings=landing.settings.model_copy(update=settings))


def standing(connection: Connection) -> dict[int, tuple[str, int]]:
    """How each replay stands, and how many kills of it are there."""
    found = connection.execute(
        "select site_number, outcome, count(number) from raw_arma3.replays left join raw_arma3.kills "
        "using (replay_key) group by 1, 2 order by 1"
    ).fetchall()
    return {number: (outcome, kills) for number, outcome, kills in found}


def content(connection: Connection) -> dict[str, Any]:
    """All rows, without what tells of loads and of asking."""
    asking = "'asked_at', 'tried_at', 'next_try_at', 'fetched_at', 'outcome', 'http_status'"
    return {
        table: connection.execute(
            f"select (to_jsonb(made) - array['_load_id', '_loaded_at', {asking}])::text from {table} as made order by 1"
        ).fetchall()
        for table in TABLES
    }


def kills_of(game: Game) -> int:
    """Whom a digest tells of: people alone, each once in a second."""
    return sum(
        death.victim is not None and game.soldier(death.victim).player_at(death.frame) is not None
        for death in game.deaths
    )

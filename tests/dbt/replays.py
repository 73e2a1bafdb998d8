"""Games that are landed and modelled, what happened in them, and what WRTD-ETL's views look like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from pteroassets.simulator.arma3.game import Death, Game, Player, play
from pteroassets.warehouse.connection import Connection

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)
# the same people play all of them, so whoever dies in one is no less a survivor of another
GAMES = [play(number, number, EVENING + timedelta(days=number), players=8 * number) for number in range(1, 4)]


def rows_of(connection: Connection, query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()  # type: ignore[arg-type] # written in this module


def people(game: Game) -> list[tuple[Death, Player, Player | None]]:
    """Kills as a digest tells them: of people alone, in order."""
    found = []
    for death in game.deaths:
        victim = None if death.victim is None else game.soldier(death.victim).player_at(death.frame)
        killer = None if death.killer is None else game.soldier(death.killer).player_at(death.frame)
        if victim is not None:
            found.append((death, victim, killer))
    return found


def is_credited(game: Game, death: Death, victim: Player, killer: Player | None) -> bool:
    return killer is not None and killer is not victim and not game.is_team_kill(death)


VIEWS = {
    "replay_main": {
        "replay_number": "integer", "start_time": "time without time zone", "end_time": "time without time zone",
        "date": "date",
    }
    | dict.fromkeys(("name_mission", "island", "commander_east", "commander_west", "commander_guer", "commander_civ",
                     "winner"), "character varying(255)")
    | dict.fromkeys(("count_players_east", "count_players_west", "count_players_guer", "count_players_civ",
                     "count_players_slots", "count_players_active"), "integer")
    | {"duration": "time without time zone", "replay_url": "character varying(255)"},
    "vehicles": {"id": "integer", "replay_number": "integer"}
    | dict.fromkeys(("name", "type"), "character varying(255)"),
    "players": dict.fromkeys(("id", "id_from_json", "replay_number", "side"), "integer")
    | {"slot": "character varying(255)"},
    "d_players": {"id_from_json": "integer", "nickname": "character varying(255)"},
    "frags": {
        "id": "integer", "replay_number": "integer", "time": "time without time zone",
        "victim_vehicle": "character varying(255)", "victim": "integer", "killer": "integer",
        "killer_vehicle": "character varying(255)", "gun": "character varying(255)", "distance": "integer",
        "is_tk": "boolean",
    },
    "messages": {"replay_number": "integer", "message": "character varying", "text_data": "text", "posted": "boolean"},
}  # fmt: skip

"""The tables of replays, with the columns of a replay's parts, which are named as the source's records name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REPLAYS: Final = "raw_arma3.replays"
_HARM: Final = {
    "number": "int4",
    "second": "float8",
    "victim_kind": "text",
    "victim_id": "int8",
    "victim_name": "text",
    "victim_side": "text",
    "victim_vehicle_id": "int8",
    "victim_vehicle": "text",
    "killer_kind": "text",
    "killer_id": "int8",
    "killer_name": "text",
    "killer_side": "text",
    "killer_vehicle_id": "int8",
    "killer_vehicle": "text",
    "killer_reason": "text",
    "is_doubtful": "bool",
    "weapon": "text",
    "distance_metres": "float8",
    "is_team_kill": "bool",
    "is_suicide": "bool",
}
_SPAN: Final = {"first_second": "float8", "last_second": "float8"}
#: Tables of a replay's parts, by the field of `Reading`: columns and types, named as the records name them.
PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "sides": {
        "side": "text",
        "faction": "text",
        "players": "int4",
        "slots": "int4",
        "commander_name": "text",
        "commander_id": "int8",
    },
    "units": {
        "unit_id": "int8",
        "player_id": "int8",
        "name": "text",
        "side": "text",
        "squad": "text",
        "role": "text",
        "is_player": "bool",
        **_SPAN,
        "survived": "bool",
        "died_second": "float8",
        "death_without_kill": "bool",
    },
    "stints": {"unit_id": "int8", "number": "int4", "name": "text", "is_player": "bool", **_SPAN},
    "vehicles": {
        "vehicle_id": "int8",
        "vehicle_class": "text",
        "name": "text",
        "side": "text",
        **_SPAN,
        "survived": "bool",
    },
    "kills": _HARM,
    "hits": _HARM,
    "connects": {"number": "int4", "second": "float8", "is_connect": "bool", "name": "text", "unit_id": "int8"},
    "messages": {"number": "int4", "second": "float8", "kind": "text", "text": "text"},
    "markers": {
        "number": "int4",
        "kind": "text",
        "text": "text",
        "colour": "text",
        "shape": "text",
        "side": "text",
        "owner_unit_id": "int8",
        "owner_name": "text",
        **_SPAN,
        "x": "float8",
        "y": "float8",
        "moves": "int4",
        "is_projectile": "bool",
    },
    "positions": {
        "unit_id": "int8",
        "step": "int4",
        "cell_x": "int4",
        "cell_y": "int4",
        "seconds": "float8",
        "vehicle_seconds": "float8",
    },
    "full_positions": {
        "entity_id": "int8",
        "number": "int4",
        **_SPAN,
        "x": "float8",
        "y": "float8",
        "z": "float8",
        "heading": "int2",
        "life": "int2",
        "is_in_vehicle": "bool",
    },
}
PAGES: Final = "raw_arma3.pages"
TABLES: Final = (REPLAYS, PAGES, *(f"raw_arma3.{part}" for part in PARTS))

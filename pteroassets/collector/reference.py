"""Reference data of a game's events: the same files that dbt seeds, looked up by an id as text."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

TABLES: Final = ("guilds", "enemies", "damage_sources", "quests", "inventory", "stores")
_NUMBERS: Final = frozenset({"level", "damage", "total_cost", "on_hand_qty"})

Reference = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Of each table the row of each id."""


def read_reference(folder: Path) -> Reference:
    """Return the rows of the files in *folder*; the first column of each is the id, and stays as it is written.

    Raises:
        OSError: A file is missing or cannot be read.
    """
    return {name: _rows(folder / f"seed_events__{name}.csv") for name in TABLES}


def _rows(path: Path) -> dict[str, dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            {name: json.loads(value) if name in _NUMBERS else value for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
    return {str(next(iter(row.values()))): row for row in rows}

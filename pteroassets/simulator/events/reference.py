"""What ids of the games stand for: guilds, enemies, sources of damage, quests and the stock of stores."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

Row = Mapping[str, str]
_FILES: Final = ("guilds", "enemies", "damage_sources", "quests", "inventory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The rows of each file, as text, in its order."""

    guilds: Sequence[Row]
    enemies: Sequence[Row]
    damage_sources: Sequence[Row]
    quests: Sequence[Row]
    inventory: Sequence[Row]

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read ``seed_events__guilds.csv`` and its like in *folder*, with the names of columns in the first line.

        Raises:
            OSError: One is not there.
        """
        return cls(**{name: _rows(folder / f"seed_events__{name}.csv") for name in _FILES})


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))

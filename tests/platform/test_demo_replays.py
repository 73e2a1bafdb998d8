"""The demo's sites of replays have games that readers read, and keep their addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import requests

from pteroassets.platform.demo_replays import replay_sites
from pteroassets.settings import Settings
from pteroassets.sources.arma3.ocap_list import operations_url, read_operations
from pteroassets.sources.arma3.wog import LIST_PATH, read_list


def test_the_sites_have_games_of_the_last_evenings_at_addresses_that_last(tmp_path: Path) -> None:
    with replay_sites(tmp_path, seed=7, until=datetime.now(UTC)) as first:
        wog, ocap = (one.partition(":")[2] for one in Settings(_env_file=None, **first).replay_sites())
        games = read_list(requests.get(f"{wog}{LIST_PATH}", timeout=10).content, wog)
        operations = read_operations(requests.get(operations_url(ocap), timeout=10).content, ocap)
    assert len(games.replays) == 6
    assert sum(game.players is not None and game.players < 100 for game in games.replays) == 1, "one is not told"
    assert len(operations.replays) == 2
    with replay_sites(tmp_path, seed=7, until=datetime.now(UTC)) as second:
        assert second == first

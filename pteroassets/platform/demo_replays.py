"""The simulated sites of the demo, with games of Arma 3 of the last evenings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pteroassets.clock import SystemClock
from pteroassets.platform.loopback import remembered_port
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.serve import FakeReplaySites

_BEGIN: Final = time(20, tzinfo=ZoneInfo("Europe/Moscow"))
_FIRST_NUMBER: Final = 3405
#: Of each of the last evenings; one game is too small to be told.
_PLAYERS: Final = (124, 96, 131, 118, 142, 127)
#: The last games as recordings too, each of another generation.
_GENERATIONS: Final = ("solidgames", "extension5")


@contextmanager
def replay_sites(home: Path, *, seed: int, until: datetime) -> Iterator[dict[str, Any]]:
    """Serve WOG's site and an OCAP server with a game of each of the last evenings before *until*; give their setting.

    They have the ports that they had before where those are free, since a replay belongs to its site's address.
    """
    games = [
        play(
            seed,
            _FIRST_NUMBER + place,
            datetime.combine(until.date() - timedelta(days=len(_PLAYERS) - place), _BEGIN),
            players=players,
            minutes=75,
        )
        for place, players in enumerate(_PLAYERS)
    ]
    with ExitStack() as serving:
        wog, ocap = (
            serving.enter_context(FakeReplaySites(SystemClock(), port=remembered_port(home / f"{name}.port")))
            for name in ("wog", "ocap")
        )
        for game in games:
            wog.sites.publish(game, at=game.ended_at)
        for game, generation in zip(games[-len(_GENERATIONS) :], _GENERATIONS, strict=True):
            ocap.sites.upload(game, generation, at=game.ended_at)
        yield {"pteroassets_replay_sites": f"wog:{wog.url},ocap:{ocap.url}"}

"""Play the game of a simulated world until told to stop: ``python -m pteroassets.simulator.events``.

The key comes from the variable ``SIMULATED_GAME_KEY``, which no list of processes shows.
"""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timedelta
from pathlib import Path

from pteroassets.simulator.events.game import Game, identities_of
from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.ports import told_to_stop
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.chance import epoch


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pteroassets.simulator.events", description=__doc__)
    parser.add_argument("--url", required=True, help="of the collector")
    parser.add_argument("--seed", type=int, required=True, help="which world")
    parser.add_argument("--anchor", type=datetime.fromisoformat, required=True, help="where its history ends")
    parser.add_argument("--history-days", type=float, default=14)
    parser.add_argument("--reference", type=Path, required=True, help="folder of what the ids stand for")
    parser.add_argument("--done", type=Path, required=True, help="file that says that the history was pushed")
    return parser.parse_args()


def main() -> None:
    """Push the history once, and then what is played, until SIGTERM or SIGINT."""
    arguments = _arguments()
    stopped = told_to_stop()
    history = timedelta(days=arguments.history_days)
    world = World.create(arguments.seed, arguments.anchor, WorldSize.DEMO, history)
    game = Game(
        url=arguments.url,
        key=os.environ["SIMULATED_GAME_KEY"],
        seed=arguments.seed,
        reference=Reference.of(arguments.reference),
        identities=identities_of(world.estate, world.players, epoch(arguments.anchor)),
    )
    game.push_history(arguments.anchor - history, arguments.anchor, arguments.done)
    game.play(stopped)


if __name__ == "__main__":
    main()

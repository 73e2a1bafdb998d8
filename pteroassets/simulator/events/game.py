"""A game that goes on: what its players did in the weeks before, and then what they do from hour to hour."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pteroassets.simulator.events.reference import Reference
from pteroassets.simulator.events.sending import SendingError, send
from pteroassets.simulator.events.stream import Identity, Recipe, stream
from pteroassets.simulator.world.entities import Server
from pteroassets.simulator.world.estate import Estate
from pteroassets.simulator.world.players import Players

HISTORY_EVENTS: Final = 40_000
_LIVE_EVENTS: Final = 600
"""Of an hour, one in six seconds."""
_HOUR: Final = timedelta(hours=1)
_PLAYERS: Final = 60
_MOST_IDENTITIES: Final = 15
_AGAIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """A game that pushes to a collector.

    Attributes:
        url: Address of the collector.
        key: With which it pushes.
        seed: Of what is played.
        reference: What its ids stand for.
        identities: Players of Minecraft who play it too.
    """

    url: str
    key: str
    seed: int
    reference: Reference
    identities: Sequence[Identity]

    def push_history(self, begins_at: datetime, until: datetime, done: Path) -> None:
        """Push what was played from *begins_at* to *until*, unless the file *done* says that it was pushed.

        After a kill all of it is pushed again, with the same ids of events.

        Raises:
            SendingError: The collector does not take it.
        """
        if done.exists():
            return
        recipe = Recipe(
            seed=self.seed, begins_at=begins_at, span=until - begins_at, events=HISTORY_EVENTS, players=_PLAYERS,
            duplicates=0.01, late=0.01, malformed=0.001, prefix="p", identities=self.identities,
        )  # fmt: skip
        # a late event of the last days would come from the future
        now = datetime.now(tz=UTC)
        send([one for one in stream(recipe, self.reference) if one.at <= now], self.url, self.key)
        done.touch()

    def play(self, stopped: threading.Event) -> None:
        """Push what is played from now on, each event as it happens, until *stopped* is set."""
        while not stopped.is_set():
            now = datetime.now(tz=UTC)
            hour = now.replace(minute=0, second=0, microsecond=0)
            recipe = Recipe(
                seed=self.seed + int(hour.timestamp()), begins_at=hour, span=_HOUR, events=_LIVE_EVENTS,
                players=_PLAYERS, duplicates=0.01, late=0.01, malformed=0.002, is_live=True, prefix="p",
                identities=self.identities,
            )  # fmt: skip
            for one in stream(recipe, self.reference):
                # late ones of this hour are told in the next: they would have to be waited for
                if one.at <= now or one.at >= hour + _HOUR:
                    continue
                if stopped.wait(max(0.0, (one.at - datetime.now(tz=UTC)).total_seconds())):
                    return
                try:
                    send([one], self.url, self.key)
                except SendingError:
                    # as a game that keeps no events would: the collector is being started again
                    if stopped.wait(_AGAIN_SECONDS):
                        return
            stopped.wait(max(0.0, (hour + _HOUR - datetime.now(tz=UTC)).total_seconds()))


def identities_of(estate: Estate, players: Players, at: int) -> list[Identity]:
    """Return some players of a world's Minecraft servers whose accounts are checked, by their names *at* a time."""
    found: dict[str, Identity] = {}
    for index in range(estate.base_count):
        server: Server = estate.server(index)
        if server.is_offline_mode or server.software(server.created_at) == "none":
            continue
        for player in players.community(index):
            if player.xuid is None and len(found) < _MOST_IDENTITIES:
                found.setdefault(player.uuid, Identity(name=player.name(at), minecraft_uuid=player.uuid))
    return list(found.values())

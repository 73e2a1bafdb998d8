"""An hour of 100 cards: requests to the panel and calls to Discord, against a loop that does both every ten seconds.

Computed from the simulated world with the bot's own rules: samples are taken every five minutes, of each server that
can be asked, after the pages of the list; cards are looked at once a minute, as the bot does. Cards ask the panel
nothing, so what is counted of it is all that the samples cost. A card that changes is one call to Discord.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.frame.measurement import Measurement, Size
from pteroassets.bot.cards.rules import Shown, UpdateRules, reason_to_update
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.world.consumption import gate
from pteroassets.simulator.world.plans import wide_plan

CARDS: Final = 100
_ANCHOR: Final = datetime(2026, 10, 28, 12, tzinfo=UTC)
_EVERY: Final = timedelta(minutes=5)
_PASSES: Final = 12
_NAIVE_SECONDS: Final = 10
_MIB: Final = 1024 * 1024


def measure(size: Size) -> Iterator[Measurement]:
    for cards in (CARDS,) if size is Size.SHORT else (CARDS, 10 * CARDS):
        requests, calls = hour_of(World.create(11, _ANCHOR, wide_plan(cards, max(cards // 20, 1))))
        naive = cards * 3600 // _NAIVE_SECONDS
        note = f"a card of each of {cards} servers, samples every {_EVERY.seconds // 60} minutes, computed"
        yield Measurement(
            claim="requests to the panel in an hour of cards",
            unit="requests",
            ours=requests,
            baseline="a request a card every ten seconds",
            baseline_value=naive,
            target=1 / 20,
            note=f"{note}; all of them are of the samples",
            x=cards,
            x_unit="cards",
        )
        yield Measurement(
            claim="calls to Discord in an hour of cards",
            unit="calls",
            ours=calls,
            baseline="an edit of each card every ten seconds",
            baseline_value=naive,
            target=1 / 10,
            note=note,
            x=cards,
            x_unit="cards",
        )


def hour_of(world: World) -> tuple[int, int]:
    """Return the requests that the samples of an hour cost, and how often cards change in it once they are placed."""
    rules = UpdateRules()
    shown: dict[str, Shown] = {}
    requests = calls = 0
    for step in range(_PASSES + 1):
        now = _ANCHOR + step * _EVERY
        seen, asked = _sampled(world, now)
        requests += asked if step else 0
        for minute in range(_EVERY.seconds // 60 if step < _PASSES else 1):
            for uuid, (state, cpu, memory) in seen.items():
                at = now + timedelta(minutes=minute, seconds=10)
                card = Shown(state=state, cpu_percent=cpu, memory_ratio=memory, at=at)
                if reason_to_update(shown.get(uuid), card, rules) is not None:
                    calls += uuid in shown
                    shown[uuid] = card
    return requests, calls


def _sampled(world: World, now: datetime) -> tuple[dict[str, tuple[str, float | None, float | None]], int]:
    """Return state, processor use and part of the memory's limit of each server, and the requests that it took."""
    second = int(now.timestamp())
    found: dict[str, tuple[str, float | None, float | None]] = {}
    living = world.estate.living(second)
    asked = -(-len(living) // 100)  # pages of the list hold a hundred servers
    for server, state in living:
        reason = gate(state, world.estate.node_by_id[state.node_id], second)
        if reason is not None:
            found[server.uuid] = (reason, None, None)
            continue
        asked += 1
        use = world.usage(server, state, second)
        if use.state == "offline":
            found[server.uuid] = ("offline", None, None)
        else:
            memory = use.memory_bytes / _MIB / state.memory if state.memory else None
            found[server.uuid] = (use.state, use.cpu_percent, memory)
    return found, asked

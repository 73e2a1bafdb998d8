"""Make up the log of a busy Paper server, in blocks, so that a log of any size takes no memory.

Of its lines 4 % give events and 4 % are stack traces; the rest is noise as servers and plugins write it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

_BLOCK_LINES = 20_000

_NOISE = (
    "[Server thread/INFO]: [SomePlugin] Processed {n} queued tasks in {m} ms for world world_nether, next run in 300 s",
    "[Server thread/INFO]: Nora_{m}'s shop sold {n} items, see /shop history for the list of them",
    "[Server thread/INFO]: Saving chunks for level 'ServerLevel[world]'/minecraft:overworld",
    "[Craft Scheduler Thread - {m} - Shop/INFO]: [Shop] Database purge finished, {n} rows removed in {m} ms",
    "[Server thread/WARN]: Ignoring heightmap data for chunk [{m}, -{n}], size does not match; expected: 37, got: 256",
    "[Server thread/WARN]: P{m} moved too quickly! {n}.2,0.4,-{m}.3",
    "[Async-Worker {m}/INFO]: Skipping entity with id minecraft:item because of the limit of {n} in this chunk",
    "[Server thread/INFO]: [Bo: Teleported Nora_{m} to {n}.5, 64.0, -{m}.5]",
    "[Server thread/INFO]: Villager Villager['Farmer'/{n}, l='ServerLevel[world]', x={m}.50] died, message: 'x'",
    "[Server thread/ERROR]: Could not pass event PlayerInteractEvent to SomePlugin v1.2.{m}",
    "[Worker-Main-{m}/WARN]: Requested section was null for Vec3i{{x={n}, y=4, z=-{m}}} in the chunk that was loaded",
)
_TRACE = "\tat com.example.shop.ShopListener.onClick(ShopListener.java:{n}) ~[SomePlugin.jar:?]"
_EVENTS = (
    "[User Authenticator #{m}/INFO]: UUID of player P{m} is 0f2cfd0a-4cf1-4bfa-9e3c-2f5d6e7a8b9c",
    "[Server thread/INFO]: P{m} joined the game",
    "[Server thread/INFO]: P{m}[/192.0.2.4:50123] logged in with entity id {n} at ([world]1.5, 64.0, -3.25)",
    "[Server thread/INFO]: P{m} lost connection: Disconnected",
    "[Server thread/INFO]: P{m} left the game",
    "[Async Chat Thread - #{m}/INFO]: <P{m}> hello there, how are you",
    "[Async Chat Thread - #{m}/INFO]: <P{m}> has anybody seen my horse? it was {n} blocks off when I left the game",
    "[Server thread/INFO]: P{m} issued server command: /home {n}",
    "[Server thread/INFO]: P{m} was slain by Zombie",
    "[Server thread/INFO]: P{m} has made the advancement [Stone Age]",
)


def blocks(size: int) -> Iterator[bytes]:
    """Yield about *size* bytes of whole lines; the same for the same size."""
    chance, seconds, made = random.Random(1), 0.0, 0
    while made < size:
        lines = []
        for _ in range(_BLOCK_LINES):
            seconds += 0.02
            share = chance.random()
            n, m = chance.randrange(10_000), chance.randrange(50)
            if share < 0.04:
                lines.append(_TRACE.format(n=n, m=m))
                continue
            text = chance.choice(_EVENTS) if share < 0.08 else chance.choice(_NOISE)
            whole = int(seconds) % 86_400
            clock = f"[{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}] "
            lines.append(clock + text.format(n=n, m=m))
        block = ("\n".join(lines) + "\n").encode()
        made += len(block)
        yield block


def write(path: Path, size: int) -> None:
    """Write such a log of about *size* bytes to *path*."""
    with path.open("wb") as file:
        file.writelines(blocks(size))

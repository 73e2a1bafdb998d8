"""Make up logs of each layout, in blocks, so that a log of any size takes no memory.

What they are made of stands in ``log_mixes.toml``: how often each kind of line was counted in real logs, lines of that
kind, and what stands before them in each layout. Players come and go, and the clock steps back as often as was counted.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

_BLOCK_LINES = 5_000
_DAY = 86_400
_PLAYERS = 400  # who come and go in some days
_THREADS = ["Server thread"] * 18 + ["Async-Worker 3", "Craft Scheduler Thread - 12 - Shop"]


@cache
def _declared() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("log_mixes.toml").read_text(encoding="utf-8"))


def layouts() -> list[str]:
    """Return the names of the layouts, of which some are one layout with other lines in it."""
    return list(_declared()["layouts"])


def blocks(size: int, layout: str = "busy") -> Iterator[bytes]:
    """Yield about *size* bytes of whole lines of a *layout*; the same for the same size."""
    declared = _declared()["layouts"][layout]
    prefix, suffix, mix = declared["prefix"], declared.get("suffix", ""), _declared()["mixes"][declared["mix"]]
    kinds = mix["kinds"]
    shares = list(accumulate(kind["count"] for kind in kinds))
    step_back = mix["steps"] / mix["lines"]
    chance, seconds, made = random.Random(1), 0.0, 0
    while made < size:
        lines = []
        for kind in chance.choices(kinds, cum_weights=shares, k=_BLOCK_LINES):
            n, m, name = chance.randrange(10_000), chance.randrange(50), f"Nora_{chance.randrange(_PLAYERS)}"
            text = chance.choice(kind["lines"]).format(n=n, m=m, name=name, p=chance.randrange(20_000, 60_000))
            if kind.get("bare"):
                lines.append(text)
                continue
            seconds += mix["seconds"] if chance.random() >= step_back else -chance.uniform(60, 7200)
            day, second = divmod(max(0, int(seconds)), _DAY)
            hour, minute, day = second // 3600, second // 60 % 60, day % 28 + 1
            clock = f":{minute:02}:{second % 60:02}"
            begin = prefix.format(
                clock=f"{hour:02}{clock}",
                half=f"{hour % 12 or 12}{clock} {'AP'[hour >= 12]}M",
                ms=f"{n % 1000:03}",
                date=f"2026-11-{day:02}",
                forge=f"{day:02}Nov2026",
                us=f"{day}. November 2026",
                thread=kind.get("thread", "").format(m=m) or chance.choice(_THREADS),
                level=kind.get("level", "INFO"),
                m=m,
            )
            lines.append(f"{begin}{text}{suffix}")
        block = ("\n".join(lines) + "\n").encode()
        made += len(block)
        yield block


def write(path: Path, size: int, layout: str = "busy") -> None:
    """Write such a log of about *size* bytes to *path*."""
    with path.open("wb") as file:
        file.writelines(blocks(size, layout))

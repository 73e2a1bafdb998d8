"""Fixtures of replays, and the shortest way to read them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pteroassets.sources.arma3.ocap import read_recording
from pteroassets.sources.arma3.records import Harm, ListedReplay, Reading
from pteroassets.sources.arma3.wog_game import read_game

FIXTURES = Path(__file__).parents[2] / "fixtures" / "arma3"
GOLDEN = FIXTURES / "golden"
GENERATIONS = ("legacy", "solidgames", "extension4", "extension5", "stream", "reforger")
PAGE = (FIXTURES / "wog" / "game.html").read_bytes()
LIST = (FIXTURES / "wog" / "list.html").read_bytes()
DIGEST = (FIXTURES / "wog" / "digest.json").read_bytes()


def listed(name: str = "a", number: int | None = None, day: date | None = None) -> ListedReplay:
    return ListedReplay(
        source="ocap",
        replay_id=name,
        site_number=number,
        url=f"http://ocap.test/{name}",
        data_urls=(),
        listed_on=day,
        position=0,
    )


def golden(generation: str) -> bytes:
    return (GOLDEN / f"{generation}.json").read_bytes()


def recording(content: bytes, **more: Any) -> Reading:
    return read_recording(content, more.pop("listed", listed()), **more)


def wog(page: bytes | None = PAGE, digest: bytes | None = DIGEST) -> Reading:
    return read_game(page, digest, game=3405)


def told(harm: Harm) -> tuple[Any, ...]:
    """Return what a person would say of a kill: when, whom, who, with what, how far, and whether it was a friend."""
    victim = harm.victim_name or harm.victim_vehicle
    killer = harm.killer_name or harm.killer_vehicle
    return (harm.second, victim, killer, harm.weapon, harm.distance_metres, harm.is_team_kill)


def survivors(reading: Reading) -> dict[str | None, bool | None]:
    return {unit.name: unit.survived for unit in reading.units}

"""The ways of the data: which files a login, a sample and an entity enter, as the document on the architecture says.

Counted are the files of the package in which a function was called, in one pass of a platform that has read everything
before.
"""

from __future__ import annotations

import itertools
import re
import sys
import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import pteroassets
from pteroassets.landing.sources import PASSES
from pteroassets.settings import CHECKOUT
from pteroassets.simulator.serve import Simulation
from pteroassets.warehouse.connection import connect
from tests.harness import Platform
from tests.landing.conftest import ANCHOR

pytestmark = pytest.mark.postgres

PACKAGE = Path(pteroassets.__file__).parent
DOCUMENT = CHECKOUT / "docs" / "architecture.md"
LOGIN = b" logged in with entity id "
# more than these is a longer way: join what is one thing, or part along what it does not enter
MOST = {"One player's login": 37, "One sample": 10, "One entity": 12}
# the passes run here without Dagster: what calls them there
AROUND = {room: {f"pteroassets/defs/{room}.py"} for room in ("minecraft", "pterodactyl")}


@contextmanager
def entered() -> Iterator[set[str]]:
    """Collect the files of the package, without the simulator's, in which a function is called meanwhile."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            found.add(frame.f_code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    paths: set[str] = set()
    try:
        yield paths
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type] # how it is taken away
    ours = {Path(name).relative_to(PACKAGE) for name in found if Path(name).is_relative_to(PACKAGE)}
    paths |= {f"pteroassets/{path}" for path in ours if path.parts[0] != "simulator"}


def entered_by(platform: Platform, name: str) -> set[str]:
    """Return the files that the pass called *name* enters."""
    one, landing = PASSES[name], platform.landing
    with entered() as found, landing.connect() as connection:
        for _ in one.read(landing, connection, platform.interval):
            pass
        if one.derive is not None:
            for _ in one.derive(landing, connection):
                pass
    return found


def walked(title: str) -> set[str]:
    """Return the Python files that a section of the document names."""
    text = DOCUMENT.read_text()
    section = re.search(rf"^## {title}.*?$\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert section is not None, f"{DOCUMENT.name} has no section {title!r}"
    named = set(re.findall(r"`(pteroassets/[\w/]+\.py)`", section[1]))
    assert len(named) <= MOST[title]
    return named


def moments_of_a_login(simulation: Simulation) -> tuple[datetime, datetime]:
    """Return two moments between which the logs of all servers grow by what one login writes, and by nothing else."""
    world, end = simulation.world, int((ANCHOR + timedelta(hours=6)).timestamp())
    written: dict[int, list[tuple[str, bytes]]] = {}
    for server in world.estate.servers(end):
        for segment in {id(part): part for file in world.log_files(server, end) for part in file.segments}.values():
            begins = [0, *segment.ends]
            for second, begin, stop in zip(segment.seconds, begins, segment.ends, strict=False):
                written.setdefault(second, []).append((server.uuid, segment.content[begin:stop]))
    seconds = sorted(written)
    for before, at in itertools.pairwise(seconds[bisect_right(seconds, int(ANCHOR.timestamp())) :]):
        entries = written[at]
        if len({server for server, _ in entries}) == 1 and any(LOGIN in entry for _, entry in entries):
            return datetime.fromtimestamp(before, UTC), datetime.fromtimestamp(at, UTC)
    raise AssertionError("no login stands alone in the simulated world")


def test_a_login_enters_the_files_that_the_document_names(platform: Platform) -> None:
    before, at = moments_of_a_login(platform.simulation)
    platform.clock.move_to(before)
    platform.logs()
    platform.clock.move_to(at)
    known = events(platform)
    found = entered_by(platform, "logs")
    new = events(platform) - known
    assert "player_login" in {kind for *_, kind in new}
    assert len({server for server, *_ in new}) == 1
    assert found | AROUND["minecraft"] == walked("One player's login")


def test_a_sample_enters_the_files_that_the_document_names(platform: Platform) -> None:
    found = entered_by(platform, "utilization")
    assert found | AROUND["pterodactyl"] == walked("One sample")


def test_an_entity_enters_the_files_that_the_document_names(platform: Platform) -> None:
    found = entered_by(platform, "entities")
    assert found | AROUND["pterodactyl"] == walked("One entity")


def events(platform: Platform) -> set[tuple[str, str, int, str]]:
    with connect(platform.settings) as connection:
        columns = "server_uuid::text, file_key, line_number, kind"
        return set(connection.execute(f"select {columns} from raw_minecraft.events"))

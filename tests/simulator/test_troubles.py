"""What goes wrong in the worlds: one of each kind in the demo, whatever its seed, and named by the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pteroassets.simulator.panel.context import Stage
from pteroassets.simulator.panel.faults import Faults
from pteroassets.simulator.panel.files import ServerFiles
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.catalog import EGG_BY_ID
from pteroassets.simulator.world.chance import epoch

ANCHOR = datetime(2026, 10, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module", params=[1, 7, 1234])
def demo(request: pytest.FixtureRequest) -> World:
    return World.create(request.param, ANCHOR, WorldSize.DEMO)


def test_the_demo_has_one_trouble_of_each_kind(demo: World) -> None:
    troubles = demo.truth.troubles(ANCHOR)
    assert len(troubles.short_of_memory) == 1
    assert len(troubles.crash_loops) == 1
    assert len(troubles.asleep) == 1
    assert troubles.over_committed == {"hel-01"}
    assert len(troubles.unreadable_logs) == 1
    assert troubles.unlisted_nests == {3}


def test_only_the_server_that_is_short_of_memory_comes_close_to_its_limit(demo: World) -> None:
    (short,) = demo.truth.troubles(ANCHOR).short_of_memory
    close: dict[str, int] = {}
    for row in demo.truth.entities(ANCHOR)["servers"]:
        for hours in range(0, 48, 2):
            at = ANCHOR - timedelta(hours=hours)
            if row["created_at"] > at:
                continue
            sample = demo.truth.sample(row["uuid"], at)
            if row["memory"] and sample.memory_bytes:
                close[row["uuid"]] = close.get(row["uuid"], 0) + (sample.memory_bytes > 0.9 * row["memory"] * 2**20)
    assert close.pop(short) >= 8
    assert max(close.values()) <= 2


def test_the_server_in_a_loop_goes_on_to_crash(demo: World) -> None:
    (looping,) = demo.truth.troubles(ANCHOR).crash_loops
    later = ANCHOR + timedelta(days=3)
    assert looping in demo.truth.troubles(later).crash_loops
    before = [
        run
        for run in demo.truth.runs(ANCHOR)
        if run.server_uuid == looping and run.started_at < ANCHOR - timedelta(days=2)
    ]
    assert sum(run.end_reason == "crashed" for run in before) < len(before), "it once ran well"


def test_the_server_that_is_asleep_has_no_run_and_no_log(demo: World) -> None:
    (asleep,) = demo.truth.troubles(ANCHOR).asleep
    assert [run for run in demo.truth.runs(ANCHOR) if run.server_uuid == asleep] == []
    server = demo.server_by_uuid(asleep, epoch(ANCHOR))
    assert server is not None
    assert demo.log_files(server, epoch(ANCHOR)) == []
    assert demo.truth.sample(asleep, ANCHOR).outcome == "offline"


def test_the_log_that_cannot_be_read_is_listed_and_holds_nothing(demo: World) -> None:
    (named,) = demo.truth.troubles(ANCHOR).unreadable_logs
    uuid, _, path = named.partition(":")
    server = demo.server_by_uuid(uuid, epoch(ANCHOR))
    assert server is not None
    state = server.state(epoch(ANCHOR))
    assert state is not None
    files = ServerFiles(Stage(world=demo, faults=Faults()), (server, state), epoch(ANCHOR))
    (entry,) = [entry for entry in files.listing("/logs") if f"/logs/{entry.name}" == path]
    assert files.read(path) == bytes(entry.size)
    assert entry.modified_at < epoch(demo.start)


def test_a_server_is_called_what_its_egg_is_for(demo: World) -> None:
    plugins = ("SkyBlock", "Factions", "Towny", "Prison")
    named = {row["name"]: EGG_BY_ID[row["egg_id"]] for row in demo.truth.entities(ANCHOR)["servers"]}
    for name, egg in named.items():
        title = name.rpartition(" ")[0]
        if title in plugins:
            assert egg.name in {"Paper", "Purpur", "Folia", "Sponge (SpongeVanilla)"}, name
        if egg.software in {"bungeecord", "velocity"}:
            assert title in {"Network", "Gateway", "Entrance", "Crossroads"}, name
        if title in {"Lobby", "Survival"}:
            assert egg.is_minecraft_server, name
        if egg.name == "Rust":
            assert title.startswith("Rust"), name
    assert len(named) > 25

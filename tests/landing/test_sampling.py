"""How a run samples: how often, spread over how long, and what of it a kill leaves."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from pteroassets.clock import ManualClock
from pteroassets.defs.automation import schedule_of
from pteroassets.defs.dbt_project import DBT_PROJECT
from pteroassets.landing.minecraft.passes import LOGS_PASS
from pteroassets.landing.pterodactyl.passes import UTILIZATION_PASS
from pteroassets.landing.pterodactyl.utilization import LOGS_EVERY, summed
from pteroassets.landing.sources import PASSES, rhythms
from pteroassets.platform.demo import make_history
from pteroassets.settings import Settings
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World, WorldSize
from pteroassets.simulator.world.plans import Plan, wide_plan
from pteroassets.sources.pterodactyl import utilization
from pteroassets.sources.pterodactyl.errors import NodeTimeoutError
from pteroassets.sources.pterodactyl.files import ask_node
from pteroassets.warehouse.connection import ConnectionSettings, connect
from pteroassets.warehouse.load import LoadReport
from pteroassets.warehouse.samples import SAMPLES
from tests.databases import copied
from tests.harness import Platform
from tests.landing.conftest import ANCHOR, platform_of

pytestmark = pytest.mark.postgres

Opened = Callable[..., Any]
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def opened(migrated_template: ConnectionSettings, tmp_path: Path) -> Opened:
    @contextmanager
    def of(size: WorldSize | Plan = WorldSize.TINY, **options: Any) -> Iterator[Platform]:
        world = World.create(seed=11, anchor=ANCHOR, size=size, history=timedelta(days=1))
        with Simulation(world, ManualClock(ANCHOR), **options) as simulation, copied(migrated_template) as own:
            platform = platform_of(simulation, own, tmp_path)
            platform.interval = FIVE_MINUTES
            yield platform

    return of


def rows(platform: Platform, query: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings) as connection:
        return connection.execute(query).fetchall()


def passes(platform: Platform) -> list[tuple[Any, ...]]:
    return rows(
        platform,
        "select pass_at, max(interval_seconds), count(*) from raw_pterodactyl.utilization_samples "
        "group by 1 order by 1",
    )


def asked(platform: Platform) -> Counter[str]:
    return Counter(entry.route for entry in platform.simulation.requests.entries)


def refused(platform: Platform) -> int:
    return sum(entry.status == 429 for entry in platform.simulation.requests.entries)


def test_a_run_samples_as_often_as_wanted_until_the_next_run(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_SAMPLE_INTERVAL", "60")
    with opened() as platform:
        reports: list[LoadReport] = platform.make("utilization")
        landed = passes(platform)
        assert [at - ANCHOR for at, _, _ in landed] == [timedelta(minutes=number) for number in range(5)]
        assert {seconds for _, seconds, _ in landed} == {60}
        assert len({count for _, _, count in landed}) == 1
        assert platform.clock.now() < ANCHOR + FIVE_MINUTES, "the next run finds the pool free"
    assert [report.shown["interval_kept_seconds"] for report in reports] == [60] * 5
    whole = summed(reports)
    assert whole.shown["passes"] == 5
    assert whole.rows_read == sum(count for _, _, count in landed)
    assert "The wanted 60 s are kept" in str(whole.shown["plan"])


def test_an_interval_that_the_limit_forbids_is_lengthened_and_no_request_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTEROASSETS_SAMPLE_INTERVAL", "20")
    with opened(client_limit=10) as platform:
        reports = platform.make("utilization")
        assert {seconds for _, seconds, _ in passes(platform)} == {60}
        assert refused(platform) == 0
    (wanted,) = {report.shown["interval_wanted_seconds"] for report in reports if report.shown}
    assert wanted == 20
    assert "The wanted 20 s are not possible: 60 s are kept" in str(reports[-1].shown["plan"])


def test_a_pass_is_spread_over_the_interval_and_lands_in_parts(opened: Opened) -> None:
    with opened(client_limit=10) as platform:
        reports = platform.make("utilization")
        took = (platform.clock.now() - ANCHOR).total_seconds()
        assert 180 < took <= 240, "within four fifths of the interval"
        ((_, interval, count),) = passes(platform)
        assert (interval, count) == (300, 6)
        assert refused(platform) == 0
        ledger = rows(platform, "select is_complete, rows_added, observed_at from ops.loads order by _loaded_at")
    assert len(reports) > 1  # how many depends on which thread moves the clock first
    assert [complete for complete, _, _ in ledger] == [False] * (len(reports) - 1) + [True]
    assert sum(added for _, added, _ in ledger) == count
    assert {at for _, _, at in ledger} == {ANCHOR}
    assert summed(reports).is_complete


def test_what_a_broken_off_pass_measured_is_kept_and_the_next_pass_is_whole(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(client_limit=10) as platform:
        measured = utilization._NodePass._resources
        made = 0

        def breaks_off(self: Any, server: Any) -> Any:
            nonlocal made
            made += 1
            if made == 5:
                raise MemoryError("as if it was killed")
            return measured(self, server)

        monkeypatch.setattr(utilization._NodePass, "_resources", breaks_off)
        with pytest.raises(MemoryError):
            platform.make("utilization")
        ((_, _, kept),) = passes(platform)
        assert kept >= 4
        assert {complete for (complete,) in rows(platform, "select is_complete from ops.loads")} == {False}
        platform.clock.move_to(ANCHOR + FIVE_MINUTES)
        platform.make("utilization")
        assert [count for _, _, count in passes(platform)] == [kept, 6]


def test_a_run_that_comes_before_its_time_is_left_out_and_the_tick_says_why(opened: Opened) -> None:
    with opened() as platform:
        schedule = schedule_of(UTILIZATION_PASS, "fresh", "UTC")

        def tick() -> Any:
            return schedule.evaluate_tick(dg.build_schedule_context(resources={"landing": platform.landing}))

        platform.entities()
        platform.make("utilization")
        platform.clock.move_to(ANCHOR + FIVE_MINUTES)
        assert tick().run_requests
        with connect(platform.settings, autocommit=True) as connection:
            connection.execute("update ops.request_budgets set announced_limit = 2 where api = 'client'")
        skipped = tick()
        assert not skipped.run_requests
        assert "samples are taken every 10 minutes, next at 12:10 UTC" in str(skipped.skip_message)
        assert "It announces 2 requests a minute" in str(skipped.skip_message)
        # and what is built from samples may be five minutes older than the schedule lets it
        kept, usual = rhythms(platform.landing.settings), UTILIZATION_PASS.rhythms["fresh"]
        assert kept["utilization"] == usual.kept_every(2 * FIVE_MINUTES)
        assert kept["utilization"].warn_after == usual.warn_after + FIVE_MINUTES
        assert kept["utilization"].stale_after == usual.stale_after + FIVE_MINUTES
        assert kept["entities"] == PASSES["entities"].rhythms["fresh"]
        platform.clock.move_to(ANCHOR + 2 * FIVE_MINUTES)
        assert tick().run_requests


def test_where_the_warehouse_cannot_be_asked_the_rhythms_are_the_schedules(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(_env_file=None, postgres_host="127.0.0.1", postgres_port=9)  # type: ignore[call-arg]
    assert rhythms(settings) == {name: one.rhythms["fresh"] for name, one in PASSES.items()}
    assert "the intervals of passes are taken from the schedules" in caplog.text


def test_a_table_may_be_older_by_as_much_as_its_samples_come_seldomer(opened: Opened) -> None:
    sources = yaml.safe_load((DBT_PROJECT / "models/staging/pterodactyl/_pterodactyl__sources.yml").read_text())
    (samples,) = (table for table in sources["sources"][0]["tables"] if table["name"] == "utilization_samples")
    query = samples["config"]["loaded_at_query"].replace("{{ this.schema }}.{{ this.identifier }}", SAMPLES)
    with opened() as platform:
        platform.make("utilization")
        ((landed,),) = rows(platform, "select max(_loaded_at) from ops.loads")
        assert rows(platform, query) == [(landed,)], "every five minutes"
        rows(platform, "update raw_pterodactyl.sample_passes set interval_seconds = 7200 returning 1")
        assert rows(platform, query) == [(landed + timedelta(minutes=90),)]


def test_nodes_are_asked_once_for_all_servers_and_their_tokens_once_a_run(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTEROASSETS_NODE_ACCESS", "true")
    monkeypatch.setenv("PTEROASSETS_SAMPLE_INTERVAL", "20")
    with opened(wide_plan(250, 10)) as platform:
        platform.interval = timedelta(minutes=1)
        platform.make("utilization")
        assert asked(platform) == {"list": 9, "nodes": 1, "configuration": 10, "node_servers": 30}
        assert [(at - ANCHOR, seconds, count) for at, seconds, count in passes(platform)] == [
            (timedelta(seconds=seconds), 20, 250) for seconds in (0, 20, 40)
        ]


def test_a_node_that_hangs_rests_over_several_passes(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTEROASSETS_NODE_ACCESS", "true")
    monkeypatch.setenv("PTEROASSETS_SAMPLE_INTERVAL", "20")
    monkeypatch.setattr("pteroassets.sources.pterodactyl.node_utilization._REPORT_SECONDS", 0.3)
    with opened(wide_plan(6, 2)) as platform:
        platform.interval = timedelta(minutes=5)
        platform.simulation.faults.add(Fault(kind="latency", seconds=1.5, route="node_servers", node_id=1))
        reports = platform.make("utilization")
        assert len(reports) == 15
        time.sleep(1.3)  # so that the late answers are in the record
        trials = [entry for entry in platform.simulation.requests.entries if entry.route == "node_servers"]
        # at 0, 60 and 180 s
        assert len(trials) == 15 + 3
        assert asked(platform)["resources"] == 0
        outcomes = rows(
            platform,
            "select outcome, count(*), min(reason) from raw_pterodactyl.utilization_samples "
            "where node_name = 'wide-001' group by 1",
        )
        ((outcome, count, _),) = outcomes
        assert (outcome, count) == ("node_unreachable", 45)
        assert any("is not asked again before 12:01:00 UTC" in str(report.problems) for report in reports)


def test_a_node_that_drips_costs_one_deadline(opened: Opened) -> None:
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not done.wait(0.05):
                try:
                    connection.sendall(b"[")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    with opened() as platform, platform.landing.panel() as panel:
        begun = time.monotonic()
        answer = ask_node(
            panel,
            f"http://127.0.0.1:{listener.getsockname()[1]}/api/servers",
            "its servers",
            largest_bytes=1_000_000,
            timeout=(2, 2),
            deadline_seconds=0.5,
        )
        seconds = time.monotonic() - begun
    done.set()
    thread.join()
    listener.close()
    assert isinstance(answer, NodeTimeoutError)
    assert "was still sending its servers after 0.5 s" in str(answer)
    assert seconds < 5


def test_the_plan_knows_how_often_logs_are_read() -> None:
    assert {name: rhythm.every for name, rhythm in LOGS_PASS.rhythms.items()} == LOGS_EVERY


def test_the_last_samples_of_a_history_stand_until_the_schedule_goes_on(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.platform.demo.PASSES", {"utilization": PASSES["utilization"]})
    with opened() as platform:
        start = ANCHOR - timedelta(hours=1)
        platform.clock.move_to(start)
        make_history(platform.landing, lambda _done, _of: None, start=start, until=ANCHOR, preset="fresh")
        held = rows(platform, f"select distinct pass_at, interval_seconds from {SAMPLES} order by 1")
    assert [seconds for _, seconds in held] == [1800, 1800, 300]

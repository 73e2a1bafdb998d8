"""What settings say of replays: how often sites are asked, and what is kept of positions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pteroassets.clock import ManualClock
from pteroassets.landing.arma3.by_hand import reparse
from pteroassets.landing.arma3.passes import PASSES, nothing_due, read_sites
from pteroassets.landing.context import Landing
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.warehouse.connection import Connection
from tests.landing.replays.games import EVENING, EVERY, FIRST, SECOND, with_settings

pytestmark = pytest.mark.postgres

LIST = "/projects/wog-a3/games/"


def test_lists_are_asked_for_as_often_as_the_setting_says_and_their_tables_may_get_as_old(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    half_hourly = with_settings(landing, pteroassets_replay_poll_minutes=30)
    site.sites.publish(FIRST)
    read_sites(half_hourly, warehouse)
    site.sites.publish(SECOND)
    answers = []
    for tick in range(1, 7):
        # ticks come a little sooner or later
        clock.move_to(clock.now() + EVERY + timedelta(seconds=(-1) ** tick * 5))
        answers.append(nothing_due(half_hourly, warehouse, EVERY))
    assert site.sites.requests[LIST] == 2
    assert all("are read every 30 minutes" in str(answer) for answer in answers[:5])
    assert answers[5] is None
    assert nothing_due(landing, warehouse, EVERY) is None, "the other setting asks at each tick"
    (one,) = PASSES
    assert one.interval_kept is not None
    rhythm = one.rhythms["fresh"]
    kept = rhythm.kept_every(one.interval_kept(half_hourly, warehouse, rhythm.every))
    assert kept.stale_after - rhythm.stale_after == timedelta(minutes=25)
    assert one.interval_kept(landing, warehouse, rhythm.every) == EVERY


def test_a_long_interval_is_no_reason_to_read_once_an_hour(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    daily = with_settings(landing, pteroassets_replay_poll_minutes=1440)
    site.sites.publish(FIRST)
    read_sites(daily, warehouse)
    clock.sleep(23 * 3600)
    assert "are read every 1440 minutes" in str(nothing_due(daily, warehouse, EVERY))
    clock.sleep(3600)
    assert nothing_due(daily, warehouse, EVERY) is None


def test_positions_are_kept_as_the_settings_say_and_those_of_before_by_reading_again(
    landing: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    game = play(9, 9, EVENING, players=8, minutes=4)
    site.sites.upload(game, "extension4")
    usual = with_settings(landing, pteroassets_replay_sites=f"ocap:{site.url}")

    def kept() -> tuple[tuple[int, int], float, int]:
        row = warehouse.execute(
            "select (grid_metres, step_seconds), (select sum(seconds) from raw_arma3.positions), "
            "(select count(*) from raw_arma3.full_positions) from raw_arma3.replays"
        ).fetchone()
        assert row is not None
        return tuple(int(part) for part in row[0]), row[1], row[2]  # type: ignore[return-value]

    read_sites(usual, warehouse)
    (size, alive, full), cells = kept(), warehouse.execute("select count(*) from raw_arma3.positions").fetchall()
    assert (size, full) == ((100, 60), 0)
    every = with_settings(
        usual,
        pteroassets_replay_grid_metres=25,
        pteroassets_replay_step_seconds=10,
        pteroassets_replay_full_positions=True,
    )
    reparse(every, warehouse)
    assert kept()[:2] == ((25, 10), alive)
    assert warehouse.execute("select count(*) from raw_arma3.positions").fetchall() > cells
    # at the second of the game's middle each soldier is where the game has it
    frame = game.end // 2
    found = warehouse.execute(
        "select entity_id, x, y from raw_arma3.full_positions where %s between first_second and last_second",
        (frame * game.delay,),
    ).fetchall()
    there = [one for one in game.soldiers if one.start <= frame and (one.left_at is None or frame <= one.left_at)]
    assert {row[0]: row[1:] for row in found} == {
        **{one.unit_id: game.place(one, frame) for one in there},
        **{one.vehicle_id: game.place(one, frame) for one in game.machines},
    }
    reparse(usual, warehouse)
    assert kept() == (size, alive, 0)

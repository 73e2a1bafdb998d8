"""Replays are landed whole, each by itself: none is skipped, what cannot be read comes later, corrections are seen."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from pteroassets.alarms.outbox import Message, put
from pteroassets.clock import ManualClock
from pteroassets.defs.arma3 import listed_replays_are_read, replays
from pteroassets.landing.arma3 import rows
from pteroassets.landing.arma3.by_hand import reparse
from pteroassets.landing.arma3.passes import MADE_EVERY, nothing_due, read_sites
from pteroassets.landing.arma3.tables import REPLAYS, TABLES
from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.erasure import erase, find_person, mentions
from pteroassets.landing.opt_outs import OptOutList, add
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.sources.arma3.unpacking import Limits, unpack
from pteroassets.warehouse.connection import Connection
from tests.landing.replays.games import (
    EVENING,
    EVERY,
    FIRST,
    KEY,
    SECOND,
    THIRD,
    content,
    kills_of,
    standing,
)

pytestmark = pytest.mark.postgres


def test_several_games_at_once_are_all_landed_and_a_second_pass_changes_nothing(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    for game in (FIRST, SECOND, THIRD):
        site.sites.publish(game)
    reports = {report.table: report for report in read_sites(landing, warehouse)}
    assert (reports[REPLAYS].rows_read, reports[REPLAYS].rows_added) == (3, 3)
    assert standing(warehouse) == {game.number: ("ok", kills_of(game)) for game in (FIRST, SECOND, THIRD)}
    assert kills_of(FIRST) > 5
    row = warehouse.execute(
        "select started_at, ended_at, played_on, mission, island, winner, slots, players from raw_arma3.replays "
        "where site_number = 1"
    ).fetchone()
    assert row is not None
    assert (row[0], row[1]) == (FIRST.started_at, FIRST.ended_at.replace(microsecond=0))
    assert row[2:] == (
        FIRST.started_at.astimezone(ZoneInfo("Europe/Moscow")).date(),
        FIRST.mission,
        FIRST.island,
        FIRST.winner,
        FIRST.slots,
        len(FIRST.players),
    )
    before = content(warehouse)
    clock.sleep(2 * 3600)  # all are due again
    asked = sum(site.sites.requests.values())
    report = read_sites(landing, warehouse)[0]
    assert (report.rows_added, report.rows_changed, report.shown["unchanged"]) == (0, 0, 3)
    assert sum(site.sites.requests.values()) - asked == 7
    assert content(warehouse) == before


def test_a_game_below_the_newest_that_appears_late_is_landed(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(THIRD)
    site.sites.publish(FIRST, at=clock.now() + timedelta(hours=1))
    read_sites(landing, warehouse)
    assert [*standing(warehouse)] == [3]
    clock.sleep(3600)
    read_sites(landing, warehouse)
    assert [*standing(warehouse)] == [1, 3]


def test_a_game_whose_digest_is_damaged_is_tried_again_with_growing_pauses_and_holds_up_no_other(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.publish(SECOND)
    site.sites.fail("game=1", "half", "html", 500)
    pauses = []
    for outcome in ("truncated", "not_json", "unavailable"):
        report = read_sites(landing, warehouse)[0]
        assert report.is_complete
        assert [problem["scope"].split()[-1] for problem in report.problems] == ["1"]
        assert standing(warehouse)[1] == (outcome, 0)
        ((again, reason),) = warehouse.execute(
            "select next_try_at, reason from raw_arma3.replays where site_number = 1"
        ).fetchall()
        assert reason
        pauses.append(again - clock.now())
        read_sites(landing, warehouse)  # not yet
        clock.move_to(again)
    assert standing(warehouse)[2] == ("ok", kills_of(SECOND))
    assert [round(pause / timedelta(minutes=5)) for pause in pauses] == [1, 2, 4]
    assert site.sites.requests["/json/replay-data.json"] == 4
    read_sites(landing, warehouse)
    assert standing(warehouse)[1] == ("ok", kills_of(FIRST))


def test_a_guard_that_refuses_a_game_for_an_hour_costs_no_month(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.fail("/games/1/", 403)
    read_sites(landing, warehouse)
    assert standing(warehouse)[1] == ("refused", 0)
    clock.sleep(300)
    read_sites(landing, warehouse)
    assert standing(warehouse)[1] == ("ok", kills_of(FIRST))


def test_a_game_whose_rows_cannot_be_stored_leaves_none_and_holds_up_no_other(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    for game in (FIRST, SECOND, THIRD):
        site.sites.publish(game)
    # in the last table that is written, of the game that is read first
    warehouse.execute(
        f"alter table raw_arma3.replays add constraint refused check (site_number <> 3 or slots <> {THIRD.slots})"
    )
    report = read_sites(landing, warehouse)[0]
    assert standing(warehouse) == {1: ("ok", kills_of(FIRST)), 2: ("ok", kills_of(SECOND)), 3: ("unreadable", 0)}
    assert "its rows cannot be stored" in report.problems[0]["reason"]
    warehouse.execute("alter table raw_arma3.replays drop constraint refused")
    clock.sleep(300)
    read_sites(landing, warehouse)
    assert standing(warehouse)[3] == ("ok", kills_of(THIRD))


def test_a_correction_is_seen_and_one_that_cannot_be_read_leaves_what_is_there(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    read_sites(landing, warehouse)
    corrected = dataclasses.replace(FIRST, deaths=FIRST.deaths[:3], winner="CIV")
    site.sites.publish(corrected)
    site.sites.fail("game=1", "half")
    clock.sleep(3600)
    read_sites(landing, warehouse)
    assert standing(warehouse)[1] == ("ok", kills_of(FIRST))
    assert warehouse.execute("select last_outcome, tries from raw_arma3.replays").fetchall() == [("truncated", 1)]
    clock.sleep(3600)
    report = read_sites(landing, warehouse)[0]
    assert (report.rows_added, report.rows_changed) == (0, 1)
    assert standing(warehouse)[1] == ("ok", kills_of(corrected))
    assert warehouse.execute("select winner, last_outcome, tries from raw_arma3.replays").fetchall() == [
        ("CIV", None, 0)
    ]


def test_a_game_that_was_taken_back_keeps_its_rows_and_says_so(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.publish(SECOND)
    read_sites(landing, warehouse)
    site.sites.withdraw(1)
    clock.sleep(3600)
    read_sites(landing, warehouse)
    assert standing(warehouse)[1] == ("ok", kills_of(FIRST))
    assert warehouse.execute("select last_outcome from raw_arma3.replays where site_number = 1").fetchall() == [
        ("not_found",)
    ]


def test_changed_markup_costs_fields_and_keeps_the_page_and_the_fields_come_back(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.renamed = {"Остров": "Карта"}
    assert [*read_sites(landing, warehouse)[0].problems] == []
    row = warehouse.execute("select outcome, island, missing, mission, winner from raw_arma3.replays").fetchone()
    assert row is not None
    assert (row[0], row[1], [*row[2]], row[3:]) == ("incomplete", None, ["island"], (FIRST.mission, FIRST.winner))
    assert standing(warehouse)[1] == ("incomplete", kills_of(FIRST))
    ((digest,),) = warehouse.execute("select content_digest from raw_arma3.pages where document = 'page'").fetchall()
    assert "Карта".encode() in unpack(landing.store.get(digest), Limits())
    site.sites.renamed = {}
    clock.sleep(3600)
    read_sites(landing, warehouse)
    assert warehouse.execute("select outcome, island, missing from raw_arma3.replays").fetchall() == [
        ("ok", FIRST.island, {})
    ]


def test_a_site_that_is_down_is_left_alone_after_a_few_requests(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    for number in range(1, 9):
        site.sites.publish(play(number, number, EVENING, players=8, minutes=4))
    site.sites.fail("/json/", *[503] * 20)
    report = read_sites(landing, warehouse)[0]
    assert sum(site.sites.requests.values()) == 1 + 3 * 2
    assert "5 x left for a later pass" in report.problems[-1]["reason"]
    site.sites.faults.clear()
    clock.sleep(3600)
    reports = read_sites(landing, warehouse)
    assert {outcome for outcome, _ in standing(warehouse).values()} == {"ok"}
    assert reports[0].is_complete


def test_a_list_that_cannot_be_read_is_no_reading_and_is_left_alone_for_a_while(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.fail("/projects/", 500)
    report = read_sites(landing, warehouse)[0]
    assert not report.is_complete
    assert "status 500" in report.problems[0]["reason"]
    assert not read_sites(landing, warehouse)[0].is_complete
    assert site.sites.requests["/projects/wog-a3/games/"] == 1
    clock.sleep(300)
    assert read_sites(landing, warehouse)[0].is_complete


def test_a_list_that_was_refused_once_is_asked_for_again_within_a_day(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.fail("/projects/", 403)
    assert "status 403" in read_sites(landing, warehouse)[0].problems[0]["reason"]
    clock.sleep(86_400)
    assert read_sites(landing, warehouse)[0].is_complete
    assert standing(warehouse)[1][0] == "ok"


def test_a_tick_without_anything_new_costs_one_request_and_no_run(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    assert nothing_due(landing, warehouse, EVERY) is None
    assert sum(site.sites.requests.values()) == 0  # there was no pass yet, so there is nothing to ask
    read_sites(landing, warehouse)
    asked = sum(site.sites.requests.values())
    clock.sleep(300)
    assert "nothing is new" in str(nothing_due(landing, warehouse, EVERY))
    assert sum(site.sites.requests.values()) == asked + 1
    site.sites.publish(SECOND)
    clock.sleep(300)
    with landing.connect() as other, rows.one_at_a_time(other):
        assert "under way" in str(nothing_due(landing, warehouse, EVERY))
    assert nothing_due(landing, warehouse, EVERY) is None
    read_sites(landing, warehouse)
    assert standing(warehouse)[2][0] == "ok"
    clock.sleep(MADE_EVERY.total_seconds())
    assert nothing_due(landing, warehouse, EVERY) is None


def test_what_was_landed_before_its_models_were_built_is_told_by_the_next_tick(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    read_sites(landing, warehouse)
    clock.sleep(300)
    assert nothing_due(landing, warehouse, EVERY) is not None
    warehouse.execute(
        "create schema if not exists marts; create view marts.fct_arma3_replays as select 1 as replay_key"
    )
    assert nothing_due(landing, warehouse, EVERY) is None
    warehouse.execute(
        "insert into ops.replay_notices (replay_key, documents_digest, decided_at, told, reason, text) "
        "select replay_key, documents_digest, now(), false, 'small', '' from raw_arma3.replays"
    )
    assert "nothing is new" in str(nothing_due(landing, warehouse, EVERY))


@pytest.mark.parametrize("generation", ["legacy", "solidgames", "extension4", "extension5"])
def test_recordings_of_an_ocap_server_are_landed_beside_the_games_of_wog(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, generation: str
) -> None:
    site.sites.publish(FIRST)
    site.sites.upload(FIRST, generation)
    sites = f"wog:{site.url},ocap:{site.url}"
    both = dataclasses.replace(
        landing, settings=landing.settings.model_copy(update={"pteroassets_replay_sites": sites})
    )
    read_sites(both, warehouse)
    found = warehouse.execute(
        "select source, outcome, count(distinct kills.number), count(distinct positions) from raw_arma3.replays "
        "left join raw_arma3.kills using (replay_key) left join raw_arma3.positions using (replay_key) "
        "group by 1, 2 order by 1"
    ).fetchall()
    assert [row[0] for row in found] == ["ocap", "wog"]
    assert {row[1] for row in found} <= {"ok", "incomplete"}
    assert found[0][2] >= kills_of(FIRST)
    assert found[0][3] > 0
    assert found[1][3] == 0


def test_a_replay_behind_a_login_is_not_asked_for_again_soon(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    ocap = dataclasses.replace(
        landing, settings=landing.settings.model_copy(update={"pteroassets_replay_sites": f"ocap:{site.url}"})
    )
    site.sites.access = "password"
    assert "wants a login" in read_sites(ocap, warehouse)[0].problems[0]["reason"]
    clock.sleep(86_400)
    read_sites(ocap, warehouse)
    assert sum(site.sites.requests.values()) == 1


def test_who_is_to_be_forgotten_stands_in_no_row_and_in_no_document(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, tmp_path: Path
) -> None:
    site.sites.publish(FIRST)
    with warehouse.transaction():
        at = landing.clock.now()
        add(warehouse, {"Heron": "_aB3d"}, KEY.encode(), server_uuid=None, at=at)
    read_sites(landing, warehouse)
    assert "Heron" in {player.name for player, _ in FIRST.players.values()}
    said = str(content(warehouse))
    assert "Heron" not in said
    assert "_aB3d" in said
    stored = [landing.store.get(path.name.partition(".")[0]) for path in tmp_path.rglob("*.gz")]
    assert stored
    assert not any(b"Heron" in one for one in stored)


def test_a_player_is_forgotten_in_rows_and_documents_that_were_landed_before(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, tmp_path: Path
) -> None:
    site.sites.publish(FIRST)
    site.sites.upload(FIRST, "extension4")
    sites = f"wog:{site.url},ocap:{site.url}"
    both = dataclasses.replace(
        landing, settings=landing.settings.model_copy(update={"pteroassets_replay_sites": sites})
    )
    read_sites(both, warehouse)
    put(warehouse, Message(key="replay/a/1", target="channel:a", text="Heron won"), at=landing.clock.now())
    person = find_person(warehouse, "Heron")
    named = mentions(warehouse, person)
    assert {"raw_arma3.units", "raw_arma3.kills", "raw_arma3.stints"} <= named.keys()
    erased = erase(warehouse, landing.store, OptOutList(KEY.encode()), person, at=landing.clock.now())
    assert {table: count for table, count in erased.rows.items() if count} == named
    assert (erased.files, erased.orphans) == (2, 0)
    assert mentions(warehouse, person) == {}
    # what was told is to be edited
    assert warehouse.execute("select version from ops.outbox").fetchall() == [(2,)]
    stored = [
        bytes(unpack(landing.store.get(path.name.partition(".")[0]), Limits())) for path in tmp_path.rglob("*.gz")
    ]
    assert len(stored) == 5
    assert not any(b"Heron" in one for one in stored)
    # what is read again from there names nobody either
    reparse(both, warehouse)
    assert mentions(warehouse, person) == {}


def test_the_asset_shows_what_it_read_and_its_check_what_fails(
    landing: Landing, site: FakeReplaySites, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.fail("game=1", "html", "html", "html")
    for _ in range(3):
        result = dg.materialize([replays, listed_replays_are_read], resources={"landing": landing})
        assert result.success
        clock.sleep(3600)
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.metadata["failing"].value) == (False, 1)
    result = dg.materialize([replays, listed_replays_are_read], resources={"landing": landing})
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert len(result.get_asset_materialization_events()) == len(TABLES)
    by_hand = dg.RunConfig(ops={"arma3_replays": {"config": {"numbers": [1]}}})
    assert dg.materialize([replays], run_config=by_hand, resources={"landing": landing}).success

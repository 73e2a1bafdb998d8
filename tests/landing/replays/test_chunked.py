"""A server that has a recording in chunks alone: they are landed as one recording, and asked for once."""

from __future__ import annotations

from collections import Counter

import pytest

from pteroassets.clock import ManualClock
from pteroassets.landing.arma3.by_hand import reparse
from pteroassets.landing.arma3.passes import read_sites
from pteroassets.landing.arma3.tables import PAGES, REPLAYS
from pteroassets.landing.context import Landing
from pteroassets.landing.minecraft.erasure import erase, find_person, mentions
from pteroassets.landing.opt_outs import OptOutList
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.sources.arma3.ocap_chunked import is_chunked
from pteroassets.warehouse.connection import Connection
from tests.landing.replays.games import EVENING, KEY, content, standing, with_settings

pytestmark = pytest.mark.postgres

GAME = play(1, 1, EVENING, minutes=30.0)


@pytest.fixture
def ocap(landing: Landing, site: FakeReplaySites) -> Landing:
    site.sites.upload(GAME, "extension5")
    site.sites.has_json = False
    return with_settings(landing, pteroassets_replay_sites=f"ocap:{site.url}")


def asked(site: FakeReplaySites) -> Counter[str]:
    return Counter({path.rpartition("/data/")[2].partition("/")[2]: n for path, n in site.sites.requests.items()})


def test_chunks_are_landed_as_one_recording_and_asked_for_again_only_where_the_manifest_changed(
    ocap: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    report = read_sites(ocap, warehouse)[0]
    assert [*report.problems] == []
    ((outcome, kills),) = standing(warehouse).values()
    assert (outcome, kills) == ("ok", sum(bool(one.killer or one.killer_machine) for one in GAME.deaths))
    assert warehouse.execute("select generation, players from raw_arma3.replays").fetchall() == [
        ("chunked", len(GAME.players))
    ]
    before = content(warehouse)
    found = asked(site)
    assert (found["manifest.pb"], found["chunks/0000.pb"], found["chunks/0001.pb"]) == (1, 1, 1)
    clock.sleep(2 * 3600)
    assert read_sites(ocap, warehouse)[0].shown["unchanged"] == 1
    found = asked(site)
    assert (found["manifest.pb"], found["chunks/0000.pb"], found["chunks/0001.pb"]) == (2, 1, 1)
    warehouse.execute("delete from raw_arma3.kills")
    reparse(ocap, warehouse)
    assert content(warehouse)["raw_arma3.kills"] == before["raw_arma3.kills"]


def test_a_chunk_that_does_not_come_leaves_the_recording_for_a_later_try(
    ocap: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.fail("chunks/0001", 503)
    (problem,) = read_sites(ocap, warehouse)[0].problems
    assert "status 503" in problem["reason"]
    assert [outcome for outcome, _ in standing(warehouse).values()] == ["unavailable"]
    clock.sleep(300)
    read_sites(ocap, warehouse)
    assert [outcome for outcome, _ in standing(warehouse).values()] == ["ok"]


def test_a_chunk_that_came_damaged_is_asked_for_again_and_not_kept(
    ocap: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.fail("chunks/0001", "half")
    (problem,) = read_sites(ocap, warehouse)[0].problems
    assert "chunks/0001.pb is damaged" in problem["reason"]
    assert [outcome for outcome, _ in standing(warehouse).values()] == ["truncated"]
    clock.sleep(300)
    read_sites(ocap, warehouse)
    assert [outcome for outcome, _ in standing(warehouse).values()] == ["ok"]


def test_where_the_server_has_the_json_its_chunks_are_left_alone(
    ocap: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    site.sites.has_json = True
    read_sites(ocap, warehouse)
    assert warehouse.execute("select generation from raw_arma3.replays").fetchall() == [("extension5",)]
    assert asked(site)["manifest.pb"] == 0


def test_a_recording_that_was_read_as_json_loses_nothing_where_its_server_converts_it(
    ocap: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.has_json = True
    read_sites(ocap, warehouse)
    before = content(warehouse)
    assert warehouse.execute("select winner from raw_arma3.replays").fetchall() == [(GAME.winner,)]
    site.sites.has_json = False
    clock.sleep(7200)
    assert read_sites(ocap, warehouse)[0].shown["unchanged"] == 1
    parts = [table for table in before if table not in (REPLAYS, PAGES)]
    assert {table: content(warehouse)[table] for table in parts} == {table: before[table] for table in parts}
    assert warehouse.execute("select winner, last_outcome, tries from raw_arma3.replays").fetchall() == [
        (GAME.winner, None, 0)
    ]


def test_a_recording_that_went_in_both_forms_is_not_there(
    ocap: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    site.sites.fail("manifest.pb", 404)
    (problem,) = read_sites(ocap, warehouse)[0].problems
    assert [outcome for outcome, _ in standing(warehouse).values()] == ["not_found"]
    assert "the site does not have it" in problem["reason"]
    assert "manifest.pb" not in problem["reason"], "what is missed is the recording"


def test_a_player_is_forgotten_in_chunks_too(ocap: Landing, warehouse: Connection) -> None:
    read_sites(ocap, warehouse)
    person = find_person(warehouse, "Heron")
    assert mentions(warehouse, person)
    erased = erase(warehouse, ocap.store, OptOutList(KEY.encode()), person, at=ocap.clock.now())
    assert (erased.files, mentions(warehouse, person)) == (1, {})
    digests = warehouse.execute("select content_digest from raw_arma3.pages where document = 'recording'").fetchall()
    stored = [ocap.store.get(digest) for (digest,) in digests if digest is not None]
    assert [is_chunked(one) for one in stored] == [True]
    assert not any(b"Heron" in one for one in stored)
    # what is read again names nobody either, and loses nobody
    reparse(ocap, warehouse)
    assert mentions(warehouse, person) == {}
    assert warehouse.execute("select players from raw_arma3.replays").fetchall() == [(len(GAME.players),)]

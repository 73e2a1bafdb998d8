"""Replays by their numbers: listed or not, of any site, in long spans, and all of them again from the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from pteroassets.clock import ManualClock
from pteroassets.defs.arma3 import listed_replays_are_read, replays
from pteroassets.landing.arma3 import by_hand, site_pass
from pteroassets.landing.arma3.by_hand import UnknownSiteError, load_replays, reparse
from pteroassets.landing.arma3.passes import nothing_due, read_sites
from pteroassets.landing.context import Landing
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.sources.arma3.client import SiteClient
from pteroassets.warehouse.connection import Connection
from tests.landing.replays.games import EVERY, FIRST, SECOND, THIRD, content, kills_of, standing, with_settings

pytestmark = pytest.mark.postgres


def test_history_is_read_again_without_asking_the_site(
    landing: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    site.sites.publish(FIRST)
    site.sites.publish(SECOND)
    read_sites(landing, warehouse)
    before, asked = content(warehouse), sum(site.sites.requests.values())
    warehouse.execute("delete from raw_arma3.kills")
    reparse(landing, warehouse)
    assert content(warehouse) == before
    assert sum(site.sites.requests.values()) == asked


def test_a_document_that_the_store_lacks_keeps_no_other_game_from_being_read_again(
    landing: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    site.sites.publish(FIRST)
    site.sites.publish(SECOND)
    read_sites(landing, warehouse)
    ((digest,),) = warehouse.execute(
        "select content_digest from raw_arma3.pages where replay_id = '1' and document = 'digest'"
    ).fetchall()
    landing.store.remove(digest)
    warehouse.execute("delete from raw_arma3.kills")
    (problem,) = reparse(landing, warehouse)[0].problems
    assert problem["scope"].endswith(" 1")
    assert "is not in the log store" in problem["reason"]
    assert standing(warehouse) == {1: ("ok", 0), 2: ("ok", kills_of(SECOND))}
    load_replays(landing, warehouse, [1])
    assert [*reparse(landing, warehouse)[0].problems] == []
    assert standing(warehouse)[1] == ("ok", kills_of(FIRST))


def test_a_site_is_the_same_however_its_host_is_written(
    landing: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    site.sites.publish(FIRST)
    for host in ("LocalHost", "localhost"):
        url = site.url.replace("127.0.0.1", host)
        read_sites(with_settings(landing, pteroassets_replay_sites=f"wog:{url}"), warehouse)
    assert standing(warehouse) == {1: ("ok", kills_of(FIRST))}
    assert warehouse.execute("select count(*) from raw_arma3.replays").fetchall() == [(1,)]


def test_a_game_by_its_number_needs_no_list_and_history_goes_on_where_it_was_interrupted(
    landing: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    site.sites.publish(FIRST)
    site.sites.publish(THIRD)
    seen: list[tuple[int, int]] = []
    load_replays(landing, warehouse, [1], advance=lambda done, of: seen.append((done, of)))
    assert (seen, [*standing(warehouse)]) == ([(1, 1)], [1])
    load_replays(landing, warehouse, range(1, 4), only_new=True)
    assert {number: outcome for number, (outcome, _) in standing(warehouse).items()} == {
        1: "ok",
        2: "not_found",
        3: "ok",
    }
    assert site.sites.requests["/games/1/"] == 1
    assert "/projects/wog-a3/games/" not in site.sites.requests
    # what is read by hand makes no table fresher
    assert warehouse.execute("select count(*) from ops.loads where is_complete").fetchall() == [(0,)]


def check(landing: Landing) -> dg.AssetCheckEvaluation:
    result = dg.materialize([replays, listed_replays_are_read], resources={"landing": landing})
    (found,) = result.get_asset_check_evaluations()
    return found


def test_a_number_that_the_site_never_had_is_no_failure_and_costs_no_request_until_a_month_later(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(SECOND)
    read_sites(landing, warehouse)
    for _ in range(4):
        load_replays(landing, warehouse, [1])
    assert warehouse.execute("select tries, is_listed from raw_arma3.replays where site_number = 1").fetchall() == [
        (4, False)
    ]
    asked = site.sites.requests["/games/1/"]
    clock.sleep(29 * 86_400)
    found = check(landing)
    assert (found.passed, found.metadata["never there"].value) == (True, 1)
    assert site.sites.requests["/games/1/"] == asked
    # it was asked for too early: once the list names it, it is due at once
    site.sites.publish(FIRST)
    assert nothing_due(landing, warehouse, EVERY) is None
    read_sites(landing, warehouse)
    assert standing(warehouse)[1] == ("ok", kills_of(FIRST))


def test_a_game_that_was_taken_back_is_no_failure_and_is_there_at_once_where_it_comes_back(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.publish(SECOND)
    read_sites(landing, warehouse)
    site.sites.withdraw(1)
    pauses = []
    for _ in range(12):
        ((again,),) = warehouse.execute("select next_try_at from raw_arma3.replays where site_number = 1").fetchall()
        pauses.append(again - clock.now())
        clock.move_to(again)
        read_sites(landing, warehouse)
    assert pauses[-1] > timedelta(days=1), "it is asked for ever more seldom"
    found = check(landing)
    assert (found.passed, found.metadata["taken back by the site"].value) == (True, 1)
    site.sites.publish(FIRST)
    clock.sleep(300)
    read_sites(landing, warehouse)
    assert warehouse.execute(
        "select last_outcome, is_listed from raw_arma3.replays where site_number = 1"
    ).fetchall() == [(None, True)]


def test_a_listed_game_that_is_not_there_is_a_failure(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, clock: ManualClock
) -> None:
    site.sites.publish(FIRST)
    site.sites.fail("/games/1/", 404, 404, 404, 404)
    for _ in range(3):
        read_sites(landing, warehouse)
        clock.sleep(3600)
    found = check(landing)
    assert (found.passed, found.metadata["failing"].value) == (False, 1)


def test_any_site_can_be_named_and_a_name_of_none_says_which_there_are(
    landing: Landing, site: FakeReplaySites, warehouse: Connection
) -> None:
    host = site.url.partition("//")[2]
    both = with_settings(landing, pteroassets_replay_sites=f"wog:http://wog.test:1,ocap:{site.url}")
    site.sites.upload(FIRST, "extension4")
    report = load_replays(both, warehouse, [1], site=host)[0]
    assert (report.rows_added, [*report.problems]) == (1, [])
    for name in (f"ocap:{host}", f"ocap:{site.url}/"):
        assert load_replays(both, warehouse, [1], site=name)[0].shown["unchanged"] == 1
    assert "it lists no replay 2" in load_replays(both, warehouse, [2], site=host)[0].problems[0]["reason"]
    with pytest.raises(UnknownSiteError, match=rf"'elsewhere' is no site .*: name one of wog:wog.test:1, ocap:{host}"):
        load_replays(both, warehouse, [1], site="elsewhere")
    twice = with_settings(landing, pteroassets_replay_sites=f"wog:{site.url},ocap:{site.url}")
    with pytest.raises(UnknownSiteError, match="is several sites"):
        load_replays(twice, warehouse, [1], site=host)
    by_number = dg.RunConfig(ops={"arma3_replays": {"config": {"numbers": [1], "site": f"ocap:{host}"}}})
    assert dg.materialize([replays], run_config=by_number, resources={"landing": twice}).success


def test_a_long_span_is_gone_through_in_parts_and_ends_where_the_site_does_not_answer(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_hand, "_AT_ONCE", 2)
    for game in (FIRST, SECOND, THIRD):
        site.sites.publish(game)
    seen: list[tuple[int, int]] = []
    load_replays(landing, warehouse, range(1, 6), only_new=True, advance=lambda done, of: seen.append((done, of)))
    assert {number: outcome for number, (outcome, _) in standing(warehouse).items()} == {
        **dict.fromkeys((1, 2, 3), "ok"),
        **dict.fromkeys((4, 5), "not_found"),
    }
    assert [*dict.fromkeys(seen)] == [(done, 5) for done in range(1, 6)]
    site.sites.fail("/games/", *[503] * 9)
    span: Sequence[int] = range(6, 2_000_000_006)
    (problem,) = load_replays(landing, warehouse, span, only_new=True)[0].problems[-1:]
    assert problem["reason"].startswith("1999999997 x left for a later pass")
    # those of the parts that were not begun are no rows, so that no pass goes on with them
    assert len(standing(warehouse)) <= 5 + 4


def test_connections_to_a_site_are_closed(
    landing: Landing, site: FakeReplaySites, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[SiteClient] = []
    closed: list[SiteClient] = []

    class Watched(SiteClient):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            begun.append(self)

        def close(self) -> None:
            super().close()
            closed.append(self)

    monkeypatch.setattr(site_pass, "SiteClient", Watched)
    site.sites.publish(FIRST)
    read_sites(landing, warehouse)
    nothing_due(landing, warehouse, EVERY)
    load_replays(landing, warehouse, [1])
    reparse(landing, warehouse)
    assert len(begun) == 4
    assert closed == begun

"""The client asks both sites, which are not always well; each answer has one outcome and no exception."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pteroassets.clock import ManualClock
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.simulator.arma3.stub import Fault
from pteroassets.sources.arma3.client import PASSING, FetchOutcome, SiteClient
from pteroassets.sources.arma3.ocap import read_recording
from pteroassets.sources.arma3.ocap_list import operations_url, read_operations
from pteroassets.sources.arma3.unpacking import Limits
from pteroassets.sources.arma3.wog import LIST_PATH, digest_url, game_url, read_list
from pteroassets.sources.arma3.wog_game import read_game

EVENING = datetime(2026, 1, 17, 20, 50, tzinfo=UTC)
GAME = play(1, 3405, EVENING)
ODD = play(2, 3406, EVENING)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(EVENING + timedelta(hours=2))


@pytest.fixture
def site(clock: ManualClock) -> Iterator[FakeReplaySites]:
    with FakeReplaySites(clock) as running:
        running.sites.publish(GAME)
        running.sites.upload(GAME, "extension4")
        yield running


@pytest.fixture
def client(clock: ManualClock) -> Iterator[SiteClient]:
    made = SiteClient(clock, contact="admin@example.org")
    yield made
    made.close()


def test_a_game_from_the_list_to_its_kills(site: FakeReplaySites, client: SiteClient) -> None:
    found = client.get(site.url + LIST_PATH, wants_json=False)
    (listed,) = read_list(found.content or b"", site.url).replays
    page = client.get(listed.url, wants_json=False)
    digest = client.get_first(listed.data_urls)
    reading = read_game(page.content, digest.content, game=listed.site_number or 0, site=site.url)
    assert (reading.replay.outcome, reading.replay.mission) == ("ok", GAME.mission)
    assert len(reading.units) == len(GAME.players)
    assert site.sites.agents == {next(iter(site.sites.agents))}
    assert "pteroassets/" in next(iter(site.sites.agents))
    assert "admin@example.org" in next(iter(site.sites.agents))


@pytest.mark.parametrize("shows_suffixes", [False, True])
def test_a_recording_is_found_whatever_its_suffix_is(
    site: FakeReplaySites, client: SiteClient, *, shows_suffixes: bool
) -> None:
    site.sites.shows_suffixes = shows_suffixes
    site.sites.upload(ODD, "solidgames")
    listing = read_operations(client.get(operations_url(site.url)).content or b"", site.url)
    assert [one.site_number for one in listing.replays] == [1, 2]
    for one, generation in zip(listing.replays, ("extension4", "solidgames"), strict=True):
        fetched = client.get_first(one.data_urls)
        assert (fetched.outcome, (fetched.content or b"")[:2]) == ("ok", b"\x1f\x8b")
        assert read_recording(fetched.content or b"", one).replay.generation == generation


def test_requests_have_pauses_that_grow_with_failures(
    site: FakeReplaySites, client: SiteClient, clock: ManualClock
) -> None:
    began = clock.now()
    url = game_url(3405, site.url)
    site.sites.fail("/games/3405/", 500, 502, 503)
    outcomes = [client.get(url, wants_json=False).outcome for _ in range(5)]
    assert outcomes == ["unavailable"] * 3 + ["ok"] * 2
    assert clock.now() - began == timedelta(seconds=2 + 4 + 8 + 1)


def test_what_did_not_change_is_not_sent_again(site: FakeReplaySites, client: SiteClient) -> None:
    first = client.get(digest_url(3405, site.url))
    again = client.get(digest_url(3405, site.url), known=first.known)
    assert (again.outcome, again.content, again.known) == ("unchanged", None, first.known)
    site.sites.publish(play(9, 3405, EVENING))
    corrected = client.get(digest_url(3405, site.url), known=first.known)
    assert corrected.outcome == "ok"
    assert corrected.fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (401, "needs_login"),
        (403, "refused"),
        (404, "not_found"),
        (410, "not_found"),
        (408, "unavailable"),
        (500, "unavailable"),
        (503, "unavailable"),
        ("html", "not_json"),
        ("cut", "truncated"),
        ("elsewhere", "refused"),
        ("nowhere", "refused"),
        ("late", "ok"),
    ],
)
def test_each_fault_has_one_outcome(
    site: FakeReplaySites, client: SiteClient, fault: Fault, outcome: FetchOutcome
) -> None:
    site.sites.fail("replay-data", fault)
    fetched = client.get(digest_url(3405, site.url))
    assert fetched.outcome == outcome
    assert (fetched.content is not None) == (outcome in {"ok", "not_json"})
    assert (fetched.reason is None) == (outcome == "ok")
    assert client.get(digest_url(3405, site.url)).outcome == "ok"


def test_half_a_recording_is_fetched_and_told_when_it_is_read(site: FakeReplaySites, client: SiteClient) -> None:
    (one,) = read_operations(client.get(operations_url(site.url)).content or b"", site.url).replays
    site.sites.fail("/data/", "half")
    fetched = client.get_first(one.data_urls)
    assert fetched.outcome == "ok"
    assert read_recording(fetched.content or b"", one).replay.outcome == "truncated"


def test_a_site_that_asks_for_a_pause_gets_it(site: FakeReplaySites, client: SiteClient, clock: ManualClock) -> None:
    url = digest_url(3405, site.url)
    site.sites.fail("replay-data", 429)
    assert (client.get(url).outcome, client.requests) == ("rate_limited", 1)
    refused = client.get(game_url(3405, site.url), wants_json=False)
    assert (refused.outcome, refused.wait_seconds, client.requests) == ("rate_limited", 7, 1)
    clock.sleep(7)
    assert (client.get(url).outcome, client.requests) == ("ok", 2)


def test_a_login_is_told_apart_and_not_asked_again(site: FakeReplaySites, client: SiteClient) -> None:
    site.sites.access = "password"
    found = client.get(operations_url(site.url))
    assert (found.outcome, found.outcome in PASSING) == ("needs_login", False)
    assert "make replays public" in str(found.reason)


def test_too_large_an_answer_is_not_taken(site: FakeReplaySites, clock: ManualClock) -> None:
    (one,) = read_operations(SiteClient(clock).get(operations_url(site.url)).content or b"", site.url).replays
    assert SiteClient(clock, largest_bytes=1000).get_first(one.data_urls).outcome == "too_large"
    assert SiteClient(clock, limits=Limits(unpacked_bytes=1000)).get_first(one.data_urls).outcome == "too_large"


def test_no_answer_at_all(client: SiteClient, clock: ManualClock) -> None:
    with FakeReplaySites(clock) as gone:
        url = gone.url
    fetched = client.get(f"{url}/api/v1/operations")
    assert (fetched.outcome, fetched.status, fetched.reason) == (
        "unavailable",
        None,
        "no answer (ConnectionError): try again later",
    )


def test_packing_anew_is_no_change(site: FakeReplaySites, client: SiteClient) -> None:
    (one,) = read_operations(client.get(operations_url(site.url)).content or b"", site.url).replays
    fetched = client.get_first(one.data_urls)
    content = gzip.decompress(fetched.content or b"")
    site.sites.operations[1].content = content
    assert client.get_first(one.data_urls).fingerprint == fetched.fingerprint
    site.sites.operations[1].content = content + b" "
    assert client.get_first(one.data_urls).fingerprint != fetched.fingerprint

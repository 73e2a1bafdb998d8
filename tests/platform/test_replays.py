"""The commands that read replays by hand, against a site on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pteroassets.cli import main
from pteroassets.clock import SystemClock
from pteroassets.simulator.arma3.game import play
from pteroassets.simulator.arma3.serve import FakeReplaySites
from pteroassets.warehouse.connection import Connection, ConnectionSettings

pytestmark = pytest.mark.postgres

GAME = play(1, 3405, datetime(2026, 1, 17, 20, 50, tzinfo=UTC), players=8, minutes=4)


@pytest.fixture
def site() -> Iterator[FakeReplaySites]:
    with FakeReplaySites(SystemClock()) as running:
        running.sites.publish(GAME)
        yield running


@pytest.fixture
def call(
    warehouse_settings: ConnectionSettings, site: FakeReplaySites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CliRunner:
    given = {
        **warehouse_settings.environment(),
        "PTEROASSETS_HOME": str(tmp_path),
        "PTEROASSETS_REPLAY_SITES": f"wog:{site.url}",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_game_is_loaded_by_its_number_and_read_again_from_the_store(
    call: CliRunner, site: FakeReplaySites, warehouse: Connection
) -> None:
    loaded = call.invoke(main, ["replays", "load", "3405"])
    assert (loaded.exit_code, "1 replay read, 0 read again" in said(loaded)) == (0, True), loaded.output
    asked = sum(site.sites.requests.values())
    again = call.invoke(main, ["replays", "reparse"])
    assert (again.exit_code, "0 replays read, 1 read again" in said(again)) == (0, True), again.output
    assert sum(site.sites.requests.values()) == asked
    kills = warehouse.execute("select count(*) from raw_arma3.kills").fetchall()
    assert kills[0][0] > 0


def test_a_span_reads_what_is_there_and_says_what_is_not(call: CliRunner) -> None:
    result = call.invoke(main, ["replays", "backfill", "--from", "3404", "--to", "3405"])
    assert result.exit_code == 1
    assert "1 replay read" in said(result)
    assert "3404: the page: the site has no such game" in said(result)
    turned = call.invoke(main, ["replays", "backfill", "--from", "9", "--to", "3"])
    assert (turned.exit_code, "--to is 3, before --from, which is 9" in said(turned)) == (2, True)


def test_a_span_that_would_take_years_is_refused_and_says_how_much_is_read_at_once(
    call: CliRunner, site: FakeReplaySites
) -> None:
    result = call.invoke(main, ["replays", "backfill", "--from", "1", "--to", "2000000000"])
    assert result.exit_code == 2
    assert "2,000,000,000 numbers" in said(result)
    assert "such as --to 100000" in said(result)
    assert not site.sites.requests


def test_the_site_is_named_by_its_host(call: CliRunner, site: FakeReplaySites) -> None:
    host = site.url.partition("//")[2]
    loaded = call.invoke(main, ["replays", "load", "3405", "--site", host])
    assert (loaded.exit_code, "1 replay read" in said(loaded)) == (0, True), loaded.output
    result = call.invoke(main, ["replays", "backfill", "--from", "1", "--to", "2", "--site", "other.test"])
    assert result.exit_code == 1
    assert f"'other.test' is no site of PTEROASSETS_REPLAY_SITES: name one of wog:{host}" in said(result)


def test_a_long_span_of_numbers_that_are_not_there_says_so_of_the_first_ones(
    call: CliRunner, site: FakeReplaySites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTEROASSETS_REPLAY_SITES", f"ocap:{site.url}")
    site.sites.upload(GAME, "extension4")
    result = call.invoke(main, ["replays", "backfill", "--from", "1", "--to", "250"])
    assert result.exit_code == 1
    assert "1 replay read" in said(result)
    assert result.output.count("it lists no replay") == 100
    assert "and 149 more" in said(result)
    assert sum(site.sites.requests.values()) == 2, "the list says which numbers there are"


@pytest.mark.parametrize("number", ["abc", "0", "9" * 20])
def test_what_is_no_number_of_a_game_is_refused(call: CliRunner, number: str) -> None:
    result = call.invoke(main, ["replays", "load", number])
    assert (result.exit_code, f"{number!s}" in said(result), "NUMBER" in said(result)) == (2, True, True)


def test_without_a_site_it_says_which_setting_names_one(call: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PTEROASSETS_REPLAY_SITES")
    result = call.invoke(main, ["replays", "load", "3405"])
    assert result.exit_code == 1
    assert "set PTEROASSETS_REPLAY_SITES" in said(result)

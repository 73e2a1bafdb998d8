"""Passes over the logs of a simulated panel, into a real Postgres."""

from __future__ import annotations

import dataclasses
import io
import json
import uuid
from datetime import date
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from pteroassets.cli import main
from pteroassets.defs.minecraft_checks import (
    bytes_are_read,
    every_log_was_read,
    lines_are_understood,
    timezone_agrees_with_listing,
)
from pteroassets.landing.context import Landing
from pteroassets.landing.files.collection import LogBudget
from pteroassets.landing.files.rows import FileRead
from pteroassets.landing.minecraft import parsing
from pteroassets.landing.minecraft.collection import LOGS, LogPlaces
from pteroassets.landing.minecraft.passes import WaitingLogsError, backfill, reparse
from pteroassets.landing.servers import LogTimezones, server_traits
from pteroassets.platform.progress import bytes_under_way
from pteroassets.simulator.panel.faults import Fault
from pteroassets.sources.minecraft.events import PARSER_VERSION
from pteroassets.warehouse.connection import connect
from tests.harness import PII_KEY, Platform, table_rows

pytestmark = pytest.mark.postgres

TABLES = [
    *("raw_minecraft.log_files", "raw_minecraft.events"),
    *("derived_minecraft.player_sessions", "derived_minecraft.server_runs"),
]


def ask(platform: Platform, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text, values).fetchall()


def materialized_rows(platform: Platform) -> dict[str, list[tuple[Any, ...]]]:
    with connect(platform.settings, autocommit=True) as connection:
        return {table: table_rows(connection, table, without={"fetched_at"}) for table in TABLES}


def ignored(_done: int, _total: int) -> None:
    """Of how far something is."""


def of_budget(platform: Platform, *, requests: int, size: int) -> Landing:
    budget = {"pteroassets_log_requests_per_pass": requests, "pteroassets_log_bytes_per_pass": size}
    landing = platform.landing
    return dataclasses.replace(landing, settings=landing.settings.model_copy(update=budget))


def file_requests(platform: Platform) -> list[str]:
    """The routes of requests about files, in the order in which the panel answered them."""
    names = ("files_list", "contents", "download", "node_download")
    return [
        entry.route for entry in platform.simulation.requests.entries if entry.route in names or "/files/" in entry.path
    ]


def test_passes_of_a_small_budget_come_to_what_one_large_pass_does(whole: Platform) -> None:
    expected = materialized_rows(whole)
    ask_and_forget(whole)
    passes = 0
    while not passes or left(whole):
        whole.clock.sleep(60)
        whole.logs(budget=LogBudget(requests=12, bytes=20_000))
        passes += 1
        assert passes < 30
    assert passes > 2
    found = materialized_rows(whole)
    # the servers wrote on meanwhile, so only what was closed by then is compared
    assert archived(found) == archived(expected)


def ask_and_forget(platform: Platform) -> None:
    with connect(platform.settings, autocommit=True) as connection:
        connection.execute(
            f"truncate {', '.join([*TABLES, 'raw_minecraft.log_reads'])}".replace("events", "event_rows")
        )


def archived(found: dict[str, list[tuple[Any, ...]]]) -> set[tuple[str, ...]]:
    return {row[:4] for row in found["raw_minecraft.log_files"] if row[2].endswith(".gz")}


def left(platform: Platform) -> int:
    return int(
        ask(
            platform,
            "select count(*) from raw_minecraft.log_reads where outcome = 'budget_spent' "
            "and observed_at = (select max(observed_at) from raw_minecraft.log_reads)",
        )[0][0]
    )


def test_sessions_that_were_derived_without_older_archives_are_right_once_those_arrive(whole: Platform) -> None:
    expected = materialized_rows(whole)
    ask_and_forget(whole)
    servers = len(ask(whole, "select 1 from raw_pterodactyl.servers where valid_to is null"))
    gaps = passes = 0
    while not passes or left(whole):
        # the world stands still, so what comes of it must be the same; an archive or two a pass
        with connect(whole.settings, autocommit=True) as connection:
            connection.execute("delete from raw_minecraft.log_reads")
        whole.logs(budget=LogBudget(requests=2 * servers + passes % 2, bytes=1 << 30))
        gaps += ask(whole, "select count(*) from derived_minecraft.player_sessions where close_reason = 'log_gap'")[0][
            0
        ]
        passes += 1
        assert passes < 30
    assert passes > 2
    assert gaps > 0, "while files are missing their neighbours' sessions do not seem to have ended otherwise"
    found = materialized_rows(whole)
    for table, wanted in expected.items():
        assert (found[table] == wanted) is True, table


def test_live_logs_of_all_servers_are_read_before_any_archive(platform: Platform) -> None:
    servers = len(ask(platform, "select 1 from raw_pterodactyl.servers where valid_to is null"))
    platform.collect(budget=LogBudget(requests=2 * servers + 3, bytes=1 << 30))
    live, archives = ask(
        platform,
        "select count(*) filter (where is_live), count(*) filter (where not is_live) from raw_minecraft.log_files",
    )[0]
    assert live == len(ask(platform, "select 1 from raw_minecraft.log_reads where path = '' and outcome = 'ok'"))
    assert 0 < archives < ask(platform, "select count(*) from raw_minecraft.log_reads where path <> ''")[0][0] - live


def test_with_too_few_requests_for_all_lists_every_server_gets_its_turn(platform: Platform) -> None:
    for _ in range(6):
        platform.clock.sleep(60)
        platform.collect(budget=LogBudget(requests=4, bytes=1 << 30))
    outcomes = dict(
        ask(
            platform,
            "select server_uuid, bool_or(outcome = 'ok') from raw_minecraft.log_reads where path = '' "
            "and outcome in ('ok', 'budget_spent') group by server_uuid",
        )
    )
    assert outcomes
    assert all(outcomes.values())


def test_servers_of_other_games_are_told_and_not_asked(platform: Platform) -> None:
    before = len(platform.simulation.requests.entries)
    platform.collect()
    asked = platform.simulation.requests.entries[before:]
    passed_over = ask(
        platform, "select server_uuid::text, reason from raw_minecraft.log_reads where outcome = 'not_minecraft'"
    )
    assert passed_over
    for server, reason in passed_over:
        assert "PTEROASSETS_LOG_PATHS" in reason
        assert not [entry.path for entry in asked if server in entry.path]


def test_a_server_whose_egg_is_not_known_is_tried(platform: Platform) -> None:
    with connect(platform.settings, autocommit=True) as connection:
        connection.execute("truncate raw_pterodactyl.eggs")
    platform.collect()
    outcomes = {row[0] for row in ask(platform, "select outcome from raw_minecraft.log_reads where path = ''")}
    assert outcomes == {"ok", "no_log_folder"}


def test_a_path_of_the_operator_goes_before_what_is_known_of_the_egg(platform: Platform) -> None:
    with connect(platform.settings, autocommit=True) as connection:
        traits = next(iter(row for row in server_traits(connection).values() if row.egg_name == "Rust"))
    places = LogPlaces(by_name={"rust": "/logs/", str(traits.server_uuid): "/data/console.log"})
    assert places.of(traits.server_uuid, traits).folder == "/data"
    assert places.of(traits.server_uuid, traits).live == "console.log"
    assert places.of(uuid.uuid4(), traits).folder == "/logs"
    assert LogPlaces().of(traits.server_uuid, traits).folder is None
    assert LogPlaces().of(traits.server_uuid, None).folder == "/logs"


def test_a_zone_may_be_that_of_an_egg_or_of_a_node(platform: Platform) -> None:
    with connect(platform.settings, autocommit=True) as connection:
        traits = [row for row in server_traits(connection).values() if row.egg_name and row.node_name]
        one = traits[0]
        node, egg, own = "Asia/Tokyo", "Europe/Oslo", "America/Lima"
        of_node = LogTimezones(by_server={str(one.node_name).upper(): node}, default="UTC").of_servers(connection)
        of_egg = LogTimezones(by_server={str(one.node_name): node, str(one.egg_name): egg}).of_servers(connection)
        of_own = LogTimezones(by_server={str(one.egg_name): egg, str(one.server_uuid): own}).of_servers(connection)
    assert of_node.name_and_source(str(one.server_uuid)) == (node, "server")
    assert of_egg.name_and_source(str(one.server_uuid)) == (egg, "server")
    assert of_own.name_and_source(str(one.server_uuid)) == (own, "server")
    assert of_node.name_and_source(str(uuid.uuid4())) == ("UTC", "default")


def test_a_pass_that_finds_nothing_new_only_lists(platform: Platform) -> None:
    platform.collect()
    before = len(file_requests(platform))
    platform.collect()
    again = file_requests(platform)[before:]
    assert len(again) == len(ask(platform, "select distinct server_uuid from raw_minecraft.log_files"))
    assert ask(platform, "select 1 from raw_minecraft.log_reads where path = '' and bytes_read < bytes_present") == []


def test_a_newer_parser_reads_all_of_history_again_without_the_panel(
    whole: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = materialized_rows(whole)
    requests = len(whole.simulation.requests.entries)
    monkeypatch.setattr(parsing, "PARSER_VERSION", "newer")
    whole.derive()
    assert len(whole.simulation.requests.entries) == requests
    assert ask(whole, "select distinct parser_version from raw_minecraft.events") == [("newer",)]
    monkeypatch.setattr(parsing, "PARSER_VERSION", PARSER_VERSION)
    whole.derive()
    assert (materialized_rows(whole) == expected) is True


def test_history_of_one_server_since_a_day_can_be_read_again(whole: Platform) -> None:
    expected = materialized_rows(whole)
    server = ask(whole, "select server_uuid from raw_minecraft.events group by 1 order by count(*) desc")[0][0]
    day = date(2026, 10, 28)
    with connect(whole.settings, autocommit=True) as connection:
        connection.execute(
            "with spoilt as (insert into raw_minecraft.event_players (player_name) values ('spoilt') returning *) "
            "update raw_minecraft.event_rows set player_id = (select player_id from spoilt)"
        )
    reports = reparse(whole.landing, ignored, servers=[server], since=day)
    assert reports[0].rows_read > 0
    mended = ask(
        whole,
        "select bool_and(player_name is distinct from 'spoilt') filter (where server_uuid = %s and log_date >= %s), "
        "bool_and(player_name = 'spoilt') filter (where server_uuid <> %s or log_date < %s) from raw_minecraft.events",
        server, day, server, day,
    )  # fmt: skip
    assert mended == [(True, True)]
    reparse(whole.landing, ignored)
    found = materialized_rows(whole)
    for table, wanted in expected.items():
        assert (found[table] == wanted) is True, table


def test_a_file_that_the_store_lost_is_told_and_keeps_no_other_from_being_read(whole: Platform) -> None:
    events = ask(whole, "select count(*) from raw_minecraft.events")
    digest, server = ask(
        whole, "select content_digest, server_uuid from raw_minecraft.log_files order by parsed_lines desc limit 1"
    )[0]
    whole.store.remove(digest)
    with pytest.raises(FileNotFoundError, match=f"1 log files could not be parsed.*{server}.*reload that day"):
        reparse(whole.landing, ignored)
    assert ask(whole, "select count(*) from raw_minecraft.events") == events
    assert ask(whole, "select is_complete from ops.loads where table_name = 'raw_minecraft.events' "
                      "order by _loaded_at desc limit 1") == [(False,)]  # fmt: skip


def test_a_back_fill_makes_passes_until_nothing_is_left(platform: Platform) -> None:
    shown = io.StringIO()
    with bytes_under_way(Console(file=shown, force_terminal=True, width=100), "fetching logs") as advance:
        reports = backfill(of_budget(platform, requests=18, size=40_000), advance)
    assert len(reports) > 1
    assert left(platform) == 0
    present, read = ask(
        platform,
        "select sum(bytes_present), sum(bytes_read) from (select distinct on (server_uuid) * "
        "from raw_minecraft.log_reads where path = '' and outcome = 'ok' "
        "order by server_uuid, observed_at desc, bytes_read desc) as newest",
    )[0]
    assert present == read
    assert "fetching logs" in shown.getvalue()
    assert ask(platform, "select count(*) > 0 from derived_minecraft.player_sessions") == [(True,)]


def test_a_back_fill_that_gets_nowhere_says_so(platform: Platform) -> None:
    with pytest.raises(WaitingLogsError, match="PTEROASSETS_LOG_REQUESTS_PER_PASS"):
        # nothing is left of one request when a server is listed
        backfill(of_budget(platform, requests=1, size=1), ignored)


def materialized(platform: Platform, check: Any) -> dg.AssetCheckResult:
    result = check(landing=platform.landing)
    assert isinstance(result, dg.AssetCheckResult)
    return result


def test_what_waits_for_a_later_pass_is_a_warning_and_what_failed_is_an_error(platform: Platform) -> None:
    platform.collect(budget=LogBudget(requests=14, bytes=1))
    result = materialized(platform, every_log_was_read)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "backfill" in str(result.metadata["remedy"])
    platform.clock.sleep(60)
    platform.simulation.faults.add(Fault(status=500, route="contents"))
    platform.collect()
    result = materialized(platform, every_log_was_read)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    platform.simulation.faults.clear()
    platform.clock.sleep(60)
    platform.collect()
    assert materialized(platform, every_log_was_read).passed


def test_a_server_whose_zone_is_not_that_of_its_listing_is_named(whole: Platform) -> None:
    assert materialized(whole, timezone_agrees_with_listing).passed
    with connect(whole.settings, autocommit=True) as connection:
        ((server,),) = connection.execute(
            "update ops.server_timezones set timezone = 'Asia/Kathmandu' where server_uuid = "
            "(select min(server_uuid::text)::uuid from raw_minecraft.log_files where is_listed) returning server_uuid"
        ).fetchall()
    result = materialized(whole, timezone_agrees_with_listing)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    (named,) = result.metadata["disagreeing"].value
    assert (named["server"], named["zone"], named["zone_offset_seconds"]) == (str(server), "Asia/Kathmandu", 20_700)
    assert "PTEROASSETS_LOG_TIMEZONES" in str(result.metadata["remedy"])


def test_a_server_of_whose_bytes_less_is_read_than_before_is_named(whole: Platform) -> None:
    assert materialized(whole, bytes_are_read).passed
    whole.clock.sleep(36 * 3600)
    whole.simulation.faults.add(Fault(status=500, route="contents", path_ends=".gz"))
    whole.collect()
    result = materialized(whole, bytes_are_read)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    named = result.metadata["less_read"].value
    assert named
    assert all(entry["share_read"] < entry["share_read_before"] for entry in named)
    assert any("error" in str(entry["for_example"]) for entry in named)
    assert "pteroassets logs parse" in str(result.metadata["remedy"])


def test_a_server_whose_newest_lines_are_understood_less_than_earlier_ones_is_named(whole: Platform) -> None:
    server, key = ask(
        whole,
        "select server_uuid, min(file_key) filter (where is_live) from raw_minecraft.log_files group by 1 "
        "having count(*) > 3 order by 1",
    )[0]
    with connect(whole.settings, autocommit=True) as connection:
        connection.execute(
            "update raw_minecraft.log_files set parsed_lines = 1000, lines_continuation = 100, "
            "lines_understood = 300, lines_ignored = 300, lines_unknown = 300 where server_uuid = %s",
            (server,),
        )
        # another server with few lines says nothing
        connection.execute(
            "update raw_minecraft.log_files set parsed_lines = 20, lines_understood = 0, lines_ignored = 0, "
            "lines_continuation = 0, lines_unknown = 20 where server_uuid <> %s",
            (server,),
        )
    assert materialized(whole, lines_are_understood).passed
    with connect(whole.settings, autocommit=True) as connection:
        connection.execute(
            "update raw_minecraft.log_files set parsed_lines = 9000, lines_understood = 50, lines_ignored = 50, "
            "lines_unknown = 8800 where server_uuid = %s and file_key = %s",
            (server, key),
        )
    result = materialized(whole, lines_are_understood)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert [entry["server"] for entry in result.metadata["less_understood"].value] == [str(server)]
    assert "--unknown" in str(result.metadata["remedy"])


def test_a_server_of_which_hardly_a_line_is_understood_is_named_without_any_earlier_file(whole: Platform) -> None:
    with connect(whole.settings, autocommit=True) as connection:
        connection.execute(
            "update raw_minecraft.log_files set parsed_lines = 1000, lines_understood = 1, lines_ignored = 0, "
            "lines_continuation = 0, lines_unknown = 999"
        )
    assert not materialized(whole, lines_are_understood).passed


def test_packed_logs_that_are_not_unpacked_are_said_once_and_are_a_warning(platform: Platform) -> None:
    platform.entities()
    server = str(ask(platform, "select uuid from raw_pterodactyl.servers where valid_to is null limit 1")[0][0])
    now = platform.clock.now()
    reads = [
        FileRead(server_uuid=uuid.UUID(server), observed_at=now, path=path, outcome=outcome, reason="unpack it")
        for path, outcome in (("", "ok"), ("/logs/2026-03-12-1.log.7z", "unreadable"))
    ]
    with connect(platform.settings, autocommit=True) as connection:
        for _ in range(3):
            LOGS.save_reads(connection, reads, uuid.uuid4())
    result = materialized(platform, every_log_was_read)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert ask(platform, "select count(*) from raw_minecraft.log_reads where outcome = 'unreadable'") == [(1,)]


def command(platform: Platform, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    simulation, settings = platform.simulation, platform.settings
    variables = {
        "PTERODACTYL_URL": simulation.panel_url,
        "PTERODACTYL_APP_KEY": simulation.application_key,
        "PTERODACTYL_CLI_KEY": simulation.client_key,
        "POSTGRES_HOST": settings.host,
        "POSTGRES_PORT": str(settings.port),
        "POSTGRES_DATABASE": settings.database,
        "POSTGRES_USERNAME": settings.username,
        "POSTGRES_PASSWORD": settings.password,
        "PTEROASSETS_PII_KEY": PII_KEY.decode(),
        "PTEROASSETS_LOG_STORE": str(platform.folder / "log_store"),
        "PTEROASSETS_LOG_TIMEZONES": json.dumps(simulation.log_timezones),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(main, ["logs", *arguments])


def test_the_commands_fetch_what_is_left_and_read_it_again(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = command(platform, monkeypatch, "backfill")
    assert fetched.exit_code == 0, fetched.output
    files = ask(platform, "select count(*) from raw_minecraft.log_files")[0][0]
    assert f"{files} new rows in raw_minecraft.log_files, 1 pass and" in fetched.output
    events = ask(platform, "select count(*) from raw_minecraft.events")[0][0]
    again = command(platform, monkeypatch, "reparse", "--since", "2026-10-01")
    assert again.exit_code == 0, again.output
    assert f"raw_minecraft.events: {events:,} rows" in again.output
    nothing = command(platform, monkeypatch, "reparse", "--server", str(uuid.uuid4()))
    assert "raw_minecraft.events: 0 rows" in nothing.output


def test_a_command_whose_store_lost_a_file_says_so_and_fails(whole: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    whole.store.remove(ask(whole, "select content_digest from raw_minecraft.log_files limit 1")[0][0])
    result = command(whole, monkeypatch, "reparse")
    assert result.exit_code == 1
    assert "could not be parsed" in result.output

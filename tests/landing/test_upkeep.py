"""What the panel lists for one server at a time, from the simulated panel to the raw tables."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pteroassets.landing.pterodactyl.estate import ShrinkRefusedError, land_entities
from pteroassets.landing.pterodactyl.list_reads import land_list_reads
from pteroassets.landing.pterodactyl.upkeep import read_upkeep
from pteroassets.landing.sources import PASSES
from pteroassets.platform.demo import make_history
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.sources.pterodactyl.application import EntityRecord, Reading
from pteroassets.sources.pterodactyl.errors import KeyRejectedError, NothingReadError
from pteroassets.warehouse.connection import Connection, connect
from pteroassets.warehouse.load import LoadReport
from tests.harness import Platform, table_rows
from tests.landing.conftest import ANCHOR

pytestmark = pytest.mark.postgres

TABLES = (
    "raw_pterodactyl.backups", "raw_pterodactyl.schedules", "raw_pterodactyl.activity", "raw_pterodactyl.list_reads",
)  # fmt: skip

OF_THE_READING = {"observed_at", "read_at", "rows_read"}


def upkeep(platform: Platform, **options: Any) -> dict[str, LoadReport]:
    landing = platform.landing
    with landing.connect() as connection:
        return {report.table.partition(".")[2]: report for report in read_upkeep(landing, connection, **options)}


def ask(platform: Platform, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(query, parameters).fetchall()


def server_with_a_backup(platform: Platform) -> Any:
    """A server that can be asked and whose backups are no secret."""
    now = int(platform.clock.now().timestamp())
    kept = platform.simulation.truth.backups(platform.clock.now())
    return next(
        server
        for server, state in platform.simulation.world.estate.living(now)
        if not state.is_gated and server.uuid in kept
    )


def test_what_is_landed_is_what_the_panel_lists(platform: Platform) -> None:
    reports = upkeep(platform)
    truth = platform.simulation.truth
    now = platform.clock.now()
    outcomes = dict(
        ask(platform, "select server_uuid::text, outcome from raw_pterodactyl.list_reads where list_name = 'backups'")
    )
    assert outcomes.keys() == {row["uuid"] for row in truth.entities(now)["servers"]}
    asked = {owner for owner, outcome in outcomes.items() if outcome == "ok"}
    assert {outcome for owner, outcome in outcomes.items() if owner not in asked} - {"suspended"} <= {
        "installing", "install_failed", "maintenance", "transferring", "restoring_backup",
    }  # fmt: skip
    backups = ask(
        platform, "select split_part(scope, ':', 2), key, record ->> 'is_locked' from raw_pterodactyl.backups"
    )
    assert {(owner, key) for owner, key, _ in backups} == {
        (owner, row.uuid) for owner, rows in truth.backups(now).items() if owner in asked for row in rows
    }
    schedules = ask(platform, "select split_part(scope, ':', 2), id from raw_pterodactyl.schedules")
    assert set(schedules) == {
        (owner, row.id) for owner, rows in truth.schedules(now).items() if owner in asked for row in rows
    }
    assert (reports["backups"].rows_added, reports["schedules"].rows_added) == (len(backups), len(schedules))
    activity = ask(platform, "select server_uuid::text, activity_id, extract(epoch from occurred_at)::int "
                   "from raw_pterodactyl.activity")  # fmt: skip
    assert set(activity) == {
        (owner, deed.id, deed.at) for owner, deeds in truth.activity(now).items() if owner in asked for deed in deeds
    }
    assert reports["activity"].rows_added == len(activity) > 100
    assert reports["list_reads"].rows_read == 3 * len(outcomes)
    assert {report.is_complete for report in reports.values()} == {True}


def test_a_second_pass_over_what_did_not_change_writes_no_version(platform: Platform) -> None:
    upkeep(platform)
    with connect(platform.settings, autocommit=True) as connection:
        before = [table_rows(connection, table, without=OF_THE_READING) for table in TABLES]
    platform.clock.sleep(60)
    reports = upkeep(platform)
    for entity in ("backups", "schedules", "activity"):
        report = reports[entity]
        assert (report.rows_added, report.rows_changed, report.rows_gone) == (0, 0, 0), entity
    with connect(platform.settings, autocommit=True) as connection:
        assert [table_rows(connection, table, without=OF_THE_READING) for table in TABLES] == before


def test_a_run_of_a_schedule_makes_no_version_and_is_known(platform: Platform) -> None:
    upkeep(platform)
    platform.clock.sleep(timedelta(days=1).total_seconds())
    assert upkeep(platform)["schedules"].rows_changed == 0
    ((newest,),) = ask(platform, "select max((record ->> 'last_run_at')::timestamptz) from raw_pterodactyl.schedules")
    assert newest > platform.clock.now() - timedelta(days=1)


def test_a_backup_that_makes_room_for_another_is_gone_after_two_readings(platform: Platform) -> None:
    upkeep(platform)
    first = {row[0] for row in ask(platform, "select key from raw_pterodactyl.backups")}
    for _ in range(2):  # each night a newer one takes a place
        platform.clock.sleep(timedelta(days=1).total_seconds())
        report = upkeep(platform)["backups"]
    assert report.rows_gone > 0
    owners = "select scope from raw_pterodactyl.backups where is_active and key = any(%s)"
    gone = ask(platform, "select key, deleted_at < %s from raw_pterodactyl.backups where not is_active",
               platform.clock.now())  # fmt: skip
    assert {key for key, _ in gone} <= first
    assert {is_past for _, is_past in gone} == {True}
    # those of servers that could not be asked meanwhile, locked ones and failed ones beside the newest stay
    assert len(ask(platform, owners, sorted(first))) < len(first)


def test_a_server_that_refuses_a_list_keeps_its_rows_and_says_why_they_are_unread(platform: Platform) -> None:
    upkeep(platform)
    server = server_with_a_backup(platform)
    read_before = platform.clock.now()
    platform.simulation.faults.add(Fault(route="backups|schedules", status=409, server_uuid=server.uuid))
    for _ in range(3):
        platform.clock.sleep(3600)
        reports = upkeep(platform)
    assert not reports["backups"].is_complete, "a 409 of a server that the panel calls fit is a fault"
    kept = ask(
        platform,
        "select is_active, missing_since from raw_pterodactyl.backups where scope = %s",
        f"server:{server.uuid}",
    )
    assert kept
    assert set(kept) == {(True, None)}
    ((outcome, reason, rows, read_at),) = ask(
        platform,
        "select outcome, reason, rows_read, read_at from raw_pterodactyl.list_reads "
        "where server_uuid = %s and list_name = 'backups'",
        server.uuid,
    )
    assert (outcome, rows, read_at) == ("error", None, read_before)
    assert "409" in reason


def test_a_pass_that_could_read_no_list_fails_and_says_why(platform: Platform) -> None:
    platform.simulation.faults.add(Fault(route="backups", status=403))
    with pytest.raises(NothingReadError, match=r"the backups of none of \d+ servers .*403"):
        upkeep(platform)
    said = dict(ask(platform, "select outcome, count(*) from raw_pterodactyl.list_reads group by outcome"))
    assert said["forbidden"] > 1
    assert "ok" not in said
    ((is_complete,),) = ask(platform, "select is_complete from ops.loads where table_name = 'raw_pterodactyl.backups'")
    assert not is_complete


def test_a_server_that_leaves_the_panel_takes_its_backups_with_it(platform: Platform) -> None:
    upkeep(platform)
    owner = server_with_a_backup(platform).uuid
    listed = platform.simulation.world.estate.living

    def without(at: int) -> Any:
        return [pair for pair in listed(at) if pair[0].uuid != owner]

    platform.simulation.world.estate.living = without  # type: ignore[method-assign]
    try:
        for _ in range(2):
            platform.clock.sleep(3600)
            upkeep(platform)
    finally:
        platform.simulation.world.estate.living = listed  # type: ignore[method-assign]
    backups = ask(platform, "select is_active from raw_pterodactyl.backups where scope = %s", f"server:{owner}")
    assert set(backups) == {(False,)}
    said = ask(platform, "select outcome, reason from raw_pterodactyl.list_reads where server_uuid = %s", owner)
    assert set(said) == {("gone", "the panel no longer lists the server")}


# ---------------------------------------------------------------------- activity


def asked_for(platform: Platform, route: str) -> int:
    return sum(entry.route == route for entry in platform.simulation.requests.entries)


def test_a_second_pass_asks_for_one_page_of_each_server_and_lands_what_is_new(platform: Platform) -> None:
    upkeep(platform, lists=["activity"])
    answered = ask(platform, "select count(*) from raw_pterodactyl.list_reads where outcome = 'ok'")[0][0]
    before = dict(ask(platform, "select activity_id, _load_id from raw_pterodactyl.activity"))
    platform.collect()  # which leaves entries of our own
    platform.clock.sleep(timedelta(days=1).total_seconds())
    platform.simulation.requests.clear()
    report = upkeep(platform, lists=["activity"])["activity"]
    assert asked_for(platform, "activity") <= answered + 2
    after = dict(ask(platform, "select activity_id, _load_id from raw_pterodactyl.activity"))
    assert before.items() <= after.items(), "what was landed stays as it is"
    assert report.rows_added == len(after) - len(before) > 0
    own = ask(
        platform,
        "select count(*) from raw_pterodactyl.activity where record -> 'relationships' -> 'actor' -> 'attributes' "
        "->> 'username' = 'etl' and (record ->> 'is_api')::boolean",
    )
    assert own == [(0,)]


def test_a_history_that_is_longer_than_a_pass_takes_is_fetched_by_the_next_ones(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.sources.pterodactyl.activity._PAGE", 10)
    seen = []
    for _ in range(12):
        reports = upkeep(platform, lists=["activity"])
        assert reports["activity"].is_complete, "what is left for the next pass is no fault"
        seen.append(dict(ask(platform, "select outcome, count(*) from raw_pterodactyl.list_reads group by 1")))
        platform.clock.sleep(60)
    assert seen[0]["budget_spent"] > 1
    assert "budget_spent" not in seen[-1]
    asked = {row[0] for row in ask(platform, "select server_uuid::text from raw_pterodactyl.list_reads "
                                             "where outcome = 'ok'")}  # fmt: skip
    truth = platform.simulation.truth.activity(platform.clock.now())
    landed = {row[0] for row in ask(platform, "select activity_id from raw_pterodactyl.activity")}
    assert landed >= {deed.id for owner in asked for deed in truth[owner] if deed.at < ANCHOR.timestamp()}


def test_a_pass_that_is_killed_keeps_the_servers_it_had_read_and_the_next_one_goes_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pteroassets.landing.pterodactyl.activity._SERVERS_A_PART", 1)
    owners = sorted(row["uuid"] for row in platform.simulation.truth.entities(platform.clock.now())["servers"])
    platform.simulation.faults.add(Fault(route="activity", status=401, server_uuid=owners[-1]))
    with pytest.raises(KeyRejectedError):
        upkeep(platform, lists=["activity"])
    kept = ask(platform, "select count(*), count(distinct server_uuid) from raw_pterodactyl.activity")[0]
    assert kept[1] > 0
    parts = ask(platform, "select is_complete, problems -> 0 ->> 'reason' from ops.loads "
                          "where table_name = 'raw_pterodactyl.activity'")  # fmt: skip
    assert set(parts) == {(False, "part of a pass that went on")}
    platform.simulation.faults.clear()
    platform.clock.sleep(60)
    reports = upkeep(platform, lists=["activity"])
    assert reports["activity"].is_complete
    total = ask(platform, "select count(*) from raw_pterodactyl.activity")[0][0]
    assert total == kept[0] + reports["activity"].rows_added


@pytest.mark.parametrize("killed_at_load", [2, 3, 4])  # schedules not begun, activity not begun, and in its parts
def test_a_history_killed_within_a_pass_makes_that_pass_when_it_goes_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, killed_at_load: int
) -> None:
    monkeypatch.setattr("pteroassets.platform.demo.PASSES", {"upkeep": PASSES["upkeep"]})
    monkeypatch.setattr("pteroassets.landing.pterodactyl.activity._SERVERS_A_PART", 1)
    now = platform.clock.now()
    loads = itertools.count(1)

    def made() -> int:
        return make_history(platform.landing, lambda _done, _of: None, start=now, until=now)["upkeep"]

    def killed(*given: Any, **named: Any) -> LoadReport:
        if next(loads) == killed_at_load:
            raise MemoryError("as if it was killed")
        return land_list_reads(*given, **named)

    with monkeypatch.context() as patched:
        for module in ("upkeep", "activity"):
            patched.setattr(f"pteroassets.landing.pterodactyl.{module}.land_list_reads", killed)
        with pytest.raises(MemoryError):
            made()
    assert made() == 1
    listed = len(platform.simulation.truth.entities(now)["servers"])
    assert ask(platform, "select list_name, count(*) from raw_pterodactyl.list_reads group by 1 order by 1") == [
        ("activity", listed), ("backups", listed), ("schedules", listed),
    ]  # fmt: skip
    assert made() == 0


def test_no_secret_of_the_panel_is_landed(platform: Platform) -> None:
    upkeep(platform)
    with connect(platform.settings, autocommit=True) as connection:
        text = str([table_rows(connection, table) for table in TABLES])
    held = [name for name, canary in CANARIES.items() if canary in text]
    assert held == []


def test_addresses_are_kept_or_dropped_as_the_operator_says(platform: Platform) -> None:
    for pii, like in (("plain", f"{CANARIES['player_address']}%"), ("drop", None)):
        platform.pii = pii  # type: ignore[assignment]
        with connect(platform.settings, autocommit=True) as connection:
            connection.execute("truncate raw_pterodactyl.activity; delete from raw_pterodactyl.list_reads")
        upkeep(platform, lists=["activity"])
        counted = ask(
            platform,
            "select count(*) filter (where record ->> 'ip' like %s), count(record ->> 'ip') "
            "from raw_pterodactyl.activity",
            like,
        )
        assert (counted[0][0] > 0) is (pii == "plain")
        assert (counted[0][1] > 0) is (pii == "plain")
    emails = ask(platform, "select count(*) from raw_pterodactyl.activity where record -> 'properties' ? 'email'")
    assert emails == [(0,)]


# ---------------------------------------------------------------------- what counts as a shrinking

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def backups_of(day: int, keys: range) -> Reading:
    return Reading(
        entity="backups",
        observed_at=NOON + timedelta(days=day),
        records=[
            EntityRecord(
                key=f"00000000-0000-4000-8000-{number:012}",
                id=None,
                uuid=f"00000000-0000-4000-8000-{number:012}",
                scope=f"server:{number}",
                record={},
                digest="",
            )
            for number in keys
        ],
        is_complete=True,
        unread_scopes={},
        rows_expected=len(keys),
        requests=1,
        seconds=1,
        rate_limit_remaining=100,
        source="panel.test",
    )


def test_backups_that_all_replace_older_ones_are_no_shrinking(warehouse: Connection) -> None:
    gone = [
        land_entities(warehouse, backups_of(day, range(20 * day, 20 * day + 20)), replaces=True).rows_gone
        for day in range(4)
    ]
    assert gone == [0, 0, 20, 20]
    with pytest.raises(ShrinkRefusedError, match="18 of 20 records are missing"):
        land_entities(warehouse, backups_of(4, range(80, 82)), replaces=True)
    with pytest.raises(ShrinkRefusedError):
        land_entities(warehouse, backups_of(4, range(80, 100)))

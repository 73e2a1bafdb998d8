"""What stands in the marts is what was true in the simulated world: entities, samples and sessions."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

import pytest

from pteroassets.landing.sources import PASSES
from pteroassets.platform.summary import figures, findings
from pteroassets.simulator.true_rows import TrueSession
from pteroassets.simulator.world.chance import utc
from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.end_to_end.slow.stays import query
from tests.harness import RAW_TABLES, Platform, table_rows

pytestmark = [pytest.mark.postgres]


def test_the_world_is_large_enough_to_prove_something(estate: Platform) -> None:
    truth = estate.simulation.truth
    entities = truth.entities(ANCHOR)
    assert len(entities["servers"]) > 100
    assert len(entities["users"]) > 100
    per_node = Counter(row["node_id"] for row in entities["allocations"])
    assert max(per_node.values()) > 100
    closes = Counter(session.close_reason for session in truth.sessions(ANCHOR))
    for reason in ("left", "kicked", "timed_out", "server_stopped", "server_crashed", "joined_again"):
        assert closes[reason] >= 5, reason


@pytest.mark.parametrize(
    ("entity", "table", "columns"),
    [
        ("nodes", "marts.dim_nodes", {"id": "node_id", "uuid": "node_uuid::text", "name": "node_name"}),
        ("users", "marts.dim_users", {"id": "user_id", "uuid": "user_uuid::text", "username": "username"}),
        ("eggs", "marts.dim_eggs", {"id": "egg_id", "uuid": "egg_uuid::text", "name": "egg_name"}),
        (
            "servers",
            "marts.dim_servers",
            {
                "id": "server_id",
                "uuid": "server_uuid::text",
                "name": "server_name",
                "memory": "memory_limit_raw",
                "owner_id": "owner_user_id",
                "node_id": "node_id",
                "egg_id": "egg_id",
            },
        ),
    ],
)
def test_entities_equal_the_truth(estate: Platform, entity: str, table: str, columns: dict[str, str]) -> None:
    columns = {name: column for name, column in columns.items() if column != "memory_limit_raw"}
    expected = {tuple(row[name] for name in columns) for row in estate.simulation.truth.entities(ANCHOR)[entity]}
    found = set(query(estate, f"select {', '.join(columns.values())} from {table} where is_active"))
    assert found == expected


@pytest.mark.parametrize("entity", ["locations", "allocations", "nests", "subusers", "server_databases"])
def test_the_other_entities_are_the_same_records(estate: Platform, entity: str) -> None:
    expected = {row["id"] for row in estate.simulation.truth.entities(ANCHOR)[entity]}
    # a record that the last reading lacked is not gone before a second one lacks it
    found = {
        row[0]
        for row in query(
            estate,
            f"select id from raw_pterodactyl.{entity} where valid_to is null and is_active and missing_since is null",
        )
    }
    assert found == expected


def test_servers_that_left_the_panel_are_marked_and_not_dropped(estate: Platform) -> None:
    # two readings in a row without a server declare it gone: what was deleted within the last of them is not yet
    deleted = {
        row["uuid"]
        for row in estate.simulation.truth.deleted(ANCHOR)["servers"]
        if row["deleted_at"] <= ANCHOR - timedelta(hours=24)
    }
    known = {row[0] for row in query(estate, "select uuid::text from raw_pterodactyl.servers")}
    found = {row[0] for row in query(estate, "select server_uuid::text from marts.dim_servers where not is_active")}
    assert deleted & known
    assert deleted & known <= found
    alive = {row["uuid"] for row in estate.simulation.truth.entities(ANCHOR)["servers"]}
    assert not found & alive


def test_history_of_limits_and_owners_equals_the_truth_at_every_reading(estate: Platform) -> None:
    truth = estate.simulation.truth
    columns = "server_uuid::text, memory_limit_mebibytes, egg_id, owner_user_id, node_id"
    at = estate.simulation.world.start
    compared = 0
    while at <= ANCHOR:
        found = {
            row[0]: row[1:]
            for row in query(
                estate,
                f"select {columns} from marts.dim_servers_history "
                f"where valid_from <= '{at.isoformat()}' and (valid_to is null or valid_to > '{at.isoformat()}')",
            )
        }
        for version in truth.server_versions(at):
            if version.valid_to is None:
                expected = (version.memory or None, version.egg_id, version.owner_id, version.node_id)
                assert found[version.server_uuid] == expected, (at, version)
                compared += 1
        at += timedelta(hours=12)
    assert compared > 1000


def test_every_sample_is_what_the_panel_would_have_answered(estate: Platform) -> None:
    truth = estate.simulation.truth
    rows = query(
        estate,
        "select server_uuid::text, sampled_at, outcome, state, cpu_percent, memory_bytes, disk_bytes, "
        "network_rx_bytes, network_tx_bytes, uptime_milliseconds from raw_pterodactyl.utilization_samples",
    )
    assert len(rows) > 5000
    outcomes: Counter[str] = Counter()
    for server, at, outcome, state, cpu, memory, disk, rx, tx, uptime in rows:
        expected = truth.sample(server, at)
        outcomes[outcome] += 1
        assert outcome == expected.outcome, (server, at)
        if outcome == "ok":
            assert (state, cpu, memory, disk, rx, tx, uptime) == (
                expected.state, expected.cpu_percent, expected.memory_bytes, expected.disk_bytes,
                expected.rx_bytes, expected.tx_bytes, expected.uptime_ms,
            )  # fmt: skip
        else:
            assert (cpu, memory, rx, tx, uptime) == (None,) * 5
    for outcome in ("ok", "offline", "suspended", "maintenance"):
        assert outcomes[outcome] > 0


def test_no_server_was_missed_by_a_pass(estate: Platform) -> None:
    truth = estate.simulation.truth
    sampled: dict[datetime, set[str]] = {}
    for server, at in query(estate, "select server_uuid::text, pass_at from raw_pterodactyl.utilization_samples"):
        sampled.setdefault(at, set()).add(server)
    for at, servers in sampled.items():
        assert servers == {row["uuid"] for row in truth.entities(at)["servers"]}, at


def test_sessions_equal_the_truth(
    estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]
) -> None:
    expected = true_sessions
    rows = query(
        estate,
        "select server_uuid::text, player_name, joined_at, left_at, left_at_lower, left_at_upper, close_reason, "
        "is_end_observed, is_open, chat_messages, commands, deaths, advancements from marts.fct_player_sessions",
    )
    found = {(row[0], row[1], row[2]): row[3:] for row in rows}
    assert len(found) == len(rows)
    # counted first: pytest would take minutes to write out the difference of sets of thousands
    invented, missed = set(found) - set(expected), set(expected) - set(found)
    assert len(invented) == 0, sorted(invented)[:3]
    assert len(missed) == 0, sorted(missed)[:3]
    for key, true in expected.items():
        left_at, lower, upper, reason, is_observed, is_open, *counts = found[key]
        assert reason == true.close_reason, key
        assert is_open == (true.left_at is None), key
        assert counts == [true.chat_messages, true.commands, true.deaths, true.advancements], key
        if true.is_end_observed:
            assert is_observed
            assert left_at == true.left_at, key
        elif true.left_at is not None:
            assert not is_observed
            assert left_at is None
            assert lower <= true.left_at, key
            assert upper is None or true.left_at <= upper, key


def test_a_stay_on_the_network_is_the_proxys_session_with_those_behind_it(
    estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]
) -> None:
    rows = query(
        estate,
        "select server_uuid::text, player_name, joined_at, network_session_id from marts.fct_player_sessions",
    )
    found = {(server, player, joined_at): network for server, player, joined_at, network in rows}
    expected: dict[str, set[tuple[str, str, datetime]]] = {}
    for key, session in true_sessions.items():
        expected.setdefault(session.network_session or f"alone {key}", set()).add(key)
    together: dict[str, set[tuple[str, str, datetime]]] = {}
    for key, network in found.items():
        together.setdefault(str(network), set()).add(key)
    assert sum(len(keys) > 1 for keys in expected.values()) > 50, "the world has players who came through a proxy"
    wrong = {frozenset(keys) for keys in together.values()} ^ {frozenset(keys) for keys in expected.values()}
    assert len(wrong) == 0, sorted(map(sorted, wrong))[:3]


def test_runs_equal_the_truth(estate: Platform) -> None:
    read_at = query(
        estate,
        "select server_uuid::text, max(observed_at) from raw_minecraft.log_reads "
        "where path = '' and outcome = 'ok' group by server_uuid",
    )
    by_instant: dict[datetime, set[str]] = {}
    for server, at in read_at:
        by_instant.setdefault(at, set()).add(server)
    expected = {
        (run.server_uuid, run.started_at): run
        for at, servers in by_instant.items()
        for run in estate.simulation.truth.runs(at)
        if run.server_uuid in servers
    }
    found = {
        (row[0], row[1]): row[2:]
        for row in query(
            estate,
            "select server_uuid::text, started_at, ready_at, ended_at, ended_at_lower, ended_at_upper, end_reason, "
            "software, overload_warnings from marts.fct_server_runs where started_at is not null",
        )
    }
    invented, missed = set(found) - set(expected), set(expected) - set(found)
    assert len(invented) == 0, sorted(invented)[:3]
    assert len(missed) == 0, sorted(missed)[:3]
    ways: Counter[str | None] = Counter()
    for key, true in expected.items():
        ready_at, ended_at, lower, upper, reason, software, overloads = found[key]
        ways[reason] += 1
        assert ready_at == true.ready_at, key
        assert (software, overloads) == (true.software, true.overload_warnings), key
        if ended_at is None and true.ended_at is not None and reason is not None:
            assert lower <= true.ended_at, key
            assert upper is None or true.ended_at <= upper, key
        if true.end_reason is not None and reason is not None:
            assert reason == true.end_reason, key
    assert min(ways["stopped"], ways["crashed"]) > 20


def test_sessions_of_the_night_when_the_clocks_go_back_are_as_long_as_they_were(
    estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]
) -> None:
    night = [
        session
        for session in true_sessions.values()
        if session.joined_at < datetime.fromisoformat("2026-10-25T01:00:00+00:00")
        and session.left_at is not None
        and session.left_at > datetime.fromisoformat("2026-10-25T01:00:00+00:00")
        and estate.simulation.log_timezones[session.server_uuid] == "Europe/Berlin"
        and session.is_end_observed
    ]
    assert night, "the world has players in that hour"
    for session in night:
        rows = query(
            estate,
            "select left_at - joined_at from marts.fct_player_sessions where "
            f"server_uuid = '{session.server_uuid}' and player_name = '{session.player_name}' "
            f"and joined_at = '{session.joined_at.isoformat()}'",
        )
        assert rows == [(session.left_at - session.joined_at,)]


def test_the_figures_of_the_summary_read_as_english(estate: Platform) -> None:
    lines = figures(estate.settings)
    assert re.match(r"\d+ servers on 5 nodes, \d+ of them suspended, \d+ gone$", lines[0])
    assert len(lines) == 9
    assert not [line for line in lines if "{" in line or "None" in line]


def test_player_hours_of_days_add_up_to_the_sessions(estate: Platform) -> None:
    daily = query(estate, "select sum(player_hours) from marts.fct_server_daily")[0][0]
    sessions = query(estate, "select sum(counted_minutes) / 60 from marts.fct_player_sessions")[0][0]
    assert float(daily) == pytest.approx(float(sessions), rel=1e-9)


def test_what_deserves_a_look_is_what_goes_wrong_in_the_world(estate: Platform) -> None:
    troubles = estate.simulation.truth.troubles(ANCHOR)
    found: dict[str, set[str]] = {}
    with connect(estate.settings) as connection:
        connection.execute("set search_path = marts")  # as the login of those who read has it
        for finding in findings(estate.settings, {name: one.rhythms["fresh"] for name, one in PASSES.items()}):
            found.setdefault(finding.kind, set()).add(finding.subject)
            assert connection.execute(finding.look).fetchall(), finding
    expected = {
        "close to its memory limit": troubles.short_of_memory,
        "crashes in a loop": troubles.crash_loops,
        "asleep for weeks": troubles.asleep,
        "over-committed node": troubles.over_committed,
        "log that cannot be read": troubles.unreadable_logs,
        "stale table": {"raw_pterodactyl.eggs"} if troubles.unlisted_nests else set(),
    }
    assert found == expected
    assert all(expected.values())


def test_a_second_look_at_the_same_world_changes_nothing(new_platform: NewPlatform) -> None:
    platform = new_platform(history=timedelta(days=3))
    platform.clock.move_to(ANCHOR)
    platform.everything()
    # the first look slept while it waited for its share of the rate limit; a small world's second one does not
    platform.clock.sleep(120)
    with connect(platform.settings, autocommit=True) as connection:
        platform.everything()
        before = {table: table_rows(connection, table) for table in RAW_TABLES}
        looked_at = platform.clock.now()
        platform.everything()
        after = {table: table_rows(connection, table) for table in RAW_TABLES}
    assert platform.clock.now() == looked_at
    for table in RAW_TABLES:
        # a boolean: pytest would take minutes to write out the difference of large tables
        assert (after[table] == before[table]) is True, table


def test_backups_schedules_and_activity_equal_the_truth(estate: Platform) -> None:
    """Of servers that answered: of the others it is known that nothing is known."""
    truth = estate.simulation.truth
    read = {
        (name, server): (is_read, observed_at)
        for name, server, is_read, observed_at in query(
            estate,
            "select list_name, server_uuid::text, is_read, observed_at from staging.stg_pterodactyl__list_reads",
        )
    }
    at = max(observed_at for _, observed_at in read.values())
    servers = {row["uuid"] for row in truth.entities(at)["servers"]}
    answered = {name: {server for server in servers if read[name, server][0]} for name in ("backups", "schedules")}
    assert all(len(found) > 50 for found in answered.values())
    assert answered["backups"] < servers
    backups = query(
        estate,
        "select server_uuid::text, backup_uuid::text, backup_state, is_locked, size_bytes, created_at "
        "from staging.stg_pterodactyl__backups where is_active",
    )
    # of one that only the newest reading lacks it is not yet said that it is gone
    going = {
        key
        for (key,) in query(
            estate,
            "select key from raw_pterodactyl.backups where valid_to is null and is_active "
            "and missing_since is not null",
        )
    }
    assert {row for row in backups if row[0] in answered["backups"] and row[1] not in going} == {
        (
            server,
            row.uuid,
            "ok" if row.is_successful else "failed" if row.is_failed else "running",
            row.is_locked,
            row.size if row.is_successful else None,
            utc(row.created_at),
        )
        for server in answered["backups"]
        for row in truth.backups(at).get(server, [])
    }
    tasks = query(
        estate,
        "select schedules.server_uuid::text, schedule_id, cron_hour, is_enabled, action, offset_seconds "
        "from staging.stg_pterodactyl__schedules as schedules "
        "inner join staging.stg_pterodactyl__schedule_tasks using (schedule_id) where schedules.is_active",
    )
    assert {row for row in tasks if row[0] in answered["schedules"]} == {
        (server, row.id, str(row.hour), row.is_active, task.action, task.offset)
        for server in answered["schedules"]
        for row in truth.schedules(at).get(server, [])
        for task in row.tasks
    }
    whole = {server for (name, server), (is_read, _) in read.items() if name == "activity" and is_read}
    entries = query(
        estate,
        "select server_uuid::text, activity_id, event, occurred_at, actor_name is null "
        "from staging.stg_pterodactyl__activity",
    )
    landed = {row for row in entries if row[0] in whole}
    told = {
        (server, deed.id, deed.event, utc(deed.at), deed.user_id is None)
        for server, deeds in truth.activity(at).items()
        if server in whole
        for deed in deeds
    }
    assert told <= landed, "what was there when it was read last"
    assert len(told) > 1000
    deleted, late = at - timedelta(days=90), at - timedelta(minutes=2)
    assert [row for row in landed - told if deleted < row[3] < late] == []

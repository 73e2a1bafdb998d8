"""Each fault on and then off: what could not be read says so, nothing is lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.simulated_world import WorldSize
from pteroassets.sources.pterodactyl.errors import PanelError
from pteroassets.warehouse.connection import connect
from tests.end_to_end.conftest import ANCHOR, NewPlatform
from tests.harness import RAW_TABLES, Platform, table_rows

pytestmark = [pytest.mark.postgres]

# when a record was first seen depends on when it could first be read; what it says does not
_WHEN_IT_WAS_READ = {"fetched_at", "valid_from"}
_LATER = timedelta(hours=1)


@pytest.fixture
def platform(new_platform: NewPlatform) -> Platform:
    made = new_platform(history=timedelta(days=3))
    made.clock.move_to(made.simulation.world.anchor)
    return made


def rows(platform: Platform) -> dict[str, list[tuple[Any, ...]]]:
    with connect(platform.settings, autocommit=True) as connection:
        return {
            table: table_rows(connection, table, without=_WHEN_IT_WAS_READ)
            for table in RAW_TABLES
            if not table.endswith("utilization_samples")
        } | {
            "the newest samples": connection.execute(
                "select server_uuid, outcome, cpu_percent, memory_bytes from raw_pterodactyl.utilization_samples "
                "where pass_at = (select max(pass_at) from raw_pterodactyl.utilization_samples) order by server_uuid"
            ).fetchall()
        }


def ask(platform: Platform, text: str) -> list[tuple[Any, ...]]:
    with connect(platform.settings, autocommit=True) as connection:
        return connection.execute(text).fetchall()


def outcomes(platform: Platform) -> dict[str, int]:
    return dict(
        ask(
            platform,
            "select outcome, count(*) from raw_pterodactyl.utilization_samples "
            "where pass_at = (select max(pass_at) from raw_pterodactyl.utilization_samples) group by outcome",
        )
    )


@pytest.fixture(scope="module")
def undisturbed(new_platform_of_module: NewPlatform) -> dict[str, list[tuple[Any, ...]]]:
    """What two passes of each kind land when nothing is wrong."""
    platform = new_platform_of_module(history=timedelta(days=3))
    platform.clock.move_to(platform.simulation.world.anchor)
    platform.everything()
    platform.clock.move_to(platform.simulation.world.anchor + _LATER)
    platform.everything()
    return rows(platform)


def attempt(action: Callable[[], object]) -> PanelError | None:
    try:
        action()
    except PanelError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a rejected key", Fault(status=401, route="application")),
        ("a rejected client key", Fault(status=401, route="client")),
        ("a web page in place of an answer", Fault(status=502, route="application", body="html")),
        ("a web page from the client API", Fault(status=502, route="client", body="html")),
        ("truncated JSON", Fault(kind="truncate", route="application")),
        ("truncated JSON from the client API", Fault(kind="truncate", route="client")),
        ("an answer that breaks off", Fault(kind="break_off", route="application")),
        ("servers that answer 500", Fault(status=500, route="servers")),
        ("eggs that answer 500", Fault(status=500, route="eggs", nest_id=1)),
        ("resources that answer 500", Fault(status=500, route="resources")),
        ("resources that answer 504", Fault(status=504, route="resources")),
        ("servers that their nodes do not know", Fault(kind="node_status", status=404, route="resources")),
        ("log contents that answer 500", Fault(status=500, route="contents")),
        ("a refusal that passes", Fault(status=429, route="client", times=2, retry_after=7)),
    ],
)
def test_once_a_fault_is_gone_the_tables_are_those_of_an_undisturbed_run(
    platform: Platform, undisturbed: dict[str, list[tuple[Any, ...]]], name: str, fault: Fault
) -> None:
    platform.simulation.faults.add(fault)
    for action in (platform.entities, platform.utilization, platform.logs):
        attempt(action)
    platform.simulation.faults.clear()
    platform.clock.move_to(platform.simulation.world.anchor + _LATER)
    platform.everything()
    found = rows(platform)
    for table, expected in undisturbed.items():
        assert (found[table] == expected) is True, f"{table} after {name}"


def test_eggs_that_answer_500_cost_that_nest_and_not_the_run(platform: Platform) -> None:
    platform.simulation.faults.add(Fault(status=500, route="eggs", nest_id=1))
    reports = platform.entities()
    assert not reports["eggs"].is_complete
    assert any("1" in problem["scope"] and "500" in problem["reason"] for problem in reports["eggs"].problems)
    landed = {row[0] for row in ask(platform, "select record ->> 'nest' from raw_pterodactyl.eggs")}
    assert landed == {"2", "3", "4", "5"}
    assert all(report.is_complete for entity, report in reports.items() if entity != "eggs")


def test_a_dead_node_leaves_samples_that_say_so_and_no_zero(platform: Platform) -> None:
    node = platform.simulation.truth.entities(platform.clock.now())["nodes"][0]
    platform.simulation.faults.node_down(node["id"])
    report = platform.utilization()
    found = ask(
        platform,
        "select outcome, cpu_percent, memory_bytes, reason from raw_pterodactyl.utilization_samples "
        f"where node_name = '{node['name']}'",
    )
    unreachable = [row for row in found if row[0] == "node_unreachable"]
    assert unreachable
    assert all(cpu is None and memory is None and reason for _, cpu, memory, reason in unreachable)
    assert not any(row[0] in ("ok", "offline") for row in found)
    assert any(node["name"] in problem["scope"] for problem in report.problems)
    asked = [entry for entry in platform.simulation.requests.entries if entry.status == 504]
    assert len(asked) == 1, "the rest of a dead node is not asked"
    assert outcomes(platform).get("ok", 0) > 0, "other nodes are sampled"


def test_servers_that_a_healthy_node_does_not_know_are_told_one_by_one_and_cost_no_other(platform: Platform) -> None:
    before = platform.utilization()
    (node, _), *_ = ask(
        platform,
        "select node_name, count(*) from raw_pterodactyl.utilization_samples where outcome = 'ok' group by node_name "
        "having count(*) > 2 order by node_name",
    )
    unknown = ask(
        platform,
        "select server_uuid::text from raw_pterodactyl.utilization_samples "
        f"where outcome = 'ok' and node_name = '{node}' order by server_uuid limit 2",
    )
    for (server_uuid,) in unknown:
        platform.simulation.faults.add(
            Fault(kind="node_status", status=404, route="resources", server_uuid=server_uuid)
        )
    platform.clock.sleep(platform.interval.total_seconds())
    report = platform.utilization()
    failed = ask(
        platform,
        "select server_uuid::text, reason from raw_pterodactyl.utilization_samples where outcome = 'error' order by 1",
    )
    assert [server_uuid for server_uuid, _ in failed] == [server_uuid for (server_uuid,) in unknown]
    assert all("does not know this server" in reason and server_uuid in reason for server_uuid, reason in failed)
    assert "node_unreachable" not in outcomes(platform)
    assert report.rows_read == before.rows_read


def test_a_dead_node_costs_its_logs_and_no_others(platform: Platform) -> None:
    node = platform.simulation.truth.entities(platform.clock.now())["nodes"][0]
    platform.simulation.faults.node_down(node["id"])
    platform.logs()
    found = dict(
        ask(platform, "select outcome, count(distinct server_uuid) from raw_minecraft.log_reads group by outcome")
    )
    assert found["node_unreachable"] > 0
    assert found["ok"] > 0
    platform.simulation.faults.clear()
    platform.clock.sleep(900)
    platform.logs()
    latest = dict(
        ask(
            platform,
            "select outcome, count(*) from raw_minecraft.log_reads where path = '' "
            "and observed_at = (select max(observed_at) from raw_minecraft.log_reads) group by outcome",
        )
    )
    assert "node_unreachable" not in latest


def test_a_refusal_that_lasts_leaves_samples_that_say_so(platform: Platform) -> None:
    platform.simulation.faults.add(Fault(status=429, route="resources", retry_after=1))
    platform.utilization()
    assert (
        set(outcomes(platform)) - {"rate_limited", "suspended", "installing", "maintenance", "install_failed"} == set()
    )
    assert outcomes(platform)["rate_limited"] > 0


def readable_truth(platform: Platform) -> set[tuple[str, str, Any]]:
    """The sessions of the servers whose logs the last pass could read; others are suspended, say."""
    readable = {
        row[0]
        for row in ask(
            platform,
            "select server_uuid::text from raw_minecraft.log_reads where path = '' and outcome = 'ok' "
            "and observed_at = (select max(observed_at) from raw_minecraft.log_reads)",
        )
    }
    return {
        (session.server_uuid, session.player_name, session.joined_at)
        for session in platform.simulation.truth.sessions(platform.clock.now())
        if session.server_uuid in readable
    }


def test_a_log_that_grows_while_it_is_read_gives_each_line_once(platform: Platform) -> None:
    servers = [row["uuid"] for row in platform.simulation.truth.entities(platform.clock.now())["servers"]]
    platform.logs()
    for server in servers:
        platform.simulation.faults.log_growth(server)
    for _ in range(3):
        platform.clock.sleep(600)
        platform.logs()
    platform.simulation.faults.clear()
    platform.clock.sleep(6 * 3600)
    platform.logs()
    with_platform = ask(
        platform, "select server_uuid, player_name, joined_at, left_at from derived_minecraft.player_sessions"
    )
    assert len(with_platform) == len(set(with_platform))
    found = {(str(row[0]), row[1], row[2]) for row in with_platform}
    assert (readable_truth(platform) <= found) is True
    assert len(found - readable_truth(platform)) == len(
        {row for row in found if row[0] not in {true[0] for true in readable_truth(platform)}}
    )


def test_a_cut_archive_is_read_as_far_as_it_goes_and_read_again_when_it_is_whole(platform: Platform) -> None:
    platform.simulation.faults.add(Fault(kind="truncate", route="contents", path_ends=".gz"))
    platform.logs()
    cut = ask(platform, "select count(*) from raw_minecraft.log_files where outcome = 'truncated'")[0][0]
    assert cut > 0
    platform.simulation.faults.clear()
    # the listing is the same, so an operator reloads the days
    days = {row[0] for row in ask(platform, "select distinct log_date from raw_minecraft.log_files")}
    platform.logs(reload_dates=days)
    assert ask(platform, "select count(*) from raw_minecraft.log_files where outcome = 'truncated'") == [(0,)]
    found = ask(platform, "select server_uuid::text, player_name, joined_at from derived_minecraft.player_sessions")
    assert set(found) == readable_truth(platform)
    assert len(found) == len(set(found))


def test_a_list_whose_total_moves_between_pages_is_read_again(new_platform: NewPlatform) -> None:
    platform = new_platform(WorldSize.TRUTH)
    platform.clock.move_to(ANCHOR)
    # page 1 is answered as of before the newest server was made, page 2 as of after
    platform.simulation.faults.add(Fault(kind="total_moves", route="servers", times=1))
    report = platform.entities(entities=["servers"])["servers"]
    assert report.is_complete
    assert report.rows_read == len(platform.simulation.truth.entities(ANCHOR)["servers"])
    pages = [entry for entry in platform.simulation.requests.entries if entry.route == "servers"]
    assert len(pages) > 2, "it was read again"


def test_requests_stay_under_the_limit_that_the_panel_announces(platform: Platform) -> None:
    platform.everything()
    assert [entry for entry in platform.simulation.requests.entries if entry.status == 429] == []


def test_a_wrong_key_is_named_with_the_remedy(platform: Platform) -> None:
    platform.simulation.faults.add(Fault(status=401, route="application"))
    error = attempt(platform.entities)
    assert error is not None
    assert "key" in str(error)
    assert platform.simulation.application_key not in str(error)

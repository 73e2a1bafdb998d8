"""The simulated panel keeps a panel's habits: keys, limits, pages, the gate of states, files and links."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
import requests

from pteroassets.clock import ManualClock
from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import epoch

from .conftest import ANCHOR, Caller

# ---------------------------------------------------------------------- limits


def test_a_window_opens_at_the_first_request_and_closes_a_minute_later(tiny: World, clock: ManualClock) -> None:
    with Simulation(tiny, clock, client_limit=3) as simulation:
        caller = Caller(simulation)
        assert [caller.get("client/account").headers["x-ratelimit-remaining"] for _ in range(3)] == ["2", "1", "0"]
        clock.sleep(59)
        refused = caller.get("client/account")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        assert int(refused.headers["x-ratelimit-reset"]) == epoch(ANCHOR) + 60
        clock.sleep(1)
        assert caller.get("client/account").status_code == 200


def test_all_keys_of_one_user_share_a_window_and_each_api_has_its_own(tiny: World, clock: ManualClock) -> None:
    with Simulation(tiny, clock, application_limit=2, client_limit=2) as simulation:
        by_application_key, by_client_key = Caller(simulation, "app"), Caller(simulation, "client")
        assert by_application_key.get("application/nodes").status_code == 200
        assert by_client_key.get("application/nodes").status_code == 200
        assert by_application_key.get("application/nodes").status_code == 429
        assert by_client_key.get("client/account").status_code == 200
        assert Caller(simulation, "client_plain").get("client/account").status_code == 200


def test_refused_requests_do_not_lengthen_the_window(tiny: World, clock: ManualClock) -> None:
    with Simulation(tiny, clock, client_limit=1) as simulation:
        caller = Caller(simulation)
        caller.get("client/account")
        for _ in range(5):
            clock.sleep(10)
            assert caller.get("client/account").status_code == 429
        clock.sleep(10)
        assert caller.get("client/account").status_code == 200


# ---------------------------------------------------------------------- keys and pages


def test_a_key_without_a_permission_gets_null_for_what_it_may_not_see(simulation: Simulation) -> None:
    partial = Caller(simulation, "app_partial")
    row = partial.json("application/servers", include="user,location,allocations.node", per_page=1)["data"][0]
    shown = {name: item["object"] for name, item in row["attributes"]["relationships"].items()}
    assert shown == {"user": "null_resource", "location": "location", "allocations": "null_resource"}
    assert partial.get("application/users").status_code == 403
    assert Caller(simulation, "app_none").get("application/servers").status_code == 403
    assert Caller(simulation, "app").get("client").status_code == 403


def test_a_root_admins_client_key_reads_the_application_api_too(simulation: Simulation) -> None:
    assert Caller(simulation, "client").json("application/users", include="servers")["data"]
    assert Caller(simulation, "client_plain").get("application/users").status_code == 403


def test_pages_together_hold_every_row_once_in_no_order_unless_sorted(truth_world: World, clock: ManualClock) -> None:
    with Simulation(truth_world, clock) as simulation:
        caller = Caller(simulation)
        expected = sorted(row["id"] for row in truth_world.truth.entities(ANCHOR)["servers"])
        for sort in ({}, {"sort": "id"}):
            ids: list[int] = []
            page = 1
            while True:
                body = caller.json("application/servers", per_page=50, page=page, **sort)
                ids += [row["attributes"]["id"] for row in body["data"]]
                if page == body["meta"]["pagination"]["total_pages"]:
                    break
                page += 1
            assert sorted(ids) == expected
            assert (ids == expected) is bool(sort)


def test_the_list_of_servers_depends_on_type_and_user(simulation: Simulation, tiny: World) -> None:
    everyone = {row["uuid"] for row in tiny.truth.entities(ANCHOR)["servers"]}

    def listed(key: str, **params: str) -> set[str]:
        return {row["attributes"]["uuid"] for row in Caller(simulation, key).json("client", **params)["data"]}

    assert listed("client", type="admin-all") == everyone
    own = listed("client")
    assert own
    assert own < everyone
    assert listed("client", type="admin") == everyone - own
    assert listed("client_plain", type="admin-all") == set()
    assert listed("client_plain", type="owner") <= listed("client_plain")


def test_the_client_list_is_cut_at_a_hundred_without_a_word(truth_world: World, clock: ManualClock) -> None:
    with Simulation(truth_world, clock) as simulation:
        body = Caller(simulation).json("client", type="admin-all", per_page=500)
        assert body["meta"]["pagination"]["per_page"] == len(body["data"]) == 100


def test_filters_compare_as_the_panel_does(simulation: Simulation, tiny: World) -> None:
    caller = Caller(simulation)
    rows = tiny.truth.entities(ANCHOR)
    name = rows["servers"][0]["name"]
    found = caller.json("application/servers", **{"filter[name]": name.upper()})["data"]
    assert [row["attributes"]["name"] for row in found] == [name]
    taken = caller.json("application/nodes/1/allocations", **{"filter[server_id]": rows["servers"][0]["id"]})["data"]
    assert [row["attributes"]["id"] for row in taken] == rows["servers"][0]["allocation_ids"]
    free = caller.json("application/nodes/1/allocations", per_page=500, **{"filter[server_id]": "0"})["data"]
    assert {row["attributes"]["assigned"] for row in free} == {False}


def test_included_lists_hold_what_the_truth_says(simulation: Simulation, tiny: World) -> None:
    truth = tiny.truth.entities(ANCHOR)
    body = Caller(simulation).json("application/servers", include="subusers,databases,allocations", per_page=100)
    for kind, own in (("subusers", "subusers"), ("server_databases", "databases")):
        shown = {
            item["attributes"]["id"] for row in body["data"] for item in row["attributes"]["relationships"][own]["data"]
        }
        assert shown == {row["id"] for row in truth[kind]}
    taken = {
        item["attributes"]["id"]: row["attributes"]["id"]
        for row in body["data"]
        for item in row["attributes"]["relationships"]["allocations"]["data"]
    }
    assert taken == {row["id"]: row["server_id"] for row in truth["allocations"] if row["assigned"]}


# ---------------------------------------------------------------------- states and figures


def test_resources_are_what_the_truth_says_in_every_state(truth_world: World, clock: ManualClock) -> None:
    with Simulation(truth_world, clock) as simulation:
        caller = Caller(simulation)
        seen = set()
        for at in (ANCHOR, ANCHOR - timedelta(hours=49), ANCHOR - timedelta(days=6, hours=7, seconds=11)):
            clock.move_to(at)
            for row in truth_world.truth.entities(at)["servers"]:
                truth = truth_world.truth.sample(row["uuid"], at)
                response = caller.get(f"client/servers/{row['uuid']}/resources")
                seen.add(truth.outcome)
                if truth.outcome not in {"ok", "offline"}:
                    assert response.status_code == 409
                    assert caller.get(f"client/servers/{row['uuid']}").status_code == 200
                    continue
                attributes = response.json()["attributes"]
                assert attributes["current_state"] == truth.state
                assert attributes["resources"] == {
                    "memory_bytes": truth.memory_bytes,
                    "cpu_absolute": truth.cpu_percent,
                    "disk_bytes": truth.disk_bytes,
                    "network_rx_bytes": truth.rx_bytes,
                    "network_tx_bytes": truth.tx_bytes,
                    "uptime": truth.uptime_ms,
                }
            clock.sleep(61)
        assert {"ok", "offline", "maintenance", "suspended"} <= seen


def test_an_answer_on_resources_stays_the_same_for_its_slot_of_twenty_seconds(
    simulation: Simulation, clock: ManualClock, tiny: World
) -> None:
    caller = Caller(simulation)
    path = f"client/servers/{tiny.estate.server(0).uuid}/resources"
    clock.move_to(ANCHOR - timedelta(seconds=epoch(ANCHOR) % 20))
    first = caller.json(path)
    clock.sleep(19.5)
    assert caller.json(path) == first
    clock.sleep(1)
    assert caller.json(path) != first


def test_a_server_in_transfer_is_seen_as_such_in_the_client_list_alone(truth_world: World, clock: ManualClock) -> None:
    moved = next(
        (server, state.since)
        for server, _ in truth_world.estate.living(epoch(ANCHOR))
        for state in server.states(epoch(ANCHOR))
        if state.is_transferring
    )
    clock.move_to(ANCHOR - timedelta(seconds=epoch(ANCHOR) - moved[1] - 60))
    with Simulation(truth_world, clock) as simulation:
        caller = Caller(simulation)
        shown = caller.json(f"client/servers/{moved[0].uuid}")["attributes"]
        assert shown["is_transferring"]
        assert shown["status"] is None
        assert caller.get(f"client/servers/{moved[0].uuid}/resources").status_code == 409


# ---------------------------------------------------------------------- files and links


@pytest.fixture
def first(tiny: World) -> str:
    return tiny.estate.server(0).uuid


@pytest.fixture
def second(tiny: World) -> str:
    return tiny.estate.server(1).uuid


def test_listed_sizes_are_those_of_the_bytes(simulation: Simulation, second: str) -> None:
    caller = Caller(simulation)
    listed = caller.json(f"client/servers/{second}/files/list", directory="/logs")["data"]
    for item in listed:
        attributes = item["attributes"]
        if attributes["mode"].startswith("-"):
            content = caller.get(f"client/servers/{second}/files/contents", file=f"/logs/{attributes['name']}").content
            assert len(content) == attributes["size"]
            if attributes["name"].endswith(".gz"):
                assert gzip.decompress(content).startswith(b"[")


def test_a_link_looks_like_a_file_and_cannot_be_opened(simulation: Simulation, second: str) -> None:
    caller = Caller(simulation)
    listed = caller.json(f"client/servers/{second}/files/list", directory="/logs")["data"]
    link = next(item["attributes"] for item in listed if item["attributes"]["mode"].startswith("L"))
    assert link["is_symlink"] is False
    assert link["is_file"] is True
    assert caller.get(f"client/servers/{second}/files/contents", file=f"/logs/{link['name']}").status_code == 500


def test_a_server_of_another_game_has_no_logs(simulation: Simulation, tiny: World) -> None:
    caller = Caller(simulation)
    other = next(row["uuid"] for row in tiny.truth.entities(ANCHOR)["servers"] if not row["has_log"])
    root = caller.json(f"client/servers/{other}/files/list")["data"]
    assert "logs" not in {item["attributes"]["name"] for item in root}
    assert caller.get(f"client/servers/{other}/files/list", directory="/logs").status_code == 500


def test_a_signed_link_gives_a_file_of_any_size_once(simulation: Simulation, first: str, tiny: World) -> None:
    caller = Caller(simulation)
    assert caller.get(f"client/servers/{first}/files/contents", file="/logs/latest.log").status_code == 400
    url = caller.json(f"client/servers/{first}/files/download", file="/logs/latest.log")["attributes"]["url"]
    assert CANARIES["signed_link"] in url
    fetched = requests.get(url, timeout=30)
    assert fetched.content == tiny.log_files(tiny.estate.server(0), epoch(ANCHOR))[-1].content
    assert len(fetched.content) > 4 * 1024 * 1024
    assert requests.get(url, timeout=30).status_code == 404


def test_a_signed_link_ends_after_a_quarter_of_an_hour(simulation: Simulation, clock: ManualClock, second: str) -> None:
    caller = Caller(simulation)
    url = caller.json(f"client/servers/{second}/files/download", file="/logs/latest.log")["attributes"]["url"]
    clock.sleep(15 * 60 + 1)
    assert requests.get(url, timeout=30).status_code == 500


def test_a_forged_link_is_refused(simulation: Simulation, second: str) -> None:
    url = Caller(simulation).json(f"client/servers/{second}/files/download", file="/x")["attributes"]["url"]
    signature = url.rsplit(".", 1)[1]
    assert requests.get(url.replace(signature, signature[::-1]), timeout=30).status_code == 500


def test_a_path_for_download_is_decoded_twice(truth_world: World, clock: ManualClock) -> None:
    with Simulation(truth_world, clock) as simulation:
        caller = Caller(simulation)
        odd = truth_world.estate.server(5).uuid
        shown = caller.get(f"client/servers/{odd}/files/contents", file="/logs/pct%41.log")
        assert shown.status_code == 200
        for path, status in (("/logs/pct%41.log", 500), ("/logs/pct%2541.log", 200)):
            url = caller.json(f"client/servers/{odd}/files/download", file=path)["attributes"]["url"]
            assert requests.get(url, timeout=30).status_code == status


def test_reads_of_a_key_are_recognisable_in_the_activity(simulation: Simulation, second: str) -> None:
    caller = Caller(simulation)
    path = f"client/servers/{second}"
    caller.get(f"{path}/files/list", directory="/logs")
    caller.get(f"{path}/files/contents", file="/logs/latest.log")
    caller.get(f"{path}/files/download", file="/logs/latest.log")
    newest = caller.json(f"{path}/activity", sort="-timestamp", include="actor", per_page=2)["data"]
    assert [row["attributes"]["event"] for row in newest] == ["server:file.read", "server:file.download"]
    assert {row["attributes"]["is_api"] for row in newest} == {True}
    assert {row["attributes"]["relationships"]["actor"]["attributes"]["username"] for row in newest} == {"etl"}
    agents = {entry.user_agent for entry in simulation.requests.entries}
    assert agents == {"a test"}


# ---------------------------------------------------------------------- nodes


@pytest.fixture
def node(simulation: Simulation) -> tuple[str, str]:
    configuration = Caller(simulation).json("application/nodes/1/configuration")
    return f"http://127.0.0.1:{configuration['api']['port']}", configuration["token"]


def test_a_node_tells_what_all_its_servers_use(node: tuple[str, str], tiny: World) -> None:
    url, token = node
    assert requests.get(f"{url}/api/servers", timeout=30).status_code == 401
    wrong = requests.get(f"{url}/api/servers", headers={"Authorization": "Bearer x"}, timeout=30)
    assert wrong.status_code == 403
    rows = requests.get(f"{url}/api/servers", headers={"Authorization": f"Bearer {token}"}, timeout=30).json()
    expected = {row["uuid"] for row in tiny.truth.entities(ANCHOR)["servers"] if row["node_id"] == 1}
    assert {row["configuration"]["uuid"] for row in rows} == expected
    for row in rows:
        truth = tiny.truth.sample(row["configuration"]["uuid"], ANCHOR)
        assert row["utilization"]["memory_bytes"] == truth.memory_bytes


def test_a_node_tells_its_version(node: tuple[str, str]) -> None:
    url, token = node
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{url}/api/system", headers=headers, timeout=30).json()["version"] == "1.11.11"
    assert "docker" in requests.get(f"{url}/api/system?v=2", headers=headers, timeout=30).json()


def test_a_node_lists_and_reads_files_of_any_size_for_its_own_token_alone(
    simulation: Simulation, tiny: World, node: tuple[str, str], first: str
) -> None:
    url, token = node
    row = next(row for row in tiny.truth.entities(ANCHOR)["servers"] if row["uuid"] == first)
    assert row["node_id"] == 1
    headers = {"Authorization": f"Bearer {token}"}
    files = f"{url}/api/servers/{first}/files"
    assert requests.get(f"{files}/contents?file=/logs/latest.log", timeout=30).status_code == 401
    listed = requests.get(f"{files}/list-directory?directory=/logs", headers=headers, timeout=30).json()
    shown = Caller(simulation).json(f"client/servers/{first}/files/list", directory="/logs")["data"]
    by_panel = [item["attributes"] for item in shown]
    assert [(each["name"], each["size"], each["modified"], each["mime"]) for each in listed] == [
        (each["name"], each["size"], each["modified_at"], each["mimetype"]) for each in by_panel
    ]
    assert {each["modified"][-6:] for each in listed} <= {"+01:00", "+02:00"}
    live = requests.get(f"{files}/contents?file=/logs/latest.log", headers=headers, timeout=30)
    assert live.content == tiny.log_files(tiny.estate.server(0), epoch(ANCHOR))[-1].content
    assert len(live.content) > 4 * 1024 * 1024
    assert live.headers["x-mime-type"].startswith("text/plain")
    counts = simulation.requests.counts
    assert (counts["node_files"], counts["node_contents"]) == (1, 2)


def test_a_node_hands_out_a_file_to_keep_and_refuses_what_is_none(node: tuple[str, str], first: str) -> None:
    url, token = node
    headers = {"Authorization": f"Bearer {token}"}
    files = f"{url}/api/servers/{first}/files/contents"
    kept = requests.get(files, params={"file": "/logs/latest.log", "download": "1"}, headers=headers, timeout=30)
    assert kept.headers["content-disposition"] == 'attachment; filename="latest.log"'
    assert kept.headers["content-type"] == "application/octet-stream"
    assert requests.get(files, params={"file": "/logs"}, headers=headers, timeout=30).status_code == 400
    assert requests.get(files, params={"file": "/logs/none.log"}, headers=headers, timeout=30).status_code == 500
    stranger = files.replace(first, first[::-1])
    assert requests.get(stranger, params={"file": "/logs/latest.log"}, headers=headers, timeout=30).status_code == 404


def test_faults_strike_the_files_of_a_node(simulation: Simulation, node: tuple[str, str], first: str) -> None:
    url, token = node
    headers = {"Authorization": f"Bearer {token}"}
    listing = f"{url}/api/servers/{first}/files/list-directory?directory=/logs"
    simulation.faults.add(Fault(route="node_files", status=503, server_uuid=first, times=1))
    assert requests.get(listing, headers=headers, timeout=30).status_code == 503
    assert requests.get(listing, headers=headers, timeout=30).status_code == 200


def test_every_secret_field_bears_the_mark_of_one(simulation: Simulation, second: str) -> None:
    caller = Caller(simulation)
    text = caller.get("application/servers", include="variables,user", per_page=100).text
    text += caller.get("client", type="admin-all").text
    text += caller.get("application/nodes/1/configuration").text
    text += caller.get(f"client/servers/{second}/files/download", file="/logs/latest.log").text.replace("\\/", "/")
    for server in range(1, 6):
        text += caller.get(f"application/servers/{server}/databases", include="password").text
    text += str(simulation.keys)
    in_logs = {"chat", "command", "player_address", "player_address_v6"}
    for name, marker in CANARIES.items():
        if name not in in_logs:
            assert marker in text, name

"""Each fault does what it says, and ends."""

from __future__ import annotations

import gzip
import itertools
import json
import time

import pytest
import requests

from pteroassets.simulator.panel.faults import Fault
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.world.chance import epoch

from .conftest import ANCHOR, Caller


@pytest.fixture
def second(tiny: World) -> str:
    return tiny.estate.server(1).uuid


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 504])
def test_a_status_on_request_comes_in_the_panels_envelope_and_ends_with_its_count(
    simulation: Simulation, caller: Caller, second: str, status: int
) -> None:
    simulation.faults.add(Fault(route="resources", status=status, times=2))
    for _ in range(2):
        response = caller.get(f"client/servers/{second}/resources")
        assert response.status_code == status
        assert response.json()["errors"][0]["status"] == str(status)
        assert ("retry-after" in response.headers) == (status == 429)
    assert caller.get("client/account").status_code == 200
    assert caller.get(f"client/servers/{second}/resources").status_code == 200


def test_a_proxys_page_is_html_whatever_was_accepted(simulation: Simulation, caller: Caller) -> None:
    simulation.faults.add(Fault(route="application", status=502, body="html"))
    response = caller.get("application/servers")
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/html")
    assert caller.get("client/account").status_code == 200
    simulation.faults.clear()
    assert caller.get("application/servers").status_code == 200


def test_json_cut_in_half_is_no_json_and_says_200(simulation: Simulation, caller: Caller) -> None:
    simulation.faults.add(Fault(kind="truncate", route="servers", times=1))
    cut = caller.get("application/servers")
    assert cut.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.text)
    assert caller.json("application/servers")["data"]


def test_a_connection_that_breaks_off_is_an_error_of_the_transport(simulation: Simulation, caller: Caller) -> None:
    simulation.faults.add(Fault(kind="break_off", route="servers", times=1))
    with pytest.raises(requests.exceptions.RequestException):
        caller.get("application/servers")
    assert caller.json("application/servers")["data"]


def test_eggs_of_one_nest_fail_and_those_of_others_do_not(simulation: Simulation, caller: Caller) -> None:
    simulation.faults.add(Fault(route="eggs", status=500, nest_id=2))
    assert [caller.get(f"application/nests/{nest}/eggs").status_code for nest in (1, 2, 3, 4)] == [200, 500, 200, 200]


def test_a_dead_node_costs_504_at_the_panel_and_refuses_at_its_own_door(
    simulation: Simulation, caller: Caller, tiny: World
) -> None:
    rows = tiny.truth.entities(ANCHOR)["servers"]
    dead = next(row for row in rows if row["node_id"] == 1)["uuid"]
    living = next(row for row in rows if row["node_id"] == 2)["uuid"]
    link = caller.json(f"client/servers/{dead}/files/download", file="/logs/latest.log")["attributes"]["url"]
    simulation.faults.node_down(1, delay=0.2)
    begin = time.monotonic()
    assert caller.get(f"client/servers/{dead}/resources").status_code == 504
    assert time.monotonic() - begin >= 0.2
    assert caller.get(f"client/servers/{living}/resources").status_code == 200
    assert caller.get(f"client/servers/{dead}/files/list").status_code == 504
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(link, timeout=5)
    simulation.faults.clear()
    assert caller.get(f"client/servers/{dead}/resources").status_code == 200
    assert requests.get(link, timeout=30).status_code == 200


def test_latency_is_real_time(simulation: Simulation, caller: Caller) -> None:
    simulation.faults.latency(0.3, "account", times=1)
    begin = time.monotonic()
    caller.get("client/account")
    assert time.monotonic() - begin >= 0.3
    begin = time.monotonic()
    caller.get("client/account")
    assert time.monotonic() - begin < 0.3


def test_a_growing_log_holds_more_at_each_read_than_its_listing_said(
    simulation: Simulation, caller: Caller, second: str
) -> None:
    simulation.faults.log_growth(second)
    path = f"client/servers/{second}/files"

    def listed() -> int:
        entries = caller.json(f"{path}/list", directory="/logs")["data"]
        return int(next(row["attributes"]["size"] for row in entries if row["attributes"]["name"] == "latest.log"))

    said = listed()
    reads = [caller.get(f"{path}/contents", file="/logs/latest.log").content for _ in range(12)]
    assert len(reads[-1]) > said
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(reads))
    assert listed() == len(reads[-1])


def test_a_gz_cut_in_half_cannot_be_read_to_its_end(
    simulation: Simulation, caller: Caller, tiny: World, second: str
) -> None:
    name = tiny.log_files(tiny.estate.server(1), epoch(ANCHOR))[0].name
    assert name.endswith(".gz")
    simulation.faults.add(Fault(kind="truncate", route="contents", path_ends=".gz", times=1))
    path = f"client/servers/{second}/files/contents"
    with pytest.raises(EOFError):
        gzip.decompress(caller.get(path, file=f"/logs/{name}").content)
    assert gzip.decompress(caller.get(path, file=f"/logs/{name}").content)


def test_a_server_made_between_two_pages_moves_the_total(simulation: Simulation, caller: Caller) -> None:
    simulation.faults.add(Fault(kind="total_moves", route="servers", times=1))
    one, two = (caller.json("application/servers", per_page=3, page=page, sort="id") for page in (1, 2))
    assert two["meta"]["pagination"]["total"] == one["meta"]["pagination"]["total"] + 1
    again = caller.json("application/servers", per_page=3, page=1, sort="id")
    assert again["meta"]["pagination"]["total"] == two["meta"]["pagination"]["total"]


def test_a_file_that_somebody_deleted_is_gone(simulation: Simulation, caller: Caller, tiny: World, second: str) -> None:
    name = tiny.log_files(tiny.estate.server(1), epoch(ANCHOR))[0].name
    simulation.faults.hide_file(second, name)
    listed = caller.json(f"client/servers/{second}/files/list", directory="/logs")["data"]
    assert name not in {item["attributes"]["name"] for item in listed}
    assert caller.get(f"client/servers/{second}/files/contents", file=f"/logs/{name}").status_code == 500


def test_a_node_that_stumbles_answers_500_for_a_download(simulation: Simulation, caller: Caller, second: str) -> None:
    simulation.faults.add(Fault(route="node_download", status=500, times=1))
    path = f"client/servers/{second}/files/download"
    statuses = [
        requests.get(caller.json(path, file="/logs/latest.log")["attributes"]["url"], timeout=30).status_code
        for _ in range(2)
    ]
    assert statuses == [500, 200]


def test_requests_are_counted_by_route_and_can_be_forgotten(simulation: Simulation, caller: Caller) -> None:
    caller.get("client/account")
    caller.get("application/servers", per_page=2)
    caller.get("application/nope")
    assert simulation.requests.counts == {"account": 1, "servers": 1, "none": 1}
    assert [(entry.method, entry.path, entry.status) for entry in simulation.requests.entries] == [
        ("GET", "/api/client/account", 200),
        ("GET", "/api/application/servers", 200),
        ("GET", "/api/application/nope", 404),
    ]
    simulation.requests.clear()
    assert len(simulation.requests) == 0

"""The simulated panel answers each recorded request as the real panel did, for an entity in the same state."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from pteroassets.clock import ManualClock
from pteroassets.simulator.serve import Simulation
from pteroassets.simulator.simulated_world import World
from pteroassets.simulator.world import upkeep
from pteroassets.simulator.world.chance import epoch

from .comparing import Shape, differences, wire_format
from .conftest import ANCHOR

FOLDER = Path(__file__).parent.parent / "fixtures" / "panel"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
RECORDINGS = {entry["name"]: entry for entry in MANIFEST["recordings"]}
ERRORS = {entry["name"]: entry for entry in json.loads((FOLDER / "errors.json").read_text())}

LEFT_OUT = {
    "app-nodes-deployable": "no extractor asks where a server could be put",
    "client-account-activity": "no extractor reads the activity of an account",
    "client-network-allocations": "allocations come from the application API",
    "client-databases": "databases come from the application API",
    "client-subusers": "subusers come from the application API",
}

EXEMPT_STATUS = {
    "404-no-logs-folder": (500, "a real node says 500 for a missing path; the recording's stand-in said 404"),
    "404-no-such-file": (500, "the same"),
}

_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass(kw_only=True)
class Stand:
    """A served world, and the entities in it that stand for the recorded ones."""

    simulation: Simulation
    clock: ManualClock
    world: World
    rows: list[dict[str, Any]]
    running: str
    offline: str
    suspended: str
    installing: str
    kept: str

    def row(self, **wanted: Any) -> dict[str, Any]:
        return next(row for row in self.rows if all(row[name] == value for name, value in wanted.items()))

    def ask(self, entry: dict[str, Any], path: str, query: str) -> requests.Response:
        headers = {"Accept": entry["accept"]}
        key = self.simulation.keys.get(entry["credential"])
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        elif entry["credential"] == "invalid token":
            headers["Authorization"] = "Bearer ptla_nothing"
        url = f"{self.simulation.panel_url}{path}" + (f"?{query}" if query else "")
        return requests.request(entry["method"], url, headers=headers, timeout=30, allow_redirects=False)


@pytest.fixture(scope="module")
def stand(truth_world: World) -> Iterator[Stand]:
    clock = ManualClock(ANCHOR)
    with Simulation(truth_world, clock) as simulation:
        rows = truth_world.truth.entities(ANCHOR)["servers"]

        def in_state(outcome: str) -> str:
            found = (row["uuid"] for row in rows if truth_world.truth.sample(row["uuid"], ANCHOR).outcome == outcome)
            return str(next(found))

        yield Stand(
            simulation=simulation,
            clock=clock,
            world=truth_world,
            rows=rows,
            running=rows[0]["uuid"],
            offline=in_state("offline"),
            suspended=in_state("suspended"),
            installing=in_state("installing"),
            kept=kept_one(truth_world),
        )


def kept_one(world: World) -> str:
    """The UUID of a server that has a backup, and a schedule of each kind."""
    at = epoch(ANCHOR)
    return next(
        server.uuid
        for server, state in world.estate.living(at)
        if not state.is_gated
        and not world.estate.node_by_id[state.node_id].is_in_maintenance(at)
        and upkeep.backups(world.seed, server, at)
        and world.restarts_at(server) is not None
    )


@pytest.fixture(autouse=True)
def a_minute_of_its_own(stand: Stand) -> Iterator[None]:
    """Each test begins with an open rate-limit window and without faults; the clock stands still."""
    yield
    stand.simulation.faults.clear()
    stand.simulation._panel._limiters["application"]._windows.clear()
    stand.simulation._panel._limiters["client"]._windows.clear()


def _request(stand: Stand, name: str, entry: dict[str, Any]) -> tuple[str, str]:
    """Return path and query of the recorded request, with ids of this world in place of the recorded ones."""
    path, query = entry["path"], entry["query"]
    live = f"/api/client/servers/{stand.running[:8]}"
    application = "/api/application/servers"
    # one server that has everything, and one more so that there is a next page
    other = max(row["uuid"] for row in stand.rows)
    rich = f"filter[uuid]={stand.running},{other}&sort=uuid"
    last = -(-len(stand.rows) // 20)
    gz = stand.world.log_files(stand.world.estate.server(0), epoch(ANCHOR))[0].name
    newyork = next(row["uuid"] for row in stand.rows if row["node_id"] == 3 and row["has_log"])
    foreign = next(row["uuid"] for row in stand.rows if row["owner_id"] > 20 and row["id"] > 40)
    deleted = stand.world.truth.deleted(ANCHOR)["servers"][0]["id"]
    gated = f"/api/client/servers/{stand.suspended[:8]}"
    special: dict[str, tuple[str, str]] = {
        "app-servers-lastpage": (path, f"per_page=20&page={last}"),
        "app-servers-per-page-zero": (path, "per_page=0&filter[name]=001"),
        "app-servers-includes": (path, f"{query}&{rich}"),
        "app-servers-partial-key": (path, f"{query}&{rich}"),
        "app-server-view-suspended": (f"{application}/{stand.row(status='suspended')['id']}", ""),
        "app-server-view-installing": (f"{application}/{stand.row(status='installing')['id']}", ""),
        "app-server-view-installfailed": (f"{application}/{stand.row(status='install_failed')['id']}", ""),
        "app-server-external": (f"{application}/external/order-50003", ""),
        "app-users-lastpage": (path, "per_page=10&page=13"),
        "app-users-include-servers": (path, "per_page=1&page=2&include=servers&sort=id"),
        "client-admin-all-last": (path, f"type=admin-all&per_page=25&page={-(-len(stand.rows) // 25)}"),
        "client-server-view": (live, query),
        "client-resources-running": (f"{live}/resources", ""),
        "client-resources-offline": (f"/api/client/servers/{stand.offline[:8]}/resources", ""),
        "client-files-list-logs": (f"{live}/files/list", query),
        "client-files-list-tz-offset": (f"/api/client/servers/{newyork[:8]}/files/list", query),
        "client-files-list-odd-names": (f"/api/client/servers/{stand.row(id=6)['identifier']}/files/list", query),
        "client-files-list-empty": (f"{live}/files/list", "directory=/plugins"),
        "client-files-contents-latest.log": (
            f"/api/client/servers/{stand.row(id=2)['identifier']}/files/contents",
            "file=%2Flogs%2Flatest.log",
        ),
        "client-files-contents-log": (f"{live}/files/contents", f"file=%2Flogs%2F{gz}"),
        "client-files-download": (f"{live}/files/download", query),
        "client-backups": (f"/api/client/servers/{stand.kept[:8]}/backups", ""),
        "client-schedules": (f"/api/client/servers/{stand.kept[:8]}/schedules", ""),
        "client-activity-newest": (f"{live}/activity", "per_page=2&sort=-timestamp&include=actor"),
        "client-activity-default-order": (f"{live}/activity", "per_page=2&page=2&include=actor"),
        "403-subuser-without-file-read": (f"/api/client/servers/{stand.row(id=6)['identifier']}/files/list", query),
        "404-foreign-server": (f"/api/client/servers/{foreign[:8]}/resources", ""),
        "404-deleted-server-id": (f"{application}/{deleted}", ""),
        "404-no-logs-folder": (f"{live}/files/list", "directory=/no-logs"),
        "404-no-such-file": (f"{live}/files/contents", query),
        "302-daemon-error-without-json-accept": (f"{live}/files/contents", query),
        "400-file-is-directory": (f"{live}/files/contents", query),
        "400-file-too-large": (f"{live}/files/contents", query),
        "422-missing-file-parameter": (f"{live}/files/contents", ""),
        "409-suspended": (f"{gated}/resources", ""),
        "409-installing": (f"/api/client/servers/{stand.installing[:8]}/files/list", query),
        "504-node-unreachable": (f"{live}/files/list", query),
        "500-daemon-500": (f"{live}/files/list", "directory=/nowhere"),
    }
    return special.get(name, (path, query))


def _api(entry: dict[str, Any]) -> str:
    return "application" if entry["path"].startswith("/api/application") else "client"


def _body(entry: dict[str, Any]) -> Any:
    return json.loads((FOLDER / entry["file"]).read_text())


@pytest.fixture(scope="module")
def known() -> dict[str, Shape]:
    shapes = {"application": Shape(), "client": Shape()}
    for name, entry in RECORDINGS.items():
        if name not in LEFT_OUT and entry["file"].endswith(".json"):
            shapes[_api(entry)].add(_body(entry))
    return shapes


def _compare_headers(response: requests.Response, entry: dict[str, Any]) -> None:
    for name, value in entry["headers"].items():
        assert name in response.headers, f"no {name}"
        if name in {"content-type", "x-ratelimit-limit", "cache-control", "allow"}:
            assert response.headers[name] == value
        elif name.startswith("x-ratelimit") or name == "retry-after":
            assert response.headers[name].isdigit()
    for name in ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"):
        assert (name in response.headers) == (name in entry["headers"]), name


@pytest.mark.parametrize("name", [name for name in RECORDINGS if name not in LEFT_OUT])
def test_an_answer_is_like_the_recorded_one(name: str, stand: Stand, known: dict[str, Shape]) -> None:
    entry = RECORDINGS[name]
    response = stand.ask(entry, *_request(stand, name, entry))
    assert response.status_code == entry["status"], response.text[:300]
    _compare_headers(response, entry)
    if not entry["file"].endswith(".json"):
        is_gzip = entry["file"].endswith(".gz")
        assert response.content[:2] == (b"\x1f\x8b" if is_gzip else response.text[:2].encode())
        assert len(response.content) > 500
        return
    assert wire_format(response.content) == entry["wire_format"]
    recorded = _body(entry)
    assert differences(response.json(), recorded, known[_api(entry)], _api(entry)) == []
    if "meta" in recorded and "pagination" in recorded["meta"]:
        _compare_links(response.json()["meta"]["pagination"]["links"], recorded["meta"]["pagination"]["links"])


def _compare_links(simulated: dict[str, str], recorded: dict[str, str]) -> None:
    assert set(simulated) == set(recorded)
    for name, url in recorded.items():
        wanted = {part.split("=")[0] for part in url.partition("?")[2].split("&")}
        assert {part.split("=")[0] for part in simulated[name].partition("?")[2].split("&")} == wanted


@pytest.mark.parametrize("name", [name for name in ERRORS if not name.startswith("429")])
def test_a_refusal_is_like_the_recorded_one(name: str, stand: Stand) -> None:
    entry = ERRORS[name]
    if name == "504-node-unreachable":
        stand.simulation.faults.node_down(stand.rows[0]["node_id"])
    response = stand.ask(entry, *_request(stand, name, entry))
    exempt = EXEMPT_STATUS.get(name)
    assert response.status_code == (exempt[0] if exempt else entry["status"]), response.text[:300]
    _compare_headers(response, entry)
    if exempt is None:
        _compare_error(response, entry)


def _compare_error(response: requests.Response, entry: dict[str, Any]) -> None:
    if not isinstance(entry["body"], dict):
        assert response.text.startswith("<!DOCTYPE html>")
        return
    assert wire_format(response.content) == entry["wire_format"]
    said, wanted = response.json(), entry["body"]
    for body in (said, wanted):
        for error in body["errors"]:
            error["detail"] = _REQUEST_ID.sub("<id>", error["detail"])
    assert said == wanted
    assert len(response.content) == entry["body_bytes"]


@pytest.mark.parametrize("name", list(EXEMPT_STATUS))
def test_an_older_node_says_404_for_a_missing_path_as_it_was_recorded(name: str, stand: Stand) -> None:
    stand.simulation.faults.missing_path_status = 404
    entry = ERRORS[name]
    response = stand.ask(entry, *_request(stand, name, entry))
    assert response.status_code == entry["status"]
    _compare_error(response, entry)


@pytest.mark.parametrize("name", [name for name in ERRORS if name.startswith("429")])
def test_one_request_too_many_is_refused_as_it_was_recorded(name: str, stand: Stand) -> None:
    entry = ERRORS[name]
    for _ in range(240):
        answer = stand.ask({**entry, "accept": "application/json"}, "/api/application/locations", "")
        assert answer.status_code == 200
    response = stand.ask(entry, entry["path"], entry["query"])
    assert response.status_code == 429
    _compare_headers(response, entry)
    _compare_error(response, entry)


def test_what_is_left_out_is_recorded_and_has_a_reason() -> None:
    assert set(LEFT_OUT) <= set(RECORDINGS)
    assert all(LEFT_OUT.values())


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            if key not in {"environment", "docker_images", "files"}:
                yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _places(item, (*path, number))


@pytest.mark.parametrize(
    "name",
    [
        "app-servers-includes",
        "app-nodes",
        "app-users-page1",
        "app-node-allocations",
        "app-nest-eggs-variables",
        "app-locations-include-nodes",
        "app-node-configuration",
        "client-admin-all-page1",
        "client-resources-running",
        "client-files-list-logs",
        "client-files-download",
        "client-account",
        "client-backups",
        "client-schedules",
    ],
)
def test_deleting_any_field_from_an_answer_is_noticed(name: str, stand: Stand, known: dict[str, Shape]) -> None:
    entry = RECORDINGS[name]
    answer = stand.ask(entry, *_request(stand, name, entry)).json()
    recorded = _body(entry)
    assert differences(answer, recorded, known[_api(entry)], _api(entry)) == []
    unnoticed = []
    for place in _places(answer):
        spoilt = copy.deepcopy(answer)
        holder: Any = spoilt
        for step in place[:-1]:
            holder = holder[step]
        del holder[place[-1]]
        if not differences(spoilt, recorded, known[_api(entry)], _api(entry)):
            unnoticed.append(place)
    assert [place for place in unnoticed if place[-1] not in {"next", "previous"}] == []


def test_a_field_of_another_type_is_noticed(stand: Stand, known: dict[str, Shape]) -> None:
    entry = RECORDINGS["client-resources-running"]
    answer = stand.ask(entry, *_request(stand, entry["name"], entry)).json()
    answer["attributes"]["resources"]["cpu_absolute"] = "12"
    assert differences(answer, _body(entry), known["client"], "client")
    answer["attributes"]["resources"]["cpu_absolute"] = None
    assert differences(answer, _body(entry), known["client"], "client")


def test_the_simulator_never_reads_a_recording() -> None:
    package = Path(__file__).parent.parent.parent / "pteroassets" / "simulator"
    for module in package.glob("*.py"):
        text = module.read_text()
        assert "fixtures" not in text
        assert "recording" not in text
        assert "pteroassets.sources" not in text


def test_a_client_list_follows_next_with_its_query_and_an_application_list_does_not(stand: Stand) -> None:
    entry = {"method": "GET", "credential": "client", "accept": "application/json"}
    own = stand.ask(entry, "/api/client", "type=admin-all&per_page=5").json()["meta"]["pagination"]["links"]["next"]
    application = stand.ask(entry, "/api/application/servers", "per_page=5&sort=id").json()
    assert "type=admin-all" in own
    assert "per_page=5" in own
    assert application["meta"]["pagination"]["links"]["next"].endswith("/api/application/servers?page=2")


def test_times_of_a_listing_bear_the_offset_of_the_node(stand: Stand) -> None:
    entry = RECORDINGS["client-files-list-tz-offset"]
    response = stand.ask(entry, *_request(stand, entry["name"], entry)).json()
    assert {item["attributes"]["modified_at"][-6:] for item in response["data"]} == {"-04:00"}

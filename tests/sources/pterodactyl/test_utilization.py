"""Samples of what servers consume."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pteroassets.clock import ManualClock
from pteroassets.sources.pterodactyl.client import PanelClient, ServerFlags
from pteroassets.sources.pterodactyl.errors import KeyRejectedError
from pteroassets.sources.pterodactyl.utilization import (
    PassStamp,
    SamplingPass,
    UtilizationSample,
    read_stats,
    sample_servers,
)

RUNNING: dict[str, Any] = {
    "current_state": "running",
    "is_suspended": False,
    "resources": {
        "memory_bytes": 1879048192,
        "cpu_absolute": 37.412,
        "disk_bytes": 4831838208,
        "network_rx_bytes": 91827364,
        "network_tx_bytes": 182736455,
        "uptime": 86412000,
    },
}
OFFLINE: dict[str, Any] = {
    "current_state": "offline",
    "is_suspended": False,
    "resources": {
        "memory_bytes": 0,
        "cpu_absolute": 0,
        "disk_bytes": 4831838208,
        "network_rx_bytes": 0,
        "network_tx_bytes": 0,
        "uptime": 0,
    },
}


class Host:
    """A panel with nodes; a test says what a server's figures are answered with."""

    def __init__(self, stub: Any, nodes: dict[str, int]) -> None:
        self.stub = stub
        self.rows = [
            {"uuid": self.uid(100 * (place + 1) + number), "internal_id": number, "name": "x", "node": node}
            for place, (node, servers) in enumerate(nodes.items())
            for number in range(servers)
        ]
        self.node_of = {row["uuid"]: row["node"] for row in self.rows}
        self.figures: Callable[[str], Response] = lambda _: stub.json({"object": "stats", "attributes": RUNNING})
        stub.answer = self.answer

    @staticmethod
    def uid(number: int) -> str:
        return str(uuid.UUID(int=number))

    def asked(self, node: str | None = None) -> list[str]:
        uuids = [path.split("/")[4] for path in self.stub.paths if path.endswith("/resources")]
        return [uid for uid in uuids if node is None or self.node_of[uid] == node]

    def answer(self, request: Request) -> Response:
        parts = request.url.path.split("/")
        if parts[-1] == "resources":
            return self.figures(parts[4])
        if len(parts) == 5:
            (row,) = [row for row in self.rows if row["uuid"] == parts[4]]
            return self.stub.json({"object": "server", "attributes": row})
        return self.stub.list_of(request, self.rows)


@pytest.fixture
def sample(panel: PanelClient, clock: ManualClock) -> Callable[[], SamplingPass]:
    return lambda: sample_servers(panel, clock=clock, interval_seconds=300, max_workers=4)


def outcomes(sampling: SamplingPass) -> dict[str, int]:
    counted: dict[str, int] = {}
    for taken in sampling.samples:
        counted[taken.outcome] = counted.get(taken.outcome, 0) + 1
    return counted


def test_every_server_has_one_sample_for_one_request(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 5, "fra-02": 3})
    sampling = sample()
    assert outcomes(sampling) == {"ok": 8}
    assert sampling.requests == 9
    assert sampling.listing_complete
    assert [str(taken.server_uuid) for taken in sampling.samples] == sorted(host.node_of)
    first = sampling.samples[0]
    assert first.pass_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert first.sampled_at == datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
    assert (first.node_name, first.interval_seconds, first.state) == ("fra-01", 300, "running")
    assert (first.cpu_percent, first.memory_bytes, first.disk_bytes) == (37.412, 1879048192, 4831838208)
    assert (first.network_rx_bytes, first.network_tx_bytes) == (91827364, 182736455)
    assert (first.uptime_milliseconds, first.is_suspect, first.reason) == (86412000, False, None)


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ({"status": "suspended"}, "suspended"),
        ({"status": "installing"}, "installing"),
        ({"status": "install_failed"}, "install_failed"),
        ({"status": "restoring_backup"}, "restoring_backup"),
        ({"is_transferring": True}, "transferring"),
        ({"is_node_under_maintenance": True}, "maintenance"),
    ],
)
def test_a_gated_server_costs_no_request(stub: Any, sample: Any, flags: dict[str, Any], outcome: str) -> None:
    host = Host(stub, {"fra-01": 1})
    host.rows[0] |= flags
    (taken,) = sample().samples
    assert taken.outcome == outcome
    assert outcome in (taken.reason or "")
    assert (taken.state, taken.cpu_percent, taken.memory_bytes, taken.disk_bytes) == (None, None, None, None)
    assert host.asked() == []


STAMP = PassStamp(
    pass_at=datetime(2026, 3, 1, tzinfo=UTC), interval_seconds=300, clock=ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
)
SERVER = ServerFlags(uuid=Host.uid(1), id=1, name="x", node_name="fra-01", outcome=None)


def test_zeros_of_a_server_that_is_offline_are_no_measurements() -> None:
    taken = read_stats(SERVER, OFFLINE, STAMP)
    assert (taken.outcome, taken.state, taken.disk_bytes) == ("offline", "offline", 4831838208)
    assert (taken.cpu_percent, taken.memory_bytes, taken.uptime_milliseconds) == (None, None, None)
    assert (taken.network_rx_bytes, taken.network_tx_bytes, taken.is_suspect) == (None, None, False)


@pytest.mark.parametrize("state", ["starting", "stopping", "of_a_later_version"])
def test_other_states_are_measured(state: str) -> None:
    taken = read_stats(SERVER, RUNNING | {"current_state": state}, STAMP)
    assert (taken.outcome, taken.state, taken.cpu_percent) == ("ok", state, 37.412)


def test_running_without_memory_is_suspect() -> None:
    figures = RUNNING["resources"] | {"memory_bytes": 0}
    assert read_stats(SERVER, RUNNING | {"resources": figures}, STAMP).is_suspect
    assert not read_stats(SERVER, RUNNING | {"resources": figures | {"uptime": 0}}, STAMP).is_suspect


def test_cpu_that_arrives_as_a_whole_number_is_a_float() -> None:
    figures = RUNNING["resources"] | {"cpu_absolute": 0}
    taken = read_stats(SERVER, RUNNING | {"resources": figures}, STAMP)
    assert isinstance(taken.cpu_percent, float)


@pytest.mark.parametrize(
    "attributes", [{}, {"current_state": "running"}, {"current_state": "running", "resources": []}]
)
def test_an_answer_without_figures_is_an_error_and_not_a_zero(attributes: dict[str, Any]) -> None:
    taken = read_stats(SERVER, attributes, STAMP)
    assert (taken.outcome, taken.cpu_percent, taken.memory_bytes) == ("error", None, None)
    assert taken.reason


def test_a_dead_node_costs_one_request_and_no_other_node(stub: Any, sample: Any) -> None:
    host = Host(stub, {"dead": 20, "fra-01": 20})
    host.figures = lambda uid: stub.node_silent() if host.node_of[uid] == "dead" else stub.json({"attributes": RUNNING})
    sampling = sample()
    assert outcomes(sampling) == {"node_unreachable": 20, "ok": 20}
    assert len(host.asked("dead")) == 1
    assert all("node dead" in taken.reason for taken in sampling.samples if taken.outcome == "node_unreachable")


def test_nodes_that_hang_are_waited_for_side_by_side_and_hold_no_other_up(
    stub: Any, make_panel: Callable[..., PanelClient], clock: ManualClock
) -> None:
    host = Host(stub, {**{f"hangs-{number}": 3 for number in range(6)}, "fra-01": 5})
    all_hang = threading.Barrier(6)
    answered: list[str] = []

    def figures(uid: str) -> Response:
        if host.node_of[uid] != "fra-01":
            all_hang.wait(20)  # broken, and so a failure, unless all six are asked while none has been answered
            while len(answered) < 5:
                threading.Event().wait(0.01)
            return stub.node_silent()
        answered.append(uid)
        return stub.json({"attributes": RUNNING})

    host.figures = figures
    sampling = sample_servers(make_panel(stub.url), clock=clock, interval_seconds=300, max_workers=2)
    assert outcomes(sampling) == {"node_unreachable": 18, "ok": 5}
    assert len(host.asked()) == 6 + 5


def test_a_silent_node_costs_one_time_out(
    stub: Any, make_panel: Callable[..., PanelClient], clock: ManualClock
) -> None:
    host = Host(stub, {"silent": 20, "fra-01": 5})
    release = threading.Event()

    def figures(uid: str) -> Response:
        if host.node_of[uid] == "silent":
            release.wait(5)
        return stub.json({"attributes": RUNNING})

    host.figures = figures
    panel = make_panel(stub.url, timeout=(1, 0.4))
    sampling = sample_servers(panel, clock=clock, interval_seconds=300, max_workers=4)
    release.set()
    assert outcomes(sampling) == {"node_unreachable": 20, "ok": 5}
    assert len(host.asked("silent")) == 1


@pytest.mark.parametrize("status", [404, 500])
def test_servers_at_which_their_node_fails_cost_no_other(
    stub: Any, sample: Any, clock: ManualClock, status: int
) -> None:
    host = Host(stub, {"fra-01": 10})
    broken = {host.rows[0]["uuid"], host.rows[1]["uuid"]}  # asked before all others in one of the passes
    host.figures = lambda uid: stub.node_fault(status) if uid in broken else stub.json({"attributes": RUNNING})
    for minute in range(0, 60, 5):
        clock.move_to(datetime(2026, 3, 1, 12, minute, tzinfo=UTC))
        sampling = sample()
        assert outcomes(sampling) == {"error": 2, "ok": 8}
        assert {str(taken.server_uuid) for taken in sampling.samples if taken.outcome == "error"} == broken


def test_a_server_at_which_its_node_hangs_does_not_hide_the_others_in_every_pass(
    stub: Any, sample: Any, clock: ManualClock
) -> None:
    host = Host(stub, {"fra-01": 10})
    hangs = host.rows[0]["uuid"]
    host.figures = lambda uid: stub.node_silent() if uid == hangs else stub.json({"attributes": RUNNING})
    seen = set()
    for minute in range(0, 60, 5):
        clock.move_to(datetime(2026, 3, 1, 12, minute, tzinfo=UTC))
        seen.add(outcomes(sample()).get("ok", 0))
    assert max(seen) > 0


def test_a_state_that_changed_since_the_list_is_told_by_the_flags(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 3})
    changed = host.rows[1]

    def figures(uid: str) -> Response:
        if uid != changed["uuid"]:
            return stub.json({"attributes": RUNNING})
        changed["is_transferring"] = True
        return stub.error(409, "ServerStateConflictException")

    host.figures = figures
    sampling = sample()
    assert outcomes(sampling) == {"ok": 2, "transferring": 1}
    assert sampling.requests == 5


def test_a_state_that_ended_meanwhile_is_measured(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 1})
    host.figures = lambda _: (
        stub.error(409, "ServerStateConflictException")
        if len(host.asked()) == 1
        else stub.json({"attributes": RUNNING})
    )
    assert outcomes(sample()) == {"ok": 1}


def test_a_conflict_without_a_flag_is_an_error(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 1})
    host.figures = lambda _: stub.error(409, "ServerStateConflictException")
    assert outcomes(sample()) == {"error": 1}
    assert len(host.asked()) == 2


@pytest.mark.parametrize(("status", "outcome"), [(404, "gone"), (403, "error"), (500, "error"), (502, "error")])
def test_a_failure_of_one_server_is_its_outcome(stub: Any, sample: Any, status: int, outcome: str) -> None:
    host = Host(stub, {"fra-01": 4})
    broken = host.rows[2]["uuid"]
    host.figures = lambda uid: stub.error(status, "X") if uid == broken else stub.json({"attributes": RUNNING})
    sampling = sample()
    assert outcomes(sampling) == {outcome: 1, "ok": 3}
    (taken,) = [taken for taken in sampling.samples if taken.outcome == outcome]
    assert str(status) in (taken.reason or "")
    assert "CANARY" not in (taken.reason or "")
    assert "http" not in (taken.reason or "")


def test_a_refusal_without_end_leaves_the_rest_unasked(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 50})
    host.figures = lambda _: stub.error(429, "ThrottleRequestsException", headers={"Retry-After": "10"})
    assert outcomes(sample()) == {"rate_limited": 50}
    assert len(host.asked()) == 3


def test_a_key_withdrawn_during_the_pass_ends_it(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 2})
    host.figures = lambda _: stub.error(401, "AuthenticationException")
    with pytest.raises(KeyRejectedError):
        sample()


def test_a_panel_that_goes_away_leaves_the_rest_unasked(
    stub: Any, make_panel: Callable[..., PanelClient], clock: ManualClock
) -> None:
    host = Host(stub, {"fra-01": 50})
    listener = socket.create_server(("127.0.0.1", 0))
    nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    began = clock.now()
    panel = make_panel(stub.url)
    gone = make_panel(nobody, timeout=(1, 1))
    kept = panel.client

    def client(endpoint: str, **params: Any) -> dict[str, Any]:
        answer = kept(endpoint, **params)
        if endpoint == "":
            panel._objects = gone._objects
        return answer

    panel.client = client  # type: ignore[method-assign]
    assert outcomes(sample_servers(panel, clock=clock, interval_seconds=300, max_workers=1)) == {"error": 50}
    assert host.asked() == []
    assert (clock.now() - began).total_seconds() <= 180, "an outage is waited out once, not for each server"


def test_a_list_that_is_not_whole_is_told(stub: Any, sample: Any) -> None:
    host = Host(stub, {"fra-01": 2})
    stub.answer = lambda request: (
        host.answer(request) if request.url.path.endswith("resources") else stub.page(host.rows, total=3)
    )
    sampling = sample()
    assert not sampling.listing_complete
    assert len(sampling.samples) == 2


def test_another_reader_takes_the_place_of_the_panels_figures(
    stub: Any, panel: PanelClient, clock: ManualClock
) -> None:
    class Nodes:
        def read(self, servers: Sequence[ServerFlags], stamp: PassStamp) -> list[UtilizationSample]:
            return [stamp.sample(server, "offline") for server in servers]

    host = Host(stub, {"fra-01": 3})
    sampling = sample_servers(panel, clock=clock, interval_seconds=300, reader=Nodes())
    assert outcomes(sampling) == {"offline": 3}
    assert host.asked() == []

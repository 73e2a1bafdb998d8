"""Samples that nodes give themselves, where a node does what a simulated one does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pteroassets.clock import ManualClock
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.errors import PanelAddressError
from pteroassets.sources.pterodactyl.node_utilization import NodeReader
from pteroassets.sources.pterodactyl.utilization import SamplingPass, sample_servers
from tests.sources.pterodactyl.test_utilization import RUNNING, Host, outcomes

TOKEN = "CANARY-token-of-a-node"
USE: dict[str, Any] = {
    "memory_bytes": 1879048192,
    "memory_limit_bytes": 4724464025,
    "cpu_absolute": 37.412,
    "network": {"rx_bytes": 91827364, "tx_bytes": 182736455},
    "uptime": 86412000,
    "state": "running",
    "disk_bytes": 4831838208,
}


class NodeHost(Host):
    """A panel whose nodes are all at one address; a test says what ``/api/servers`` is answered with."""

    def __init__(self, stub: Any, nodes: dict[str, int]) -> None:
        super().__init__(stub, nodes)
        self.scheme, self.port = "http", int(stub.url.rpartition(":")[2])
        self.names = [*nodes]
        self.report: Callable[[], Response] = lambda: stub.json([self.reported(uid) for uid in self.node_of])

    def reported(self, uid: str, **changes: Any) -> dict[str, Any]:
        configuration = {"uuid": uid, "invocation": "java -CANARY", "environment": {"PASSWORD": "CANARY"}}
        return {"state": "running", "is_suspended": False, "utilization": USE, "configuration": configuration} | changes

    def answer(self, request: Request) -> Response:
        path = request.url.path
        if path == "/api/servers":
            assert request.headers["authorization"] == f"Bearer {TOKEN}"
            return self.report()
        if path == "/api/application/nodes":
            rows = [
                {"id": number, "name": name, "scheme": self.scheme, "fqdn": "127.0.0.1", "daemon_listen": self.port}
                for number, name in enumerate(self.names)
            ]
            return self.stub.list_of(request, rows)
        if path.endswith("/configuration"):
            return self.stub.json({"token": TOKEN})
        return super().answer(request)


@pytest.fixture
def sample(panel: PanelClient, clock: ManualClock) -> Callable[[], SamplingPass]:
    return lambda: sample_servers(panel, clock=clock, interval_seconds=300, reader=NodeReader(panel))


def test_a_nodes_figures_are_those_of_the_panel(stub: Any, sample: Any, panel: PanelClient, clock: ManualClock) -> None:
    host = NodeHost(stub, {"fra-01": 3})
    at_node = sample()
    assert stub.paths.count("/api/servers") == 1
    assert host.asked() == []
    assert at_node.samples == sample_servers(panel, clock=clock, interval_seconds=300).samples
    assert outcomes(at_node) == {"ok": 3}


def test_what_pelicans_nodes_tell_besides_is_passed_over(stub: Any, sample: Any) -> None:
    host = NodeHost(stub, {"fra-01": 1})
    use = USE | {"disk_io": {"read_bytes": 1, "write_bytes": 2}}
    host.report = lambda: stub.json([host.reported(host.uid(100), utilization=use)])
    (taken,) = sample().samples
    assert (taken.outcome, taken.network_rx_bytes, taken.network_tx_bytes) == ("ok", 91827364, 182736455)


def test_a_server_that_cannot_be_read_or_is_named_twice_costs_no_other(stub: Any, sample: Any) -> None:
    host = NodeHost(stub, {"fra-01": 4})
    first, second, third, fourth = host.node_of
    host.report = lambda: stub.json(
        [
            7,
            None,
            {},
            host.reported(first),
            host.reported(second, utilization=["CANARY"]),
            host.reported(third, configuration="CANARY"),
            host.reported("no uuid, CANARY"),
            host.reported(fourth),
            host.reported(fourth.upper()),
        ]
    )
    sampling = sample()
    assert [str(taken.server_uuid) for taken in sampling.samples] == sorted(host.node_of)
    assert outcomes(sampling) == {"ok": 4}
    assert sorted(host.asked()) == sorted([second, third])
    assert sampling.notes == [
        ("fra-01", "2 servers asked for at the panel, since the node does not report them"),
    ]


@pytest.mark.parametrize("changes", [{"utilization": {}}, {"state": None}, {"utilization": USE | {"network": {}}}])
def test_a_figure_that_is_not_there_is_unknown_and_not_zero(stub: Any, sample: Any, changes: dict[str, Any]) -> None:
    host = NodeHost(stub, {"fra-01": 1})
    host.report = lambda: stub.json([host.reported(host.uid(100), **changes)])
    (taken,) = sample().samples
    assert taken.network_rx_bytes is None
    assert (taken.outcome, taken.cpu_percent) in {("error", None), ("ok", 37.412)}
    assert (taken.outcome == "error") == (taken.reason is not None)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"error": "CANARY"}', b"[{", b"[" * 100_000, b'["\xff"', b"null"])
def test_an_answer_that_is_no_list_has_the_panel_asked(stub: Any, sample: Any, body: bytes) -> None:
    host = NodeHost(stub, {"fra-01": 2})
    host.report = lambda: Response(body, media_type="application/json")
    host.figures = lambda _: stub.json({"attributes": RUNNING})
    sampling = sample()
    assert outcomes(sampling) == {"ok": 2}
    assert len(host.asked()) == 2
    ((node, note),) = sampling.notes
    assert node == "fra-01"
    assert note.endswith(": node fra-01 gave no list of its servers")


def test_a_node_that_accepts_no_connection_has_the_panel_asked_for_one_server_if_it_is_dead(
    stub: Any, sample: Any
) -> None:
    host = NodeHost(stub, {"fra-01": 5})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host.port = listener.getsockname()[1]
    host.figures = lambda _: stub.node_silent()
    assert outcomes(sample()) == {"node_unreachable": 5}
    assert len(host.asked()) == 1
    host.figures = lambda _: stub.json({"attributes": RUNNING})
    sampling = sample()
    assert outcomes(sampling) == {"ok": 5}
    assert "5 servers asked for at the panel" in sampling.notes[0][1]


def test_two_nodes_of_one_name_are_not_taken_for_each_other(stub: Any, sample: Any) -> None:
    host = NodeHost(stub, {"fra-01": 2})
    host.names = ["fra-01", "fra-01"]
    sampling = sample()
    assert stub.paths.count("/api/servers") == 0
    assert outcomes(sampling) == {"ok": 2}
    assert "the panel has 2 nodes called 'fra-01'" in sampling.notes[0][1]


def test_nodes_are_asked_side_by_side(stub: Any, make_panel: Callable[..., PanelClient], clock: ManualClock) -> None:
    host = NodeHost(stub, {f"node-{number}": 2 for number in range(8)})
    all_asked = threading.Barrier(8)

    def report() -> Response:
        all_asked.wait(20)  # broken, and so a failure, unless all eight are asked while none has been answered
        return stub.json([host.reported(uid) for uid in host.node_of])

    host.report = report
    panel = make_panel(stub.url)
    sampling = sample_servers(panel, clock=clock, interval_seconds=300, reader=NodeReader(panel))
    assert outcomes(sampling) == {"ok": 16}
    assert stub.paths.count("/api/servers") == 8


# ---------- a CA of the operator's own


@pytest.fixture
def private_ca(tmp_path: Path) -> tuple[Path, Path]:
    """The bundle of a private CA, and a certificate for loopback that it signed, with its key."""
    authority, ca, node = trustme.CA(), tmp_path / "ca.pem", tmp_path / "node.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(node)
    return ca, node


@pytest.fixture
def tls_port(stub: Any, private_ca: tuple[Path, Path]) -> Iterator[int]:
    """A port at which the stub answers with a certificate of a private CA."""
    certificate = str(private_ca[1])
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/{path:path}", stub.handle)])
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="critical",
            lifespan="off",
            date_header=False,
            ssl_certfile=certificate,
            ssl_keyfile=certificate,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.mark.parametrize("is_set", [True, False])
def test_a_private_ca_is_trusted_where_the_operator_says_so_and_nowhere_else(
    stub: Any,
    tls_port: int,
    private_ca: tuple[Path, Path],
    make_panel: Callable[..., PanelClient],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_set: bool,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())  # for the panel; it is not the nodes'
    host = NodeHost(stub, {"fra-01": 2})
    host.scheme, host.port = "https", tls_port
    panel = make_panel(stub.url, node_ca=private_ca[0] if is_set else None)
    sampling = sample_servers(panel, clock=clock, interval_seconds=300, reader=NodeReader(panel))
    assert outcomes(sampling) == {"ok": 2}
    assert stub.paths.count("/api/servers") == is_set
    assert len(host.asked()) == (0 if is_set else 2)
    notes = [note for _, note in sampling.notes]
    assert [("is not trusted" in note, note.endswith("PTEROASSETS_NODE_CA")) for note in notes] == (
        [] if is_set else [(True, True)]
    )


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_that_cannot_be_used_is_told_at_once(
    stub: Any, make_panel: Callable[..., PanelClient], tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(PanelAddressError, match=rf"PTEROASSETS_NODE_CA names {bundle}, which is no PEM bundle"):
        make_panel(stub.url, node_ca=bundle)

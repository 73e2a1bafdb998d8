"""A panel of a few lines for what a true one does rarely: each test says what it answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pteroassets.clock import ManualClock
from pteroassets.privacy import Redactor
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.pacing import AnnouncedLimits

APPLICATION_KEY = "ptla_CANARYapplicationkey0000"
CLIENT_KEY = "ptlc_CANARYclientkey000000000"


class StubPanel:
    """Answers each request as `answer` says and remembers it."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Response] = lambda _: self.json({}, status=404)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    def json(self, body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return Response(json.dumps(body), status, headers, media_type="application/json")

    def error(self, status: int, code: str, *, headers: dict[str, str] | None = None) -> Response:
        body = {
            "errors": [{"code": code, "status": str(status), "detail": "CANARY detail https://x.test/?token=CANARY"}]
        }
        return self.json(body, status=status, headers=headers)

    def node_silent(self) -> Response:
        """What the panel says of a node that gave it no answer."""
        return self._of_node("Could not establish a connection to the machine running this server. Please try again.")

    def node_fault(self, status: int) -> Response:
        """What the panel says at ``/resources`` of a node that answered it *status*."""
        return self._of_node(
            "There was an error while communicating with the machine running this server. This error has been logged, "
            f"please try again. (code: {status}) (request_id: 5a0fCANARY)"
        )

    def _of_node(self, detail: str) -> Response:
        body = {"errors": [{"code": "DaemonConnectionException", "status": "504", "detail": detail}]}
        return self.json(body, status=504)

    def html(self, status: int) -> Response:
        return Response("<html><title>Bad gateway</title></html>", status, media_type="text/html")

    def page(self, rows: list[dict[str, Any]], *, total: int | None = None, pages: int = 1) -> Response:
        """A page of a list; each row is the attributes of an item."""
        meta = {"pagination": {"total": len(rows) if total is None else total, "total_pages": pages}}
        return self.json({"object": "list", "data": [{"object": "x", "attributes": row} for row in rows], "meta": meta})

    def list_of(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        """The page of *rows* that the request asks for."""
        size = int(request.query_params.get("per_page", 50))
        number = int(request.query_params.get("page", 1))
        pages = max(1, -(-len(rows) // size))
        return self.page(rows[(number - 1) * size : number * size], total=len(rows), pages=pages)

    async def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return await run_in_threadpool(self.answer, request)


@pytest.fixture(scope="session")
def stub_server() -> Iterator[StubPanel]:
    stub = StubPanel()
    app = Starlette(routes=[Route("/{path:path}", stub.handle)])
    listener = socket.create_server(("127.0.0.1", 0))
    # no date: it would be this machine's, and tests have a clock of their own
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", date_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    stub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield stub
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def stub(stub_server: StubPanel) -> StubPanel:
    stub_server.requests = []
    stub_server.answer = lambda _: stub_server.json({}, status=404)
    return stub_server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC))


@pytest.fixture
def make_panel(clock: ManualClock) -> Iterator[Callable[..., PanelClient]]:
    made: list[PanelClient] = []

    def make(url: str, **changes: Any) -> PanelClient:
        arguments: dict[str, Any] = {
            "application_key": SecretStr(APPLICATION_KEY),
            "client_key": SecretStr(CLIENT_KEY),
            "budget": AnnouncedLimits(clock),
            "clock": clock,
        }
        panel = PanelClient(url, **(arguments | changes))
        made.append(panel)
        return panel

    yield make
    for panel in made:
        panel.close()


@pytest.fixture
def panel(stub: StubPanel, make_panel: Callable[..., PanelClient]) -> PanelClient:
    return make_panel(stub.url)


@pytest.fixture
def redactor() -> Redactor:
    return Redactor("hash", b"a key of the tests")

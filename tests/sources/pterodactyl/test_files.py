"""Listing and fetching log files."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pteroassets.sources.pterodactyl import errors
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.files import ListedFile, NoLogFolder, fetch_file, list_logs

UUID = "c1a7b9d2-6f0e-4a0f-8d53-2f9b7e6a0c12"
MEBIBYTE = 1024 * 1024


def entry(name: str, mode: str = "-rw-r--r--", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "mode": mode,
        "size": 48211,
        "is_file": True,
        "is_symlink": False,
        "modified_at": "2026-05-01T12:41:17+02:00",
    } | changes


def listed(path: str = "/logs/latest.log", size: int = 100) -> ListedFile:
    return ListedFile(
        path=path,
        name=path.rpartition("/")[2],
        size=size,
        modified_at=datetime(2026, 5, 1, tzinfo=UTC),
        utc_offset_seconds=0,
    )


class Volume:
    """A server's folders; a folder that is absent answers as a real node does."""

    def __init__(self, stub: Any, missing_status: int = 500) -> None:
        self.stub = stub
        self.missing_status = missing_status
        self.folders: dict[str, list[dict[str, Any]]] = {}
        stub.answer = self.answer

    def answer(self, request: Request) -> Response:
        folder = request.query_params["directory"]
        if folder not in self.folders:
            if self.missing_status == 504:
                return self.stub.node_silent()
            return self.stub.error(self.missing_status, "DaemonConnectionException")
        data = [{"object": "file_object", "attributes": row} for row in self.folders[folder]]
        return self.stub.json({"object": "list", "data": data})


def test_regular_files_are_listed_with_their_offset(stub: Any, panel: PanelClient) -> None:
    volume = Volume(stub)
    volume.folders["/logs"] = [
        entry("latest.log"),
        entry("2026-05-01-1.log.gz", size=7, modified_at="2026-05-01T00:00:01-04:00"),
        entry("old", "drwxr-xr-x", is_file=False),
        entry("link.log", "Lrwxrwxrwx"),
        entry("pipe", "prw-r--r--", modified_at=None),
    ]
    dated, latest = list_logs(panel, UUID)
    assert (latest.path, latest.name, latest.size) == ("/logs/latest.log", "latest.log", 48211)
    assert (latest.modified_at, latest.utc_offset_seconds) == (datetime(2026, 5, 1, 10, 41, 17, tzinfo=UTC), 7200)
    assert (dated.modified_at, dated.utc_offset_seconds) == (datetime(2026, 5, 1, 4, 0, 1, tzinfo=UTC), -14400)
    assert latest.modified_at.tzinfo is UTC
    assert len(stub.requests) == 1


@pytest.mark.parametrize("missing_status", [404, 500])
def test_a_missing_folder_is_told_by_its_parent(stub: Any, panel: PanelClient, missing_status: int) -> None:
    volume = Volume(stub, missing_status)
    volume.folders["/"] = [entry("plugins", "drwxr-xr-x"), entry("server.jar")]
    with pytest.raises(NoLogFolder):
        list_logs(panel, UUID)
    assert len(stub.requests) == 2


def test_a_file_in_the_folders_place_is_no_folder(stub: Any, panel: PanelClient) -> None:
    Volume(stub).folders["/"] = [entry("logs")]
    with pytest.raises(NoLogFolder):
        list_logs(panel, UUID)


def test_a_folder_that_is_there_and_fails_is_a_failure(stub: Any, panel: PanelClient) -> None:
    Volume(stub).folders["/"] = [entry("logs", "drwxr-xr-x")]
    with pytest.raises(errors.ServerFaultError):
        list_logs(panel, UUID)


def test_a_node_that_fails_at_everything_has_not_lost_the_folder(stub: Any, panel: PanelClient) -> None:
    Volume(stub)
    with pytest.raises(errors.ServerFaultError):
        list_logs(panel, UUID)


@pytest.mark.parametrize(("status", "kind"), [(409, errors.StateConflictError), (504, errors.NodeUnreachableError)])
def test_a_gated_server_and_a_dead_node_are_not_asked_for_the_parent(
    stub: Any, panel: PanelClient, status: int, kind: type[errors.PanelError]
) -> None:
    Volume(stub, status)
    with pytest.raises(kind):
        list_logs(panel, UUID)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("changes", [{"modified_at": None}, {"size": "?"}, {"modified_at": "2026-05-01T12:00:00"}])
def test_an_entry_that_cannot_be_understood_is_told(stub: Any, panel: PanelClient, changes: dict[str, Any]) -> None:
    Volume(stub).folders["/logs"] = [entry("latest.log", **changes)]
    with pytest.raises(errors.UnreadableAnswerError):
        list_logs(panel, UUID)


@pytest.mark.parametrize("content", [b"", b"[12:00:00] hello\n", bytes(range(256)), b"[" * 200_000, b'{"json": 1}'])
def test_contents_are_bytes_whatever_they_look_like(stub: Any, panel: PanelClient, content: bytes) -> None:
    stub.answer = lambda _: Response(content, media_type="text/plain")
    assert fetch_file(panel, UUID, listed()) == content
    (request,) = stub.requests
    assert request.url.path == f"/api/client/servers/{UUID}/files/contents"
    assert request.query_params["file"] == "/logs/latest.log"


def test_a_web_page_of_a_proxy_is_no_file(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.html(200)
    with pytest.raises(errors.UnreadableAnswerError):
        fetch_file(panel, UUID, listed())


class Node:
    """The panel's download route and the node's in one; links hold once."""

    def __init__(self, stub: Any, content: bytes) -> None:
        self.stub = stub
        self.content = content
        self.links: list[str] = []
        self.used: list[str] = []
        self.authorization: list[str | None] = []
        self.refused_links = 0
        self.node_url = stub.url
        self.contents_error: str | None = None
        stub.answer = self.answer

    def answer(self, request: Request) -> Response:
        path = request.url.path
        if path.endswith("/files/contents"):
            return self.stub.error(400, self.contents_error or "BadRequestHttpException")
        if path.endswith("/files/download"):
            # the panel decodes the value once more than others do
            self.links.append(unquote(request.query_params["file"]))
            url = f"{self.node_url}/download/file?token=eyJCANARY.{len(self.links)}.CANARY"
            return self.stub.json({"object": "signed_url", "attributes": {"url": url}})
        token = request.query_params["token"]
        self.authorization.append(request.headers.get("authorization"))
        if token in self.used or len(self.used) < self.refused_links:
            self.used.append(token)
            return self.stub.json({"error": "CANARY"}, status=404)
        self.used.append(token)
        return Response(self.content, media_type="application/octet-stream")


def test_a_large_file_is_fetched_from_its_node_without_the_key(stub: Any, panel: PanelClient) -> None:
    content = b"x" * (5 * MEBIBYTE)
    node = Node(stub, content)
    assert fetch_file(panel, UUID, listed(size=len(content))) == content
    assert node.authorization == [None]
    assert stub.requests[-1].headers["user-agent"].startswith("pteroassets/")
    assert panel.requests_made == 2


def test_a_percent_sign_survives_the_second_decoding_of_the_download_route_only(stub: Any, panel: PanelClient) -> None:
    node = Node(stub, b"x")
    fetch_file(panel, UUID, listed("/logs/100%25 +ü&#.log", size=5 * MEBIBYTE))
    assert node.links == ["/logs/100%25 +ü&#.log"]
    stub.answer = lambda _: Response(b"x", media_type="text/plain")
    fetch_file(panel, UUID, listed("/logs/100%25 +ü&#.log"))
    assert stub.requests[-1].query_params["file"] == "/logs/100%25 +ü&#.log"


def test_a_file_that_grew_past_the_panels_limit_is_fetched_from_its_node(stub: Any, panel: PanelClient) -> None:
    node = Node(stub, b"grown")
    node.contents_error = "FileSizeTooLargeException"
    assert fetch_file(panel, UUID, listed()) == b"grown"


def test_another_refusal_of_the_contents_is_an_error(stub: Any, panel: PanelClient) -> None:
    node = Node(stub, b"x")
    with pytest.raises(errors.RequestRefusedError):
        fetch_file(panel, UUID, listed())
    assert node.links == []


def test_a_used_link_is_replaced_once(stub: Any, panel: PanelClient) -> None:
    node = Node(stub, b"x")
    node.refused_links = 1
    assert fetch_file(panel, UUID, listed(size=5 * MEBIBYTE)) == b"x"
    assert len(set(node.used)) == len(node.links) == 2
    node.refused_links = 99
    with pytest.raises(errors.NotFoundError):
        fetch_file(panel, UUID, listed(size=5 * MEBIBYTE))
    assert len(node.links) == 4


def whole_text(error: BaseException) -> str:
    texts = []
    inner: BaseException | None = error
    while inner is not None:
        texts += traceback.format_exception(inner, chain=False)
        inner = inner.__cause__ or inner.__context__
    return "".join(texts)


def test_a_dead_node_is_named_without_the_link(stub: Any, panel: PanelClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    node = Node(stub, b"x")
    node.node_url = f"http://127.0.0.1:{port}"
    with pytest.raises(errors.NodeUnreachableError, match=f"127.0.0.1:{port}") as caught:
        fetch_file(panel, UUID, listed(size=5 * MEBIBYTE))
    assert len(node.links) == 1
    assert "CANARY" not in whole_text(caught.value)
    assert "CANARY" not in caplog.text


def test_a_refusing_node_shows_no_link_either(stub: Any, panel: PanelClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    node = Node(stub, b"x")
    node.refused_links = 99
    with pytest.raises(errors.NotFoundError) as caught:
        fetch_file(panel, UUID, listed(size=5 * MEBIBYTE))
    assert "CANARY" not in whole_text(caught.value)
    assert "download/file" in caplog.text
    assert "CANARY" not in caplog.text


def test_a_node_that_redirects_is_not_followed(stub: Any, panel: PanelClient) -> None:
    node = Node(stub, b"x")

    def answer(request: Request) -> Response:
        if request.url.path == "/download/file":
            return Response(status_code=302, headers={"Location": f"{stub.url}/elsewhere?token=1"})
        return node.answer(request)

    stub.answer = answer
    with pytest.raises(errors.ServerFaultError):
        fetch_file(panel, UUID, listed(size=5 * MEBIBYTE))
    assert "/elsewhere" not in stub.paths


def test_a_silent_node_is_asked_once(stub: Any, make_panel: Callable[..., PanelClient]) -> None:
    release = threading.Event()
    node = Node(stub, b"x")

    def answer(request: Request) -> Response:
        if request.url.path.startswith("/download"):
            release.wait(5)
        return node.answer(request)

    stub.answer = answer
    with pytest.raises(errors.NodeUnreachableError) as caught:
        fetch_file(make_panel(stub.url, timeout=(1, 0.3)), UUID, listed(size=5 * MEBIBYTE))
    release.set()
    assert "in time" in str(caught.value)
    assert len(node.links) == 1


def test_a_file_larger_than_we_hold_is_not_asked_for(stub: Any, panel: PanelClient) -> None:
    with pytest.raises(errors.FileTooLargeError):
        fetch_file(panel, UUID, listed(size=11), largest_bytes=10)
    assert stub.requests == []


def test_a_file_that_never_ends_is_left(stub: Any, panel: PanelClient) -> None:
    node = Node(stub, b"")

    def answer(request: Request) -> Response:
        if request.url.path.startswith("/download"):
            return StreamingResponse((b"x" * MEBIBYTE for _ in range(64)), media_type="application/octet-stream")
        return node.answer(request)

    stub.answer = answer
    with pytest.raises(errors.FileTooLargeError):
        fetch_file(panel, UUID, listed(size=5 * MEBIBYTE), largest_bytes=6 * MEBIBYTE)

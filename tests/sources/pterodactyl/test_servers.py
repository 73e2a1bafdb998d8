"""The list of servers and the flags that gate them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pteroassets.sources.pterodactyl.client import PanelClient, current_flags, list_servers, server_flags
from pteroassets.sources.pterodactyl.errors import PermissionMissingError, ServerFaultError


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid.UUID(int=number)),
        "internal_id": number,
        "name": f"Server {number}",
        "node": "fra-01",
        "is_node_under_maintenance": False,
        "status": None,
        "is_suspended": False,
        "is_installing": False,
        "is_transferring": False,
    } | changes


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, None),
        ({"status": "suspended", "is_suspended": True}, "suspended"),
        ({"status": "installing", "is_installing": True}, "installing"),
        ({"status": "install_failed"}, "install_failed"),
        ({"status": "reinstall_failed"}, None),
        ({"status": "restoring_backup"}, "restoring_backup"),
        ({"is_transferring": True}, "transferring"),
        ({"is_node_under_maintenance": True}, "maintenance"),
        ({"status": "suspended", "is_node_under_maintenance": True}, "suspended"),
        ({"status": "installing", "is_node_under_maintenance": True, "is_transferring": True}, "maintenance"),
        ({"status": "installing", "is_transferring": True}, "installing"),
        ({"status": "of_a_later_version"}, None),
    ],
)
def test_the_flags_tell_why_a_server_cannot_be_asked(
    stub: Any, panel: PanelClient, changes: dict[str, Any], outcome: str | None
) -> None:
    stub.answer = lambda _: stub.page([row(**changes)])
    assert [server.outcome for server in server_flags(panel)] == [outcome]
    stub.answer = lambda _: stub.json({"object": "server", "attributes": row(**changes)})
    assert current_flags(panel, row()["uuid"]).outcome == outcome


def test_every_server_of_every_page_is_listed_by_its_uuid(stub: Any, panel: PanelClient) -> None:
    rows = [row(number) for number in range(230, 0, -1)]
    stub.answer = lambda request: stub.list_of(request, rows)
    listing = list_servers(panel)
    assert [server.id for server in listing.servers] == list(range(1, 231))
    assert (listing.total, listing.problem) == (230, None)
    assert [request.query_params["type"] for request in stub.requests] == ["admin-all"] * 3
    assert (listing.servers[0].name, listing.servers[0].node_name) == ("Server 1", "fra-01")


def test_an_account_that_is_no_root_admin_is_told_rather_than_shown_an_empty_panel(
    stub: Any, panel: PanelClient
) -> None:
    def answer(request: Request) -> Response:
        if request.url.path.endswith("/account"):
            return stub.json({"object": "user", "attributes": {"id": 1, "admin": False}})
        return stub.page([])

    stub.answer = answer
    with pytest.raises(PermissionMissingError, match="root admin"):
        list_servers(panel)


def test_an_empty_panel_is_empty(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda request: (
        stub.json({"attributes": {"admin": True}}) if request.url.path.endswith("/account") else stub.page([])
    )
    assert list_servers(panel).servers == []


def test_a_list_that_fails_on_its_second_page_is_no_list(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda request: (
        stub.page([row()], total=2, pages=2) if request.query_params.get("page") == "1" else stub.error(500, "X")
    )
    with pytest.raises(ServerFaultError):
        list_servers(panel)


def test_a_count_that_never_agrees_is_told(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.page([row()], total=2)
    listing = list_servers(panel)
    assert len(listing.servers) == 1
    assert listing.problem == "1 rows came, but the panel counts 2"


def test_a_server_with_a_broken_uuid_costs_no_other(stub: Any, panel: PanelClient) -> None:
    stub.answer = lambda _: stub.page([row(1), row(2, uuid="none")])
    listing = list_servers(panel)
    assert [server.id for server in listing.servers] == [1]
    assert listing.problem is not None

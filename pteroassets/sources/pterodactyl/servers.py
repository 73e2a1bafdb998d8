"""List every server with the flags that decide whether it may be asked anything.

The client API answers 409 for a server that is suspended, installing, restoring a backup or in transfer, and for all
servers of a node under maintenance. The list tells the same beforehand (``status``, ``is_suspended``,
``is_transferring``, ``is_node_under_maintenance``), so such a server costs no request.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pteroassets.sources.outcomes import Gate
from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.errors import PermissionMissingError
from pteroassets.sources.pterodactyl.pages import PAGE_SIZE, read_pages

_GATING_STATUSES: dict[str, Gate] = {
    "installing": "installing",
    "install_failed": "install_failed",
    "restoring_backup": "restoring_backup",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFlags:
    """A server as the client API lists it.

    Attributes:
        uuid: In lower case with hyphens.
        id: The number that the application API knows it by.
        name: As its owner calls it.
        node_name: Of the node it runs on; the client API tells no node's id.
        outcome: Why the panel answers no question about it; None when it does.
    """

    uuid: str
    id: int | None
    name: str
    node_name: str
    outcome: Gate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerListing:
    """Every server of the panel.

    Attributes:
        servers: Sorted by uuid, since the list has no order of its own.
        total: The panel's own count.
        problem: Why these are not all; None if they are.
    """

    servers: list[ServerFlags]
    total: int | None
    problem: str | None


def list_servers(panel: PanelClient) -> ServerListing:
    """Return every server of the panel with its flags.

    Raises:
        PermissionMissingError: The client key's user is no root admin, to whom the panel lists nothing, silently.
        PanelError: A page could not be read.
    """
    pages = read_pages(lambda page: panel.client("", type="admin-all", per_page=PAGE_SIZE, page=page), identity="uuid")
    if pages.failure is not None:
        raise pages.failure
    if not pages.rows:
        _refuse_other_than_root_admin(panel)
    servers = []
    problem = pages.problem
    for row in pages.rows:
        try:
            servers.append(_flags(row))
        except ValueError:
            problem = problem or "a server has an invalid uuid"
    return ServerListing(servers=sorted(servers, key=lambda server: server.uuid), total=pages.total, problem=problem)


def server_flags(panel: PanelClient) -> list[ServerFlags]:
    """Return the servers of `list_servers`."""
    return list_servers(panel).servers


def current_flags(panel: PanelClient, server_uuid: str) -> ServerFlags:
    """Return one server's flags as they are now; this route answers in every state.

    Raises:
        PanelError: The server is gone, or could not be read.
    """
    return _flags(panel.client(f"servers/{server_uuid}").get("attributes") or {"uuid": server_uuid})


def _flags(row: Mapping[str, Any]) -> ServerFlags:
    return ServerFlags(
        uuid=str(uuid.UUID(str(row["uuid"]))),
        id=row.get("internal_id"),
        name=row.get("name") or "",
        node_name=row.get("node") or "",
        outcome=_gate(row),
    )


def _gate(row: Mapping[str, Any]) -> Gate | None:
    """Return what forbids questions about a server, in the order in which the panel itself looks for it.

    A status that we do not know forbids nothing until the panel says so.
    """
    status = row.get("status")
    if status == "suspended" or row.get("is_suspended"):
        return "suspended"
    if row.get("is_node_under_maintenance"):
        return "maintenance"
    if status in _GATING_STATUSES:
        return _GATING_STATUSES[status]
    if status == "reinstall_failed" and row.get("is_installing"):
        return "install_failed"  # Pelican refuses such a server, Pterodactyl does not, and each flags it so
    return "transferring" if row.get("is_transferring") else None


def _refuse_other_than_root_admin(panel: PanelClient) -> None:
    account = panel.client("account").get("attributes") or {}
    if account.get("admin") is False:
        raise PermissionMissingError(
            "the client key of PTERODACTYL_CLI_KEY belongs to an account that is no root admin, to which the panel "
            "lists no servers: make a key with an administrator's account"
        )

"""The Client API: what one user sees of the servers they reach, live figures, and files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pteroassets.simulator.panel import pelican
from pteroassets.simulator.panel.answers import (
    Answer,
    PanelFault,
    daemon_error,
    forbidden,
    not_found,
    server_error,
    success,
)
from pteroassets.simulator.panel.application import NULL_RESOURCE
from pteroassets.simulator.panel.context import ServerRow, View, feature_limits, fields, iso, limits, variable_values
from pteroassets.simulator.panel.links import Links
from pteroassets.simulator.panel.listing import Query, contains, filter_rows, page_of, parse_includes, shuffled
from pteroassets.simulator.panel.power import PERMISSIONS, accepted, signal_of
from pteroassets.simulator.world.activity import Deed
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import uuid4_of
from pteroassets.simulator.world.consumption import gate
from pteroassets.simulator.world.entities import Allocation, User, exists

_LIST_DEFAULT: Final = 50
_CAP: Final = 100
_ADMIN_PERMISSIONS: Final = ["*", "admin.websocket.errors", "admin.websocket.install", "admin.websocket.transfer"]
_CONFLICTS: Final = {
    "suspended": "This server is currently suspended and the functionality requested is unavailable.",
    "maintenance": (
        "The node of this server is currently under maintenance and the functionality requested is unavailable."
    ),
    "installing": "This server has not yet completed its installation process, please try again later.",
    "install_failed": "This server has not yet completed its installation process, please try again later.",
    "restoring_backup": "This server is currently restoring from a backup, please try again later.",
    "transferring": "This server is currently being transferred to a new machine, please try again later.",
}


@dataclass(slots=True, kw_only=True)
class Memory:
    """What the panel itself remembers of the requests it answered: activity and links."""

    links: Links
    deeds: dict[str, list[Deed]] = field(default_factory=dict)
    requests: int = 0

    def request_id(self) -> str:
        """Return the next id that a node gives to a request."""
        self.requests += 1
        return uuid4_of("request", self.requests)


def permissions(view: View, row: ServerRow) -> list[str]:
    """Return what the user may do on a server; nothing where they may not even see it."""
    if view.user.is_admin:
        return list(_ADMIN_PERMISSIONS)
    if row[1].owner_id == view.user.id:
        return ["*"]
    for subuser in view.world.estate.subusers_of.get(row[0].id, ()):
        if subuser.user_id == view.user.id and exists(subuser, view.now):
            return list(subuser.permissions)
    return []


def _may(granted: list[str], permission: str) -> bool:
    return "*" in granted or permission in granted


def find(view: View, name: str) -> ServerRow:
    """Return the server called *name* (UUID or short identifier) if the user reaches it.

    Raises:
        PanelFault: There is none, or it is somebody else's (404).
    """
    server = view.world.server_by_uuid(name, view.now)
    state = None if server is None else server.state(view.now)
    if server is None or state is None:
        raise not_found()
    row = (server, state)
    if not permissions(view, row):
        raise not_found("The requested resource does not exist on this server.")
    return row


def refuse_conflict(view: View, row: ServerRow) -> None:
    """Raise the 409 of a server that cannot be worked with now."""
    reason = gate(row[1], view.world.estate.node_by_id[row[1].node_id], view.now)
    if reason is not None:
        raise PanelFault(status=409, code="ServerStateConflictException", detail=_CONFLICTS[reason])


def refuse_dead_node(view: View, row: ServerRow, memory: Memory) -> None:
    """Raise the 504 of a node that does not answer."""
    delay = view.stage.faults.delay_of_down(row[1].node_id)
    if delay is not None and view.stage.is_pelican:
        raise server_error("ConnectionException", delay)
    if delay is not None:
        raise daemon_error(504, memory.request_id(), delay)


# ---------------------------------------------------------------------- servers


def _allocation(view: View, number: int, *, is_default: bool, shows_notes: bool) -> dict[str, Any]:
    row: Allocation = view.world.estate.allocation_by_id[number]
    return {
        "object": "allocation",
        "attributes": {
            "id": row.id,
            "ip": row.ip,
            "ip_alias": row.alias,
            "port": row.port,
            "notes": row.notes if shows_notes else None,
            "is_default": is_default,
        },
    }


def _allocations(view: View, row: ServerRow, granted: list[str]) -> dict[str, Any]:
    sees_all = _may(granted, "allocation.read")
    numbers = row[1].allocation_ids if sees_all else row[1].allocation_ids[:1]
    return {
        "object": "list",
        "data": [
            _allocation(view, number, is_default=place == 0, shows_notes=sees_all)
            for place, number in enumerate(numbers)
        ],
    }


def _variables(row: ServerRow, granted: list[str]) -> dict[str, Any]:
    if not _may(granted, "startup.read"):
        return dict(NULL_RESOURCE)
    server, state = row
    values = variable_values(server, state)
    return {
        "object": "list",
        "data": [
            {
                "object": "egg_variable",
                "attributes": {
                    "name": variable.name,
                    "description": f"Sets {variable.env}.",
                    "env_variable": variable.env,
                    "default_value": variable.default,
                    "server_value": values[variable.env],
                    "is_editable": variable.is_editable,
                    "rules": variable.rules,
                },
            }
            for variable in state.egg.variables
            if variable.is_viewable
        ],
    }


def person(user: User) -> dict[str, Any]:
    """Return a user as the client API shows them."""
    digest = hashlib.md5(user.email.encode()).hexdigest()  # noqa: S324 - as picture services do
    return {
        "uuid": user.uuid,
        "username": user.username,
        "email": user.email,
        "image": f"https://gravatar.com/avatar/{digest}",
        "2fa_enabled": user.has_2fa,
        "created_at": iso(user.created_at),
    }


def _subusers(view: View, row: ServerRow) -> dict[str, Any]:
    estate = view.world.estate
    rows = [sub for sub in estate.subusers_of.get(row[0].id, ()) if exists(sub, view.now)]
    return {
        "object": "list",
        "data": [
            {
                "object": "server_subuser",
                "attributes": {**person(estate.user_by_id[sub.user_id]), "permissions": list(sub.permissions)},
            }
            for sub in rows
        ],
    }


def _server(view: View, row: ServerRow, query: Query) -> dict[str, Any]:
    server, state = row
    granted = permissions(view, row)
    egg = state.egg
    node = view.world.estate.node_by_id[state.node_id]
    includes = parse_includes(query)
    relationships: dict[str, Any] = {
        "allocations": _allocations(view, row, granted),
        "variables": _variables(row, granted),
    }
    if "egg" in includes:
        relationships["egg"] = {"object": "egg", "attributes": {"uuid": uuid4_of("egg", egg.id), "name": egg.name}}
    if "subusers" in includes:
        may = _may(granted, "user.read")
        relationships["subusers"] = _subusers(view, row) if may else dict(NULL_RESOURCE)
    return {
        "object": "server",
        "attributes": _shaped(
            view,
            "client_server",
            {
                "server_owner": state.owner_id == view.user.id,
                "identifier": server.identifier,
                "internal_id": server.id,
                "uuid": server.uuid,
                "name": state.name,
                "node": node.name,
                "is_node_under_maintenance": node.is_in_maintenance(view.now),
                "sftp_details": {"ip": "127.0.0.1", "port": 2022},
                "description": server.description,
                "limits": limits(server, state),
                "invocation": f"{egg.startup} {CANARIES['invocation']}-{server.id}",
                "docker_image": next(iter(egg.images.values())),
                "egg_features": None if egg.features is None else list(egg.features),
                "feature_limits": feature_limits(server),
                "status": state.status,
                "is_suspended": state.status == "suspended",
                "is_installing": state.status in {"installing", "install_failed"},
                "is_transferring": state.is_transferring,
                "relationships": relationships,
            },
        ),
    }


def _shaped(view: View, kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return pelican.shaped(kind, attributes, view) if view.stage.is_pelican else attributes


_FILTERS: Final[dict[str, Callable[[Any, str], bool]]] = {
    "uuid": contains(lambda row: row[0].uuid),
    "name": contains(lambda row: row[1].name),
    "description": contains(lambda row: row[0].description),
    "external_id": contains(lambda row: row[0].external_id),
    "*": lambda row, text: text.lower() in str(row[1].name).lower() or str(row[0].uuid).startswith(text),
}


def servers(view: View, query: Query, *, hides_newest: bool) -> Answer:
    """Answer the list of servers: the user's own, or with ``type`` those an admin may see."""
    wanted = query.get("type", "")
    match wanted:
        case "admin" | "admin-all" if not view.user.is_admin:
            rows: list[ServerRow] = []
        case "admin-all":
            rows = view.living
        case "admin":
            rows = [row for row in view.living if not _own(view, row)]
        case "owner":
            rows = [row for row in view.living if row[1].owner_id == view.user.id]
        case _:
            rows = [row for row in view.living if _own(view, row)]
    rows = filter_rows(rows, query, _FILTERS)
    if hides_newest and rows:
        rows = rows[:-1]
    rows = shuffled(rows, view.world.seed, lambda row: row[0].id)
    cut, pagination = page_of(
        rows, query, default=_LIST_DEFAULT, cap=_CAP, url=f"{view.stage.panel_url}/api/client", keeps_query=True
    )
    return success(
        {
            "object": "list",
            "data": [_server(view, row, query) for row in cut],
            "meta": {"pagination": pagination},
        }
    )


def _own(view: View, row: ServerRow) -> bool:
    if row[1].owner_id == view.user.id:
        return True
    return any(
        sub.user_id == view.user.id and exists(sub, view.now)
        for sub in view.world.estate.subusers_of.get(row[0].id, ())
    )


def server(view: View, row: ServerRow, query: Query) -> Answer:
    """Answer one server."""
    is_owner = row[1].owner_id == view.user.id
    meta = {"is_server_owner": is_owner, "user_permissions": permissions(view, row)}
    return success({**_server(view, row, query), "meta": meta})


def resources(view: View, row: ServerRow) -> Answer:
    """Answer what a server uses now."""
    if view.stage.is_pelican and view.stage.faults.delay_of_down(row[1].node_id) is not None:
        return pelican.missing_stats()
    use = view.stage.power.usage(row[0].uuid, row[1], view.world.usage(row[0], row[1], view.now), view.now)
    is_offline = use.state == "offline"
    return success(
        {
            "object": "stats",
            "attributes": {
                "current_state": use.state,
                "is_suspended": False,
                "resources": {
                    "memory_bytes": use.memory_bytes,
                    "cpu_absolute": 0 if is_offline or not use.cpu_percent else use.cpu_percent,
                    "disk_bytes": use.disk_bytes,
                    "network_rx_bytes": use.rx_bytes,
                    "network_tx_bytes": use.tx_bytes,
                    "uptime": use.uptime_ms,
                },
            },
        }
    )


def send_power(view: View, row: ServerRow, body: Any) -> Answer:
    """Pass a power signal on to a server's node."""
    signal = signal_of(body)
    require(view, row, PERMISSIONS[signal])
    view.stage.power.send(row[0].uuid, signal, view.now)
    return accepted()


def account(view: View) -> Answer:
    """Answer who the key belongs to."""
    user = view.user
    return success(
        {
            "object": "user",
            "attributes": {
                "id": user.id,
                "admin": user.is_admin,
                **fields(user, "username", "email", "first_name", "last_name"),
                "language": "en",
            }
            if not view.stage.is_pelican
            else pelican.account(person(user), is_admin=user.is_admin),
        }
    )


def require(view: View, row: ServerRow, permission: str) -> None:
    """Raise the 403 of a user who lacks *permission* on a server."""
    if not _may(permissions(view, row), permission):
        raise forbidden()

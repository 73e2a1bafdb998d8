"""The Application API: lists of entities with includes, in the panel's own shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pteroassets.simulator.panel import pelican
from pteroassets.simulator.panel.answers import Answer, forbidden, not_found, server_error, success
from pteroassets.simulator.panel.attributes import (
    allocation_attributes,
    database_attributes,
    database_host,
    egg_attributes,
    egg_config_attributes,
    egg_script_attributes,
    egg_variable_attributes,
    location_attributes,
    nest_attributes,
    node_attributes,
    server_attributes,
    server_variable_attributes,
    subuser_attributes,
    user_attributes,
)
from pteroassets.simulator.panel.context import ServerRow, View
from pteroassets.simulator.panel.listing import (
    Includes,
    Query,
    contains,
    filter_rows,
    page_of,
    parse_includes,
    sort_rows,
)
from pteroassets.simulator.world.catalog import EGG_BY_ID, EGGS, NESTS, Nest
from pteroassets.simulator.world.entities import Allocation, Location, ServerDatabase, Subuser, exists

NULL_RESOURCE: Final = {"object": "null_resource", "attributes": None}
_PER_PAGE: Final = 50


#: The resource that a key must be allowed to read, and what is shown of a row's relation then.
Include = tuple[str, Callable[[View, Any, Includes], Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of row is shown."""

    name: str
    attributes: Callable[[View, Any], dict[str, Any]]
    number: Callable[[Any], int] = lambda row: int(row.id)
    includes: Mapping[str, Include] = field(default_factory=dict)


def item(kind: Kind, view: View, row: Any, includes: Includes) -> dict[str, Any]:
    """Return *row* in the panel's envelope with what *includes* asks for; unknown includes are ignored."""
    attributes = kind.attributes(view, row)
    if view.stage.is_pelican:
        attributes = pelican.shaped(kind.name, attributes, view, row)
        includes = pelican.includes(includes)
    relationships: dict[str, Any] = {}
    for name, deeper in includes.items():
        known = kind.includes.get(name)
        if known is not None:
            resource, make = known
            relationships[name] = make(view, row, deeper) if view.key.may_read(resource) else dict(NULL_RESOURCE)
    if relationships:
        attributes["relationships"] = relationships
    return {"object": kind.name, "attributes": attributes}


def _many(kind: Kind, view: View, rows: Any, includes: Includes) -> dict[str, Any]:
    return {"object": "list", "data": [item(kind, view, row, includes) for row in rows]}


# ---------------------------------------------------------------------- includes


def _servers_where(view: View, **wanted: int) -> list[ServerRow]:
    return [
        (server, state)
        for server, state in view.living
        if all(getattr(state, name) == value for name, value in wanted.items())
    ]


def _subusers_of(view: View, row: ServerRow) -> list[Subuser]:
    return [
        subuser
        for subuser in view.world.estate.subusers
        if subuser.server_id == row[0].id and exists(subuser, view.now)
    ]


def databases_of(view: View, row: ServerRow) -> list[ServerDatabase]:
    """Return the databases of a server."""
    return [
        database
        for database in view.world.estate.databases
        if database.server_id == row[0].id and exists(database, view.now)
    ]


def _location_of(view: View, node_id: int) -> Location:
    node = view.world.estate.node_by_id[node_id]
    return next(place for place in view.world.estate.locations if place.id == node.location_id)


def _nest_of(nest_id: int) -> Nest:
    return next(nest for nest in NESTS if nest.id == nest_id)


def _allocations_of(view: View, row: ServerRow) -> list[Allocation]:
    return [view.world.estate.allocation_by_id[number] for number in row[1].allocation_ids]


def _server_of_allocation(view: View, row: Allocation, deeper: Includes) -> dict[str, Any]:
    server_id = view.assigned.get(row.id)
    return dict(NULL_RESOURCE) if server_id is None else item(SERVER, view, view.living_by_id[server_id], deeper)


def _one_of(resource: str, kind: str, row_of: Callable[[View, Any], Any]) -> Include:
    return resource, lambda view, row, deeper: item(KINDS[kind], view, row_of(view, row), deeper)


def _all_of(resource: str, kind: str, rows_of: Callable[[View, Any], Any]) -> Include:
    return resource, lambda view, row, deeper: _many(KINDS[kind], view, rows_of(view, row), deeper)


USER: Final = Kind(
    name="user",
    attributes=user_attributes,
    includes={"servers": _all_of("servers", "server", lambda view, row: _servers_where(view, owner_id=row.id))},
)
NODE: Final = Kind(
    name="node",
    attributes=node_attributes,
    includes={
        "allocations": _all_of(
            "allocations", "allocation", lambda view, row: [a for a in view.allocations if a.node_id == row.id]
        ),
        "location": _one_of("locations", "location", lambda view, row: _location_of(view, row.id)),
        "servers": _all_of("servers", "server", lambda view, row: _servers_where(view, node_id=row.id)),
    },
)
ALLOCATION: Final = Kind(
    name="allocation",
    attributes=allocation_attributes,
    includes={
        "node": _one_of("nodes", "node", lambda view, row: view.world.estate.node_by_id[row.node_id]),
        "server": ("servers", _server_of_allocation),
    },
)
LOCATION: Final = Kind(
    name="location",
    attributes=location_attributes,
    includes={
        "nodes": _all_of(
            "nodes", "node", lambda view, row: [n for n in view.world.estate.nodes if n.location_id == row.id]
        ),
        "servers": _all_of(
            "servers",
            "server",
            lambda view, row: [pair for pair in view.living if _location_of(view, pair[1].node_id).id == row.id],
        ),
    },
)
NEST: Final = Kind(
    name="nest",
    attributes=nest_attributes,
    includes={
        "eggs": _all_of("eggs", "egg", lambda _, row: [e for e in EGGS if e.nest_id == row.id]),
        "servers": _all_of(
            "servers", "server", lambda view, row: [p for p in view.living if p[1].egg.nest_id == row.id]
        ),
    },
)
EGG: Final = Kind(
    name="egg",
    attributes=egg_attributes,
    includes={
        "nest": _one_of("nests", "nest", lambda _, row: _nest_of(row.nest_id)),
        "servers": _all_of("servers", "server", lambda view, row: _servers_where(view, egg_id=row.id)),
        "config": ("eggs", lambda view, row, _: {"object": None, "attributes": egg_config_attributes(view, row)}),
        "script": ("eggs", lambda view, row, _: {"object": None, "attributes": egg_script_attributes(view, row)}),
        "variables": _all_of("eggs", "egg_variable", lambda _, row: [(row, variable) for variable in row.variables]),
    },
)
EGG_VARIABLE: Final = Kind(name="egg_variable", attributes=egg_variable_attributes, number=lambda row: int(row[1].id))
SERVER_VARIABLE: Final = Kind(
    name="server_variable", attributes=server_variable_attributes, number=lambda row: int(row[1].id)
)
SUBUSER: Final = Kind(
    name="subuser",
    attributes=subuser_attributes,
    includes={
        "user": _one_of("users", "user", lambda view, row: view.world.estate.user_by_id[row.user_id]),
        "server": _one_of("servers", "server", lambda view, row: view.living_by_id[row.server_id]),
    },
)
_DATABASE_INCLUDES: Final[dict[str, Include]] = {
    "password": (
        "server_databases",
        lambda _view, row, _: {"object": "database_password", "attributes": {"password": row.password}},
    ),
    "host": ("database_hosts", lambda view, _row, _: database_host(view)),
}
DATABASE: Final = Kind(name="server_database", attributes=database_attributes, includes=_DATABASE_INCLUDES)
DATABASE_IN_SERVER: Final = Kind(name="databases", attributes=database_attributes, includes=_DATABASE_INCLUDES)
SERVER: Final = Kind(
    name="server",
    attributes=server_attributes,
    number=lambda row: int(row[0].id),
    includes={
        "allocations": _all_of("allocations", "allocation", _allocations_of),
        "user": _one_of("users", "user", lambda view, row: view.world.estate.user_by_id[row[1].owner_id]),
        "subusers": _all_of("users", "subuser", _subusers_of),
        "nest": _one_of("nests", "nest", lambda _, row: _nest_of(row[1].egg.nest_id)),
        "egg": _one_of("eggs", "egg", lambda _, row: EGG_BY_ID[row[1].egg_id]),
        "variables": _all_of("servers", "server_variable", lambda _, row: [(row, v) for v in row[1].egg.variables]),
        "location": _one_of("locations", "location", lambda view, row: _location_of(view, row[1].node_id)),
        "node": _one_of("nodes", "node", lambda view, row: view.world.estate.node_by_id[row[1].node_id]),
        "databases": _all_of("server_databases", "databases", databases_of),
    },
)
KINDS: Final = {
    kind.name: kind
    for kind in (
        *(USER, NODE, ALLOCATION, LOCATION, NEST, EGG, EGG_VARIABLE, SERVER_VARIABLE, SUBUSER, DATABASE),
        *(DATABASE_IN_SERVER, SERVER),
    )
}

# ---------------------------------------------------------------------- routes


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRoute:
    """A paginated list: what may be read, filtered and sorted."""

    kind: Kind
    resource: str
    rows: Callable[[View], list[Any]]
    filters: Mapping[str, Callable[[Any, str], bool]]
    sorts: Mapping[str, Callable[[Any], Any]]


_BY_ID: Final[dict[str, Callable[[Any], Any]]] = {"id": lambda row: row.id}
_BY_ID_UUID: Final = {**_BY_ID, "uuid": lambda row: row.uuid}

LISTS: Final = {
    "users": ListRoute(
        kind=USER,
        resource="users",
        rows=lambda view: view.users,
        filters={
            "email": contains(lambda row: row.email),
            "uuid": contains(lambda row: row.uuid),
            "username": contains(lambda row: row.username),
            "external_id": contains(lambda row: row.external_id),
        },
        sorts=_BY_ID_UUID,
    ),
    "nodes": ListRoute(
        kind=NODE,
        resource="nodes",
        rows=lambda view: view.world.estate.nodes,
        filters={
            "uuid": contains(lambda row: row.uuid),
            "name": contains(lambda row: row.name),
            "fqdn": contains(lambda _: "127.0.0.1"),
            "daemon_token_id": contains(lambda row: row.token_id),
        },
        sorts={**_BY_ID_UUID, "memory": lambda row: row.memory, "disk": lambda row: row.disk},
    ),
    "locations": ListRoute(
        kind=LOCATION,
        resource="locations",
        rows=lambda view: view.world.estate.locations,
        filters={"short": contains(lambda row: row.short), "long": contains(lambda row: row.long)},
        sorts=_BY_ID,
    ),
    "nests": ListRoute(kind=NEST, resource="nests", rows=lambda _: list(NESTS), filters={}, sorts={}),
    "servers": ListRoute(
        kind=SERVER,
        resource="servers",
        rows=lambda view: view.living,
        filters={
            "uuid": contains(lambda row: row[0].uuid),
            "uuidShort": contains(lambda row: row[0].identifier),
            "name": contains(lambda row: row[1].name),
            "description": contains(lambda row: row[0].description),
            "image": contains(lambda row: next(iter(row[1].egg.images.values()))),
            "external_id": contains(lambda row: row[0].external_id),
        },
        sorts={"id": lambda row: row[0].id, "uuid": lambda row: row[0].uuid},
    ),
}


def _require(view: View, resource: str) -> None:
    if not view.key.may_read(resource):
        raise forbidden()


def list_rows(view: View, name: str, query: Query, *, hides_newest: bool) -> Answer:
    """Answer a paginated list; *hides_newest* leaves out the row that is made while the list is read."""
    route = LISTS[name]
    _require(view, route.resource)
    rows = filter_rows(route.rows(view), query, route.filters)
    return _page(view, route.kind, rows, query, name, route.sorts, hides_newest=hides_newest)


def _page(
    view: View,
    kind: Kind,
    rows: list[Any],
    query: Query,
    path: str,
    sorts: Mapping[str, Callable[[Any], Any]],
    *,
    hides_newest: bool,
) -> Answer:
    includes = parse_includes(query)
    if hides_newest and rows:
        rows = sorted(rows, key=kind.number)[:-1]
    ordered = sort_rows(rows, query, seed=view.world.seed, number=kind.number, sorts=sorts)
    if "transfer" in includes and kind is SERVER and not view.stage.is_pelican:
        raise server_error("TypeError")
    cut, pagination = page_of(
        ordered,
        query,
        default=_PER_PAGE,
        cap=None,
        url=f"{view.stage.panel_url}/api/application/{path}",
        keeps_query=False,
    )
    return success({**_many(kind, view, cut, includes), "meta": {"pagination": pagination}})


def allocations(view: View, node_id: int, query: Query, *, hides_newest: bool) -> Answer:
    """Answer the allocations of a node."""
    _require(view, "allocations")
    if node_id not in view.world.estate.node_by_id:
        raise not_found()

    def of_server(row: Allocation, text: str) -> bool:
        wanted = int(text) if text.isdigit() else 0
        return view.assigned.get(row.id) == (wanted or None)

    filters: dict[str, Callable[[Any, str], bool]] = {
        "ip": lambda row, text: bool(row.ip == text),
        "port": lambda row, text: str(row.port) == text,
        "ip_alias": contains(lambda row: row.alias),
        "server_id": of_server,
    }
    rows = filter_rows([row for row in view.allocations if row.node_id == node_id], query, filters)
    return _page(view, ALLOCATION, rows, query, f"nodes/{node_id}/allocations", {}, hides_newest=hides_newest)


def configuration(view: View, node_id: int) -> Answer:
    """Answer what a node is configured with: it holds the node's secret token."""
    _require(view, "nodes")
    node = view.world.estate.node_by_id.get(node_id)
    if node is None:
        raise not_found()
    return success(
        {
            "debug": False,
            "uuid": node.uuid,
            "token_id": node.token_id,
            "token": node.token,
            "api": {
                "host": "0.0.0.0",  # noqa: S104 - text of an answer
                "port": view.stage.node_ports[node_id],
                "ssl": {
                    "enabled": False,
                    "cert": "/etc/letsencrypt/live/127.0.0.1/fullchain.pem",
                    "key": "/etc/letsencrypt/live/127.0.0.1/privkey.pem",
                },
                "upload_limit": 100,
            },
            "system": {"data": "/var/lib/pterodactyl/volumes", "sftp": {"bind_port": 2022}},
            "allowed_mounts": [],
            "remote": view.stage.panel_url,
        }
    )


def one(view: View, name: str, number: int, query: Query) -> Answer:
    """Answer one row of a list by id."""
    route = LISTS[name]
    _require(view, route.resource)
    for row in route.rows(view):
        if route.kind.number(row) == number:
            return success(item(route.kind, view, row, parse_includes(query)))
    raise not_found()


def external(view: View, name: str, external_id: str, query: Query) -> Answer:
    """Answer the user or server that another system knows as *external_id*."""
    route = LISTS[name]
    _require(view, route.resource)
    for row in route.rows(view):
        if (row[0] if name == "servers" else row).external_id == external_id:
            return success(item(route.kind, view, row, parse_includes(query)))
    raise not_found()


def all_eggs(view: View, query: Query) -> Answer:
    """Answer every egg at once, as Pelican does."""
    _require(view, "eggs")
    return success(_many(EGG, view, EGGS, parse_includes(query)))


def eggs(view: View, nest_id: int, query: Query) -> Answer:
    """Answer the eggs of a nest, all at once."""
    _require(view, "eggs")
    if nest_id not in {nest.id for nest in NESTS}:
        raise not_found()
    if view.world.estate.fails_to_list_eggs(nest_id, view.now):
        raise server_error("TypeError")
    rows = [egg for egg in EGGS if egg.nest_id == nest_id]
    return success(_many(EGG, view, rows, parse_includes(query)))


def databases(view: View, server_id: int, query: Query) -> Answer:
    """Answer the databases of a server, all at once."""
    _require(view, "server_databases")
    row = view.living_by_id.get(server_id)
    if row is None:
        raise not_found()
    return success(_many(DATABASE, view, databases_of(view, row), parse_includes(query)))

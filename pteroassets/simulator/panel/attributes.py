"""What the Application API says of each kind of entity: its attributes, in the panel's names and formats."""

from __future__ import annotations

from typing import Any

from pteroassets.simulator.panel.context import (
    ServerRow,
    View,
    feature_limits,
    fields,
    iso,
    iso_micro,
    limits,
    variable_values,
)
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.catalog import Egg, Nest, Variable
from pteroassets.simulator.world.chance import epoch, uuid4_of
from pteroassets.simulator.world.entities import Allocation, Location, Node, ServerDatabase, Subuser, User


def user_attributes(view: View, row: User) -> dict[str, Any]:
    """Return an account."""
    return {
        **fields(row, "id", "external_id", "uuid", "username", "email", "first_name", "last_name"),
        "language": "en",
        "root_admin": row.is_admin,
        "2fa": row.has_2fa,
        "created_at": iso(row.created_at),
        "updated_at": iso(min(row.updated_at, view.now)),
    }


def node_attributes(view: View, row: Node) -> dict[str, Any]:
    """Return a node, with what its servers are promised."""
    states = [state for _, state in view.living if state.node_id == row.id]
    is_strict = row.id % 2 == 1
    changes = [moment for window in row.maintenance for moment in window if moment is not None and moment <= view.now]
    return {
        "id": row.id,
        "uuid": row.uuid,
        "public": not row.maintenance,
        **fields(row, "name", "description", "location_id"),
        "fqdn": "127.0.0.1",
        "scheme": "http",
        "behind_proxy": False,
        "maintenance_mode": row.is_in_maintenance(view.now),
        "memory": row.memory,
        "memory_overallocate": 0 if is_strict else -1,
        "disk": row.disk,
        "disk_overallocate": 0 if is_strict else 20,
        "upload_size": 100,
        "daemon_listen": view.stage.node_ports[row.id],
        "daemon_sftp": 2022,
        "daemon_base": "/var/lib/pterodactyl/volumes",
        "created_at": iso(row.created_at),
        "updated_at": iso(max([row.created_at + 3600, *changes])),
        "allocated_resources": {
            "memory": sum(state.memory for state in states),
            "disk": sum(state.disk for state in states),
        },
    }


def allocation_attributes(view: View, row: Allocation) -> dict[str, Any]:
    """Return an address and port."""
    return {
        **fields(row, "id", "ip", "alias", "port", "notes"),
        "assigned": row.id in view.assigned,
    }


def location_attributes(_: View, row: Location) -> dict[str, Any]:
    """Return a location."""
    return {
        **fields(row, "id", "short", "long"),
        "updated_at": iso(row.created_at + 86400),
        "created_at": iso(row.created_at),
    }


def seeded_at(view: View) -> int:
    """Return when the stock nests and eggs were set up."""
    return epoch(view.world.start) - 710 * 86400


def nest_attributes(view: View, row: Nest) -> dict[str, Any]:
    """Return a nest."""
    return {
        "id": row.id,
        "uuid": uuid4_of("nest", row.id),
        "author": "support@example.com",
        "name": row.name,
        "description": row.description,
        "created_at": iso(seeded_at(view)),
        "updated_at": iso(seeded_at(view)),
    }


def egg_config_attributes(_: View, row: Egg) -> dict[str, Any]:
    """Return how an egg configures its servers."""
    return {
        "files": row.files,
        "startup": {"done": row.done},
        "stop": row.stop,
        "logs": [],
        "file_denylist": [],
        "extends": None,
    }


def egg_script_attributes(_: View, row: Egg) -> dict[str, Any]:
    """Return how an egg installs its servers."""
    return {
        "privileged": True,
        "install": f"#!/bin/{row.entry}\ncd /mnt/server\n# fetch {row.name}\n",
        "entry": row.entry,
        "container": row.installer,
        "extends": None,
    }


def egg_attributes(view: View, row: Egg) -> dict[str, Any]:
    """Return an egg."""
    return {
        "id": row.id,
        "uuid": uuid4_of("egg", row.id),
        "name": row.name,
        "nest": row.nest_id,
        "author": "support@example.com",
        "description": row.description,
        "docker_image": next(iter(row.images.values())),
        "docker_images": dict(row.images),
        "config": egg_config_attributes(view, row),
        "startup": row.startup,
        "script": egg_script_attributes(view, row),
        "created_at": iso(seeded_at(view)),
        "updated_at": iso(seeded_at(view)),
    }


def variable_attributes(view: View, egg: Egg, row: Variable) -> dict[str, Any]:
    """Return a variable of an egg."""
    moment = iso_micro(seeded_at(view))
    return {
        "id": row.id,
        "egg_id": egg.id,
        "name": row.name,
        "description": f"Sets {row.env}.",
        "env_variable": row.env,
        "default_value": row.default,
        "user_viewable": row.is_viewable,
        "user_editable": row.is_editable,
        "rules": row.rules,
        "created_at": moment,
        "updated_at": moment,
    }


def egg_variable_attributes(view: View, row: tuple[Egg, Variable]) -> dict[str, Any]:
    """Return a variable of an egg, given with its egg."""
    return variable_attributes(view, *row)


def server_variable_attributes(view: View, row: tuple[ServerRow, Variable]) -> dict[str, Any]:
    """Return a variable of a server, with its value."""
    (server, state), variable = row
    value = variable_values(server, state)[variable.env]
    return {**variable_attributes(view, state.egg, variable), "server_value": value}


def server_attributes(view: View, row: ServerRow) -> dict[str, Any]:
    """Return a server."""
    server, state = row
    egg = state.egg
    node = view.world.estate.node_by_id[state.node_id]
    location = next(place for place in view.world.estate.locations if place.id == node.location_id)
    feature = feature_limits(server)
    return {
        **fields(server, "id", "external_id", "uuid", "identifier"),
        "name": state.name,
        "description": server.description,
        "status": state.status,
        "suspended": state.status == "suspended",
        "limits": limits(server, state),
        "feature_limits": feature,
        "user": state.owner_id,
        "node": state.node_id,
        "allocation": state.allocation_ids[0],
        "nest": egg.nest_id,
        "egg": egg.id,
        "container": {
            "startup_command": egg.startup,
            "image": next(iter(egg.images.values())),
            "installed": 0 if state.status in {"installing", "install_failed"} else 1,
            "environment": {
                **variable_values(server, state),
                "STARTUP": f"{egg.startup} --token={CANARIES['environment']}-{server.id}",
                "P_SERVER_LOCATION": location.short,
                "P_SERVER_UUID": server.uuid,
                "P_SERVER_ALLOCATION_LIMIT": feature["allocations"],
            },
        },
        "updated_at": iso(state.since),
        "created_at": iso(server.created_at),
    }


def subuser_attributes(_: View, row: Subuser) -> dict[str, Any]:
    """Return a subuser."""
    return {
        **fields(row, "id", "user_id", "server_id"),
        "permissions": list(row.permissions),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.created_at),
    }


def database_attributes(_: View, row: ServerDatabase) -> dict[str, Any]:
    """Return a database of a server."""
    return {
        "id": row.id,
        "server": row.server_id,
        "host": 1,
        "database": row.name,
        "username": row.username,
        "remote": "%",
        "max_connections": 0,
        "created_at": iso(row.created_at),
        "updated_at": iso(row.created_at),
    }


def database_host(view: View) -> dict[str, Any]:
    """Return the host that all databases are on, in its envelope."""
    moment = iso(seeded_at(view))
    return {
        "object": "database_host",
        "attributes": {
            "id": 1,
            "name": "db-01",
            "host": "10.0.0.5",
            "port": 3306,
            "username": "dbhost",
            "node": None,
            "created_at": moment,
            "updated_at": moment,
        },
    }

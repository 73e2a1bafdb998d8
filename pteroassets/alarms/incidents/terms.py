"""How servers stood at a time: their names, their node, egg and owner, and their limits."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pteroassets.alarms.incidents.model import Server
from pteroassets.warehouse.connection import Connection

_MEBIBYTE: Final = 1024**2


class Terms:
    """How each server stood at a time."""

    def __init__(self, versions: Sequence[tuple[datetime, Server]]) -> None:
        self._since: dict[str, list[datetime]] = defaultdict(list)
        self._servers: dict[str, list[Server]] = defaultdict(list)
        for since, server in versions:
            self._since[server.uuid].append(since)
            self._servers[server.uuid].append(server)

    def at(self, server_uuid: str, at: datetime) -> Server:
        """Return the server as it stood at *at*; before it was first read, as it was then."""
        servers = self._servers.get(server_uuid)
        if not servers:
            return Server(uuid=server_uuid, name=server_uuid)
        return servers[max(bisect_right(self._since[server_uuid], at) - 1, 0)]


def read_terms(connection: Connection, since: datetime) -> Terms:
    """Return how servers stood from *since* on."""
    rows = connection.execute(
        """
        select
            servers.valid_from,
            servers.uuid::text,
            servers.record ->> 'name',
            nodes.record ->> 'name',
            eggs.record ->> 'name',
            users.record ->> 'username',
            (servers.record #>> '{limits,memory}')::bigint,
            (servers.record #>> '{limits,cpu}')::integer,
            (servers.record #>> '{limits,disk}')::bigint
        from raw_pterodactyl.servers as servers
        left join raw_pterodactyl.nodes as nodes
            on nodes.id = (servers.record ->> 'node')::bigint and nodes.valid_to is null
        left join raw_pterodactyl.eggs as eggs
            on eggs.id = (servers.record ->> 'egg')::bigint and eggs.valid_to is null
        left join raw_pterodactyl.users as users
            on users.id = (servers.record ->> 'user')::bigint and users.valid_to is null
        where servers.uuid is not null and (servers.valid_to is null or servers.valid_to > %s)
        order by servers.uuid, servers.valid_from
        """,
        (since,),
    ).fetchall()
    return Terms(
        [
            (
                valid_from,
                Server(
                    uuid=server_uuid,
                    name=name or server_uuid,
                    node_name=node,
                    egg_name=egg,
                    owner_name=owner,
                    # the panel writes 0 where there is no limit
                    memory_bytes=memory * _MEBIBYTE if memory else None,
                    cpu_percent=cpu or None,
                    disk_bytes=disk * _MEBIBYTE if disk else None,
                ),
            )
            for valid_from, server_uuid, name, node, egg, owner, memory, cpu, disk in rows
        ]
    )

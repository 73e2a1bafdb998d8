"""What is known of each server beside its record: the names of its egg and node, the zone of its log, and its group."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from psycopg.rows import class_row

from pteroassets.warehouse.connection import Connection

#: Which setting gave a server's zone; utc if none did.
ZoneSource = Literal["server", "default", "utc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTraits:
    """The names of a server's egg and node; None if they have not been landed."""

    server_uuid: uuid.UUID
    node_name: str | None
    egg_name: str | None
    nest_name: str | None
    image: str
    startup: str
    done: str
    files: list[str]


def server_traits(connection: Connection) -> dict[uuid.UUID, ServerTraits]:
    """Return the names of the egg and node of every server, as last landed."""
    with connection.cursor(row_factory=class_row(ServerTraits)) as cursor:
        cursor.execute(
            """
            select
                servers.uuid as server_uuid,
                nodes.record ->> 'name' as node_name,
                eggs.record ->> 'name' as egg_name,
                nests.record ->> 'name' as nest_name,
                coalesce(servers.record #>> '{container,image}', eggs.record ->> 'docker_image', '') as image,
                coalesce(eggs.record ->> 'startup', servers.record #>> '{container,startup_command}', '') as startup,
                coalesce(eggs.record #>> '{config,startup,done}', '') as done,
                coalesce(
                    (
                        select array_agg(name order by name)
                        from jsonb_object_keys(
                            case jsonb_typeof(eggs.record #> '{config,files}')
                                when 'object' then eggs.record #> '{config,files}' else '{}'
                            end
                        ) as files (name)
                    ),
                    '{}'
                ) as files
            from raw_pterodactyl.servers as servers
            left join raw_pterodactyl.eggs as eggs
                on eggs.id = (servers.record ->> 'egg')::bigint and eggs.valid_to is null
            left join raw_pterodactyl.nests as nests
                on nests.id = (servers.record ->> 'nest')::bigint and nests.valid_to is null
            left join raw_pterodactyl.nodes as nodes
                on nodes.id = (servers.record ->> 'node')::bigint and nodes.valid_to is null
            where servers.valid_to is null and servers.uuid is not null
            """
        )
        return {row.server_uuid: row for row in cursor}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTimezones:
    """Zones by server uuid, and the default for all other servers (UTC if not set).

    *by_server* may also name eggs and nodes, which `of_servers` replaces by their servers.
    """

    by_server: Mapping[str, str]
    default: str | None = None

    def of_servers(self, connection: Connection) -> LogTimezones:
        """Return the same with a zone for each landed server whose egg or node is named.

        A server's own zone takes precedence over its egg's, and that over its node's.
        """
        by_name = {name.strip().casefold(): zone for name, zone in self.by_server.items()}
        found = {}
        for server_uuid, traits in server_traits(connection).items():
            for name in (str(server_uuid), traits.egg_name, traits.node_name):
                if name is not None and name.strip().casefold() in by_name:
                    found[str(server_uuid)] = by_name[name.strip().casefold()]
                    break
        return dataclasses.replace(self, by_server={**self.by_server, **found})

    def name_and_source(self, server_uuid: str) -> tuple[str, ZoneSource]:
        """Return the IANA name of the server's zone and which setting gave it."""
        if server_uuid in self.by_server:
            return self.by_server[server_uuid], "server"
        if self.default is not None:
            return self.default, "default"
        return "UTC", "utc"

    def zone(self, server_uuid: str) -> ZoneInfo:
        """Return the server's zone."""
        return ZoneInfo(self.name_and_source(server_uuid)[0])


def land_timezones(connection: Connection, zones: LogTimezones) -> int:
    """Write the zone of every server in the warehouse to ``ops.server_timezones``; return how many changed."""
    zones = zones.of_servers(connection)
    with connection.transaction():
        rows = connection.execute("select distinct uuid from raw_pterodactyl.servers where uuid is not null").fetchall()
        changed = 0
        for (server_uuid,) in rows:
            changed += connection.execute(
                """
                insert into ops.server_timezones as known (server_uuid, timezone, source) values (%s, %s, %s)
                on conflict (server_uuid) do update set timezone = excluded.timezone, source = excluded.source
                where (known.timezone, known.source) is distinct from (excluded.timezone, excluded.source)
                """,
                (server_uuid, *zones.name_and_source(str(server_uuid))),
            ).rowcount
    return changed


BUCKETS = 256
"""The first byte of a server's UUID is its bucket; a random UUID is in each with the same chance."""


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """Every *of*-th bucket of servers, from *number* (0 to *of* - 1) on.

    Raises:
        ValueError: There is no such group.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not (1 <= self.of <= BUCKETS and 0 <= self.number < self.of):
            raise ValueError(f"there is no group {self.number} of {self.of}: 1 to {BUCKETS} groups, numbered from 0")

    @property
    def is_everybody(self) -> bool:
        """Return whether every server is in it."""
        return self.of == 1

    @classmethod
    def of_server(cls, server_uuid: uuid.UUID) -> ServerGroup:
        """Return the smallest group that a server is in."""
        return cls(server_uuid.bytes[0], BUCKETS)

    @property
    def buckets(self) -> range:
        """Return its buckets, in order."""
        return range(self.number, BUCKETS, self.of)

    def has(self, server_uuid: uuid.UUID) -> bool:
        """Return whether a server is in it."""
        return server_uuid.bytes[0] % self.of == self.number

    def condition(self, column: str) -> str:
        """Return the same as an SQL condition on a column of UUIDs."""
        return "true" if self.is_everybody else f"mod(get_byte(uuid_send({column}), 0), {self.of}) = {self.number}"


EVERYBODY = ServerGroup(0, 1)

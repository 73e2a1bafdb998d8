"""What the landed entities tell of each server: its egg, nest and node by name, and how it is started."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from psycopg.rows import class_row

from pteroassets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTraits:
    """A server's surroundings by name; None where its egg or node has not been landed."""

    server_uuid: uuid.UUID
    node_name: str | None
    egg_name: str | None
    nest_name: str | None
    image: str
    startup: str
    done: str
    files: list[str]


def server_traits(connection: Connection) -> dict[uuid.UUID, ServerTraits]:
    """Return the traits of every server in the warehouse as last landed."""
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

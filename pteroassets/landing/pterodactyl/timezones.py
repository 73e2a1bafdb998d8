"""The zone in which each server writes its log, and has its days."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from pteroassets.landing.pterodactyl.traits import server_traits
from pteroassets.warehouse.connection import Connection

#: Which setting gave a server's zone; none did where it is utc.
ZoneSource = Literal["server", "default", "utc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTimezones:
    """Zones by server uuid, and the one of all other servers (UTC when there is none).

    *by_server* may also name eggs and nodes, which `of_servers` turns into the servers that they hold.
    """

    by_server: Mapping[str, str]
    default: str | None = None

    def of_servers(self, connection: Connection) -> LogTimezones:
        """Return the same with a zone for each server whose egg or node is named, as far as those are landed.

        What is said of the server itself goes before what is said of its egg, and that before what is said of its node.
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

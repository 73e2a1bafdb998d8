"""What models read that is not built yet: a pass may come before the first build has ended, or after an update."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pteroassets.warehouse.connection import Connection

_BUILT = ("model", "seed")


def missing_parents(connection: Connection, manifest: Mapping[str, Any], wanted: Collection[str]) -> list[str]:
    """Return what the warehouse lacks of the models and seeds that *wanted* models and tests read, at any distance.

    Args:
        connection: To the warehouse.
        manifest: Of dbt.
        wanted: Ids of models and tests; none of them is returned.
    """
    nodes = manifest["nodes"]
    found: dict[str, None] = {}
    near = [*wanted]
    while near:
        parents = {
            parent: f"{nodes[parent]['schema']}.{nodes[parent]['alias']}"
            for one in near
            for parent in nodes[one]["depends_on"].get("nodes", ())  # a seed reads nothing
            if nodes.get(parent, {}).get("resource_type") in _BUILT and parent not in wanted and parent not in found
        }
        missing = {
            relation
            for (relation,) in connection.execute(
                "select name from unnest(%s::text[]) as name where to_regclass(name) is null", ([*parents.values()],)
            )
        }
        near = sorted(parent for parent, relation in parents.items() if relation in missing)
        found |= dict.fromkeys(near)
    return [*found]

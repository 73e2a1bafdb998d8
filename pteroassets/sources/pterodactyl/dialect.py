"""How the panels that we read differ: Pterodactyl and its fork Pelican.

Everything that differs by panel is here; the readers ask a `Dialect` and never the panel's name. What an answer itself
shows (a missing attribute, another state) needs no dialect.

Pelican's sources, as of August 2026: ``routes/api-application.php``, ``app/Http/Controllers/Api/Application``,
``app/Transformers/Api``, ``app/Models/ApiKey.php``, ``app/helpers.php``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one panel differs.

    Attributes:
        name: The panel's name for messages.
        application_prefix: How its application keys begin.
        client_prefix: How its client keys begin.
        missing: Entities that it does not have; their lists count as empty and are not requested.
        has_nests: Eggs are listed by nest; otherwise in one list, all at once.
        contents_are_bytes: ``files/contents`` gives a file's bytes. Otherwise it changes other bytes than UTF-8, which
            spoils packed logs, so files come only by signed link.
        port_of_node: The attribute of a node that names the port of its own API.
    """

    name: str
    application_prefix: str
    client_prefix: str
    missing: frozenset[str] = frozenset()
    has_nests: bool = True
    contents_are_bytes: bool = True
    port_of_node: str = "daemon_listen"


PTERODACTYL = Dialect(name="Pterodactyl", application_prefix="ptla_", client_prefix="ptlc_")
PELICAN = Dialect(
    name="Pelican",
    application_prefix="papp_",
    client_prefix="pacc_",
    missing=frozenset({"locations", "nests"}),
    has_nests=False,
    contents_are_bytes=False,
    port_of_node="daemon_connect",
)
DIALECTS = (PTERODACTYL, PELICAN)


def node_port(dialect: Dialect, node: Mapping[str, Any]) -> Any:
    """Return the port of a node's API for clients; Pelican keeps the port it listens on separately."""
    return node.get(dialect.port_of_node, node.get(PTERODACTYL.port_of_node))

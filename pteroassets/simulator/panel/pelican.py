"""How Pelican, the fork of the panel, answers: what its API has, lacks and shows otherwise.

Read from Pelican's sources of August 2026: ``routes/api-application.php``, ``app/Transformers/Api``,
``app/Repositories/Daemon/DaemonServerRepository.php``, ``app/helpers.php``.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pteroassets.simulator.panel.answers import Answer, success
from pteroassets.simulator.panel.context import View
from pteroassets.simulator.panel.listing import Includes

# of the application API: no locations and no nests, and the eggs in one list
ROUTES: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("allocations", r"nodes/(?P<node>\d+)/allocations"),
        ("configuration", r"nodes/(?P<node>\d+)/configuration"),
        ("eggs", r"eggs"),
        ("databases", r"servers/(?P<server>\d+)/databases"),
        ("external", r"(?P<list>users|servers)/external/(?P<external>.+)"),
        ("one", r"(?P<list>users|nodes|servers)/(?P<number>\d+)"),
        ("list", r"(?P<list>users|nodes|servers)"),
    )
)
_GONE_INCLUDES: Final = frozenset({"nest", "location"})
_STATS_OF_NOBODY: Final = {
    "current_state": "missing",
    "is_suspended": False,
    "resources": {
        "memory_bytes": 0,
        "cpu_absolute": 0,
        "disk_bytes": 0,
        "network_rx_bytes": 0,
        "network_tx_bytes": 0,
        "uptime": 0,
    },
}


def includes(wanted: Includes) -> Includes:
    """Return what *wanted* asks for of the includes that Pelican still has."""
    return {name: deeper for name, deeper in wanted.items() if name not in _GONE_INCLUDES}


def shaped(kind: str, attributes: dict[str, Any], view: View, row: Any = None) -> dict[str, Any]:
    """Return Pterodactyl's *attributes* of an object of *kind* as Pelican shows them."""
    shown = dict(attributes)
    match kind:
        case "user":
            del shown["first_name"], shown["last_name"]
            shown |= {"is_managed_externally": False, "2fa_enabled": shown["2fa"]}
        case "node":
            # the port that a node listens at may stand behind a proxy: only the other one is to be used from outside
            shown |= {"daemon_connect": shown["daemon_listen"], "daemon_listen": 8080, "daemon_sftp_alias": None}
            shown |= {"cpu": 0, "cpu_overallocate": 0, "tags": [], "daemon_base": "/var/lib/pelican/volumes"}
            promised = sum(state.cpu for _, state in view.living if state.node_id == row.id)
            shown["allocated_resources"] = {**shown["allocated_resources"], "cpu": promised}
            del shown["location_id"]
        case "egg":
            del shown["nest"]
            shown |= {"icon": None, "features": [], "tags": [], "startup_commands": {"Default": shown["startup"]}}
        case "server":
            del shown["nest"]
            shown["limits"] = _limits(shown["limits"])
        case "client_server":
            shown["limits"] = _limits(shown["limits"])
            shown["sftp_details"] = {**shown["sftp_details"], "alias": None}
            shown["is_installing"] = shown["status"] in {"installing", "install_failed", "reinstall_failed"}
    return shown


def _limits(limits: dict[str, Any]) -> dict[str, Any]:
    return {**limits, "oom_killer": not limits["oom_disabled"]}


def account(person: dict[str, Any], *, is_admin: bool) -> dict[str, Any]:
    """Return the account of a key, from what the client API shows of a *person*."""
    return {**person, "language": "en", "admin": is_admin, "root_admin": is_admin, "updated_at": person["created_at"]}


def missing_stats() -> Answer:
    """Answer what Pelican says of a server whose node said nothing: a success, with zeros."""
    return success({"object": "stats", "attributes": _STATS_OF_NOBODY})


def as_utf8(content: bytes) -> bytes:
    """Return the bytes of a file as ``files/contents`` gives them: text that is no UTF-8 is taken for Latin-1."""
    try:
        content.decode()
    except UnicodeDecodeError:
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
        return content.decode(encoding, errors="replace").encode()
    return content

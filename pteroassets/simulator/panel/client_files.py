"""The Client API's files: listings, bytes, signed links; each read leaves a row in the server's activity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from pteroassets.simulator.panel import pelican
from pteroassets.simulator.panel.answers import Answer, PanelFault, daemon_error, success
from pteroassets.simulator.panel.client import Memory, refuse_dead_node, require
from pteroassets.simulator.panel.client_activity import remember
from pteroassets.simulator.panel.context import ServerRow, View
from pteroassets.simulator.panel.files import Entry, Folder, Link, Missing, ServerFiles
from pteroassets.simulator.panel.listing import Query

_SHOWN_BYTES: Final = 4 * 1024 * 1024


def _entry(entry: Entry, zone_iso: Callable[[int], str]) -> dict[str, Any]:
    return {
        "object": "file_object",
        "attributes": {
            "name": entry.name,
            "mode": entry.mode,
            "mode_bits": entry.bits,
            "size": entry.size,
            "is_file": entry.is_file,
            "is_symlink": False,
            "mimetype": entry.mime,
            "created_at": zone_iso(entry.created_at),
            "modified_at": zone_iso(entry.modified_at),
        },
    }


def list_files(view: View, row: ServerRow, query: Query, memory: Memory) -> Answer:
    """Answer the entries of a folder."""
    require(view, row, "file.read")
    refuse_dead_node(view, row, memory)
    try:
        entries = ServerFiles(view.stage, row, view.now).listing(query.get("directory", "/"))
    except Missing:
        raise daemon_error(view.stage.faults.missing_path_status, memory.request_id()) from None
    zone = view.world.players.zone(row[0].zone)
    return success({"object": "list", "data": [_entry(entry, zone.isoformat) for entry in entries]})


def _file_parameter(query: Query) -> str:
    path = query.get("file", "")
    if not path:
        raise PanelFault(
            status=422,
            code="ValidationException",
            detail="The file field is required.",
            meta={"source_field": "file", "rule": "required"},
        )
    return path


def contents(view: View, row: ServerRow, query: Query, memory: Memory, ip: str) -> Answer:
    """Answer the bytes of a file of at most 4 MiB."""
    require(view, row, "file.read-content")
    path = _file_parameter(query)
    refuse_dead_node(view, row, memory)
    try:
        content = ServerFiles(view.stage, row, view.now).read(path)
    except Missing:
        raise daemon_error(view.stage.faults.missing_path_status, memory.request_id()) from None
    except Folder:
        raise daemon_error(400, memory.request_id()) from None
    except Link:
        raise daemon_error(500, memory.request_id()) from None
    if len(content) > _SHOWN_BYTES:
        raise PanelFault(
            status=400,
            code="FileSizeTooLargeException",
            detail="The file you are attempting to open is too large to view in the file editor.",
        )
    remember(view, row, memory, "server:file.read", ip, path)
    shown = pelican.as_utf8(content) if view.stage.is_pelican else content
    return Answer(body=shown, content_type="text/plain; charset=UTF-8")


def download(view: View, row: ServerRow, query: Query, memory: Memory, ip: str) -> Answer:
    """Answer a signed link to a file; whether there is such a file is not looked at."""
    require(view, row, "file.read-content")
    path = unquote(_file_parameter(query))
    node = view.world.estate.node_by_id[row[1].node_id]
    url = memory.links.make(
        node=node,
        node_url=view.stage.node_url(node.id),
        panel_url=view.stage.panel_url,
        server_uuid=row[0].uuid,
        path=path,
        now=view.now,
    )
    remember(view, row, memory, "server:file.download", ip, path)
    return success({"object": "signed_url", "attributes": {"url": url}})

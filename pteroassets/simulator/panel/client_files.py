"""The Client API's files and activity: listings, bytes, signed links, and the rows that reads leave behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from pteroassets.simulator.panel import pelican
from pteroassets.simulator.panel.answers import Answer, PanelFault, daemon_error, success
from pteroassets.simulator.panel.client import Deed, Memory, person, refuse_dead_node, require
from pteroassets.simulator.panel.context import ServerRow, View, iso
from pteroassets.simulator.panel.files import Entry, Folder, Link, Missing, ServerFiles
from pteroassets.simulator.panel.listing import Query, contains, filter_rows, page_of, parse_includes

_ACTIVITY_DEFAULT: Final = 25
_CAP: Final = 100
_SHOWN_BYTES: Final = 4 * 1024 * 1024
_ACTIVITY_KEPT: Final = 90 * 86400


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
    _remember(view, row, memory, "server:file.read", ip, path)
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
    _remember(view, row, memory, "server:file.download", ip, path)
    return success({"object": "signed_url", "attributes": {"url": url}})


# ---------------------------------------------------------------------- activity


def _remember(view: View, row: ServerRow, memory: Memory, event: str, ip: str, path: str) -> None:
    deed = Deed(event=event, at=view.now, user_id=view.user.id, ip=ip, is_api=True, properties={"file": path})
    memory.deeds.setdefault(row[0].uuid, []).append(deed)


def _deeds(view: View, row: ServerRow, memory: Memory) -> list[tuple[str, Deed]]:
    server, state = row
    deeds = []
    for run in view.world.runs(server, view.now) if state.egg.is_minecraft_server else []:
        if view.now - _ACTIVITY_KEPT <= run.container_at <= view.now:
            event = "server:power.start" if run.number % 3 else "server:power.restart"
            deeds.append(
                (
                    hashlib.sha1(f"{server.uuid}/{run.number}".encode()).hexdigest(),  # noqa: S324 - as the panel does
                    Deed(
                        event=event,
                        at=run.container_at,
                        user_id=state.owner_id,
                        ip="192.0.2.9",
                        is_api=False,
                        properties={},
                    ),
                )
            )
    for number, deed in enumerate(memory.deeds.get(server.uuid, [])):
        if view.now - _ACTIVITY_KEPT <= deed.at <= view.now:
            deeds.append((hashlib.sha1(f"{server.uuid}/read/{number}".encode()).hexdigest(), deed))  # noqa: S324 - the same
    return deeds


def activity(view: View, row: ServerRow, query: Query, memory: Memory) -> Answer:
    """Answer what was done with a server, oldest first unless sorted."""
    require(view, row, "activity.read")
    rows = filter_rows(_deeds(view, row, memory), query, {"event": contains(lambda pair: pair[1].event)})
    wanted = query.get("sort", "")
    if wanted.lstrip("-") == "timestamp":
        rows.sort(key=lambda pair: pair[1].at, reverse=wanted.startswith("-"))
    url = f"{view.stage.panel_url}/api/client/servers/{row[0].uuid}/activity"
    cut, pagination = page_of(rows, query, default=_ACTIVITY_DEFAULT, cap=_CAP, url=url, keeps_query=True)
    with_actor = "actor" in parse_includes(query)
    data = []
    for number, deed in cut:
        attributes: dict[str, Any] = {
            "id": number,
            "batch": None,
            "event": deed.event,
            "is_api": deed.is_api,
            "ip": deed.ip if view.user.is_admin or deed.user_id == view.user.id else None,
            "description": None,
            "properties": dict(deed.properties),
            "has_additional_metadata": False,
            "timestamp": iso(deed.at),
        }
        if with_actor:
            actor = {"object": "user", "attributes": person(view.world.estate.user_by_id[deed.user_id])}
            attributes["relationships"] = {"actor": actor}
        data.append({"object": "activity_log", "attributes": attributes})
    return success({"object": "list", "data": data, "meta": {"pagination": pagination}})

"""The Client API's activity of a server: what was done with it, and what the API itself was asked for."""

from __future__ import annotations

from typing import Any, Final

from pteroassets.simulator.panel.answers import Answer, success
from pteroassets.simulator.panel.application import NULL_RESOURCE
from pteroassets.simulator.panel.client import Memory, person, require
from pteroassets.simulator.panel.context import ServerRow, View, iso
from pteroassets.simulator.panel.listing import Query, contains, filter_rows, page_of, parse_includes
from pteroassets.simulator.world.activity import KEPT, Deed, deed_id

_DEFAULT: Final = 25
_CAP: Final = 100


def remember(view: View, row: ServerRow, memory: Memory, event: str, ip: str, path: str) -> None:
    """Write that the API was asked for a file into the activity of its server."""
    known = memory.deeds.setdefault(row[0].uuid, [])
    known.append(
        Deed(
            id=deed_id(row[0].uuid, "read", len(known)),
            event=event,
            at=view.now,
            shown_at=view.now,
            user_id=view.user.id,
            ip=ip,
            is_api=True,
            properties={"file": path},
        )
    )


def activity(view: View, row: ServerRow, query: Query, memory: Memory) -> Answer:
    """Answer what was done with a server, in an order of its own unless sorted."""
    require(view, row, "activity.read")
    server, _ = row
    read = [deed for deed in memory.deeds.get(server.uuid, []) if view.now - KEPT <= deed.at <= view.now]
    shown = [*view.world.deeds(server, view.now), *read]
    rows = filter_rows(shown, query, {"event": contains(lambda deed: deed.event)})
    wanted = query.get("sort", "")
    if wanted.lstrip("-") == "timestamp":
        rows.sort(key=lambda deed: deed.at, reverse=wanted.startswith("-"))
    url = f"{view.stage.panel_url}/api/client/servers/{server.uuid}/activity"
    cut, pagination = page_of(rows, query, default=_DEFAULT, cap=_CAP, url=url, keeps_query=True)
    with_actor = "actor" in parse_includes(query)
    return success(
        {
            "object": "list",
            "data": [_entry(view, deed, with_actor=with_actor) for deed in cut],
            "meta": {"pagination": pagination},
        }
    )


def _entry(view: View, deed: Deed, *, with_actor: bool) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "id": deed.id,
        "batch": None,
        "event": deed.event,
        "is_api": deed.is_api,
        "ip": deed.ip if view.user.is_admin or deed.user_id == view.user.id else None,
        "description": None,
        "properties": dict(deed.properties),
        "has_additional_metadata": "count" in deed.properties,
        "timestamp": iso(deed.at),
    }
    if view.stage.is_pelican:
        del attributes["batch"]
    if with_actor:
        attributes["relationships"] = {"actor": _actor(view, deed)}
    return {"object": "activity_log", "attributes": attributes}


def _actor(view: View, deed: Deed) -> dict[str, Any]:
    if deed.user_id is None:
        return dict(NULL_RESOURCE)
    return {"object": "user", "attributes": person(view.world.estate.user_by_id[deed.user_id])}

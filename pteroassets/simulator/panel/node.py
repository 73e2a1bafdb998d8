"""A node's own HTTP server: signed downloads, what all its servers use, and their files."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request

from pteroassets.clock import Clock
from pteroassets.simulator.panel.answers import Answer
from pteroassets.simulator.panel.client import Memory
from pteroassets.simulator.panel.context import ServerRow, Stage, variable_values
from pteroassets.simulator.panel.faults import RequestEntry, RequestLog, Route
from pteroassets.simulator.panel.files import Entry, Folder, Link, Missing, ServerFiles, normal
from pteroassets.simulator.panel.links import BadLink
from pteroassets.simulator.panel.server import Receive, Scope, Send, date, spoil, transmit
from pteroassets.simulator.world.chance import epoch, uuid4_of
from pteroassets.simulator.world.entities import Node

_MIB = 1024 * 1024
_FILES: Final = re.compile(r"/api/servers/(?P<uuid>[^/]+)/files/(?P<name>list-directory|contents)")
_ROUTE_NAMES: Final = {
    "/download/file": "node_download",
    "/api/system": "node_system",
    "/api/servers": "node_servers",
    "list-directory": "node_files",
    "contents": "node_contents",
}


class NodeServer:
    """An ASGI application that answers as one node would at the clock's time."""

    def __init__(self, stage: Stage, node: Node, clock: Clock, memory: Memory, log: RequestLog) -> None:
        self._stage = stage
        self._node = node
        self._clock = clock
        self._memory = memory
        self._log = log
        self._report: tuple[int, Answer] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = request.url.path
        wanted = _FILES.fullmatch(path)
        name = _ROUTE_NAMES.get(path if wanted is None else wanted["name"], "node_server")
        route = Route(
            name,
            "node",
            path,
            node_id=self._node.id,
            server_uuid=None if wanted is None else wanted["uuid"],
            file=request.query_params.get("file"),
        )
        with self._stage.world.lock:
            answer = self._answer(request)
        struck = self._stage.faults.take(route, "status")
        if struck is not None:
            answer = _error(struck.status, "the node stumbled", self._memory)
        answer.headers.setdefault("x-request-id", self._memory.request_id())
        answer = spoil(answer, self._stage.faults, route)
        date(answer, self._clock, self._stage.faults, route)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        agent = request.headers.get("user-agent", "")
        # the query of a signed link is a secret: it is not kept
        self._log.add(RequestEntry(request.method, path, answer.status, agent, name, ""))
        await transmit(answer, send)

    def _answer(self, request: Request) -> Answer:
        path = request.url.path
        if path == "/download/file":
            return self._download(parse_qs(request.url.query).get("token", [""])[0])
        if not path.startswith("/api/"):
            return Answer(status=404, body=b"404 page not found", content_type="text/plain")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            answer = _error(401, "The required authorization heads were not present in the request.", self._memory)
            answer.headers["www-authenticate"] = "Bearer"
            return answer
        if token != self._node.token:
            return _error(403, "You are not authorized to access this endpoint.", self._memory)
        now = epoch(self._clock.now())
        if path == "/api/servers" and self._report is not None and self._report[0] == now:
            return replace(self._report[1], headers={})
        rows = [row for row in self._stage.world.estate.living(now) if row[1].node_id == self._node.id]
        if path == "/api/system":
            return _json(_system(self._node, is_second=request.query_params.get("v") == "2", rows=len(rows)))
        if path == "/api/servers":
            report = _json([self._server(row, now) for row in rows])
            if self._stage.keeps_reports:
                self._report = now, replace(report, headers={})
            return report
        wanted = _FILES.fullmatch(path)
        for row in rows:
            if path == f"/api/servers/{row[0].uuid}":
                return _json(self._server(row, now))
            if wanted is not None and wanted["uuid"] == row[0].uuid:
                return self._files(request, row, now, is_listing=wanted["name"] == "list-directory")
        return _error(404, "The requested resource does not exist on this instance.", self._memory)

    def _files(self, request: Request, row: ServerRow, now: int, *, is_listing: bool) -> Answer:
        """Answer a listing or a file of any size; the panel's limits, gates and activity are not the node's."""
        files = ServerFiles(self._stage, row, now)
        asked = request.query_params.get("directory" if is_listing else "file", "")
        try:
            if is_listing:
                zone = self._stage.world.players.zone(row[0].zone)
                return _json([_entry(entry, zone.isoformat) for entry in files.listing(asked or "/")])
            content = files.read(asked)
        except Folder:
            return _error(400, "the requested resource is a directory", self._memory)
        except Link:
            return _error(500, "the requested resource is a symbolic link", self._memory)
        except Missing:
            return _error(self._stage.faults.missing_path_status, "no such file or directory", self._memory)
        name = normal(asked).rsplit("/", 1)[-1]
        mime = next(entry.mime for entry in files.listing(normal(asked).removesuffix(name)) if entry.name == name)
        answer = Answer(body=content, content_type=mime, headers={"x-mime-type": mime})
        if request.query_params.get("download"):
            answer.content_type = "application/octet-stream"
            answer.headers["content-disposition"] = f'attachment; filename="{name}"'
        return answer

    def _download(self, token: str) -> Answer:
        now = epoch(self._clock.now())
        try:
            ticket = self._memory.links.redeem(token, node=self._node, now=now)
        except BadLink:
            return _error(500, "An unexpected error was encountered while processing this request.", self._memory)
        server = None if ticket is None else self._stage.world.server_by_uuid(ticket.server_uuid, now)
        state = None if server is None else server.state(now)
        if ticket is None or server is None or state is None or state.node_id != self._node.id:
            return _error(404, "The requested resource was not found on this server.", self._memory)
        try:
            content = ServerFiles(self._stage, (server, state), now).read(ticket.path)
        except Folder:
            return _error(404, "The requested resource was not found on this server.", self._memory)
        except (Missing, Link):
            return _error(self._stage.faults.missing_path_status, "no such file or directory", self._memory)
        name = ticket.path.rsplit("/", 1)[-1]
        return Answer(
            body=content,
            content_type="application/octet-stream",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    def _server(self, row: ServerRow, now: int) -> dict[str, Any]:
        server, state = row
        world = self._stage.world
        use = self._stage.power.usage(server.uuid, state, world.usage(server, state, now), now)
        primary = world.estate.allocation_by_id[state.allocation_ids[0]]
        ports = [world.estate.allocation_by_id[number].port for number in state.allocation_ids]
        is_suspended = state.status == "suspended"
        return {
            "state": use.state,
            "is_suspended": is_suspended,
            "utilization": {
                "memory_bytes": use.memory_bytes,
                "memory_limit_bytes": int(state.memory * _MIB * 1.1),
                "cpu_absolute": use.cpu_percent,
                "network": {"rx_bytes": use.rx_bytes, "tx_bytes": use.tx_bytes},
                "uptime": use.uptime_ms,
                "state": use.state,
                "disk_bytes": use.disk_bytes,
            },
            "configuration": {
                "uuid": server.uuid,
                "meta": {"name": state.name, "description": server.description},
                "suspended": is_suspended,
                "invocation": state.egg.startup,
                "skip_egg_scripts": False,
                "environment": {**variable_values(server, state), "STARTUP": state.egg.startup},
                "labels": None,
                "allocations": {
                    "force_outgoing_ip": False,
                    "default": {"ip": primary.ip, "port": primary.port},
                    "mappings": {primary.ip: ports},
                },
                "build": {
                    "memory_limit": state.memory,
                    "swap": server.swap,
                    "io_weight": 500,
                    "cpu_limit": state.cpu,
                    "disk_space": state.disk,
                    "threads": "",
                    "oom_disabled": server.index % 3 == 0,
                },
                "crash_detection_enabled": True,
                "mounts": [],
                "egg": {"id": uuid4_of("egg", state.egg_id), "file_denylist": []},
                "container": {"image": next(iter(state.egg.images.values()))},
            },
        }


def _system(node: Node, *, is_second: bool, rows: int) -> dict[str, Any]:
    if not is_second:
        return {
            "architecture": "amd64",
            "cpu_count": 16,
            "kernel_version": "6.1.0",
            "os": "linux",
            "version": "1.11.11",
        }
    return {
        "version": "1.11.11",
        "docker": {
            "version": "24.0.7",
            "cgroups": {"driver": "systemd", "version": "2"},
            "containers": {"total": rows, "running": rows, "paused": 0, "stopped": 0},
            "storage": {"driver": "overlay2", "filesystem": "extfs"},
            "runc": {"version": "v1.1.9"},
        },
        "system": {
            "architecture": "amd64",
            "cpu_threads": 16,
            "memory_bytes": node.memory * _MIB,
            "kernel_version": "6.1.0-18-amd64",
            "os": "Debian GNU/Linux 12 (bookworm)",
            "os_type": "linux",
        },
    }


def _entry(entry: Entry, zone_iso: Callable[[int], str]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "created": zone_iso(entry.created_at),
        "modified": zone_iso(entry.modified_at),
        "mode": entry.mode,
        "mode_bits": entry.bits,
        "size": entry.size,
        "directory": not entry.is_file,
        "file": entry.is_file,
        "symlink": False,
        "mime": entry.mime,
    }


def _json(value: Any) -> Answer:
    return Answer(body=json.dumps(value).encode(), content_type="application/json; charset=utf-8")


def _error(status: int, text: str, memory: Memory) -> Answer:
    answer = _json({"error": text, "request_id": memory.request_id()})
    answer.status = status
    return answer

"""The panel's HTTP server: who may ask what, how often, and which answer they get."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Any, Final, Literal

from starlette.requests import Request

from pteroassets.clock import Clock
from pteroassets.simulator.panel import application, client, client_activity, client_files, client_upkeep, pelican
from pteroassets.simulator.panel.answers import (
    Answer,
    PanelFault,
    daemon_error,
    failure,
    forbidden,
    not_found,
    proxy_page,
)
from pteroassets.simulator.panel.client import Memory
from pteroassets.simulator.panel.context import Stage, View
from pteroassets.simulator.panel.faults import Fault, Faults, RequestEntry, RequestLog, Route
from pteroassets.simulator.panel.keys import ApiKey, Limiter
from pteroassets.simulator.panel.links import Links
from pteroassets.simulator.panel.listing import Query
from pteroassets.simulator.world.chance import epoch

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_APPLICATION: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("allocations", r"nodes/(?P<node>\d+)/allocations"),
        ("configuration", r"nodes/(?P<node>\d+)/configuration"),
        ("eggs", r"nests/(?P<nest>\d+)/eggs"),
        ("databases", r"servers/(?P<server>\d+)/databases"),
        ("external", r"(?P<list>users|servers)/external/(?P<external>.+)"),
        ("one", r"(?P<list>users|nodes|locations|nests|servers)/(?P<number>\d+)"),
        ("list", r"(?P<list>users|nodes|locations|nests|servers)"),
    )
)
_CLIENT: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("list", r""),
        ("account", r"/account"),
        ("view", r"/servers/(?P<server>[^/]+)"),
        ("resources", r"/servers/(?P<server>[^/]+)/resources"),
        ("activity", r"/servers/(?P<server>[^/]+)/activity"),
        ("backups", r"/servers/(?P<server>[^/]+)/backups"),
        ("schedules", r"/servers/(?P<server>[^/]+)/schedules"),
        ("files_list", r"/servers/(?P<server>[^/]+)/files/list"),
        ("contents", r"/servers/(?P<server>[^/]+)/files/contents"),
        ("download", r"/servers/(?P<server>[^/]+)/files/download"),
        ("power", r"/servers/(?P<server>[^/]+)/power"),
    )
)
_POSTS: Final = frozenset({"power"})
_UNGATED: Final = frozenset({"list", "account", "view"})
_ASKS_NODE: Final = frozenset({"resources", "files_list", "contents", "power"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, once it is known what it asks for."""

    group: Literal["application", "client"]
    name: str
    values: dict[str, str]
    query: Query
    path: str
    ip: str
    body: bytes = b""


class Panel:
    """An ASGI application that answers as a panel would at the clock's time."""

    def __init__(
        self,
        stage: Stage,
        clock: Clock,
        keys: dict[str, ApiKey],
        log: RequestLog,
        *,
        application: Limiter,
        client: Limiter,
    ) -> None:
        self._stage = stage
        self._clock = clock
        self._keys = {key.token: key for key in keys.values()}
        self._log = log
        self._faults: Faults = stage.faults
        self._limiters = {"application": application, "client": client}
        self.memory = Memory(links=Links(stage.world.seed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        answer, route = self._answer(request, await request.body() if request.method == "POST" else b"")
        date(answer, self._clock, self._faults, route)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        agent = request.headers.get("user-agent", "")
        self._log.add(
            RequestEntry(request.method, request.url.path, answer.status, agent, route.name, request.url.query)
        )
        await transmit(answer, send)

    def _answer(self, request: Request, body: bytes) -> tuple[Answer, Route]:
        wants_json = "json" in request.headers.get("accept", "")
        headers: dict[str, str] = {}
        route = Route("none", "none", request.url.path)
        try:
            call = _call(request, body, is_pelican=self._stage.is_pelican)
            route = self._route(call)
            struck = self._faults.take(route, "status")
            if struck is not None and struck.body == "html":
                return proxy_page(struck.status), route
            answer = self._permitted(request, call, headers, struck, route)
        except PanelFault as fault:
            answer = failure(fault, wants_json=wants_json, panel_url=self._stage.panel_url)
        for name, value in {"cache-control": "no-cache, private", **headers}.items():
            answer.headers.setdefault(name, value)
        return spoil(answer, self._faults, route), route

    def _route(self, call: Call) -> Route:
        values = call.values
        name = values.get("list", call.name) if call.group == "application" else call.name
        uuid = node_id = None
        if call.group == "client" and "server" in values:
            now = epoch(self._clock.now())
            with self._stage.world.lock:
                server = self._stage.world.server_by_uuid(values["server"], now)
                state = None if server is None else server.state(now)
                if server is not None and state is not None:
                    uuid, node_id = server.uuid, state.node_id
        if "node" in values:
            node_id = int(values["node"])
        nest_id = int(values["nest"]) if "nest" in values else None
        return Route(name, call.group, call.path, nest_id, node_id, uuid, call.query.get("file"))

    def _permitted(
        self, request: Request, call: Call, headers: dict[str, str], struck: Fault | None, route: Route
    ) -> Answer:
        """Return the answer for a caller who passed every gate; *headers* gets the limiter's."""
        if struck is not None and struck.status == 401:  # noqa: PLR2004 - not signed in
            raise PanelFault(status=401, code="AuthenticationException", detail="Unauthenticated.")
        key = self._authenticate(request)
        if key.allowed_ips and call.ip not in key.allowed_ips:
            raise forbidden(
                f"This IP address ({call.ip}) does not have permission to access the API using these credentials."
            )
        headers.update(self._limiters[call.group].count(key.user_id, self._clock.now()))
        if struck is not None:
            return _struck(struck, headers)
        view = View(stage=self._stage, now=epoch(self._clock.now()), key=key)
        hides_newest = (
            call.name in {"list", "allocations"}
            and call.query.get("page", "1") == "1"
            and self._faults.take(route, "total_moves") is not None
        )
        with self._stage.world.lock:
            if call.group == "application":
                return _application(view, call, hides_newest=hides_newest)
            return self._client(view, call, route, hides_newest=hides_newest)

    def _authenticate(self, request: Request) -> ApiKey:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = self._keys.get(token.strip())
        if scheme.lower() != "bearer" or key is None:
            raise PanelFault(status=401, code="AuthenticationException", detail="Unauthenticated.")
        return key

    def _client(self, view: View, call: Call, route: Route, *, hides_newest: bool) -> Answer:
        if view.key.kind == "application":
            raise forbidden(
                "You are attempting to use an application API key on an endpoint that requires a client API key."
            )
        if call.name == "list":
            return client.servers(view, call.query, hides_newest=hides_newest)
        if call.name == "account":
            return client.account(view)
        row = client.find(view, call.values["server"])
        if call.name not in _UNGATED:
            client.refuse_conflict(view, row)
        memory = self.memory
        if call.name in _ASKS_NODE and (said := self._faults.take(route, "node_status")) is not None:
            if view.stage.is_pelican and call.name == "resources":
                return pelican.missing_stats()
            raise daemon_error(said.status, memory.request_id(), is_relayed=call.name != "resources")
        match call.name:
            case "view":
                return client.server(view, row, call.query)
            case "resources":
                if not view.stage.is_pelican:
                    client.refuse_dead_node(view, row, memory)
                return client.resources(view, row)
            case "power":
                client.refuse_dead_node(view, row, memory)
                return client.send_power(view, row, _decoded(call.body))
            case "activity":
                return client_activity.activity(view, row, call.query, memory)
            case "backups":
                return client_upkeep.backups(view, row, call.query)
            case "schedules":
                return client_upkeep.schedules(view, row)
            case "files_list":
                return client_files.list_files(view, row, call.query, memory)
            case "contents":
                return client_files.contents(view, row, call.query, memory, call.ip)
            case _:
                return client_files.download(view, row, call.query, memory, call.ip)


def _call(request: Request, body: bytes, *, is_pelican: bool) -> Call:
    """Return what *request* asks for.

    Raises:
        PanelFault: There is no such route (404), or not with this method (405).
    """
    path = request.url.path
    groups: tuple[tuple[Literal["application", "client"], str, Any], ...] = (
        ("application", "/api/application/", _APPLICATION),
        ("client", "/api/client", _CLIENT),
    )
    for group, prefix, routes in groups:
        if not path.startswith(prefix):
            continue
        for name, pattern in pelican.ROUTES if is_pelican and group == "application" else routes:
            found = pattern.fullmatch(path[len(prefix) :].removesuffix("/"))
            if found is None:
                continue
            if request.method not in ({"POST"} if name in _POSTS else {"GET", "HEAD"}):
                allowed = "GET, HEAD, POST" if name == "list" and group == "application" else "GET, HEAD"
                allowed = "POST" if name in _POSTS else allowed
                raise PanelFault(
                    status=405,
                    code="MethodNotAllowedHttpException",
                    detail=f"The {request.method} method is not supported for route {path.lstrip('/')}. "
                    f"Supported methods: {allowed}.",
                    headers={"allow": allowed},
                )
            return Call(
                group=group,
                name=name,
                values=found.groupdict(),
                query=dict(request.query_params),
                path=path,
                ip=request.client.host if request.client else "127.0.0.1",
                body=body,
            )
    raise not_found(f"The route {path.lstrip('/')} could not be found.")


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None


def _application(view: View, call: Call, *, hides_newest: bool) -> Answer:
    if not view.user.is_admin:
        raise forbidden("This account does not have permission to access the API.")
    values, query = call.values, call.query
    match call.name:
        case "allocations":
            return application.allocations(view, int(values["node"]), query, hides_newest=hides_newest)
        case "configuration":
            return application.configuration(view, int(values["node"]))
        case "eggs" if "nest" in values:
            return application.eggs(view, int(values["nest"]), query)
        case "eggs":
            return application.all_eggs(view, query)
        case "databases":
            return application.databases(view, int(values["server"]), query)
        case "external":
            return application.external(view, values["list"], values["external"], query)
        case "one":
            return application.one(view, values["list"], int(values["number"]), query)
        case _:
            return application.list_rows(view, values["list"], query, hides_newest=hides_newest)


_CODES: Final = {
    401: ("AuthenticationException", "Unauthenticated."),
    403: ("AccessDeniedHttpException", "This action is unauthorized."),
    404: ("NotFoundHttpException", "The requested resource could not be found on the server."),
    409: ("ServerStateConflictException", "This server is in a state that does not allow this."),
    429: ("ThrottleRequestsException", "Too Many Attempts."),
    504: (
        "DaemonConnectionException",
        "Could not establish a connection to the machine running this server. Please try again.",
    ),
}


def _struck(fault: Fault, headers: dict[str, str]) -> Answer:
    code, detail = _CODES.get(
        fault.status,
        ("ErrorException", "An unexpected error was encountered while processing this request, please try again."),
    )
    more = {}
    if fault.status == 429:  # noqa: PLR2004 - too many requests
        headers["x-ratelimit-remaining"] = "0"
        more = {"retry-after": str(fault.retry_after)}
    raised = PanelFault(status=fault.status, code=code, detail=detail, headers=more)
    answer = failure(raised, wants_json=True, panel_url="")
    if fault.body == "truncated":
        answer.body = answer.body[: len(answer.body) // 2]
    return answer


def spoil(answer: Answer, faults: Faults, route: Route) -> Answer:
    """Return *answer* as the faults that are on leave it."""
    late = faults.take(route, "latency")
    if late is not None:
        answer.delay += late.seconds
    if faults.take(route, "truncate") is not None:
        answer.body = answer.body[: len(answer.body) // 2]
    if faults.take(route, "break_off") is not None:
        answer.breaks_off = True
    return answer


def date(answer: Answer, clock: Clock, faults: Faults, route: Route) -> None:
    """Date *answer* by *clock*, or by one that a fault has set forward."""
    ahead = faults.take(route, "clock")
    said = clock.now() + timedelta(seconds=0 if ahead is None else ahead.seconds)
    answer.headers["date"] = format_datetime(said.astimezone(UTC), usegmt=True)


async def transmit(answer: Answer, send: Send) -> None:
    """Send *answer*; one that breaks off ends the connection before its announced length."""
    headers = {"content-type": answer.content_type, "content-length": str(len(answer.body)), **answer.headers}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    body = answer.body[: len(answer.body) // 2] if answer.breaks_off else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": answer.breaks_off})

"""One panel: its answers, its complete lists, and which of its servers can be asked.

pydactyl gives the headers and addresses of the panel's two APIs; every one of its objects is made with our session, so
that all of them share connections, time-outs, pacing and errors (see `transport`). Lists are read by `read_pages`,
since pydactyl forgets every parameter from the second page on.
"""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from pydactyl import PterodactylClient
from pydactyl.api.client.servers.files import Files
from pydactyl.exceptions import PydactylError
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from pteroassets.clock import Clock
from pteroassets.sources.outcomes import Gate, ServerStatus
from pteroassets.sources.pterodactyl.dialect import PELICAN, PTERODACTYL, Dialect
from pteroassets.sources.pterodactyl.errors import (
    PanelAddressError,
    PanelError,
    PermanentPanelError,
    PermissionMissingError,
    UnreadableAnswerError,
    unreadable,
)
from pteroassets.sources.pterodactyl.pacing import Api, RequestBudget
from pteroassets.sources.pterodactyl.transport import (
    PacedAdapter,
    PlainSession,
    RequestCounter,
    Timeout,
    host_of,
)

USER_AGENT = f"pteroassets/{version('pteroassets')}"
DEFAULT_TIMEOUT: Timeout = (5.0, 20.0)
# a restart or an update takes less, and a sampling pass still ends before the next begins
PATIENCE_SECONDS = 180.0
ALL_KEYS = ("pterodactyl_url", "pterodactyl_app_key", "pterodactyl_cli_key")
"""Names of the settings of a client that may ask both of the panel's APIs."""
PAGE_SIZE = 100
_READ_ATTEMPTS = 3
_READ_PAUSE_SECONDS = 0.5
_LIST_READINGS = 3
# of the list of servers; one page after the other, ten thousand servers would take longer than their figures
_PAGES_AT_ONCE = 8
_GATING_STATUSES: dict[ServerStatus, Gate] = {
    "installing": "installing",
    "install_failed": "install_failed",
    "restoring_backup": "restoring_backup",
}


class PanelClient:
    """One panel, asked through an application key, a client key, or both.

    Safe to use from many threads. Close it, or use it as a context manager, to free its connections.

    Args:
        url: Address of the panel with its scheme; a base path is fine.
        application_key: Opens ``/api/application``.
        client_key: Opens ``/api/client``.
        budget: Asked before every request.
        clock: Sleeps between attempts.
        timeout: Seconds to connect, and between two bytes of an answer.
        patience_seconds: How long to wait, over all requests, for a panel that is down.
        node_ca: A PEM bundle of the CAs that the nodes' certificates are checked with, in place of the usual ones.

    Raises:
        PanelAddressError: The address or a key is invalid, or the bundle cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        application_key: SecretStr | None,
        client_key: SecretStr | None,
        budget: RequestBudget,
        clock: Clock,
        timeout: Timeout = DEFAULT_TIMEOUT,
        patience_seconds: float = PATIENCE_SECONDS,
        node_ca: Path | None = None,
    ) -> None:
        self.name = require_address(url)
        self.clock = clock
        self.timeout = timeout
        self.counter = RequestCounter()
        adapter = PacedAdapter(
            budget=budget, clock=clock, counter=self.counter, timeout=timeout, patience_seconds=patience_seconds
        )
        self._session = PlainSession(adapter, user_agent=USER_AGENT)
        # signed links lead to nodes: no key, no request budget, and no repeats, since a link works once
        self.node_session = PlainSession(HTTPAdapter(max_retries=0), user_agent=USER_AGENT)
        if node_ca is not None:
            self.node_session.verify = _bundle(node_ca)
        self._objects: dict[Api, Any] = {}
        keys = []
        if (secret := secret_of(application_key, "PTERODACTYL_APP_KEY")) is not None:
            keys.append(secret)
            self._objects["application"] = self._pydactyl(url, secret).servers
        if (secret := secret_of(client_key, "PTERODACTYL_CLI_KEY")) is not None:
            keys.append(secret)
            self._objects["client"] = self._pydactyl(url, secret).client
            # pydactyl's own property would open a new session and connection at each access
            self._files = Files(url, secret, session=self._session)
        self.dialect: Dialect = dialect_of_keys(keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self.node_session.close()

    @property
    def requests_made(self) -> int:
        """Return the requests sent so far to the panel and its nodes, with repeats."""
        return self.counter.made

    @property
    def rate_limit_remaining(self) -> int | None:
        """Return what is left of the panel's rate limit by its newest answer; None before the first."""
        return self.counter.remaining

    @property
    def limits(self) -> Mapping[Api, int]:
        """Return the requests a minute that the panel announced last, for each API that was asked."""
        return self.counter.limits

    def recognize(self) -> bool:
        """Find out whether this is a Pelican panel with Pterodactyl's keys, and remember it.

        Raises:
            TransientPanelError: The panel did not answer, so it is unknown.
        """
        try:
            self.application("eggs")
        except PermissionMissingError:
            pass  # Pterodactyl does not have this route
        except PermanentPanelError:
            return False
        self.dialect = PELICAN
        return True

    def application(self, endpoint: str, **params: Any) -> dict[str, Any]:
        """Return the JSON object that ``GET /api/application/<endpoint>`` answers.

        Raises:
            PanelError: Any answer except a readable success.
        """
        return self._json("application", endpoint, params)

    def client(self, endpoint: str, **params: Any) -> dict[str, Any]:
        """Return the JSON object that ``GET /api/client/<endpoint>`` answers; *endpoint* may be empty.

        Raises:
            PanelError: Any answer except a readable success.
        """
        return self._json("client", endpoint, params)

    def file_contents(self, server_uuid: str, path: str) -> bytes:
        """Return the bytes of a server's file, read through the panel (``files/contents``).

        Raises:
            PanelError: Any answer except a readable success.
        """
        self._object("client")
        answer = self._answer(lambda: self._files.get_file_contents(server_uuid, path, json=False))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise unreadable(answer)  # the panel itself sends every file as text/plain
        return answer.content

    def _json(self, api: Api, endpoint: str, params: dict[str, Any]) -> dict[str, Any]:
        pydactyl = self._object(api)
        path = "/".join(part for part in (api, endpoint.strip("/")) if part)
        attempt = 0
        while True:
            attempt += 1
            answer = self._answer(lambda: pydactyl._api_request(endpoint=path, params=params, json=False))  # noqa: SLF001 - its only general method
            decoded = _decode(answer)
            if isinstance(decoded, dict):
                return decoded
            if attempt == _READ_ATTEMPTS:
                raise decoded
            self.clock.sleep(_READ_PAUSE_SECONDS)

    def _answer(self, call: Any) -> requests.Response:
        failure: PanelError
        try:
            answer: requests.Response = call()
        except (requests.RequestException, PydactylError) as error:
            # it fails before our adapter gets the request; the library's text may quote the key or the address
            failure = PanelAddressError(
                f"a request to the panel {self.name} could not be made ({type(error).__name__}): check PTERODACTYL_URL"
            )
        else:
            return answer
        raise failure  # outside the except block, so that the library's exception is not its context

    def _object(self, api: Api) -> Any:
        if api not in self._objects:
            kind, setting = (
                ("an application key (ptla_…)", "PTERODACTYL_APP_KEY")
                if api == "application"
                else ("a root admin's client key (ptlc_…)", "PTERODACTYL_CLI_KEY")
            )
            raise PanelAddressError(f"{kind} is needed to read the panel's {api} API: set {setting}")
        return self._objects[api]

    def _pydactyl(self, url: str, secret: str) -> PterodactylClient:
        pydactyl = PterodactylClient(url, secret)
        pydactyl._session.close()  # noqa: SLF001 - replaced before anything is made with it
        pydactyl._session = self._session  # noqa: SLF001
        return pydactyl


def _decode(answer: requests.Response) -> dict[str, Any] | UnreadableAnswerError:
    try:
        decoded = json.loads(answer.content)
    except (ValueError, RecursionError):
        return unreadable(answer)
    return decoded if isinstance(decoded, dict) else unreadable(answer)


def require_address(url: str) -> str:
    """Return host and port of a panel's address; an invalid one is not quoted, since it may be a key.

    Raises:
        PanelAddressError: It is not one.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise PanelAddressError("PTERODACTYL_URL is not the address of a panel, such as https://panel.example.com")
    if parts.username is not None or parts.password is not None:
        raise PanelAddressError(
            f"PTERODACTYL_URL holds a user name or password for {host_of(parts.netloc)}, which would replace the key: "
            "remove it"
        )
    if parts.query or parts.fragment:
        raise PanelAddressError(
            f"PTERODACTYL_URL contains more than the address of {parts.netloc}: remove what follows ? or #"
        )
    return parts.netloc


def _bundle(path: Path) -> str:
    """Return the path of a bundle that can be used; the HTTP library would end a pass over one that cannot."""
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        raise PanelAddressError(
            f"PTEROASSETS_NODE_CA names {path}, which is no PEM bundle of certificates that can be read "
            f"({error.strerror or type(error).__name__}): name the file of the CA that signed the nodes' certificates"
        ) from None
    return str(path)


def secret_of(key: SecretStr | None, setting: str) -> str | None:
    """Return the key of *setting* as text; checked here, as the library's error for an invalid header would quote it.

    Raises:
        PanelAddressError: It has characters that no key has.
    """
    text = key.get_secret_value() if key is not None else ""
    if not text:
        return None
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise PanelAddressError(f"the key of {setting} contains a space, a line break or another character no key has")
    return text


def dialect_of_keys(keys: Iterable[str]) -> Dialect:
    """Return the dialect by the prefix of any of *keys*, else Pterodactyl's.

    A Pelican panel upgraded from Pterodactyl still accepts the old keys, so Pterodactyl's prefixes prove nothing;
    `application.read_estate` finds out from the missing lists.
    """
    prefixes = (PELICAN.application_prefix, PELICAN.client_prefix)
    return PELICAN if any(key.startswith(prefixes) for key in keys) else PTERODACTYL


# ---------- lists


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedList:
    """A list as the panel gave it.

    Attributes:
        rows: The ``attributes`` of each item, once for each id, in the order of arrival.
        total: ``meta.total`` of the last page read; None if the route has none.
        failure: The error that ended the reading early.
        problem: Why this is not the whole list; None if it is.
    """

    rows: list[dict[str, Any]]
    total: int | None
    failure: PanelError | None = None
    problem: str | None = None


def read_pages(fetch: Callable[[int], dict[str, Any]], *, identity: str = "id", at_once: int = 1) -> PagedList:
    """Read a list from its first page to its last, and again if its total changes.

    ``meta.pagination`` gives ``total`` and ``total_pages``; ``links.next`` loses the query on application lists and is
    not followed. Lists have no order of their own, so rows are known by their id: one that a page repeats counts once.

    Args:
        fetch: Returns the answer for a page, counted from 1.
        identity: The attribute that tells rows apart.
        at_once: Pages after the first that are asked for at the same time.

    Returns:
        The rows, also of an incomplete reading.
    """
    reading = _read_once(fetch, identity, at_once)
    for _ in range(_LIST_READINGS - 1):
        if reading.problem is None or reading.failure is not None:
            break
        reading = _read_once(fetch, identity, at_once)
    return reading


def items(body: Any) -> list[Any]:
    """Return the items of a list answer.

    Raises:
        UnreadableAnswerError: It is not a list.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list):
        raise UnreadableAnswerError("the panel did not answer with a list: is it a Pterodactyl panel?")
    return data


def _read_once(fetch: Callable[[int], dict[str, Any]], identity: str, at_once: int) -> PagedList:
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        try:
            return _read_through(_Ahead(fetch, pool, at_once), identity)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # of a list that broke off the rest is not worth asking for


@dataclass(slots=True)
class _Ahead:
    """Pages, asked for some ahead of the one that is read."""

    fetch: Callable[[int], dict[str, Any]]
    pool: ThreadPoolExecutor
    at_once: int
    asked: dict[int, Future[dict[str, Any]]] = field(default_factory=dict)

    def take(self, page: int, pages: int) -> dict[str, Any]:
        """Return *page* of a list that has *pages*."""
        if self.at_once == 1:
            return self.fetch(page)
        for number in range(page, min(page + self.at_once - 1, pages) + 1):
            if number not in self.asked:
                self.asked[number] = self.pool.submit(self.fetch, number)
        return self.asked.pop(page).result()


def _read_through(ahead: _Ahead, identity: str) -> PagedList:
    rows: dict[int | str, dict[str, Any]] = {}
    totals: list[int] = []
    problem: str | None = None
    failure: PanelError | None = None
    page, pages = 1, 1
    while page <= pages:
        try:
            body = ahead.take(page, pages)
            arrived = items(body)
        except PanelError as error:
            failure, problem = error, f"page {page}: {error}"
            break
        for item in arrived:
            attributes = item.get("attributes") if isinstance(item, dict) else None
            if not isinstance(attributes, dict) or not isinstance(attributes.get(identity), int | str):
                problem = f"page {page} has a row without {identity}"
                continue
            rows[attributes[identity]] = attributes
        pagination = (body.get("meta") or {}).get("pagination") or {}
        total = pagination.get("total")
        # the count shows a list that ends before its last page; asking on would only cost requests
        pages = pagination.get("total_pages") or 1 if arrived else page
        if isinstance(total, int):
            totals.append(total)
            if total != totals[0]:
                problem = f"the total changed from {totals[0]} to {total} while the list was read"
                break
        page += 1
    counted = totals[-1] if totals else None
    if problem is None and counted is not None and len(rows) != counted:
        problem = f"{len(rows)} rows came, but the panel counts {counted}"
    return PagedList(rows=list(rows.values()), total=counted, failure=failure, problem=problem)


# ---------- servers


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFlags:
    """A server as the client API lists it, with the flags that decide whether it can be asked.

    The client API answers 409 for a server that is suspended, installing, restoring a backup or in transfer, and for
    all servers of a node under maintenance. The list shows the same beforehand (``status``, ``is_suspended``,
    ``is_transferring``, ``is_node_under_maintenance``), so such a server costs no request.

    Attributes:
        uuid: In lower case with hyphens.
        id: Its number in the application API.
        name: The name that its owner chose.
        node_name: The node it runs on; the client API has no node ids.
        outcome: Why the panel answers no question about it; None if it answers.
    """

    uuid: str
    id: int | None
    name: str
    node_name: str
    outcome: Gate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerListing:
    """Every server of the panel.

    Attributes:
        servers: Sorted by uuid, since the list has no order of its own.
        total: The panel's own count.
        problem: Why these are not all; None if they are.
    """

    servers: list[ServerFlags]
    total: int | None
    problem: str | None


def list_servers(panel: PanelClient) -> ServerListing:
    """Return every server of the panel with its flags.

    Raises:
        PermissionMissingError: The client key's user is not a root admin, so the panel lists nothing and says nothing.
        PanelError: A page could not be read.
    """
    pages = read_pages(
        lambda page: panel.client("", type="admin-all", per_page=PAGE_SIZE, page=page),
        identity="uuid",
        at_once=_PAGES_AT_ONCE,
    )
    if pages.failure is not None:
        raise pages.failure
    if not pages.rows:
        _refuse_other_than_root_admin(panel)
    servers = []
    problem = pages.problem
    for row in pages.rows:
        try:
            servers.append(_flags(row))
        except ValueError:
            problem = problem or "a server has an invalid uuid"
    return ServerListing(servers=sorted(servers, key=lambda server: server.uuid), total=pages.total, problem=problem)


def server_flags(panel: PanelClient) -> list[ServerFlags]:
    """Return the servers of `list_servers`."""
    return list_servers(panel).servers


def current_flags(panel: PanelClient, server_uuid: str) -> ServerFlags:
    """Return one server's current flags; this route answers in every state.

    Raises:
        PanelError: The server is gone, or could not be read.
    """
    return _flags(panel.client(f"servers/{server_uuid}").get("attributes") or {"uuid": server_uuid})


def _flags(row: Mapping[str, Any]) -> ServerFlags:
    return ServerFlags(
        uuid=str(uuid.UUID(str(row["uuid"]))),
        id=row.get("internal_id"),
        name=row.get("name") or "",
        node_name=row.get("node") or "",
        outcome=_gate(row),
    )


def _gate(row: Mapping[str, Any]) -> Gate | None:
    """Return the state that forbids questions about a server, checked in the panel's own order.

    An unknown status forbids nothing until the panel says so.
    """
    status = row.get("status")
    if status == "suspended" or row.get("is_suspended"):
        return "suspended"
    if row.get("is_node_under_maintenance"):
        return "maintenance"
    if status in _GATING_STATUSES:
        return _GATING_STATUSES[status]
    if status == "reinstall_failed" and row.get("is_installing"):
        return "install_failed"  # Pelican refuses such a server, Pterodactyl does not, and both flag it so
    return "transferring" if row.get("is_transferring") else None


def _refuse_other_than_root_admin(panel: PanelClient) -> None:
    account = panel.client("account").get("attributes") or {}
    if account.get("admin") is False:
        raise PermissionMissingError(
            "the client key of PTERODACTYL_CLI_KEY belongs to an account that is not a root admin, so the panel "
            "lists no servers to it: make a key with an administrator's account"
        )

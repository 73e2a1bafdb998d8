"""Ask the nodes themselves, by a signed link or, where an operator allows it, with a node's own token.

Path of the data::

    application/nodes, nodes/<id>/configuration --> token --> node: files/…, servers

A node's own API has no limit of requests, and its reads leave no rows in the panel's activity log. But its token opens
everything on that node: it is asked for when it is needed, kept in memory for one run, and never logged, landed or
told.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pteroassets.sources.pterodactyl.client import PAGE_SIZE, PanelClient, read_pages
from pteroassets.sources.pterodactyl.dialect import node_port
from pteroassets.sources.pterodactyl.errors import (
    NodeTimeoutError,
    NodeUnreachableError,
    PanelError,
    PermissionMissingError,
)
from pteroassets.sources.pterodactyl.files import NodeAnswer, ask_node
from pteroassets.sources.pterodactyl.transport import Timeout

# faults that rule out a node for a while; others concern one server or file
_CLOSING = (NodeUnreachableError, PermissionMissingError)
# from the first fault to the next trial, and at most
_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=5)


class NodeAccessError(Exception):
    """A node's own API cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NodeConnection:
    """Address and token of one node."""

    url: str
    token: str = field(repr=False)


@dataclass(slots=True, kw_only=True)
class _Breaker:
    """Why a node is not asked, until when, and for how long after the next failure."""

    error: PanelError
    trial_at: datetime
    rest: timedelta = _FIRST_REST


class Nodes:
    """The nodes of one panel, asked with their own tokens in one run; safe to use from many threads.

    Each node has a breaker: one that does not answer once, or refuses its token, rests for a minute. Then one request
    is let through; the node is back if it is answered, and rests twice as long if not, at most five minutes. A run is
    a process of its own, which begins with all breakers closed: its first request to a node is such a trial.

    Args:
        panel: Gives the nodes' addresses and tokens, each at the first use.
    """

    def __init__(self, panel: PanelClient) -> None:
        self._panel = panel
        self._lock = threading.Lock()
        self._list_lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._listed: dict[str, list[dict[str, Any]]] | None = None
        self._connections: dict[str, _NodeConnection | str] = {}
        self._breakers: dict[str, _Breaker] = {}

    def ask(
        self,
        node_name: str,
        route: str,
        subject: str,
        *,
        largest_bytes: int,
        params: Mapping[str, str] | None = None,
        timeout: Timeout | None = None,
        deadline_seconds: float | None = None,
    ) -> NodeAnswer:
        """Return what a node answers at *route*, below ``/api``; *subject* names in messages what was asked for.

        Raises:
            NodeAccessError: The node cannot be asked, or rests since it did not let us in.
            NodeTimeoutError: It rests since it hung.
            PanelError: The node did not answer, or not with a success.
        """
        self._pass_breaker(node_name)
        connection = self._connection(node_name)
        answer = ask_node(
            self._panel,
            f"{connection.url}/api/{route}",
            subject,
            largest_bytes=largest_bytes,
            params=params,
            token=connection.token,
            timeout=timeout,
            deadline_seconds=deadline_seconds,
        )
        with self._lock:
            if not isinstance(answer, _CLOSING):
                self._breakers.pop(node_name, None)
            elif node_name not in self._breakers:
                trial_at = self._panel.clock.now() + _FIRST_REST
                self._breakers[node_name] = _Breaker(error=answer, trial_at=trial_at)
            if isinstance(answer, PermissionMissingError):
                self._connections.pop(node_name, None)  # it may have been given a new one
        if isinstance(answer, NodeAnswer):
            return answer
        raise answer

    def _pass_breaker(self, node_name: str) -> None:
        with self._lock:
            breaker = self._breakers.get(node_name)
            if breaker is None:
                return
            now = self._panel.clock.now()
            if now >= breaker.trial_at:
                breaker.rest = min(breaker.rest * 2, _LONGEST_REST)
                breaker.trial_at = now + breaker.rest
                return
        reason = f"{breaker.error}; it is not asked again before {breaker.trial_at:%H:%M:%S} UTC"
        raise NodeTimeoutError(reason) if isinstance(breaker.error, NodeTimeoutError) else NodeAccessError(reason)

    def _connection(self, node_name: str) -> _NodeConnection:
        with self._lock:
            lock = self._locks.setdefault(node_name, threading.Lock())
        with lock:
            if node_name not in self._connections:
                self._connections[node_name] = self._open(node_name)
            connection = self._connections[node_name]
        if isinstance(connection, str):
            raise NodeAccessError(connection)
        return connection

    def _open(self, node_name: str) -> _NodeConnection | str:
        """Return a node's connection, or why there is none."""
        try:
            named = self._named(node_name)
            if isinstance(named, str):
                return named
            if len(named) != 1:
                return f"the panel has {len(named)} nodes called {node_name!r}"
            (node,) = named
            token = self._panel.application(f"nodes/{node['id']}/configuration").get("token")
        except PanelError as error:
            return f"the token of node {node_name!r} could not be read: {error}"
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()) or " " in token:
            return f"the panel gave no token for node {node_name!r}"
        port = node_port(self._panel.dialect, node)
        return _NodeConnection(url=f"{node.get('scheme')}://{node.get('fqdn')}:{port}", token=token)

    def _named(self, node_name: str) -> list[dict[str, Any]] | str:
        """Return the nodes of that name, or why the list is not known."""
        with self._list_lock:
            if self._listed is None:
                pages = read_pages(
                    lambda page: self._panel.application("nodes", per_page=PAGE_SIZE, page=page, sort="id")
                )
                if pages.problem is not None:
                    return f"the panel's list of nodes was not read completely: {pages.problem}"
                self._listed = {}
                for row in pages.rows:
                    self._listed.setdefault(str(row.get("name")), []).append(row)
        return self._listed.get(node_name, [])

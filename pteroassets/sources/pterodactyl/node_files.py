"""List and fetch log files directly from the nodes, if an operator allows it.

Path of the data::

    application/nodes, nodes/<id>/configuration --> token --> node: files/list-directory, files/contents

A node's API has no limit on requests or file sizes, and its reads leave no rows in the panel's activity log.
But its token opens everything on that node: it is fetched when needed, kept in memory for one pass, and never
logged, landed or shown.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from pteroassets.sources.pterodactyl.client import PAGE_SIZE, PanelClient, read_pages
from pteroassets.sources.pterodactyl.dialect import node_port
from pteroassets.sources.pterodactyl.errors import (
    FileTooLargeError,
    NodeUnreachableError,
    PanelError,
    PermissionMissingError,
    UnreadableAnswerError,
)
from pteroassets.sources.pterodactyl.files import LARGEST_FILE_BYTES, ListedFile, ask_node, list_folder

_LARGEST_LISTING_BYTES = 64 * 1024 * 1024
# faults that rule out a node for the rest of a pass; others concern one server or file
_CLOSING = (NodeUnreachableError, PermissionMissingError)


class NodeAccessError(Exception):
    """A node's own API cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NodeConnection:
    """Address and token of one node."""

    url: str
    token: str = field(repr=False)


class NodeFiles:
    """The files of all servers, read from their nodes; safe to use from many threads.

    Args:
        panel: Gives each node's address and token at its first use.
    """

    def __init__(self, panel: PanelClient) -> None:
        self._panel = panel
        self._lock = threading.Lock()
        self._nodes: dict[str, list[dict[str, Any]]] | None = None
        self._connections: dict[str, _NodeConnection | str] = {}

    def list(self, node_name: str, server_uuid: str, directory: str) -> list[ListedFile]:
        """Return the regular files of a server's folder, sorted by name.

        Raises:
            NodeAccessError: The node cannot be asked, or does not answer for this server.
            NoLogFolder: There is no such folder.
        """

        def entries(folder: str) -> list[dict[str, Any]]:
            body = self._ask(
                node_name, server_uuid, "list-directory", {"directory": folder}, folder, _LARGEST_LISTING_BYTES
            )
            try:
                decoded = json.loads(body)
            except (ValueError, RecursionError):
                decoded = None
            if not isinstance(decoded, list):
                raise UnreadableAnswerError(f"the node {node_name} gave no list of {folder}")
            return [{**row, "modified_at": row.get("modified")} for row in decoded if isinstance(row, dict)]

        try:
            return list_folder(entries, server_uuid, directory)
        except PanelError as error:
            raise self._access_error(node_name, error) from error

    def fetch(self, node_name: str, server_uuid: str, file: ListedFile) -> bytes:
        """Return the bytes of a listed file, which may have grown since.

        Raises:
            NodeAccessError: The node cannot be asked, or did not give the file.
            FileTooLargeError: It is too large.
        """
        if file.size > LARGEST_FILE_BYTES:
            raise FileTooLargeError(f"{file.path} is larger than {LARGEST_FILE_BYTES} bytes and is not fetched")
        try:
            return self._ask(node_name, server_uuid, "contents", {"file": file.path}, file.path, LARGEST_FILE_BYTES)
        except FileTooLargeError:
            raise
        except PanelError as error:
            raise self._access_error(node_name, error) from error

    def _ask(
        self, node_name: str, server_uuid: str, route: str, params: dict[str, str], path: str, largest_bytes: int
    ) -> bytes:
        connection = self._connection(node_name)
        answer = ask_node(
            self._panel,
            f"{connection.url}/api/servers/{server_uuid}/files/{route}",
            path,
            largest_bytes=largest_bytes,
            params=params,
            token=connection.token,
        )
        if isinstance(answer, PanelError):
            raise answer
        return answer

    def _access_error(self, node_name: str, error: PanelError) -> NodeAccessError:
        """Return the error for callers; a fault that all further requests would meet rules out the node."""
        with self._lock:
            if isinstance(error, _CLOSING):
                self._connections[node_name] = str(error)
        return NodeAccessError(str(error))

    def _connection(self, node_name: str) -> _NodeConnection:
        with self._lock:
            if node_name not in self._connections:
                self._connections[node_name] = self._open(node_name)
            connection = self._connections[node_name]
        if isinstance(connection, str):
            raise NodeAccessError(connection)
        return connection

    def _open(self, node_name: str) -> _NodeConnection | str:
        """Return a node's connection, or why there is none."""
        try:
            if self._nodes is None:
                pages = read_pages(
                    lambda page: self._panel.application("nodes", per_page=PAGE_SIZE, page=page, sort="id")
                )
                if pages.problem is not None:
                    return f"the panel's list of nodes was not read completely: {pages.problem}"
                self._nodes = {}
                for row in pages.rows:
                    self._nodes.setdefault(str(row.get("name")), []).append(row)
            named = self._nodes.get(node_name, [])
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

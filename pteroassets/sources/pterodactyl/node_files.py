"""List and fetch log files at the nodes themselves, where an operator allows it (see `nodes`).

A file of any size comes in one request, and the panel's activity log does not grow.
"""

from __future__ import annotations

import json
from typing import Any

from pteroassets.sources.pterodactyl.client import PanelClient
from pteroassets.sources.pterodactyl.errors import FileTooLargeError, PanelError, UnreadableAnswerError
from pteroassets.sources.pterodactyl.files import LARGEST_FILE_BYTES, ListedFile, list_folder, too_large
from pteroassets.sources.pterodactyl.nodes import NodeAccessError, Nodes

_LARGEST_LISTING_BYTES = 64 * 1024 * 1024


class NodeFiles:
    """The files of all servers, read from their nodes; safe to use from many threads.

    Args:
        panel: Gives each node's address and token at its first use.
    """

    def __init__(self, panel: PanelClient) -> None:
        self._nodes = Nodes(panel)

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
            raise NodeAccessError(str(error)) from error

    def fetch(self, node_name: str, server_uuid: str, file: ListedFile) -> bytes:
        """Return the bytes of a listed file, which may have grown since.

        Raises:
            NodeAccessError: The node cannot be asked, or did not give the file.
            FileTooLargeError: It is too large.
        """
        if file.size > LARGEST_FILE_BYTES:
            raise too_large(file.path, LARGEST_FILE_BYTES)
        try:
            return self._ask(node_name, server_uuid, "contents", {"file": file.path}, file.path, LARGEST_FILE_BYTES)
        except FileTooLargeError:
            raise
        except PanelError as error:
            raise NodeAccessError(str(error)) from error

    def _ask(
        self, node_name: str, server_uuid: str, route: str, params: dict[str, str], path: str, largest_bytes: int
    ) -> bytes:
        return self._nodes.ask(
            node_name, f"servers/{server_uuid}/files/{route}", path, largest_bytes=largest_bytes, params=params
        ).body

"""List and fetch the log files of servers.

Path of the data::

    files/list --list_logs--> ListedFile --fetch_file--> bytes
                                   ≤ 4 MiB: files/contents, through the panel, where that gives bytes (`dialect`)
                                   larger:  files/download gives a signed link, fetched from the node

Reading contents and asking for a link each write a row into the panel's activity log (``server:file.read``,
``server:file.download``); listing does not. Ours have ``is_api`` true and the account that owns the key;
in the panel's and the nodes' access logs our requests have the user agent ``pteroassets/<version>``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from pteroassets.sources.pterodactyl.client import PanelClient, ServerFlags, items, server_flags
from pteroassets.sources.pterodactyl.dialect import Dialect
from pteroassets.sources.pterodactyl.errors import (
    FileTooLargeError,
    NodeTimeoutError,
    NodeUnreachableError,
    NotFoundError,
    PanelError,
    PermissionMissingError,
    RequestRefusedError,
    ServerFaultError,
    UnreadableAnswerError,
)
from pteroassets.sources.pterodactyl.transport import Timeout, host_of, is_timeout, reason_of

__all__ = ["ListedFile", "NoLogFolder", "ServerFlags", "fetch_file", "list_logs", "requests_for", "server_flags"]

# the panel's limit for files/contents unless its owner set PTERODACTYL_FILES_MAX_EDIT_SIZE
_CONTENTS_LIMIT_BYTES = 4 * 1024 * 1024
# a server's owner decides how large a file is, but must not decide how much memory we use
LARGEST_FILE_BYTES = 256 * 1024 * 1024
_LINK_ATTEMPTS = 2
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A regular file in a server's folder, as listed.

    Attributes:
        path: From the server's root, as later requests need it.
        name: Its last part.
        size: Bytes when listed.
        modified_at: Aware, in UTC, whole seconds.
        utc_offset_seconds: Offset of the node's zone at that time.
    """

    path: str
    name: str
    size: int
    modified_at: datetime
    utc_offset_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAnswer:
    """What a node answered.

    Attributes:
        body: All of it.
        date: What the node's clock said; None where the answer does not tell.
    """

    body: bytes
    date: datetime | None


class NoLogFolder(Exception):  # noqa: N818 - an outcome, not an error
    """The server has no such folder: another game, or never started.

    Args:
        message: Names the server and the folder.
        beside: The regular files of the parent, which was listed to find out.
    """

    def __init__(self, message: str, beside: Sequence[ListedFile] = ()) -> None:
        super().__init__(message)
        self.beside = tuple(beside)


def list_logs(panel: PanelClient, server_uuid: str, directory: str = "/logs") -> list[ListedFile]:
    """Return the regular files of a server's folder, sorted by name.

    Raises:
        NoLogFolder: The parent lists no such folder.
        PanelError: The folder could not be listed.
    """
    return list_folder(lambda folder: _entries(panel, server_uuid, folder), server_uuid, directory)


def list_folder(
    entries_of: Callable[[str], list[dict[str, Any]]], server_uuid: str, directory: str
) -> list[ListedFile]:
    """Return the regular files of a folder; *entries_of* lists it and its parent.

    A node answers 500 both for a missing folder and for its own faults, so the parent's list decides.

    Raises:
        NoLogFolder: The parent lists no such folder.
        PanelError: The folder could not be listed.
    """
    try:
        entries = entries_of(directory)
    except (NotFoundError, ServerFaultError) as error:
        parent, _, name = directory.rstrip("/").rpartition("/")
        beside = entries_of(parent or "/")
        modes = {entry.get("name"): entry.get("mode") for entry in beside}
        if name and str(modes.get(name, "-")).startswith("-"):
            raise NoLogFolder(
                f"server {server_uuid} has no folder {directory}", _regular_files(parent or "/", beside)
            ) from error
        raise
    return _regular_files(directory, entries)


def requests_for(size: int, dialect: Dialect) -> int:
    """Return how many requests a file of *size* bytes needs: one through the panel, two by a signed link."""
    return 1 if dialect.contents_are_bytes and size <= _CONTENTS_LIMIT_BYTES else 2


def fetch_file(
    panel: PanelClient, server_uuid: str, file: ListedFile, *, largest_bytes: int = LARGEST_FILE_BYTES
) -> bytes:
    """Return the bytes of a listed file, which may have grown since.

    Raises:
        FileTooLargeError: It is larger than *largest_bytes*.
        NodeUnreachableError: Its node does not answer.
        PanelError: It could not be read.
    """
    if file.size > largest_bytes:
        raise too_large(file.path, largest_bytes)
    if requests_for(file.size, panel.dialect) == 1:
        try:
            return panel.file_contents(server_uuid, file.path)
        except RequestRefusedError as error:
            if error.code != "FileSizeTooLargeException":
                raise
            # it grew past the panel's limit after listing, or the panel's owner lowered the limit
    return _download(panel, server_uuid, file.path, largest_bytes)


def _entries(panel: PanelClient, server_uuid: str, directory: str) -> list[dict[str, Any]]:
    body = panel.client(f"servers/{server_uuid}/files/list", directory=directory)
    return [item.get("attributes") or {} for item in items(body) if isinstance(item, dict)]


def _regular_files(directory: str, entries: Sequence[dict[str, Any]]) -> list[ListedFile]:
    return sorted((_listed(directory, entry) for entry in entries if _is_regular(entry)), key=lambda file: file.name)


def _is_regular(entry: dict[str, Any]) -> bool:
    # Wings always says is_symlink false; only the mode tells (L a link, p a pipe, d a folder)
    return str(entry.get("mode", "")).startswith("-")


def _listed(directory: str, entry: dict[str, Any]) -> ListedFile:
    try:
        modified_at = datetime.fromisoformat(entry["modified_at"])
        offset = modified_at.utcoffset()
        name, size = str(entry["name"]), int(entry["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableAnswerError(f"the listing of {directory} has an entry without name, size or time") from error
    if offset is None:
        raise UnreadableAnswerError(f"the listing of {directory} has a time without an offset")
    return ListedFile(
        path=f"{directory.rstrip('/')}/{name}",
        name=name,
        size=size,
        modified_at=modified_at.astimezone(UTC),
        utc_offset_seconds=int(offset.total_seconds()),
    )


def _download(panel: PanelClient, server_uuid: str, path: str, largest_bytes: int) -> bytes:
    """Fetch a file from its node through a signed link; a link works once, so each attempt asks for another."""
    attempt = 0
    while True:
        attempt += 1
        # this route decodes the path a second time, so a percent sign in the name must survive the first
        body = panel.client(f"servers/{server_uuid}/files/download", file=path.replace("%", "%25"))
        link = (body.get("attributes") or {}).get("url")
        if not isinstance(link, str):
            raise UnreadableAnswerError(f"the panel gave no link for {path}")
        fetched = ask_node(panel, link, path, largest_bytes=largest_bytes)
        if isinstance(fetched, NodeAnswer):
            return fetched.body
        if attempt == _LINK_ATTEMPTS or isinstance(fetched, NodeUnreachableError | FileTooLargeError):
            raise fetched


def ask_node(
    panel: PanelClient,
    url: str,
    path: str,
    *,
    largest_bytes: int,
    params: Mapping[str, str] | None = None,
    token: str | None = None,
    timeout: Timeout | None = None,
    deadline_seconds: float | None = None,
) -> NodeAnswer | PanelError:
    """Return what a node answers, or the error, free of secrets and of exceptions that quote them.

    Args:
        panel: Whose session for nodes is used, which repeats nothing and follows no redirect.
        url: Of the node; it may hold a signed link's token.
        path: Of the file or folder, for messages.
        largest_bytes: More is refused.
        params: The query.
        token: The node's own, if it is needed.
        timeout: Seconds to connect and between two bytes; the panel's if not given.
        deadline_seconds: After which an answer that still goes on counts as a time-out.
    """
    begun = time.monotonic()
    node = host_of(urlsplit(url).netloc)
    panel.counter.count()
    pieces: list[bytes] = []
    size = 0
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with panel.node_session.get(
            url, params=params, headers=headers, stream=True, timeout=timeout or panel.timeout
        ) as answer:
            if answer.status_code != requests.codes.ok:
                return _refusal(answer.status_code, node, path)
            # what has come, not a whole chunk, so that the deadline is seen between any two bytes
            while piece := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
                if deadline_seconds is not None and time.monotonic() - begun > deadline_seconds:
                    return NodeTimeoutError(f"node {node} was still sending {path} after {deadline_seconds:g} s")
                size += len(piece)
                if size > largest_bytes:
                    return too_large(path, largest_bytes)
                pieces.append(piece)
            date = _date(answer.headers.get("Date"))
    except (requests.RequestException, HTTPError) as error:
        return _broken(error, node, path, is_begun=size > 0)
    return NodeAnswer(body=b"".join(pieces), date=date)


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


def _refusal(status: int, node: str, path: str) -> PanelError:
    if status == requests.codes.not_found:
        return NotFoundError(
            f"node {node} no longer has {path}, or the link was already used ({status})", status=status
        )
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        return PermissionMissingError(
            f"node {node} refuses the token that the panel gave for it ({status})", status=status
        )
    return ServerFaultError(f"node {node} did not give {path} ({status})", status=status)


def _broken(error: Exception, node: str, path: str, *, is_begun: bool) -> PanelError:
    if isinstance(error, requests.exceptions.SSLError):
        return NodeUnreachableError(
            f"the certificate of node {node} is not trusted ({reason_of(error)}): name the CA's file in "
            "PTEROASSETS_NODE_CA"
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return NodeUnreachableError(
            f"node {node} accepts no connection from here in time: is it up, and may this machine reach it?"
        )
    if is_timeout(error):
        return NodeTimeoutError(f"node {node} sent nothing in time for {path}")
    if is_begun or isinstance(error, requests.exceptions.ChunkedEncodingError):
        return ServerFaultError(f"node {node} broke off while it sent {path} ({reason_of(error)})")
    return NodeUnreachableError(
        f"node {node} accepts no connection from here ({reason_of(error)}): is it up, and may this machine reach it?"
    )


def too_large(path: str, largest_bytes: int) -> FileTooLargeError:
    """Return the error for what is larger than what we are willing to hold."""
    return FileTooLargeError(f"{path} is larger than {largest_bytes} bytes and is not fetched")

"""Read what the client API lists for one server at a time: its backups, and its schedules with their tasks.

Path of the data::

    client?type=admin-all --client.list_servers--> flags --gated-------------------> ListRead without a request
                                                         --client/servers/<uuid>/--> rows, ListRead
    rows --privacy.Redactor, privacy.digest--> EntityRecord --> Reading

A list costs one request for each server, and one for each further page. The panel answers from its own database, so a
dead node does not matter; but it refuses a server that is suspended, installing or in transfer. Such a list is unread,
which is not the same as empty: it declares nothing gone, and a `ListRead` says why.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeVar, get_args

from pteroassets.clock import Clock
from pteroassets.privacy import Redactor, digest
from pteroassets.sources.outcomes import LIST_FAULTS, ListOutcome
from pteroassets.sources.pterodactyl.application import WHOLE_LIST, EntityRecord, Reading
from pteroassets.sources.pterodactyl.client import (
    PagedList,
    PanelClient,
    ServerFlags,
    ServerListing,
    current_flags,
    read_pages,
)
from pteroassets.sources.pterodactyl.errors import (
    KeyRejectedError,
    NotFoundError,
    PanelError,
    PanelTimeoutError,
    PanelUnreachableError,
    PermissionMissingError,
    RateLimitedError,
    StateConflictError,
)
from pteroassets.sources.pterodactyl.utilization import Pace

EntityOfServers = Literal["backups", "schedules"]
#: What is read for one server at a time.
ServerList = Literal[EntityOfServers, "activity"]
ENTITIES_OF_SERVERS: Final[tuple[EntityOfServers, ...]] = get_args(EntityOfServers)
# the panel's own cap; its default is 20
_BACKUPS_A_PAGE = 50
_IDENTITY: Final[dict[ServerList, str]] = {"backups": "uuid", "schedules": "id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRead:
    """What came of asking for one list of one server; *reason* says why it is unread."""

    server_uuid: uuid.UUID
    outcome: ListOutcome
    reason: str | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsRead:
    """One list of all servers: its records, and what came of asking for each server's."""

    reading: Reading
    reads: Sequence[ListRead]


class Answered(Protocol):
    """A list as far as it was read: *failure* ended the reading, *problem* says why it is not all."""

    @property
    def rows(self) -> Sequence[Any]:
        """What came."""
        ...

    @property
    def failure(self) -> PanelError | None:
        """The error that ended the reading early."""
        ...

    @property
    def problem(self) -> str | None:
        """Why this is not all; None if it is."""
        ...


ListT = TypeVar("ListT", bound=Answered)
Ask = Callable[..., dict[str, Any]]
"""Asks for an endpoint of the client API, as `PanelClient.client` does, at the pace of the pass."""


@dataclass(slots=True)
class ServerAsker:
    """Asks for lists of servers at a pace, one after the other, until the panel itself fails."""

    panel: PanelClient
    pace: Pace
    _halt: ListRead | None = field(default=None, init=False)

    def ask(self, server: ServerFlags, read: Callable[[Ask], ListT]) -> tuple[ListRead, ListT | None]:
        """Return what came of reading a list of *server*, and the list; None if nothing of it was read.

        Args:
            server: Whose list.
            read: Reads it, with the function it is given.

        Raises:
            KeyRejectedError: The panel no longer accepts the key.
        """
        owner = uuid.UUID(server.uuid)
        if server.outcome is not None:
            return _gated(owner, server), None
        if self._halt is not None:
            return ListRead(server_uuid=owner, outcome=self._halt.outcome, reason=self._halt.reason), None
        pages = read(self._paced)
        if isinstance(pages.failure, StateConflictError):
            # its state changed since the list was read; read the flags, do not trust the error's text
            try:
                now = current_flags(self.panel, server.uuid)
            except PanelError as error:
                return self._failed(owner, error), None
            if now.outcome is not None:
                return _gated(owner, now), None
            pages = read(self._paced)
        if pages.failure is not None:
            return self._failed(owner, pages.failure), pages
        if pages.problem is not None:
            return ListRead(server_uuid=owner, outcome="error", reason=pages.problem, rows=len(pages.rows)), pages
        return ListRead(server_uuid=owner, outcome="ok", rows=len(pages.rows)), pages

    def _paced(self, endpoint: str, **params: Any) -> dict[str, Any]:
        self.pace.wait()
        return self.panel.client(endpoint, **params)

    def _failed(self, owner: uuid.UUID, error: PanelError) -> ListRead:
        match error:
            case KeyRejectedError():
                raise error
            case NotFoundError():
                outcome: ListOutcome = "gone"
            case PermissionMissingError():
                outcome = "forbidden"
            case RateLimitedError():
                outcome = "rate_limited"
            case _:
                outcome = "error"
        failed = ListRead(server_uuid=owner, outcome=outcome, reason=str(error))
        if isinstance(error, RateLimitedError | PanelUnreachableError | PanelTimeoutError):
            self._halt = failed  # every further request would fail in the same way
        return failed


def _gated(owner: uuid.UUID, server: ServerFlags) -> ListRead:
    assert server.outcome is not None  # noqa: S101 - the callers ask
    return ListRead(server_uuid=owner, outcome=server.outcome, reason=f"the panel lists the server as {server.outcome}")


def read_server_lists(
    asker: ServerAsker, entity: EntityOfServers, listing: ServerListing, *, redactor: Redactor, clock: Clock
) -> ListsRead:
    """Return the records of *entity* of every server of *listing*, with what came of asking for each.

    Raises:
        KeyRejectedError: The panel no longer accepts the key.
    """
    panel = asker.panel
    observed_at, requests_before = clock.now(), panel.requests_made
    records: dict[str, EntityRecord] = {}
    unread: dict[str, str] = {}
    reads: list[ListRead] = []
    expected, failed = 0, listing.problem is not None
    if listing.problem is not None:
        unread[WHOLE_LIST] = f"the list of servers was not read completely: {listing.problem}"
    for server in listing.servers:
        read, pages = asker.ask(server, _reader(entity, server.uuid))
        scope = f"server:{server.uuid}"
        made, whole = _records(entity, pages.rows if pages is not None else (), scope, redactor)
        if not whole and read.outcome == "ok":
            read = ListRead(
                server_uuid=read.server_uuid, outcome="error", reason="a row has no identity", rows=len(made)
            )
        records |= {record.key: record for record in made}
        reads.append(read)
        failed = failed or read.outcome in LIST_FAULTS
        if read.outcome != "ok":
            unread[scope] = read.reason or read.outcome
        elif pages is not None:
            expected += len(pages.rows) if pages.total is None else pages.total
    return ListsRead(
        reading=Reading(
            entity=entity,
            records=list(records.values()),
            is_complete=not failed,
            unread_scopes=unread,
            rows_expected=None if failed else expected,
            observed_at=observed_at,
            requests=panel.requests_made - requests_before,
            seconds=(clock.now() - observed_at).total_seconds(),
            rate_limit_remaining=panel.rate_limit_remaining,
            source=panel.name,
        ),
        reads=reads,
    )


def _reader(entity: EntityOfServers, server_uuid: str) -> Callable[[Ask], PagedList]:
    params = {"per_page": _BACKUPS_A_PAGE} if entity == "backups" else {}

    def read(ask: Ask) -> PagedList:
        def fetch(page: int) -> dict[str, Any]:
            # schedules have no pages, and their answer no count
            place = {**params, "page": page} if params else {}
            return ask(f"servers/{server_uuid}/{entity}", **place)

        return read_pages(fetch, identity=_IDENTITY[entity])

    return read


def _records(
    entity: EntityOfServers, rows: Iterable[dict[str, Any]], scope: str, redactor: Redactor
) -> tuple[list[EntityRecord], bool]:
    """Return the records of one server's list, and whether every row has an identity."""
    records = []
    whole = True
    for row in rows:
        identity, number = None, row.get("id") if isinstance(row.get("id"), int) else None
        if entity == "backups":
            try:
                identity = str(uuid.UUID(str(row.get("uuid"))))
            except ValueError:
                whole = False
                continue
        elif number is None:
            whole = False
            continue
        record = redactor.record(row)
        records.append(
            EntityRecord(
                key=identity or str(number), id=number, uuid=identity, scope=scope, record=record, digest=digest(record)
            )
        )
    return records, whole

"""Read the panel's entities: one `Reading` for each, with what is known of its completeness.

Path of the data::

    application/locations, nodes, nests, servers, users --client.read_pages--> rows
    application/nodes/<id>/allocations, nests/<id>/eggs (one list a scope)--> rows
    application/eggs where there are no nests (see `dialect`)--> rows
    rows --privacy.Redactor, privacy.digest--> EntityRecord --> Reading

``servers?include=allocations,subusers,databases`` gives servers, subusers, server databases and which allocation is
whose in one list. What the client API lists for one server at a time is read by `server_lists`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pteroassets.clock import Clock
from pteroassets.privacy import Redactor, digest
from pteroassets.sources.pterodactyl.client import PAGE_SIZE, PagedList, PanelClient, read_pages
from pteroassets.sources.pterodactyl.dialect import PELICAN
from pteroassets.sources.pterodactyl.errors import (
    KeyRejectedError,
    NotFoundError,
    PanelAddressError,
    PanelError,
    PanelUnreachableError,
    PermissionMissingError,
    RateLimitedError,
)

ENTITIES = ("locations", "nodes", "allocations", "nests", "eggs", "servers", "users", "subusers", "server_databases")

# the scope of an entity that stands in one list of its own; unread, nothing can be said of what it lacks
WHOLE_LIST = ""
_KEYED_BY_UUID = frozenset({"nodes", "nests", "eggs", "servers", "users"})
_SORTED = frozenset({"locations", "nodes", "servers", "users"})
_SERVER_INCLUDES = {"subusers": "subusers", "server_databases": "databases"}
# of an entity that a panel does not have
_EMPTY = PagedList(rows=[], total=0)
# after these every further request would fail the same way
_ENDS_ALL = (KeyRejectedError, PanelAddressError, PanelUnreachableError)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRecord:
    """One record of the panel, fit to be landed.

    Attributes:
        key: The uuid where the panel gives one, else the id.
        id: The panel's number; None where the entity has none.
        uuid: In lower case with hyphens; None where the entity has none.
        scope: The list it stood in: ``node:1``, ``nest:4``, ``server:<uuid>``; empty for a list of its own.
        record: Attributes and relationships as they arrived, minus secrets, personal data treated.
        digest: Changes when the record does (see `privacy.digest`).
    """

    key: str
    id: int | None
    uuid: str | None
    scope: str
    record: dict[str, Any]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All records of one entity that the panel gave at one time.

    Attributes:
        entity: One of `ENTITIES`, or of `server_lists.ENTITIES_OF_SERVERS`.
        records: What arrived, of an incomplete list too.
        is_complete: Nothing is missing: only then is a record that is not here gone.
        unread_scopes: Scope to the reason why it was not (wholly) read; under the empty scope the list itself.
        rows_expected: The panel's own count; None where a route has none or was not read.
        observed_at: When the reading of the list began.
        requests: What it cost; a list that gives several entities is counted once.
        seconds: Duration on the clock.
        rate_limit_remaining: What is left by the panel's newest answer.
        source: Name of the panel.
    """

    entity: str
    records: Sequence[EntityRecord]
    is_complete: bool
    unread_scopes: Mapping[str, str]
    rows_expected: int | None
    observed_at: datetime
    requests: int
    seconds: float
    rate_limit_remaining: int | None
    source: str


def read_estate(
    panel: PanelClient, *, redactor: Redactor, clock: Clock, entities: Collection[str] = ENTITIES
) -> Iterator[Reading]:
    """Yield a reading of each of *entities*, in the order of `ENTITIES`; a list shared by several is read once.

    A list that fails leaves only its own scope unread; the reading reports it.

    Raises:
        ValueError: An entity is unknown.
        KeyRejectedError: The panel does not know the key.
        PanelAddressError: There is no application key, or the address is wrong.
        PanelUnreachableError: There is no connection to the panel.
    """
    unknown = set(entities) - set(ENTITIES)
    if unknown:
        raise ValueError(f"no such entities: {', '.join(sorted(unknown))}; there are {', '.join(ENTITIES)}")
    reader = _EstateReader(panel, redactor, clock)
    for entity in ENTITIES:
        if entity in entities:
            yield reader.read(entity)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """A list with the time at which its reading began."""

    pages: PagedList
    observed_at: datetime


class _Gathered:
    """The rows of one entity so far."""

    def __init__(self, entity: str, redactor: Redactor) -> None:
        self._entity = entity
        self._redactor = redactor
        self._records: dict[str, EntityRecord] = {}
        self.unread: dict[str, str] = {}

    @property
    def records(self) -> list[EntityRecord]:
        return list(self._records.values())

    def add(self, rows: Iterable[dict[str, Any]], scope: str) -> None:
        """Add the rows of one scope; a row without an identity makes only the scope incomplete."""
        for row in rows:
            record = self._record(row, scope)
            if record is None:
                self.unread.setdefault(scope, "a row has no id, or its uuid is invalid")
            else:
                self._records[record.key] = record

    def _record(self, row: dict[str, Any], scope: str) -> EntityRecord | None:
        if not isinstance(row.get("id"), int):
            return None
        identity: str | None = None
        if self._entity in _KEYED_BY_UUID:
            try:
                identity = str(uuid.UUID(row.get("uuid")))
            except (ValueError, TypeError, AttributeError):
                return None
        record = self._redactor.record(row)
        return EntityRecord(
            key=identity or str(row["id"]),
            id=row["id"],
            uuid=identity,
            scope=scope,
            record=record,
            digest=digest(record),
        )


class _EstateReader:
    """Reads each list at most once."""

    def __init__(self, panel: PanelClient, redactor: Redactor, clock: Clock) -> None:
        self._panel = panel
        self._redactor = redactor
        self._clock = clock
        self._listings: dict[str, _Listing] = {}
        self._refusal: RateLimitedError | None = None

    def read(self, entity: str) -> Reading:
        requests_before = self._panel.requests_made
        started = self._clock.now()
        gathered = _Gathered(entity, self._redactor)
        observed_at, expected = started, None
        if entity == "allocations":
            expected = self._scoped(gathered, "nodes", self._allocations)
        elif entity == "eggs" and self._has_nests():
            expected = self._scoped(gathered, "nests", self._eggs_of_nest)
        elif entity == "eggs":
            observed_at, (scope, pages) = self._clock.now(), self._eggs("eggs", WHOLE_LIST)
            expected = len(pages.rows) if pages.problem is None else None
            self._gather(gathered, scope, pages)
        elif entity in _SERVER_INCLUDES:
            observed_at = self._included(gathered, entity)
        else:
            listing = self._listing(entity)
            observed_at, expected = listing.observed_at, listing.pages.total
            self._gather(gathered, WHOLE_LIST, listing.pages)
        return Reading(
            entity=entity,
            records=gathered.records,
            is_complete=not gathered.unread,
            unread_scopes=gathered.unread,
            rows_expected=expected,
            observed_at=observed_at,
            requests=self._panel.requests_made - requests_before,
            seconds=(self._clock.now() - started).total_seconds(),
            rate_limit_remaining=self._panel.rate_limit_remaining,
            source=self._panel.name,
        )

    def _listing(self, entity: str) -> _Listing:
        if entity not in self._listings:
            observed_at = self._clock.now()
            params = {"sort": "id"} if entity in _SORTED else {}
            if entity == "servers":
                params["include"] = "allocations,subusers,databases"
            pages = _EMPTY if entity in self._panel.dialect.missing else self._pages(entity, **params)
            if isinstance(pages.failure, NotFoundError) and entity in PELICAN.missing and self._panel.recognize():
                pages = _EMPTY
            self._listings[entity] = _Listing(pages=pages, observed_at=observed_at)
        return self._listings[entity]

    def _has_nests(self) -> bool:
        if self._panel.dialect.has_nests:
            self._listing("nests")  # which recognises a panel whose keys do not
        return self._panel.dialect.has_nests

    @staticmethod
    def _gather(gathered: _Gathered, scope: str, pages: PagedList) -> None:
        gathered.add(pages.rows, scope)
        if pages.problem is not None:
            gathered.unread[scope] = pages.problem

    def _scoped(
        self, gathered: _Gathered, parent: str, read: Callable[[dict[str, Any]], tuple[str, PagedList]]
    ) -> int | None:
        """Read a list for each row of *parent*; return how many rows the panel counts in all of them."""
        parents = self._listing(parent).pages
        if parents.problem is not None:
            gathered.unread[WHOLE_LIST] = f"the list of {parent} was not read completely: {parents.problem}"
        expected: int | None = 0
        for row in parents.rows:
            scope, pages = read(row)
            self._gather(gathered, scope, pages)
            expected = None if expected is None or pages.total is None else expected + pages.total
        return expected

    def _allocations(self, node: dict[str, Any]) -> tuple[str, PagedList]:
        return f"node:{node['id']}", self._pages(f"nodes/{node['id']}/allocations")

    def _eggs_of_nest(self, nest: dict[str, Any]) -> tuple[str, PagedList]:
        return self._eggs(f"nests/{nest['id']}/eggs", f"nest:{nest['id']}")

    def _eggs(self, endpoint: str, scope: str) -> tuple[str, PagedList]:
        pages = self._pages(endpoint, include="variables")
        if pages.problem is None and any(_included_rows(egg, "variables") is None for egg in pages.rows):
            # without them every egg would seem to have lost its variables
            pages = PagedList(rows=[], total=None, problem="the panel left out the variables of eggs (null_resource)")
        return scope, pages

    def _included(self, gathered: _Gathered, entity: str) -> datetime:
        """Add what came with the servers; return when their list was read."""
        listing = self._listing("servers")
        include = _SERVER_INCLUDES[entity]
        withheld = []
        for server in listing.pages.rows:
            scope = f"server:{server.get('uuid')}"
            rows = _included_rows(server, include)
            if rows is None:
                withheld.append(scope)
            else:
                gathered.add(rows, scope)
        if listing.pages.problem is not None:
            gathered.unread[WHOLE_LIST] = f"the list of servers was not read completely: {listing.pages.problem}"
        if withheld and len(withheld) == len(listing.pages.rows):
            gathered.unread[WHOLE_LIST] = (
                f"the panel left out {include} of every server (null_resource): give the key of PTERODACTYL_APP_KEY "
                f"the permission to read {'users' if entity == 'subusers' else 'server databases'}"
            )
        else:
            gathered.unread.update(dict.fromkeys(withheld, f"the panel left out {include} (null_resource)"))
        return listing.observed_at

    def _pages(self, endpoint: str, **params: str) -> PagedList:
        """Read a list of the application API; raise what stops every list, record what stops this one."""
        if self._refusal is not None:
            # further requests would wait for a window each time, only to be refused
            return PagedList(rows=[], total=None, failure=self._refusal, problem=f"not asked for: {self._refusal}")
        pages = read_pages(lambda page: self._panel.application(endpoint, per_page=PAGE_SIZE, page=page, **params))
        failure = pages.failure
        if isinstance(failure, _ENDS_ALL):
            raise failure
        if isinstance(failure, RateLimitedError):
            self._refusal = failure
        if isinstance(failure, PermissionMissingError):
            return PagedList(rows=[], total=None, failure=failure, problem=_permission(endpoint, failure))
        return pages


def _permission(endpoint: str, failure: PanelError) -> str:
    return f"the key may not read {endpoint.rpartition('/')[2]}: {failure}"


def _included_rows(row: dict[str, Any], include: str) -> list[dict[str, Any]] | None:
    """Return the rows of an include, or None if the panel gave none: that is unread, not empty."""
    relationships = row.get("relationships")
    related = relationships.get(include) if isinstance(relationships, dict) else None
    data = related.get("data") if isinstance(related, dict) else None
    if not isinstance(data, list):
        return None
    return [item["attributes"] for item in data if isinstance(item, dict) and isinstance(item.get("attributes"), dict)]

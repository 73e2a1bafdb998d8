"""Collect files of servers, of whatever game: list first, fetch only what changed, know a file by its content.

Path of the data::

    files/list --> folder.ServerFolder ---> share ------> files/contents or signed download
                                                                --> store (by digest) --> rows.FileTables

A pass lists every server, then fetches all live logs, then archives, the oldest first, with what is left of
its budget; the next pass goes on with the rest.
"""

from __future__ import annotations

import heapq
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from pteroassets.clock import Clock
from pteroassets.landing.files.folder import Collected, NamedFile, ServerFolder
from pteroassets.landing.files.kinds import FileKind
from pteroassets.landing.files.rows import FileRead, FileTables, StoredFile
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.servers import EVERYBODY, ServerGroup
from pteroassets.sources.outcomes import READ_FAULTS, Gate, ReadOutcome
from pteroassets.sources.pterodactyl.client import PanelClient, ServerFlags, current_flags, server_flags
from pteroassets.sources.pterodactyl.dialect import PTERODACTYL, Dialect
from pteroassets.sources.pterodactyl.errors import (
    NodeUnreachableError,
    PanelError,
    RateLimitedError,
    StateConflictError,
)
from pteroassets.sources.pterodactyl.files import ListedFile, NoLogFolder, fetch_file, list_logs, requests_for
from pteroassets.sources.pterodactyl.node_files import NodeFiles
from pteroassets.sources.pterodactyl.nodes import NodeAccessError
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, record_load

_Owner = TypeVar("_Owner")
_Answer = TypeVar("_Answer")
_NOTHING_LISTED = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBudget:
    """The most requests and bytes that one pass may use.

    Attributes:
        requests: Requests to the panel and its nodes; at most half are lists, so that something is fetched too.
        bytes: Bytes as listed; the file that reaches the limit is still fetched, or a larger one never would be.
    """

    requests: int = 5_000
    bytes: int = 2 * 1024**3


class RemainingBudget:
    """What is left of a budget; what a file costs depends on the panel."""

    def __init__(self, budget: LogBudget, dialect: Dialect = PTERODACTYL) -> None:
        self._dialect = dialect
        self._requests = budget.requests
        self._bytes = budget.bytes

    @property
    def lists(self) -> int:
        """Return how many folders may be listed."""
        return max(1, self._requests // 2)

    def pay_lists(self, count: int) -> None:
        """Subtract the requests of *count* lists, even below zero."""
        self._requests -= count

    def pay(self, size: int) -> bool:
        """Subtract what a file of *size* bytes costs; return False if that is more than is left."""
        requests = requests_for(size, self._dialect)
        if self._bytes <= 0 or self._requests < requests:
            return False
        self._requests -= requests
        self._bytes -= size
        return True


def share(
    remaining: RemainingBudget, wanted: Mapping[_Owner, Sequence[NamedFile]]
) -> tuple[dict[_Owner, list[NamedFile]], dict[_Owner, list[NamedFile]]]:
    """Return for each owner which of its wanted files are fetched, in order, and which are left.

    The next file is always one of the owner with the fewest bytes so far, so a huge folder delays no other.
    """
    granted: dict[_Owner, list[NamedFile]] = {owner: [] for owner in wanted}
    left: dict[_Owner, list[NamedFile]] = {owner: [] for owner in wanted}
    owners = list(wanted)
    queue = [(0, number, 0) for number, owner in enumerate(owners) if wanted[owner]]
    while queue:
        got, number, index = heapq.heappop(queue)
        owner = owners[number]
        named = wanted[owner][index]
        if not remaining.pay(named.size):
            left[owner] = list(wanted[owner][index:])
            continue
        granted[owner].append(named)
        if index + 1 < len(wanted[owner]):
            heapq.heappush(queue, (got + named.size, number, index + 1))
    return granted, left


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFolder:
    """Where a server keeps its files: the folder from its root, and what they are."""

    folder: str
    kind: FileKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowhere:
    """Why a server's files are not looked for."""

    outcome: ReadOutcome
    reason: str


def collect_files(
    panel: PanelClient,
    connection: Connection,
    store: LogStore,
    tables: FileTables[Any],
    where: Callable[[uuid.UUID], FileFolder | Nowhere],
    *,
    clock: Clock,
    budget: LogBudget | None = None,
    node_access: bool = False,
    reload_dates: Collection[date] = (),
    group: ServerGroup = EVERYBODY,
    max_workers: int = 8,
    progress: Callable[[int, int], None] | None = None,
) -> LoadReport:
    """List the files of every server, fetch what changed into *store* and land the files' rows.

    Each step at a server is one transaction, so a killed pass keeps what it has and the next one goes on. A dead node
    costs one time-out, not one for each of its servers.

    Args:
        panel: Its servers are read.
        connection: To the warehouse.
        store: Where the files' bytes are kept.
        tables: Where their rows are.
        where: Where each server keeps them.
        clock: Gives the time of the pass.
        budget: What the pass may use; files of *reload_dates* are fetched in any case.
        node_access: Ask the nodes directly, with the tokens that the panel gives for them; if that fails the
            client API is asked, and the row of the listing says why.
        reload_dates: Files of these dates are fetched again and parsed from their first line, changed or not.
        group: Only its servers.
        max_workers: Requests in flight at once.
        progress: Told after each step how many bytes are fetched, of how many; what is left to later passes counts.

    Raises:
        PanelError: The list of servers could not be read.
    """
    with tables.one_at_a_time(connection, group):
        pass_ = _Pass(
            panel=panel,
            connection=connection,
            store=store,
            tables=tables,
            where=where,
            known=tables.known(connection, group=group),
            remaining=RemainingBudget(budget or LogBudget(), panel.dialect),
            nodes=NodeFiles(panel) if node_access else None,
            now=clock.now(),
            reload_dates=frozenset(reload_dates),
            group=group,
            progress=progress,
        )
        requests_before = panel.requests_made
        pool = ThreadPoolExecutor(max_workers=max_workers)
        try:
            pass_.run(pool)
        finally:
            # after a fault, do not spend requests on what was not begun
            pool.shutdown(wait=True, cancel_futures=True)
        report = LoadReport(
            load_id=pass_.load_id,
            table=tables.files,
            observed_at=pass_.now,
            is_complete=not pass_.problems,
            rows_read=pass_.totals["listed"],
            rows_added=pass_.totals["added"],
            rows_changed=pass_.totals["changed"],
            requests=panel.requests_made - requests_before,
            seconds=(clock.now() - pass_.now).total_seconds(),
            rate_limit_remaining=panel.rate_limit_remaining,
            problems=[
                {"scope": scope, "reason": f"{count} x {reason}"}
                for (scope, reason), count in sorted(pass_.problems.items())
            ],
        )
        record_load(connection, report)
    return report


@dataclass(slots=True, kw_only=True)
class _FileAccess:
    """Reads a server's files: from its node if allowed and possible, else through the client API."""

    of: _Pass
    server: ServerFlags
    folder: str
    note: str | None = None

    def list(self) -> Sequence[ListedFile]:
        return self._asked(
            lambda nodes: nodes.list(self.server.node_name, self.server.uuid, self.folder),
            lambda: list_logs(self.of.panel, self.server.uuid, self.folder),
        )

    def fetch(self, file: ListedFile) -> bytes:
        return self._asked(
            lambda nodes: nodes.fetch(self.server.node_name, self.server.uuid, file),
            lambda: fetch_file(self.of.panel, self.server.uuid, file),
        )

    def _asked(self, at_node: Callable[[NodeFiles], _Answer], at_panel: Callable[[], _Answer]) -> _Answer:
        if self.of.nodes is not None:
            try:
                return at_node(self.of.nodes)
            except NodeAccessError as error:
                self.note = f"read through the panel, since its node could not be asked directly: {error}"
        node = self.server.node_name
        if node in self.of.dead_nodes:
            raise NodeUnreachableError(self.of.dead_nodes[node])
        try:
            return at_panel()
        except NodeUnreachableError as error:
            self.of.dead_nodes[node] = str(error)
            raise


@dataclass(slots=True, kw_only=True)
class _Pass:
    """One pass over all servers."""

    panel: PanelClient
    connection: Connection
    store: LogStore
    tables: FileTables[Any]
    where: Callable[[uuid.UUID], FileFolder | Nowhere]
    known: dict[uuid.UUID, list[StoredFile]]
    remaining: RemainingBudget
    nodes: NodeFiles | None
    now: datetime
    reload_dates: frozenset[date]
    group: ServerGroup
    progress: Callable[[int, int], None] | None
    load_id: uuid.UUID = field(default_factory=uuid.uuid4)
    places: dict[str, FileFolder] = field(default_factory=dict)
    dead_nodes: dict[str, str] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    problems: Counter[tuple[str, str]] = field(default_factory=Counter)
    bytes_done: int = 0
    bytes_wanted: int = 0

    def run(self, pool: ThreadPoolExecutor) -> None:
        servers, passed_over = self._chosen(
            server for server in server_flags(self.panel) if self.group.has(uuid.UUID(server.uuid))
        )
        self._land(passed_over)
        self.remaining.pay_lists(len(servers))
        folders: dict[ServerFolder, ServerFlags] = {}
        for server, found in zip(servers, self._listed(pool, servers), strict=True):
            if isinstance(found, ServerFolder):
                folders[found] = server
            else:
                self._land([(server, found)])
        self._plan(folders)
        # live logs of all servers come first, so that no archive delays them
        self._step(pool, folders, folders)
        self._step(pool, [folder for folder in folders if not folder.is_done], folders, to_the_end=True)

    # ------------------------------------------------------------------ which servers

    def _chosen(self, flags: Iterable[ServerFlags]) -> tuple[list[ServerFlags], list[tuple[ServerFlags, FileRead]]]:
        """Return the servers to list, and the outcomes of those that are not asked."""
        asked: list[ServerFlags] = []
        passed_over: list[tuple[ServerFlags, FileRead]] = []
        for server in sorted(flags, key=lambda server: server.uuid):
            if server.outcome is not None:
                reason = f"the panel lists the server as {server.outcome}"
                passed_over.append((server, self._read(server, server.outcome, reason)))
            elif isinstance(place := self.where(uuid.UUID(server.uuid)), Nowhere):
                passed_over.append((server, self._read(server, place.outcome, place.reason)))
            else:
                self.places[server.uuid] = place
                asked.append(server)
        if len(asked) > self.remaining.lists and not self.reload_dates:
            when = self.tables.last_listed(self.connection)
            asked.sort(key=lambda server: (when.get(uuid.UUID(server.uuid), _NOTHING_LISTED), server.uuid))
            reason = "the pass used up its requests; a later pass lists it"
            passed_over += [
                (server, self._read(server, "budget_spent", reason)) for server in asked[self.remaining.lists :]
            ]
            del asked[self.remaining.lists :]
        return asked, passed_over

    def _listed(self, pool: ThreadPoolExecutor, servers: Sequence[ServerFlags]) -> list[ServerFolder | FileRead]:
        # one server of each node answers before the others are asked, so that a dead node is found first
        firsts = {server.node_name: server for server in reversed(servers)}.values()
        probes = {server.uuid: pool.submit(self._list, server) for server in firsts}
        wait(probes.values())
        futures = [probes.get(server.uuid) or pool.submit(self._list, server) for server in servers]
        return [future.result() for future in futures]

    def _list(self, server: ServerFlags) -> ServerFolder | FileRead:
        """List one server; a fault becomes its outcome and does not affect other servers."""
        place = self.places[server.uuid]
        access = _FileAccess(of=self, server=server, folder=place.folder)
        try:
            listing = access.list()
        except NodeUnreachableError as error:
            return self._read(server, "node_unreachable", str(error))
        except NoLogFolder as missing:
            # the parent was listed to know that there is no folder; Minecraft of up to 1.6 writes there
            listing = [file for file in missing.beside if place.kind.read_name(file.name) is not None]
            if not listing:
                return self._read(server, "no_log_folder", f"the server has no folder {place.folder}")
            access = _FileAccess(
                of=self, server=server, folder=listing[0].path.rpartition("/")[0] or "/", note=access.note
            )
        except RateLimitedError as error:
            return self._read(server, "rate_limited", str(error))
        except StateConflictError as error:
            # its state changed since the list was read: ask for it, never take it from the error's text
            return self._read(server, self._state_of(server) or "error", str(error))
        except PanelError as error:
            return self._read(server, "error", str(error))
        server_uuid = uuid.UUID(server.uuid)
        return ServerFolder(
            server_uuid=server_uuid,
            now=self.now,
            kind=place.kind,
            known=self.known.get(server_uuid, []),
            listing=listing,
            access=access,
            store=self.store,
            reload_dates=self.reload_dates,
        )

    def _state_of(self, server: ServerFlags) -> Gate | None:
        try:
            return current_flags(self.panel, server.uuid).outcome
        except PanelError:
            return None  # the refusal that led here is already recorded

    def _read(self, server: ServerFlags, outcome: ReadOutcome, reason: str) -> FileRead:
        return FileRead(
            server_uuid=uuid.UUID(server.uuid), observed_at=self.now, path="", outcome=outcome, reason=reason
        )

    # ------------------------------------------------------------------ what is fetched

    def _plan(self, folders: Iterable[ServerFolder]) -> None:
        """Share the budget: first what an operator asked for, then live logs, then archives."""
        # if the budget does not cover all live logs, those that waited longest go first
        waiting = sorted(folders, key=lambda one: (one.live_fetched_at or _NOTHING_LISTED, one.server_uuid))
        first, late = share(self.remaining, {folder: folder.urgent for folder in waiting})
        rest, left = share(self.remaining, {folder: folder.archives for folder in waiting})
        for folder in waiting:
            folder.plan([*folder.forced, *first[folder]], rest[folder], left=[*late[folder], *left[folder]])
            self.totals["listed"] += folder.files_present
            self.bytes_wanted += sum(named.file.size for named in (*folder.forced, *folder.urgent, *folder.archives))
            unfetched: list[NamedFile] = [*late[folder], *left[folder]]
            if unfetched:
                self.totals["left"] += len(unfetched)
                self.totals["left_bytes"] += sum(named.file.size for named in unfetched)
        if self.totals["left"]:
            self.problems["budget", f"budget_spent: files, {self.totals['left_bytes']} bytes, left to a later pass"] = (
                self.totals["left"]
            )

    def _step(
        self,
        pool: ThreadPoolExecutor,
        folders: Iterable[ServerFolder],
        servers: dict[ServerFolder, ServerFlags],
        *,
        to_the_end: bool = False,
    ) -> None:
        """Take one step, or all steps, at each of *folders* and land each as it comes."""
        running: dict[Future[Collected], ServerFolder] = {pool.submit(folder.step): folder for folder in folders}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                folder = running.pop(future)
                self._land_step(servers[folder], folder, future.result())
                if to_the_end and not folder.is_done:
                    running[pool.submit(folder.step)] = folder

    # ------------------------------------------------------------------ landing

    def _land(self, reads: Iterable[tuple[ServerFlags, FileRead]]) -> None:
        """Write the outcomes of servers without a listing."""
        with self.connection.transaction():
            for server, read in reads:
                self.tables.save_reads(self.connection, [read], self.load_id)
                self._note_problems(server, [read])

    def _land_step(self, server: ServerFlags, folder: ServerFolder, collected: Collected) -> None:
        with self.connection.transaction():
            for file_key in collected.forgotten:
                self.tables.forget(self.connection, folder.server_uuid, file_key)
            self.tables.save_all(self.connection, [*collected.saved.values()], self.load_id)
            self.tables.save_reads(self.connection, collected.reads, self.load_id)
            obsolete = self.tables.unreferenced(self.connection, collected.superseded)
        # after the commit: a row never points at content that is not there
        for digest in obsolete:
            self.store.remove(digest)
        self.totals["added"] += collected.added
        self.totals["changed"] += collected.changed
        self._note_problems(server, collected.reads)
        self.bytes_done += collected.done_bytes
        if self.progress is not None:
            self.progress(self.bytes_done, max(self.bytes_wanted, self.bytes_done))

    def _note_problems(self, server: ServerFlags, reads: Iterable[FileRead]) -> None:
        for read in reads:
            if read.outcome in READ_FAULTS:
                self.problems[f"node {server.node_name}", f"{read.outcome}: {read.reason or read.path}"] += 1
            elif read.outcome == "budget_spent" and not read.path:
                self.problems["budget", "budget_spent: servers not listed, left to a later pass"] += 1

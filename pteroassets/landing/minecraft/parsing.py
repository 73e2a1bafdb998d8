"""Parse what was collected: bytes of the log store to rows of ``raw_minecraft.event_rows``.

A file is parsed from where the last pass stopped, and some files of a server are landed in one transaction; a newer
parser reads every file again from the store, without asking the panel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from pteroassets.clock import Clock
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import EVENT_ROWS, EVENTS, LOGS, LogFile, in_order_by_stamps
from pteroassets.landing.opt_outs import NOBODY, OptOutList, OptOuts
from pteroassets.landing.passes import Advance
from pteroassets.landing.servers import EVERYBODY, LogTimezones, ServerGroup
from pteroassets.privacy import Redactor
from pteroassets.sources.minecraft.dates import Stamper, is_near_change
from pteroassets.sources.minecraft.events import (
    BEFORE_A_START,
    PARSER_VERSION,
    LogEvent,
    ParserState,
    Setback,
)
from pteroassets.sources.minecraft.formats import is_proxy
from pteroassets.sources.minecraft.intake import CLIENT, HEAD_BYTES, refusal
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.outcomes import READABLE
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, copy_rows, lock_table_for_load, record_load, table_identifier

_COLUMNS: Final = {
    "logged_at": "timestamptz",
    "file_id": "int4",
    "line_number": "int4",
    "event_load_id": "int4",
    "utc_offset_seconds": "int4",
    "player_id": "int4",
    "kind_id": "int2",
    "detail": "jsonb",
}
_MOST_PLAYERS: Final = 100_000  # kept in memory: some 20 MB
_BLOCK_BYTES = 1 << 20
# what is landed together: as many files or events, whichever come first; events take some 500 bytes each in memory
_MOST_FILES: Final = 64
_MOST_EVENTS: Final = 20_000
_PARSEABLE: Final = (*READABLE, "not_a_server_log")  # a better parser may decide the last one differently
_NO_TIMES: Final = "lines show no time, so its events have no date: `pteroassets logs parse` shows them by line number"
_UNPARSED: Final[dict[str, Any]] = {
    "parsed_bytes": 0,
    "parsed_lines": 0,
    "parser_state": None,
    "lines_understood": 0,
    "lines_ignored": 0,
    "lines_unknown": 0,
    "lines_continuation": 0,
    "software": None,
    "is_proxy": None,
    "game_version": None,
    "layout": None,
    "first_line_at": None,
    "last_line_at": None,
    "first_kind": None,
}


def parse_logs(
    connection: Connection,
    store: LogStore,
    *,
    clock: Clock,
    zones: LogTimezones,
    redactor: Redactor,
    keep_text: bool,
    opt_outs: OptOutList,
    everything: bool = False,
    servers: Collection[uuid.UUID] | None = None,
    since: date | None = None,
    group: ServerGroup = EVERYBODY,
    progress: Advance | None = None,
) -> LoadReport:
    """Parse the files that have unparsed bytes, or all of them, and land their events.

    Args:
        connection: To the warehouse.
        store: Holds the files' bytes.
        clock: Gives the time of the load.
        zones: Zones of the files' times.
        redactor: Treats player addresses.
        keep_text: Whether to land the text of chat lines and commands.
        opt_outs: Players who are to be forgotten.
        everything: Parse every file again from its first line.
        servers: Only these; None for all.
        since: Only files of this day and later; None for all.
        group: Only its servers.
        progress: Called after each file.

    Raises:
        FileNotFoundError: The store lacks files; all others were parsed. The message says what to do.
    """
    started = clock.now()
    load_id = uuid.uuid4()
    parsing = _Parsing(
        connection=connection,
        store=store,
        zones=zones.of_servers(connection),
        rows=EventRows(connection, redactor=redactor, load_id=load_id),
        keep_text=keep_text,
        load_id=load_id,
    )

    def is_wanted(file: LogFile) -> bool:
        if since is not None and (file.log_date is None or file.log_date < since):
            return False
        return (everything and file.outcome in _PARSEABLE) or _is_due(file)

    wanted = {
        server_uuid: size
        for server_uuid, files in LOGS.known(connection, group=group).items()
        if (servers is None or server_uuid in servers)
        and (size := sum(file.content_bytes or 0 for file in files if is_wanted(file)))
    }
    total = sum(wanted.values())
    for server_uuid in wanted:
        # read again under the lock: another process may have changed the rows
        with LOGS.one_at_a_time(connection, ServerGroup.of_server(server_uuid)), parsing.landed_in_parts():
            parsing.opt_outs = opt_outs.of_server(connection, server_uuid)
            after: datetime | None = None
            for file in parsing.in_order(LOGS.known(connection, server_uuid).get(server_uuid, [])):
                is_moved = parsing.is_moved(file, after=after)
                if is_wanted(file) or is_moved:
                    after = parsing.parse(file, after=after, everything=everything or is_moved) or after
                    if progress is not None:
                        progress(min(parsing.bytes_done, total), total)
                else:
                    after = file.last_line_at or after
    report = LoadReport(
        load_id=parsing.load_id,
        table=EVENTS,
        observed_at=started,
        is_complete=not parsing.missing,
        rows_read=parsing.totals["written"],
        rows_added=parsing.totals["added"],
        rows_gone=parsing.totals["gone"],
        seconds=(clock.now() - started).total_seconds(),
        problems=[{"scope": f"server {server}", "reason": str(error)} for server, error in parsing.missing],
    )
    record_load(connection, report)
    if parsing.missing:
        server, error = parsing.missing[0]
        raise FileNotFoundError(
            f"{len(parsing.missing)} log files could not be parsed; the first, of server {server}: {error}"
        )
    return report


def _is_due(file: LogFile) -> bool:
    if file.parser_version != PARSER_VERSION:
        return file.outcome in _PARSEABLE
    return file.outcome in READABLE and file.parsed_bytes < (file.content_bytes or 0)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What is to be landed of one file."""

    file: LogFile
    events: Sequence[LogEvent] = ()
    """Those with a time."""
    stamper: Stamper | None = None
    after_line: int = 0
    """The events after this line take the place of those that are there."""


@dataclass(slots=True, kw_only=True)
class _Parsing:
    """One load of events."""

    connection: Connection
    store: LogStore
    zones: LogTimezones
    rows: EventRows
    keep_text: bool
    load_id: uuid.UUID
    opt_outs: OptOuts = NOBODY
    totals: Counter[str] = field(default_factory=Counter)
    missing: list[tuple[uuid.UUID, FileNotFoundError]] = field(default_factory=list)
    bytes_done: int = 0
    _waiting: list[_Parsed] = field(default_factory=list)

    def in_order(self, files: Sequence[LogFile]) -> list[LogFile]:
        """Return the files of one server in the order they were written, also around a clock change."""
        if not files:
            return []
        zone = self.zones.zone(str(files[0].server_uuid))
        return in_order_by_stamps(files, lambda file: self._state_near_change(file, zone), zone=zone)

    def is_moved(self, file: LogFile, *, after: datetime | None) -> bool:
        """Return whether a parsed file's times change now that other files before it are known."""
        zone = self.zones.zone(str(file.server_uuid))
        if file.log_date is None or file.parser_version != PARSER_VERSION or file.outcome not in READABLE:
            return False
        state = self._state_near_change(file, zone)
        if state is None or state.first is None or state.last is None:
            return False
        stamper = _stamper(file, file.log_date, zone, after=after, restarts=state.restarts)
        found = stamper.stamp(state.first)[0], stamper.stamp(state.last)[0]
        return found != (file.first_line_at, file.last_line_at)

    def _state_near_change(self, file: LogFile, zone: ZoneInfo) -> ParserState | None:
        """Return the parser's state of a file on or beside a day on which an hour occurs twice."""
        if file.log_date is None or file.content_digest is None or not is_near_change(file.log_date, zone):
            return None
        if file.parser_version == PARSER_VERSION and file.parser_state is not None:
            return ParserState.from_json(file.parser_state)
        try:
            content = self.store.get(file.content_digest)
        except FileNotFoundError:
            return None  # reported when the file is parsed
        parser = LogParser()
        parser.feed(content)
        return parser.state

    def parse(self, file: LogFile, *, after: datetime | None, everything: bool) -> datetime | None:
        """Read what is new in one file, to be landed with others; return when its last line was written."""
        self.bytes_done += file.content_bytes or 0
        with contextlib.ExitStack() as stack:
            try:
                content = stack.enter_context(self.store.open(str(file.content_digest)))
            except FileNotFoundError as error:
                # a lost file must not stop the others; what is known of it is kept
                self.missing.append((file.server_uuid, error))
                return file.last_line_at
            parsed = self._parse(
                file, content, after=after, from_start=everything or file.parser_version != PARSER_VERSION
            )
        self._waiting.append(parsed)
        if len(self._waiting) >= _MOST_FILES or sum(len(one.events) for one in self._waiting) >= _MOST_EVENTS:
            self._land()
        return parsed.file.last_line_at

    @contextlib.contextmanager
    def landed_in_parts(self) -> Iterator[None]:
        """Land the rest of the files of one server, also of those before one that could not be parsed."""
        try:
            yield
        finally:
            self._land()

    def _land(self) -> None:
        """Land the files that wait, all of one server, in one transaction."""
        files, self._waiting = self._waiting, []
        if not files:
            return
        with self.connection.transaction():
            lock_table_for_load(self.connection, f"{EVENTS}/{files[0].file.server_uuid}")
            known = self._have_events(files)
            removed = [self._remove(one) if one.file.file_id in known else 0 for one in files]
            for one, count in zip(files, removed, strict=True):
                if count:
                    self._note_replaced(one.file)
            self.rows.write(files)
            LOGS.save_all(self.connection, [one.file for one in files], self.load_id)
        for one, count in zip(files, removed, strict=True):
            written = len(one.events)
            self.totals["written"] += written
            self.totals["added"] += max(written - count, 0)
            self.totals["gone"] += max(count - written, 0)

    def _parse(self, file: LogFile, content: BinaryIO, *, after: datetime | None, from_start: bool) -> _Parsed:
        """Return what is new in one file, and its row."""
        if file.log_date is None:
            raise ValueError(f"log file {file.file_key} of server {file.server_uuid} has no date")
        log_date = file.log_date
        if from_start or file.parsed_bytes < HEAD_BYTES:
            file = _classified(file, content.read(HEAD_BYTES))
        if file.outcome == "not_a_server_log":
            return _Parsed(dataclasses.replace(file, **_UNPARSED, parser_version=PARSER_VERSION))
        state = None if from_start or file.parser_state is None else ParserState.from_json(file.parser_state)
        parser = LogParser(state, keep_text=self.keep_text)
        first_line = parser.state.lines
        events: list[LogEvent] = []
        content.seek(parser.state.bytes_consumed)
        while block := content.read(_BLOCK_BYTES):
            events += parser.feed(block)
        if not file.is_live:
            events += parser.finish()
        if self.opt_outs:
            events = [_forgetting(event, self.opt_outs) for event in events]
        found = parser.state
        if found.is_of == "client":
            file = dataclasses.replace(file, outcome="not_a_server_log", reason=CLIENT, sessions_built=False)
            return _Parsed(dataclasses.replace(file, **_UNPARSED, parser_version=PARSER_VERSION))
        if not found.has_times:
            # half of a server's lines would look like all of them
            file = dataclasses.replace(file, outcome="no_times", reason=_NO_TIMES)
            events, first_line = [], 0
        zone = self.zones.zone(str(file.server_uuid))
        stamper = _stamper(file, log_date, zone, after=after, restarts=found.restarts)
        events = [event for event in events if event.seconds is not None]
        # a line that names the software may come before the start
        first_kind = next((event.kind for event in events if event.kind != BEFORE_A_START), None)
        counts = found.counts
        parsed = dataclasses.replace(
            file,
            parsed_bytes=found.bytes_consumed,
            parsed_lines=counts.lines,
            parser_state=found.to_json(),
            parser_version=PARSER_VERSION,
            lines_understood=counts.understood,
            lines_ignored=counts.ignored,
            lines_unknown=counts.unknown,
            lines_continuation=counts.continuations,
            software=found.software,
            is_proxy=is_proxy(found.software),
            game_version=found.game_version,
            layout=found.format_name,
            first_line_at=stamper.stamp(found.first)[0] if found.first else None,
            last_line_at=stamper.stamp(found.last)[0] if found.last else None,
            first_kind=(file.first_kind if first_line > 0 else None) or first_kind,
            sessions_built=file.sessions_built and not events and found.bytes_consumed == file.parsed_bytes,
        )
        return _Parsed(parsed, events, stamper, after_line=first_line)

    def _note_replaced(self, file: LogFile) -> None:
        """Note for the models that lines of *file* may say something else now (decision 23)."""
        lock_table_for_load(self.connection, f"changes of {EVENT_ROWS}")
        self.connection.execute(
            "insert into ops.row_changes (relation, change, touched) values (%s, 1, %s)",
            (EVENT_ROWS, Jsonb({"server_uuid": str(file.server_uuid), "file_key": file.file_key})),
        )

    def _have_events(self, files: Sequence[_Parsed]) -> set[int]:
        """Return the numbers of those that have events: at a first reading none has."""
        found = self.connection.execute(
            "select file_id from unnest(%s::int4[]) as new (file_id) cross join lateral "
            f"(select from {EVENT_ROWS} as known where known.file_id = new.file_id limit 1) as known",
            ([one.file.file_id for one in files],),
        ).fetchall()
        return {number for (number,) in found}

    def _remove(self, one: _Parsed) -> int:
        return self.connection.execute(
            f"delete from {EVENT_ROWS} where file_id = %s and line_number > %s", (one.file.file_id, one.after_line)
        ).rowcount


def _forgetting(event: LogEvent, opt_outs: OptOuts) -> LogEvent:
    """Return *event* with pseudonyms, and without the address of a player on the list."""
    player = None if event.player is None else opt_outs.text(event.player)
    detail = None if event.detail is None else opt_outs.value(event.detail)
    if detail is not None and opt_outs.has_pseudonym(player):
        detail.pop("address", None)
    return event._replace(player=player, player_uuid=opt_outs.account(event.player_uuid), detail=detail)


def _stamper(
    file: LogFile, log_date: date, zone: ZoneInfo, *, after: datetime | None, restarts: Sequence[Setback]
) -> Stamper:
    is_of_one_day = file.date_source == "file_name"
    return Stamper(log_date, zone, after=after, restarts=restarts, is_of_one_day=is_of_one_day)


def _classified(file: LogFile, head: bytes) -> LogFile:
    """Return the file as this parser classifies it: an earlier parser may have known fewer kinds of logs."""
    reason = refusal(head)
    if reason is not None and file.outcome != "truncated":
        return dataclasses.replace(file, outcome="not_a_server_log", reason=reason, sessions_built=False)
    if reason is None and file.outcome in ("not_a_server_log", "no_times"):
        return dataclasses.replace(file, outcome="ok", reason=None, sessions_built=False)
    return file


Player = tuple[str | None, uuid.UUID | None]
"""Name and UUID, as far as a line shows them."""
_NOBODY: Final[Player] = (None, None)


class EventRows:
    """Writes the events of one load.

    Args:
        connection: To the warehouse.
        redactor: Treats player addresses.
        load_id: Of the load.
    """

    def __init__(self, connection: Connection, *, redactor: Redactor, load_id: uuid.UUID) -> None:
        self._connection = connection
        self._redactor = redactor
        self._load_id = load_id
        self._kinds: dict[str, int] = {}
        self._players: dict[Player, int] = {}
        self._load: int | None = None

    def write(self, files: Sequence[_Parsed]) -> None:
        """Insert the events of *files*, in the open transaction."""
        events = [event for one in files for event in one.events]
        if not events:
            return
        load = self._load = self._number_load() if self._load is None else self._load
        self._number_kinds({event.kind for event in events} - self._kinds.keys())
        self._number_players({(event.player, event.player_uuid) for event in events} - {_NOBODY})
        rows = (row for one in files for row in self._rows(one, load))
        copy_rows(self._connection, table_identifier(EVENT_ROWS), _COLUMNS, rows)

    def _number_load(self) -> int:
        row = self._connection.execute(
            "insert into raw_minecraft.event_loads (load_id) values (%s) returning event_load_id", (self._load_id,)
        ).fetchone()
        assert row is not None  # noqa: S101 - inserted above
        return int(row[0])

    def _number_kinds(self, kinds: set[str]) -> None:
        if kinds:
            self._connection.execute(
                "insert into raw_minecraft.event_kinds (kind) select kind from unnest(%s::text[]) as new (kind) "
                "where not exists (select from raw_minecraft.event_kinds as known where known.kind = new.kind) "
                "order by kind on conflict do nothing",
                (list(kinds),),
            )
            self._kinds = dict(
                self._connection.execute("select kind, kind_id from raw_minecraft.event_kinds").fetchall()
            )

    def _number_players(self, players: set[Player]) -> None:
        if len(self._players) > _MOST_PLAYERS:
            self._players.clear()
        if unknown := players - self._players.keys():
            self._find_players(unknown)
        if unknown := players - self._players.keys():
            # in one order, so that two processes do not wait for each other
            self._connection.execute(
                "insert into raw_minecraft.event_players (player_name, player_uuid) "
                "select * from unnest(%s::text[], %s::uuid[]) order by 1, 2 on conflict do nothing",
                ([name for name, _ in unknown], [player_uuid for _, player_uuid in unknown]),
            )
            self._find_players(unknown)

    def _find_players(self, players: set[Player]) -> None:
        names = list({name for name, _ in players})
        for name, player_uuid, number in self._connection.execute(
            "select player_name, player_uuid, player_id from raw_minecraft.event_players "
            "where player_name = any(%s) or %s and player_name is null",
            (names, None in names),
        ):
            self._players[name, player_uuid] = number

    def _rows(self, one: _Parsed, load: int) -> Iterator[tuple[object, ...]]:
        file_id, stamper = one.file.file_id, one.stamper
        if stamper is None:
            return
        for event in one.events:
            if (moment := stamper.moment(event)) is not None:
                logged_at, ahead = moment
                yield (
                    logged_at,
                    file_id,
                    event.line_number,
                    load,
                    ahead,
                    self._players[player] if (player := (event.player, event.player_uuid)) != _NOBODY else None,
                    self._kinds[event.kind],
                    self._detail(event),
                )

    def _detail(self, event: LogEvent) -> Jsonb | None:
        if event.detail is None:
            return None
        detail = dict(event.detail)
        if "address" in detail:
            address = self._redactor.address(str(detail.pop("address")))
            if address is not None:
                detail["address"] = address
        return Jsonb(detail)

"""A server whose files change their names at each start, collected step by step into a real Postgres.

Whatever is collected when, the sessions are those that the log tool reads in the folder as it lies there in the end.
"""

from __future__ import annotations

import gzip
import os
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from pteroassets.clock import ManualClock
from pteroassets.landing.files.collection import LogBudget, RemainingBudget, share
from pteroassets.landing.files.folder import ServerFolder
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import LOGS, logs_of
from pteroassets.landing.minecraft.parsing import parse_logs
from pteroassets.landing.minecraft.sessions import derive_sessions
from pteroassets.landing.opt_outs import OptOutList
from pteroassets.landing.servers import LogTimezones
from pteroassets.logtool import DateRules, parse_paths
from pteroassets.privacy import Redactor
from pteroassets.sources.pterodactyl.files import ListedFile
from pteroassets.warehouse.connection import Connection
from tests.harness import table_rows

pytestmark = pytest.mark.postgres

SERVER = uuid.UUID("c1a7b9d2-6f0e-4a0f-8d53-2f9b7e6a0c12")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
Numbering = Literal["upwards", "downwards"]
UTC_ZONE = ZoneInfo("UTC")
UNLIMITED = LogBudget(requests=10_000, bytes=1 << 40)


@dataclass
class Host:
    """A server that writes ``latest.log`` in a zone, and closes it at each start and at midnight."""

    folder: Path
    connection: Connection
    zone: ZoneInfo = UTC_ZONE
    now: datetime = NOON
    numbering: Numbering = "upwards"
    is_packed: bool = True
    fetched: list[str] = field(default_factory=list)
    note: str | None = None
    entity: int = 0
    listed_earlier: list[ListedFile] | None = None  # what the next listing shows, where that was made before

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def latest(self) -> Path:
        return self.logs / "latest.log"

    def say(self, text: str, *, seconds: float = 0) -> None:
        self.now += timedelta(seconds=seconds)
        if self.latest.exists() and self._day(self.latest) != self._local().date().isoformat():
            self._close()
        with self.latest.open("ab") as log:
            log.write(f"[{self._local():%H:%M:%S}] [Server thread/INFO]: {text}\n".encode())
        self._touch(self.latest)

    def start(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        if self.latest.exists():
            self._close()
        self.say("Starting minecraft server version 1.21.4")

    def join(self, name: str, *, seconds: float = 60) -> None:
        self.entity += 1
        self.say(
            f"{name}[/192.0.2.4:50123] logged in with entity id {self.entity} at (1.5, 64.0, -3.25)", seconds=seconds
        )

    def leave(self, name: str, *, seconds: float = 60) -> None:
        self.say(f"{name} lost connection: Disconnected", seconds=seconds)

    def stop(self, *, seconds: float = 60) -> None:
        self.say("Stopping server", seconds=seconds)
        self.say("Saving worlds", seconds=2)

    def _local(self) -> datetime:
        return self.now.astimezone(self.zone)

    def _day(self, path: Path) -> str:
        return datetime.fromtimestamp(path.stat().st_mtime, self.zone).date().isoformat()

    def _touch(self, path: Path) -> None:
        os.utime(path, (self.now.timestamp(), self.now.timestamp()))

    def _close(self) -> None:
        """Give what was written the next number of its day, or the first one and the others the next."""
        day, ending = self._day(self.latest), ".log.gz" if self.is_packed else ".log"
        closed = sorted(self.logs.glob(f"{day}-*"), key=_number)
        number = 1
        if self.numbering == "upwards":
            number = _number(closed[-1]) + 1 if closed else 1
        else:
            for path in reversed(closed):
                path.rename(path.with_name(f"{day}-{_number(path) + 1}{''.join(path.suffixes)}"))
        content = self.latest.read_bytes()
        target = self.logs / f"{day}-{number}{ending}"
        target.write_bytes(gzip.compress(content, mtime=0) if self.is_packed else content)
        self._touch(target)
        self.latest.unlink()

    # ------------------------------------------------------------------ what the platform does

    def list(self) -> list[ListedFile]:
        if self.listed_earlier is not None:
            listed, self.listed_earlier = self.listed_earlier, None
            return listed
        return [
            ListedFile(
                path=f"/logs/{path.name}",
                name=path.name,
                size=path.stat().st_size,
                modified_at=datetime.fromtimestamp(int(path.stat().st_mtime), UTC),
                utc_offset_seconds=0,
            )
            for path in sorted(self.logs.iterdir())
        ]

    def fetch(self, file: ListedFile) -> bytes:
        self.fetched.append(file.name)
        return (self.logs / file.name).read_bytes()

    @property
    def store(self) -> LogStore:
        return LogStore(self.folder / "log_store")

    def collect(self, budget: LogBudget = UNLIMITED) -> list[str]:
        """Make a pass, and return which files it fetched."""
        self.fetched = []
        folder = ServerFolder(
            server_uuid=SERVER,
            now=datetime.now(UTC),
            kind=logs_of(self.zone),
            known=LOGS.known(self.connection, SERVER).get(SERVER, []),
            listing=self.list(),
            access=self,
            store=self.store,
            reload_dates=frozenset(),
        )
        remaining = RemainingBudget(budget)
        first, late = share(remaining, {folder: folder.urgent})
        rest, left = share(remaining, {folder: folder.archives})
        folder.plan([*folder.forced, *first[folder]], rest[folder], left=[*late[folder], *left[folder]])
        load_id = uuid.uuid4()
        while not folder.is_done:
            collected = folder.step()
            with self.connection.transaction():
                for key in collected.forgotten:
                    LOGS.forget(self.connection, SERVER, key)
                for row in collected.saved.values():
                    LOGS.save_all(self.connection, [row], load_id)
                LOGS.save_reads(self.connection, collected.reads, load_id)
                LOGS.unreferenced(self.connection, collected.superseded)
        self.derive()
        return self.fetched

    def derive(self) -> None:
        clock = ManualClock(self.now)
        parse_logs(
            self.connection,
            self.store,
            clock=clock,
            zones=LogTimezones(by_server={str(SERVER): str(self.zone)}),
            redactor=Redactor("drop", b""),
            keep_text=False,
            opt_outs=OptOutList(None),
        )
        derive_sessions(self.connection, clock=clock)

    def landed(self) -> list[tuple[Any, ...]]:
        """Return the sessions in the warehouse, in local time."""
        rows = self.connection.execute(
            "select player_name, joined_at, left_at, left_at_lower, left_at_upper, close_reason "
            "from derived_minecraft.player_sessions"
        ).fetchall()
        return sorted((row[0], *map(self._shown, row[1:5]), row[5]) for row in rows)

    def read(self) -> list[tuple[Any, ...]]:
        """Return the sessions that the log tool finds in the folder."""
        report = parse_paths([str(self.logs)], dates=DateRules(zone=self.zone, by_modification=True))
        return sorted(
            (
                row.player,
                *map(str, (row.joined_at, row.left_at, row.left_at_lower, row.left_at_upper)),
                row.close_reason,
            )
            for row in report.sessions
        )

    def _shown(self, instant: datetime | None) -> str:
        return str(instant and instant.astimezone(self.zone).replace(tzinfo=None).isoformat(timespec="seconds"))

    def derived_anew(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the sessions and runs as they are, and forget which were derived."""
        self.connection.execute("update raw_minecraft.log_files set sessions_built = false, neighbours = null")
        return self.tables()

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        names = ("derived_minecraft.player_sessions", "derived_minecraft.server_runs", "raw_minecraft.events")
        return {name: table_rows(self.connection, name) for name in names}


def _number(path: Path) -> int:
    return int(path.name.split(".")[0].rsplit("-", 1)[1])


@pytest.fixture
def host(warehouse: Connection, tmp_path: Path) -> Host:
    return Host(folder=tmp_path, connection=warehouse)


def evening(host: Host, name: str, *, seconds: float = 600) -> None:
    """Let somebody be on for some minutes of a run of his own."""
    host.start()
    host.join(name)
    host.leave(name, seconds=seconds)
    host.stop()
    host.now += timedelta(seconds=300)


def ask(host: Host, text: str) -> list[tuple[Any, ...]]:
    return host.connection.execute(text).fetchall()


def keys(host: Host) -> dict[str, str]:
    return dict(ask(host, "select player_name, join_file_key from derived_minecraft.player_sessions"))


def test_a_file_that_takes_the_next_number_at_each_start_is_fetched_once_and_keeps_its_key(host: Host) -> None:
    host.numbering = "downwards"
    known: dict[str, str] = {}
    for name in ("Al", "Bo", "Cy", "Di"):
        evening(host, name)
        fetched = host.collect()
        # what grew under the name latest.log, and its whole under the newest number
        assert sorted(fetched) == (["2026-05-04-1.log.gz", "latest.log"] if known else ["latest.log"])
        assert host.collect() == []
        assert host.landed() == host.read()
        assert keys(host).items() >= known.items()
        known = keys(host)
    assert ask(
        host, "select path, log_sequence from raw_minecraft.log_files where not is_live order by first_line_at"
    ) == [(f"/logs/2026-05-04-{number}.log.gz", number) for number in (3, 2, 1)]
    assert [row[0] for row in host.landed()] == ["Al", "Bo", "Cy", "Di"]


def test_what_was_left_to_a_later_pass_is_a_gap_where_it_lies_whichever_way_numbers_run(host: Host) -> None:
    host.numbering = "downwards"
    for name in ("Al", "Bo", "Cy"):
        evening(host, name)
    host.start()
    host.join("Di")
    # of the closed files the two oldest: the third one, number 1, was written right before latest.log
    host.collect(LogBudget(requests=3, bytes=1 << 30))
    unread = ask(host, "select path from raw_minecraft.log_reads where outcome = 'budget_spent'")
    assert unread == [("/logs/2026-05-04-1.log.gz",)]
    assert [row[0] for row in host.landed()] == ["Al", "Bo", "Di"]
    host.collect()
    assert host.landed() == host.read()
    assert [row[0] for row in host.landed()] == ["Al", "Bo", "Cy", "Di"]


@pytest.mark.parametrize("names", [("Al", "Bo", "Cy", "Di"), ("Al", "Bobby", "Cyril_the_Great", "D")])
@pytest.mark.parametrize("is_packed", [True, False])
def test_a_file_that_is_renamed_between_the_listing_and_its_fetch_loses_nothing(
    host: Host, names: tuple[str, ...], *, is_packed: bool
) -> None:
    host.numbering, host.is_packed = "downwards", is_packed
    for name in names[:2]:
        evening(host, name)
    host.start()
    host.join(names[2])
    host.collect(LogBudget(requests=1, bytes=1 << 30))  # latest.log alone
    listed = host.list()
    host.leave(names[2])
    host.stop()
    host.start()  # number 1 is 2 now, and so on
    host.join(names[3])
    host.listed_earlier = listed
    host.collect()
    for _ in range(2):
        host.collect()
    assert host.landed() == host.read()
    assert [row[0] for row in host.landed()] == list(names)
    assert host.collect() == []


def test_the_logs_of_a_crash_loop_of_one_size_and_second_are_told_apart_after_they_were_renamed(host: Host) -> None:
    host.numbering, host.is_packed = "downwards", False
    for name in ("Al", "Bo", "Cy"):
        host.start()
        host.join(name, seconds=0)
    for name in ("Di", "Ed"):
        host.collect()
        host.start()
        host.join(name, seconds=0)
    host.collect()
    assert sorted(row[0] for row in host.landed()) == ["Al", "Bo", "Cy", "Di", "Ed"]
    assert host.collect() == []
    assert ask(host, "select count(distinct path) from raw_minecraft.log_files where is_listed") == [(5,)]


def test_a_start_at_an_earlier_time_is_of_the_next_day_until_a_name_says_that_the_clock_was_set_back(
    host: Host,
) -> None:
    host.is_packed = False
    host.now = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
    host.start()
    host.join("Al")
    host.leave("Al")
    text = host.latest.read_text(encoding="utf-8") + host.latest.read_text(encoding="utf-8").replace("[22:", "[21:")
    host.latest.write_text(text, encoding="utf-8")
    host.now = datetime(2026, 5, 5, 21, 32, tzinfo=UTC)
    host._touch(host.latest)
    host.collect()
    assert host.landed() == host.read()
    assert [row[1] for row in host.landed()] == ["2026-05-04T22:31:00", "2026-05-05T21:31:00"]
    host.latest.rename(host.logs / "2026-05-04-1.log")
    host.collect()
    assert host.landed() == host.read()
    assert [row[1] for row in host.landed()] == ["2026-05-04T21:31:00", "2026-05-04T22:31:00"]


def test_a_new_number_alone_can_tell_that_nothing_is_missing(host: Host) -> None:
    for _ in range(2):
        host.start()
        host.join("Al")
    host.start()
    (host.logs / "2026-05-04-2.log.gz").rename(host.logs / "2026-05-04-3.log.gz")
    host.collect()
    assert [row[5] for row in host.landed()] == ["log_gap", "server_crashed"]
    (host.logs / "2026-05-04-3.log.gz").rename(host.logs / "2026-05-04-2.log.gz")
    assert host.collect() == []
    assert host.landed() == host.read()
    assert [row[5] for row in host.landed()] == ["server_crashed", "server_crashed"]


def test_a_gap_that_a_late_file_shows_to_be_elsewhere_is_taken_back_before_that_file_too(host: Host) -> None:
    host.numbering = "downwards"
    host.now -= timedelta(days=1)
    host.start()
    host.join("Al")  # and the server is killed
    host.now = NOON
    for name in ("Bo", "Cy"):
        evening(host, name)
    host.start()
    # number 2 of the day alone, so number 1 seems to come before it, as with servers that count upwards
    host.collect(LogBudget(requests=3, bytes=1 << 30))
    assert [(row[0], row[5]) for row in host.landed()] == [("Al", "log_gap"), ("Bo", "left")]
    host.collect()
    assert host.landed() == host.read()
    assert [(row[0], row[5]) for row in host.landed()] == [("Al", "server_crashed"), ("Bo", "left"), ("Cy", "left")]


def test_a_file_of_the_hour_shown_twice_moves_by_that_hour_once_the_one_before_it_is_there(host: Host) -> None:
    host.zone = ZoneInfo("Europe/Berlin")
    host.now = datetime(2026, 10, 24, 12, tzinfo=UTC)
    for _ in range(2):
        evening(host, "Al")
    host.now = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    evening(host, "Bo", seconds=60)
    host.now = datetime(2026, 10, 25, 1, 5, tzinfo=UTC)
    evening(host, "Cy", seconds=60)
    host.now = datetime(2026, 10, 25, 9, tzinfo=UTC)
    host.start()
    host.listed_earlier = [file for file in host.list() if file.name != "2026-10-25-1.log.gz"]
    host.collect()
    joined = "select player_name, joined_at from derived_minecraft.player_sessions where player_name <> 'Al' order by 1"
    assert ask(host, joined) == [("Cy", datetime(2026, 10, 25, 0, 6, tzinfo=UTC))]
    host.collect()
    assert ask(host, joined) == [
        ("Bo", datetime(2026, 10, 25, 0, 41, tzinfo=UTC)),
        ("Cy", datetime(2026, 10, 25, 1, 6, tzinfo=UTC)),
    ]
    assert host.landed() == host.read()


TABLES = (
    *(f"raw_minecraft.{table}" for table in ("log_files", "log_reads", "event_rows")),
    *(f"derived_minecraft.{table}" for table in ("player_sessions", "server_runs")),
)


@pytest.mark.parametrize("seeds", [range(first, first + 6) for first in (0, 6, 12, 18)], ids=lambda seeds: seeds[0])
def test_whatever_is_collected_when_sessions_are_those_of_the_whole_folder(
    warehouse: Connection, tmp_path: Path, seeds: range
) -> None:
    for seed in seeds:
        warehouse.execute(f"truncate {', '.join(TABLES)}")
        host = Host(folder=tmp_path / str(seed), connection=warehouse)
        live(host, random.Random(seed), night=seed % 2 == 1)
        host.collect()
        assert host.collect() == [], seed
        assert host.landed() == host.read(), seed
        before = host.derived_anew()
        host.derive()
        assert host.tables() == before, seed


def live(host: Host, chance: random.Random, *, night: bool) -> None:
    """Let a server live for some runs, its files be numbered either way, and be collected now and then."""
    budgets = [UNLIMITED, LogBudget(requests=2, bytes=1 << 30)]
    host.is_packed = chance.random() < 0.5
    host.zone = ZoneInfo(chance.choice(["UTC", "Europe/Berlin", "America/New_York"]))
    # on the evening before the clocks go back in Berlin, or on a day like any other
    host.now = datetime(2026, 10, 24, 14, tzinfo=UTC) if night else NOON
    host.numbering = chance.choice(["upwards", "downwards"])
    for number in range(chance.randint(3, 9)):
        if chance.random() < 0.2:
            host.numbering = chance.choice(["upwards", "downwards"])
        host.start()
        for name in chance.sample(["Al", "Bo", "Cy"], chance.randint(0, 3)):
            host.join(name, seconds=chance.choice([0, 30, 900]))
            if chance.random() < 0.3:
                host.collect(chance.choice(budgets))
            if chance.random() < 0.7:
                host.leave(name, seconds=chance.choice([5, 1800, 15_000]))
        if chance.random() < 0.6:
            host.stop()
        if chance.random() < 0.5:
            host.collect(chance.choice(budgets))
        host.now += timedelta(seconds=chance.choice([40, 600, 9000, 50_000]) + number)

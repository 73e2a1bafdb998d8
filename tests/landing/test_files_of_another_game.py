"""Files of another shape than logs are collected by the same code, with a naming rule of their own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest

from pteroassets.landing.files.collection import FileFolder, Nowhere, collect_files
from pteroassets.landing.files.kinds import FileKind
from pteroassets.landing.files.rows import FileTables, StoredFile
from pteroassets.simulator.panel.faults import Fault
from pteroassets.warehouse.load import LoadReport
from tests.harness import Platform

pytestmark = pytest.mark.postgres

REPORTS = FileTables(row=StoredFile, files="raw_toy.reports", reads="raw_toy.reads")
_NAME = re.compile(r"crash-(\d{4}-\d\d-\d\d)_([\d.]{8})-server\.txt")


@dataclass(frozen=True)
class ReportName:
    """What ``crash-<day>_<time>-server.txt`` tells: such a file is written once."""

    log_date: date
    sequence: int
    is_live: bool = False
    age: int | None = None


def read_name(path: str) -> ReportName | None:
    found = _NAME.fullmatch(path.rpartition("/")[2])
    return found and ReportName(date.fromisoformat(found[1]), int(found[2].replace(".", "")))


@pytest.fixture
def tables(platform: Platform) -> None:
    columns = ", ".join(column for column in StoredFile.__slots__)
    with platform.landing.connect() as connection:
        connection.execute("create schema raw_toy")
        connection.execute(
            f"create table raw_toy.reports as select {columns}, _load_id, _loaded_at "
            "from raw_minecraft.log_files with no data"
        )
        connection.execute("alter table raw_toy.reports add primary key (server_uuid, file_key)")
        connection.execute("create table raw_toy.reads (like raw_minecraft.log_reads including all)")


def beside_the_logs(_: uuid.UUID) -> FileFolder:
    return FileFolder(folder="/crash-reports", kind=FileKind(read_name=read_name))


def collect(platform: Platform, where: Callable[[uuid.UUID], FileFolder | Nowhere] = beside_the_logs) -> LoadReport:
    landing = platform.landing
    with landing.panel() as panel, landing.connect() as connection:
        return collect_files(panel, connection, landing.store, REPORTS, where, clock=landing.clock)


def known(platform: Platform) -> list[StoredFile]:
    with platform.landing.connect() as connection:
        return [file for files in REPORTS.known(connection).values() for file in files]


def contents_asked_for(platform: Platform) -> int:
    return sum(entry.route == "contents" for entry in platform.simulation.requests.entries)


@pytest.mark.usefixtures("tables")
def test_reports_are_fetched_once_and_their_bytes_are_kept(platform: Platform) -> None:
    asked_before = contents_asked_for(platform)
    collect(platform)
    files = known(platform)
    assert files, "no server of the world has crashed"
    for file in files:
        name = read_name(file.path)
        assert name is not None
        assert (file.log_date, file.log_sequence, file.date_source) == (name.log_date, name.sequence, "file_name")
        assert (file.outcome, file.is_live, file.is_listed) == ("ok", False, True)
        content = platform.store.get(str(file.content_digest))
        assert content.startswith(b"---- Minecraft Crash Report ----")
        assert len(content) == file.content_bytes
    assert contents_asked_for(platform) - asked_before == len(files)
    report = collect(platform)
    assert (report.rows_added, report.rows_changed) == (0, 0)
    assert contents_asked_for(platform) - asked_before == len(files)
    assert known(platform) == files


@pytest.mark.usefixtures("tables")
def test_what_could_not_be_fetched_has_its_outcome_and_comes_with_a_later_pass(platform: Platform) -> None:
    platform.simulation.faults.add(Fault(route="contents", status=500))
    assert not collect(platform).is_complete
    assert known(platform) == []
    with platform.landing.connect() as connection:
        failed = connection.execute("select path from raw_toy.reads where path <> '' and outcome = 'error'").fetchall()
    platform.simulation.faults.clear()
    assert collect(platform).is_complete
    assert sorted((file.path,) for file in known(platform)) == sorted(failed) != []


@pytest.mark.usefixtures("tables")
def test_servers_whose_files_lie_nowhere_are_not_listed(platform: Platform) -> None:
    before = len(platform.simulation.requests.entries)
    collect(platform, where=lambda _: Nowhere(outcome="not_minecraft", reason="another game's"))
    asked = [entry.path for entry in platform.simulation.requests.entries[before:]]
    assert [path for path in asked if "/files/" in path] == []
    with platform.landing.connect() as connection:
        reasons = connection.execute("select distinct reason from raw_toy.reads where outcome = 'not_minecraft'")
        assert reasons.fetchall() == [("another game's",)]

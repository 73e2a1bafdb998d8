"""Old samples go into files before they are dropped, whatever happens meanwhile, and come back as they were."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import fsspec
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from pydantic import SecretStr
from rich.console import Console

from pteroassets.clock import ManualClock
from pteroassets.defs.maintenance import drop_old_samples
from pteroassets.landing import sample_archive
from pteroassets.landing.context import Landing
from pteroassets.landing.files.store import LogStoreError
from pteroassets.landing.sample_archive import COLUMNS, SampleArchive, SampleArchiveError
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.samples import run_release, run_restore
from pteroassets.settings import CHECKOUT, Settings
from pteroassets.warehouse.connection import Connection, ConnectionSettings
from pteroassets.warehouse.restored import RESTORED
from pteroassets.warehouse.retention import drop_samples
from tests.samples import insert_samples

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SAMPLES = "raw_pterodactyl.utilization_samples"
FILE = "utilization_samples_2026-01.parquet"
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)

# two servers in two months; figures unknown, odd and at their limits, and texts that CSV has its own way with
SOME = """
    insert into arriving (
        server_uuid, pass_at, sampled_at, interval_seconds, node_name, outcome, state, cpu_percent, memory_bytes,
        disk_bytes, network_rx_bytes, network_tx_bytes, uptime_milliseconds, is_suspect, reason, _load_id
    )
    select
        md5(server::text)::uuid, pass_at, pass_at + step * interval '1.234567 seconds', 300,
        (array['node-1', null, 'Knoten "ä"', ''])[step % 4 + 1],
        case when step % 3 = 0 then 'ok' when step % 3 = 1 then 'error' else 'offline' end,
        case when step % 3 = 0 then 'running' end,
        case when step % 3 = 0 then (step * 7 + server) / 1000.0 end,
        case when step % 3 = 0 then 9223372036854775807 - step end,
        case when step % 2 = 0 then step * 1048576 end,
        case when step % 3 = 0 then step * 1000 end,
        case when step % 3 = 0 then 0 end,
        case when step % 3 = 0 then step * 300000 end,
        step % 9 = 0,
        (array[null, '', e'a "quoted", one\\nof two\\r', e'\\\\N', ' spaces ', e'a\\u001fb', 'null'])[step % 7 + 1],
        md5(step::text)::uuid
    from generate_series(1, 2) as server,
        generate_series(0, 99) as step,
        lateral (select timestamptz '2026-01-31 12:00+00' + step * interval '20 minutes' as pass_at) as passes
"""


@pytest.fixture
def landed(warehouse: Connection) -> Connection:
    insert_samples(warehouse, SOME)
    return warehouse


def rows(connection: Connection, table: str = SAMPLES) -> list[tuple[Any, ...]]:
    return connection.execute(
        f"select {', '.join(COLUMNS)} from {table} order by pass_at, server_uuid"  # type: ignore[arg-type]
    ).fetchall()


def dropped(connection: Connection, archive: SampleArchive) -> list[str]:
    return [str(month) for month in drop_samples(connection, NOW, 30, archive) if month.samples]


@pytest.fixture(params=["folder", "memory"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "archive") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/archive"


def test_what_was_dropped_comes_back_value_by_value(
    landed: Connection, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_archive, "GROUP_ROWS", 7)
    before = rows(landed)
    archive = SampleArchive(location)
    assert dropped(landed, archive) == [
        "dropped 72 samples of 2026-01, which are in the archive as utilization_samples_2026-01.parquet",
        "dropped 128 samples of 2026-02, which are in the archive as utilization_samples_2026-02.parquet",
    ]
    assert rows(landed) == []
    assert dropped(landed, archive) == [], "a second run finds nothing to do"

    first = list(archive.restore(landed, JANUARY, JANUARY))
    assert [(month.month, month.samples, month.is_new) for month in first] == [(JANUARY, 72, True)]
    both = list(archive.restore(landed, JANUARY, FEBRUARY))
    assert [(month.samples, month.is_new) for month in both] == [(72, False), (128, True)]
    assert rows(landed, RESTORED) == before
    assert landed.execute("select sum(samples) from ops.dropped_samples").fetchone() == (200,)

    # retention leaves them alone, and they are no samples of the models
    assert list(drop_samples(landed, NOW, 1, archive)) == []
    assert rows(landed, RESTORED) == before
    assert rows(landed) == []


def test_pandas_reads_the_files_without_the_warehouse(landed: Connection, tmp_path: Path) -> None:
    before = rows(landed)
    dropped(landed, SampleArchive(str(tmp_path / "archive")))
    found = pd.read_parquet(tmp_path / "archive", dtype_backend="numpy_nullable").sort_values(
        ["pass_at", "server_uuid"]
    )
    assert list(found) == list(COLUMNS)
    assert str(found["pass_at"].dtype) == "datetime64[us, UTC]"
    assert [
        tuple(None if pd.isna(value) else value for value in row) for row in found.itertuples(index=False, name=None)
    ] == [tuple(str(value) if isinstance(value, uuid.UUID) else value for value in row) for row in before]
    file = pq.ParquetFile(tmp_path / "archive" / FILE)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    said = json.loads(file.schema_arrow.metadata[b"pteroassets"])
    assert (said["month"], said["samples"]) == ("2026-01", 72)
    assert list(said["columns"]) == list(COLUMNS)


def test_the_guide_describes_each_column_as_the_file_does() -> None:
    text = (CHECKOUT / "docs" / "reading-the-data.md").read_text()
    for name, (_, description) in COLUMNS.items():
        assert f"| `{name}` |" in text, name
        assert description.rstrip(".") in text, name


def test_a_full_disk_is_told_and_the_samples_stay(landed: Connection, tmp_path: Path) -> None:
    before = rows(landed)
    (tmp_path / f".{FILE}.part").symlink_to("/dev/full")
    archive = SampleArchive(str(tmp_path))
    with pytest.raises(
        SampleArchiveError, match=r"2026-01 cannot be archived in .*No space left.*they stay in Postgres"
    ):
        dropped(landed, archive)
    assert rows(landed) == before
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
    assert len(dropped(landed, archive)) == 2, "and once there is room it goes on"


class _Away(DirFileSystem):  # type: ignore[misc] # fsspec ships no types
    """A store behind a line that breaks when a file is closed, which is when an object store takes it in."""

    protocol = "away"
    breaks = True

    def __init__(self, **options: Any) -> None:
        super().__init__(path="/away", fs=fsspec.filesystem("memory"), **options)

    def mv(self, *arguments: Any, **options: Any) -> None:
        if self.breaks:
            raise ConnectionError("away://user:secret@store/prefix does not answer")
        super().mv(*arguments, **options)


def test_a_store_that_is_away_is_told_without_its_password(landed: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.register_implementation("away", _Away, clobber=True)
    before = rows(landed)
    archive = SampleArchive("away://user:secret@store/prefix")
    with pytest.raises(SampleArchiveError, match="does not answer") as told:
        dropped(landed, archive)
    assert "secret" not in str(told.value)
    assert rows(landed) == before
    monkeypatch.setattr(_Away, "breaks", False)
    assert len(dropped(landed, archive)) == 2


def test_a_file_that_gives_back_something_else_is_not_kept(
    landed: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(landed)
    natural = sample_archive._natural

    def wrong(exact: Any) -> Any:
        made = natural(exact)
        column = made["memory_bytes"].to_pylist()
        return made.set_column(8, "memory_bytes", [[column[-1], *column[:-1]]])

    with monkeypatch.context() as patch:
        patch.setattr(sample_archive, "_natural", wrong)
        with pytest.raises(SampleArchiveError, match="it was given 72 samples, and gave back 72 or others"):
            dropped(landed, SampleArchive(str(tmp_path)))
    assert rows(landed) == before
    assert list(tmp_path.iterdir()) == []


def test_samples_that_come_meanwhile_are_not_lost(
    landed: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, keep = SampleArchive(str(tmp_path)), SampleArchive.keep
    late = SOME.replace("20 minutes", "7 minutes").replace("md5(server::text)", "md5((server + 2)::text)")

    def slow(self: SampleArchive, connection: Connection, month: date) -> Any:
        kept = keep(self, connection, month)
        if month == JANUARY:
            insert_samples(connection, late)
        return kept

    monkeypatch.setattr(SampleArchive, "keep", slow)
    told = dropped(landed, archive)
    assert told[0] == "samples of 2026-01 are kept until the next time: they changed while they were archived"
    assert not (tmp_path / FILE).exists()
    monkeypatch.undo()
    before = rows(landed)
    assert [line[:29] for line in dropped(landed, archive)] == ["dropped 272 samples of 2026-01"[:29]]

    # and what comes after a month was dropped goes into a second file of it
    insert_samples(landed, late.replace("server + 2", "server + 4"))
    after = rows(landed)
    assert [line.rpartition(" ")[2] for line in dropped(landed, archive)] == ["utilization_samples_2026-01_2.parquet"]
    assert [month.samples for month in archive.restore(landed, JANUARY, JANUARY)] == [len(before) + len(after)]
    assert rows(landed, RESTORED) == sorted(before + after, key=lambda row: (row[1], row[0]))


def test_a_damaged_file_is_told_and_restores_nothing(landed: Connection, tmp_path: Path) -> None:
    archive = SampleArchive(str(tmp_path))
    dropped(landed, archive)
    table = pq.read_table(tmp_path / FILE)
    pq.write_table(table.slice(1), tmp_path / FILE)
    with pytest.raises(SampleArchiveError, match="changed or damaged, so that its month was not restored"):
        list(archive.restore(landed, JANUARY, FEBRUARY))
    (tmp_path / FILE).write_bytes(b"PAR1")
    with pytest.raises(SampleArchiveError, match="cannot be read from"):
        list(archive.restore(landed, JANUARY, FEBRUARY))
    assert rows(landed, RESTORED) == []


KILLED = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from pteroassets.landing import sample_archive
from pteroassets.landing.context import Landing
from pteroassets.landing.files.store import LogStoreError
from pteroassets.warehouse import retention
from pteroassets.warehouse.connection import ConnectionSettings, connect

def die(*_args, **_options):
    os._exit(9)

sample_archive.GROUP_ROWS = 10
where, stage, port, database, password = sys.argv[1:]
if stage == "while the file is written":
    sort = sample_archive._natural
    calls = []
    sample_archive._natural = lambda exact: die() if len(calls) == 3 else calls.append(1) or sort(exact)
elif stage == "before it has its name":
    sample_archive.SampleArchive._rename = die
elif stage == "before anything is dropped":
    retention.lock_table_for_load = die
else:
    retention.OldMonth = die  # made after the statements, before the commit
login = {"host": "127.0.0.1", "port": int(port), "username": "postgres", "password": password, "database": database}
archive = sample_archive.SampleArchive(where)
with connect(ConnectionSettings(**login), autocommit=True) as connection:
    list(retention.drop_samples(connection, datetime(2026, 6, 1, 12, tzinfo=UTC), 30, archive))
"""


def test_a_kill_anywhere_loses_nothing_and_the_next_run_goes_on(
    landed: Connection, warehouse_settings: ConnectionSettings, tmp_path: Path
) -> None:
    before = rows(landed)
    database = warehouse_settings
    for stage in (
        "while the file is written",
        "before it has its name",
        "before anything is dropped",
        "before what was dropped is committed",
    ):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, tmp_path, stage, str(database.port), database.database, database.password],
            check=False,
            capture_output=True,
            text=True,
        )
        assert killed.returncode == 9, killed.stderr
        assert rows(landed) == before, stage
        assert landed.execute("select count(*) from ops.archived_samples").fetchone() == (0,), stage
    archive = SampleArchive(str(tmp_path))
    assert len(dropped(landed, archive)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, FILE.replace("-01", "-02")]
    list(archive.restore(landed, JANUARY, FEBRUARY))
    assert rows(landed, RESTORED) == before


@pytest.fixture
def settings(warehouse_settings: ConnectionSettings, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        postgres_host=warehouse_settings.host,
        postgres_port=warehouse_settings.port,
        postgres_username=warehouse_settings.username,
        postgres_password=SecretStr(warehouse_settings.password),
        postgres_database=warehouse_settings.database,
        pteroassets_home=tmp_path,
        pteroassets_sample_retention_days=30,
        pteroassets_sample_archive=str(tmp_path / "archive"),
    )


def test_maintenance_archives_what_it_drops_and_fails_where_it_cannot(
    landed: Connection, settings: Settings, tmp_path: Path
) -> None:
    landing = Landing(settings=settings, clock=ManualClock(NOW))
    before = rows(landed)
    (tmp_path / "archive").write_text("a file where the folder should be")
    with dg.build_op_context() as context:
        with pytest.raises(SampleArchiveError, match="mend the store that PTEROASSETS_SAMPLE_ARCHIVE names"):
            drop_old_samples(context, landing)
        assert rows(landed) == before
        (tmp_path / "archive").unlink()
        drop_old_samples(context, landing)
    assert rows(landed) == []
    assert len(list((tmp_path / "archive").iterdir())) == 2


def test_without_pyarrow_the_setting_says_what_to_install(
    landed: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pteroassets.landing.sample_archive")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    before = rows(landed)
    with dg.build_op_context() as context, pytest.raises(LogStoreError, match=r"install pteroassets\[archive\]"):
        drop_old_samples(context, Landing(settings=settings, clock=ManualClock(NOW)))
    assert rows(landed) == before


def test_the_commands_restore_months_and_release_them(landed: Connection, settings: Settings, tmp_path: Path) -> None:
    before = rows(landed)
    dropped(landed, SampleArchive(str(tmp_path / "archive")))
    console = Console(record=True, width=200)
    run_restore(settings, console, JANUARY, FEBRUARY)
    assert rows(landed, RESTORED) == before
    landed.execute("set role analyst")
    assert len(rows(landed, RESTORED)) == 200
    landed.execute("reset role")
    run_release(settings, console, (JANUARY, JANUARY))
    assert {row[1].month for row in rows(landed, RESTORED)} == {2}
    run_release(settings, console, None)
    assert rows(landed, RESTORED) == []
    run_release(settings, console, None)
    assert console.export_text().splitlines() == [
        "2026-01: 72 samples restored",
        "2026-02: 128 samples restored",
        "read them in raw_pterodactyl.restored_samples; pteroassets samples release drops them from Postgres",
        "released 2026-01",
        "released 2026-02",
        "no month was restored",
    ]
    with pytest.raises(RuntimeFault, match="has no samples of 2025-01 to 2025-02"):
        run_restore(settings, console, date(2025, 1, 1), date(2025, 2, 1))
    with pytest.raises(RuntimeFault, match="before --from"):
        run_restore(settings, console, FEBRUARY, JANUARY)

"""One server's folder: what is fetched, once, and which file is which whatever its name."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import io
import lzma
import tarfile
import uuid
import zipfile
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from backports import zstd

from pteroassets.landing.files.collection import LogBudget, RemainingBudget, share
from pteroassets.landing.files.folder import NamedFile, ServerFolder
from pteroassets.landing.files.rows import FileRead
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.minecraft.collection import LogFile, decode, logs_of
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.places import LogName
from pteroassets.sources.pterodactyl.errors import NodeUnreachableError, ServerFaultError
from pteroassets.sources.pterodactyl.files import ListedFile

SERVER = uuid.UUID("c1a7b9d2-6f0e-4a0f-8d53-2f9b7e6a0c12")
UNLIMITED = LogBudget(requests=10_000, bytes=1 << 40)


def line(time: str, text: str = "Nora_7 joined the game") -> bytes:
    return f"[{time}] [Server thread/INFO]: {text}\n".encode()


def bungee(time: str, text: str = "[Nora_7] <-> ServerConnector [lobby] has connected") -> bytes:
    return f"{time} [INFO] {text}\n".encode()


class Disk:
    """A server's folder that one can write to, and what is known of it after each pass."""

    def __init__(self, folder: str = "/logs", zone: str = "UTC") -> None:
        self.folder = folder
        self.zone = ZoneInfo(zone)
        self.now = datetime(2026, 5, 4, 12, tzinfo=UTC)
        self.files: dict[str, tuple[bytes, datetime]] = {}
        self.fetched: list[str] = []
        self.lists = 0
        self.faults: dict[str, Exception] = {}
        self.before_fetch: dict[str, object] = {}
        self.rows: dict[str, LogFile] = {}
        self.reads: list[FileRead] = []
        self.note: str | None = None
        self.store = LogStore(f"memory://{uuid.uuid4().hex}")

    def write(self, name: str, content: bytes, at: datetime | None = None) -> None:
        self.files[name] = (content, at or self.now)

    def list(self) -> list[ListedFile]:
        self.lists += 1
        return sorted(
            (
                ListedFile(
                    path=f"{self.folder.rstrip('/')}/{name}",
                    name=name,
                    size=len(content),
                    modified_at=at,
                    utc_offset_seconds=0,
                )
                for name, (content, at) in self.files.items()
            ),
            key=lambda file: file.name,
        )

    def fetch(self, file: ListedFile) -> bytes:
        if file.name in self.faults:
            raise self.faults[file.name]
        if file.name in self.before_fetch:
            self.before_fetch.pop(file.name)()  # type: ignore[operator]
        self.fetched.append(file.name)
        return self.files[file.name][0]

    def collect(self, budget: LogBudget = UNLIMITED, reload_dates: frozenset[date] = frozenset()) -> FileRead:
        """Make a pass, take its rows over, and return the row of its listing."""
        self.now += timedelta(minutes=15)
        self.fetched = []
        folder = ServerFolder(
            server_uuid=SERVER,
            now=self.now,
            kind=logs_of(self.zone),
            known=sorted(self.rows.values(), key=lambda row: (row.log_date or date.min, row.is_live)),
            listing=self.list(),
            access=self,
            store=self.store,
            reload_dates=reload_dates,
        )
        remaining = RemainingBudget(budget)
        first, late = share(remaining, {folder: folder.urgent})
        rest, left = share(remaining, {folder: folder.archives})
        folder.plan([*folder.forced, *first[folder]], rest[folder], left=[*late[folder], *left[folder]])
        self.reads = []
        while not folder.is_done:
            collected = folder.step()
            for key in collected.forgotten:
                del self.rows[key]
            self.rows |= collected.saved
            self.reads += collected.reads
        (listing,) = [read for read in self.reads if not read.path]
        return listing

    def content(self, row: LogFile) -> bytes:
        return self.store.get(str(row.content_digest))

    @property
    def by_path(self) -> dict[str, LogFile]:
        return {row.path: row for row in self.rows.values() if row.is_listed}


def test_an_archive_is_fetched_once_and_a_live_file_only_when_it_was_written_to() -> None:
    disk = Disk()
    disk.write("2026-05-03-1.log.gz", gzip.compress(line("10:00:00")))
    disk.write("latest.log", line("08:00:00"))
    disk.collect()
    assert sorted(disk.fetched) == ["2026-05-03-1.log.gz", "latest.log"]
    disk.collect()
    assert disk.fetched == []
    disk.write("latest.log", line("08:00:00") + line("09:00:00"))
    disk.collect()
    assert disk.fetched == ["latest.log"]
    assert len(disk.rows) == 2


def test_what_grows_is_fetched_before_archives_and_those_oldest_first() -> None:
    disk = Disk()
    for number, day in enumerate(("05-03", "05-01", "05-02")):
        disk.write(f"2026-{day}-1.log.gz", gzip.compress(line(f"10:00:0{number}")), disk.now - timedelta(days=number))
    disk.write("2026-05-01-10.log.gz", gzip.compress(line("11:00:00")))
    disk.write("latest.log", line("08:00:00"))
    disk.collect()
    assert disk.fetched == [
        "latest.log", "2026-05-01-1.log.gz", "2026-05-01-10.log.gz", "2026-05-02-1.log.gz", "2026-05-03-1.log.gz",
    ]  # fmt: skip


def test_what_the_budget_does_not_reach_is_a_row_and_a_later_pass_goes_on_there() -> None:
    disk = Disk()
    for day in range(1, 5):
        disk.write(f"2026-04-0{day}-1.log.gz", gzip.compress(line(f"10:00:0{day}")))
    disk.write("latest.log", line("08:00:00"))
    listing = disk.collect(LogBudget(requests=3, bytes=1 << 30))
    assert disk.fetched == ["latest.log", "2026-04-01-1.log.gz", "2026-04-02-1.log.gz"]
    left = [read for read in disk.reads if read.outcome == "budget_spent"]
    assert [(read.path, read.size) for read in left] == [
        (f"/logs/2026-04-0{day}-1.log.gz", len(disk.files[f"2026-04-0{day}-1.log.gz"][0])) for day in (3, 4)
    ]
    assert all(read.reason for read in left)
    assert (listing.files_present, listing.bytes_present) == (5, sum(len(file) for file, _ in disk.files.values()))
    assert listing.bytes_read == listing.bytes_present - sum(read.size or 0 for read in left)
    listing = disk.collect(LogBudget(requests=3, bytes=1 << 30))
    assert disk.fetched == ["2026-04-03-1.log.gz", "2026-04-04-1.log.gz"]
    assert listing.bytes_read == listing.bytes_present


def test_a_file_larger_than_the_whole_budget_is_fetched_all_the_same() -> None:
    disk = Disk()
    disk.write("2026-04-01-1.log.gz", gzip.compress(line("10:00:00")))
    disk.write("2026-04-02-1.log.gz", gzip.compress(line("10:00:01")))
    disk.collect(LogBudget(requests=10, bytes=1))
    assert disk.fetched == ["2026-04-01-1.log.gz"]


def test_the_end_of_a_closed_file_joins_what_was_read_of_it_however_late_it_comes() -> None:
    disk = Disk()
    beginning = line("08:00:00") + line("08:05:00")
    disk.write("latest.log", beginning)
    disk.collect()
    (before,) = disk.rows.values()
    # closed, and another begun, when the pass has a budget for one request
    disk.write("2026-05-04-1.log.gz", gzip.compress(beginning + line("12:20:00")))
    disk.write("latest.log", line("12:30:00"))
    disk.collect(LogBudget(requests=1, bytes=1 << 30))
    assert disk.fetched == ["latest.log"]
    assert {(row.is_live, row.is_listed) for row in disk.rows.values()} == {(True, True), (False, False)}
    disk.collect()
    assert disk.fetched == ["2026-05-04-1.log.gz"]
    closed = disk.by_path["/logs/2026-05-04-1.log.gz"]
    assert closed.file_key == before.file_key
    assert (closed.is_live, closed.date_source) == (False, "file_name")
    assert disk.content(closed) == beginning + line("12:20:00")
    assert len(disk.rows) == 2


def test_a_file_closed_between_the_listing_and_the_reading_is_found_in_the_same_pass() -> None:
    disk = Disk()
    beginning = line("08:00:00")
    disk.write("latest.log", beginning)
    disk.collect()
    disk.write("latest.log", beginning + line("09:00:00"))

    def rotate() -> None:
        disk.write("2026-05-04-1.log.gz", gzip.compress(beginning + line("09:00:00")), disk.now)
        disk.write("latest.log", line("12:40:00"), disk.now)

    disk.before_fetch["latest.log"] = rotate
    disk.collect()
    assert disk.fetched == ["latest.log", "2026-05-04-1.log.gz"]
    assert set(disk.by_path) == {"/logs/latest.log", "/logs/2026-05-04-1.log.gz"}
    assert len(disk.rows) == 2


def test_a_wrong_guess_of_the_date_gives_way_to_the_name() -> None:
    disk = Disk()
    disk.write("latest.log", line("08:00:00"), datetime(2026, 5, 3, 1, tzinfo=UTC))
    disk.collect()
    (guess,) = disk.rows.values()
    assert (guess.log_date, guess.date_source) == (date(2026, 5, 3), "modified_at")
    disk.write("2026-05-02-1.log.gz", gzip.compress(line("08:00:00") + line("09:00:00")))
    del disk.files["latest.log"]
    disk.collect()
    (named,) = disk.rows.values()
    assert (named.log_date, named.date_source, named.is_live) == (date(2026, 5, 2), "file_name", False)


def test_a_date_that_the_lines_show_goes_before_the_time_of_modification() -> None:
    disk = Disk("/")
    disk.write("server.log", b"2026-04-20 20:01:02 [INFO] Nora_7 joined the game\n")
    disk.collect()
    (row,) = disk.rows.values()
    assert (row.log_date, row.date_source, row.is_live) == (date(2026, 4, 20), "line", True)


def test_numbered_files_move_up_without_being_read_again() -> None:
    disk = Disk("/")
    oldest, older, live = bungee("10:00:00"), bungee("11:00:00"), bungee("12:00:00")
    disk.write("proxy.log.2", oldest, datetime(2026, 4, 1, 10, tzinfo=UTC))
    disk.write("proxy.log.1", older, datetime(2026, 4, 20, 11, tzinfo=UTC))
    disk.write("proxy.log.0", live)
    disk.write("proxy.log.0.lck", b"")
    disk.collect()
    assert disk.fetched == ["proxy.log.0", "proxy.log.2", "proxy.log.1"]
    keys = {path: row.file_key for path, row in disk.by_path.items()}
    live += bungee("12:10:00")
    disk.files = {
        "proxy.log.3": disk.files["proxy.log.2"],
        "proxy.log.2": disk.files["proxy.log.1"],
        "proxy.log.1": (live, disk.now),
        "proxy.log.0": (bungee("12:20:00"), disk.now),
    }
    disk.collect()
    assert disk.fetched == ["proxy.log.0", "proxy.log.1"]
    found = {path: row.file_key for path, row in disk.by_path.items()}
    assert found["/proxy.log.3"] == keys["/proxy.log.2"]
    assert found["/proxy.log.2"] == keys["/proxy.log.1"]
    assert found["/proxy.log.1"] == keys["/proxy.log.0"]
    assert len(disk.rows) == 4
    assert [disk.by_path[f"/proxy.log.{number}"].is_live for number in range(4)] == [True, False, False, False]


def test_a_file_that_was_parsed_to_its_unfinished_last_line_is_parsed_anew_when_it_goes_on() -> None:
    disk = Disk()
    cut = line("08:00:00") + line("08:05:00")[:-1]
    disk.write("latest.log", cut)
    disk.collect()
    (row,) = disk.rows.values()
    disk.write("2026-05-04-1.log.gz", gzip.compress(cut + b" again\n"))
    disk.write("latest.log", line("12:30:00"))
    # closed without an end to its last line, as a killed server leaves it, and parsed so
    disk.rows[row.file_key] = dataclasses.replace(
        row, is_live=False, is_listed=False, parsed_bytes=len(cut), parser_version="1"
    )
    disk.collect()
    closed = disk.by_path["/logs/2026-05-04-1.log.gz"]
    assert (closed.file_key, closed.parsed_bytes, closed.parser_version) == (row.file_key, 0, None)


def test_an_archive_in_which_nothing_can_be_read_is_not_asked_for_again_until_it_changes() -> None:
    disk = Disk()
    disk.write("2026-05-03-1.log.gz", b"no gzip at all")
    disk.collect()
    assert [row.outcome for row in disk.rows.values()] == ["unreadable"]
    disk.collect()
    assert disk.fetched == []
    disk.write("2026-05-03-1.log.gz", gzip.compress(line("10:00:00")))
    disk.collect()
    assert [(row.outcome, row.is_listed) for row in disk.rows.values()] == [("ok", True)]


def test_a_fault_of_one_file_costs_that_file_alone() -> None:
    disk = Disk()
    for day in (1, 2, 3):
        disk.write(f"2026-04-0{day}-1.log.gz", gzip.compress(line(f"10:00:0{day}")))
    disk.faults["2026-04-02-1.log.gz"] = ServerFaultError("the panel failed")
    listing = disk.collect()
    outcomes = {read.path: read.outcome for read in disk.reads if read.path}
    assert outcomes == {
        "/logs/2026-04-01-1.log.gz": "ok",
        "/logs/2026-04-02-1.log.gz": "error",
        "/logs/2026-04-03-1.log.gz": "ok",
    }
    assert listing.bytes_read is not None
    assert listing.bytes_present is not None
    assert listing.bytes_read < listing.bytes_present
    disk.faults.clear()
    disk.collect()
    assert disk.fetched == ["2026-04-02-1.log.gz"]


def test_a_node_that_dies_meanwhile_is_not_asked_for_the_rest() -> None:
    disk = Disk()
    disk.write("latest.log", line("08:00:00"))
    disk.collect()
    disk.write("latest.log", line("08:00:00") + line("08:01:00"))
    for day in (1, 2):
        disk.write(f"2026-04-0{day}-1.log.gz", gzip.compress(line(f"10:00:0{day}")), datetime(2026, 4, day, tzinfo=UTC))
    disk.faults["latest.log"] = NodeUnreachableError("the node is down")
    disk.collect()
    assert {read.outcome for read in disk.reads if read.path} == {"node_unreachable"}
    assert disk.fetched == []
    assert [row.is_live for row in disk.rows.values()] == [True], "what is known of the live file stands"


def test_a_reload_fetches_its_day_whatever_the_budget() -> None:
    disk = Disk()
    for day in (1, 2):
        disk.write(f"2026-04-0{day}-1.log.gz", gzip.compress(line(f"10:00:0{day}")))
    disk.collect()
    disk.collect(LogBudget(requests=2, bytes=1), reload_dates=frozenset({date(2026, 4, 2)}))
    assert disk.fetched == ["2026-04-02-1.log.gz"]


def test_files_of_other_names_are_left_alone() -> None:
    disk = Disk()
    for name in ("debug.log", "2026-13-45-1.log.gz", "hs_err_pid7.log", "notes.txt", "fml-server-latest.log"):
        disk.write(name, line("10:00:00"))
    listing = disk.collect()
    assert disk.fetched == []
    assert (listing.files_present, listing.bytes_present, listing.bytes_read) == (0, 0, 0)


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (gzip.compress(b"a\nb\n"), "ok"),
        (gzip.compress(b"a\n") + gzip.compress(b"b\n"), "ok"),
        (gzip.compress(b"a\n") + b"\0" * 512, "ok"),
        (gzip.compress(b"a\n") + b"and more", "truncated"),
        (gzip.compress(b"a\nb\n")[:-6], "truncated"),
        (gzip.compress(b""), "empty"),
        (b"plain", "unreadable"),
    ],
    ids=[
        "whole",
        "two members",
        "padded",
        "with other bytes behind",
        "cut",
        "of nothing",
        "not an archive",
    ],  # the bytes bear the time of day
)
def test_an_archive_is_unpacked_as_far_as_it_goes(raw: bytes, outcome: str) -> None:
    assert decode("x.log.gz", raw)[1] == outcome


def test_a_zip_archive_is_unpacked_too() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2026-03-12-1.log", b"a\nb\n")
    assert decode("2026-03-12-1.log.zip", packed.getvalue()) == (b"a\nb\n", "ok", None)


def tarred(*contents: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number, content in enumerate(contents):
            info = tarfile.TarInfo(f"{number}.log")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


PACKED = {
    ".log.xz": lzma.compress,
    ".log.XZ": lzma.compress,
    ".log.bz2": bz2.compress,
    ".log.zst": zstd.compress,
    ".log.lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
    ".log.tar": tarred,
    ".log.tar.gz": lambda content: gzip.compress(tarred(content)),
    ".log.tar.xz": lambda content: lzma.compress(tarred(content)),
}


@pytest.mark.parametrize("suffix", PACKED)
def test_a_closed_log_is_read_however_it_is_packed(suffix: str) -> None:
    disk = Disk()
    disk.write(f"2026-05-03-2{suffix}", PACKED[suffix](line("10:00:00")))
    disk.collect()
    (row,) = disk.rows.values()
    assert (row.outcome, row.log_date, row.log_sequence) == ("ok", date(2026, 5, 3), 2)
    assert disk.content(row) == line("10:00:00")


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (tarred(line("10:00:00"), line("11:00:00")), "several files"),
        (tarred(tarred(line("10:00:00"))), "inside an archive"),
        (lzma.compress(line("10:00:00"))[:20], "cut"),
        (b"7z\xbc\xaf\x27\x1c....", "7z x"),
        (b"plain", "not an archive"),
    ],
)
def test_a_packed_log_that_cannot_be_read_has_a_row_with_the_reason(raw: bytes, word: str) -> None:
    disk = Disk()
    disk.write("2026-05-03-2.log.tar.gz", raw)
    disk.collect()
    (row,) = disk.rows.values()
    assert row.outcome == "unreadable"
    assert word in str(row.reason)


def test_what_is_packed_as_nothing_here_unpacks_is_told_in_each_pass_and_not_fetched() -> None:
    disk = Disk()
    told = ["2026-05-02-1.log.7z", "2026-05-03-1.LOG.RAR", "2025.tar.gz", "old logs.zip", "latest.log.gz"]
    for name in (*told, "debug-1.log.gz", "shop.log.xz", "shop.log.7z", "crash.txt", "notes.gzip"):
        disk.write(name, b"whatever")
    for _ in range(2):
        disk.collect()
        assert disk.fetched == []
        reads = [read for read in disk.reads if read.path]
        assert [read.path for read in reads] == [f"/logs/{name}" for name in sorted(told)]
        assert {read.outcome for read in reads} == {"unreadable"}
        assert all("unpack it in its folder" in str(read.reason) for read in reads)


def test_of_a_folder_that_holds_more_than_logs_only_archives_named_as_logs_are_told() -> None:
    disk = Disk(folder="/")
    for name in ("world.zip", "backup.tar.gz", "proxy.log.1.7z", "logs.tar"):
        disk.write(name, b"whatever")
    disk.collect()
    assert [read.path for read in disk.reads if read.path] == ["/logs.tar", "/proxy.log.1.7z"]


@pytest.mark.parametrize("name", ["latest.log", "2026-05-03-1.log"])
def test_a_hole_of_nuls_hides_nothing_and_utf_16_is_read(name: str) -> None:
    for content in (bytes(100_000) + line("10:00:00"), line("10:00:00").decode().encode("utf-16")):
        disk = Disk()
        disk.write(name, content)
        disk.collect()
        (row,) = disk.rows.values()
        parser = LogParser()
        events = parser.feed(disk.content(row)) + parser.finish()
        assert row.outcome == "ok"
        assert [event.kind for event in events] == ["player_join"], content[:4]


def test_an_archive_does_not_decide_how_much_memory_it_takes() -> None:
    content, outcome, reason = decode("x.log.gz", gzip.compress(b"a" * 100_000), largest_bytes=1_000)
    assert (len(content), outcome) == (1_000, "truncated")
    assert "1000" in str(reason)


def listed(name: str, size: int) -> NamedFile:
    file = ListedFile(
        path=name, name=name, size=size, modified_at=datetime(2026, 5, 1, tzinfo=UTC), utc_offset_seconds=0
    )
    return NamedFile(file=file, name=LogName(scheme="server", is_live=False, age=1))


def test_one_huge_folder_does_not_starve_the_small_ones() -> None:
    huge = [listed(f"huge-{number}", 900) for number in range(100)]
    small = [listed(f"small-{number}", 10) for number in range(5)]
    granted, left = share(RemainingBudget(LogBudget(requests=1_000, bytes=2_000)), {"huge": huge, "small": small})
    assert granted["small"] == small
    assert len(granted["huge"]) == 3
    assert granted["huge"] + left["huge"] == huge


def test_a_large_file_costs_two_requests() -> None:
    large, small = listed("large", 5 << 20), listed("small", 1)
    granted, _ = share(RemainingBudget(LogBudget(requests=2, bytes=1 << 30)), {"server": [large, small]})
    assert granted["server"] == [large]

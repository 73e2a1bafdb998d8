"""Archives, damaged and odd files through the whole log tool: read, or named with the remedy; nothing in silence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from click.testing import CliRunner

from pteroassets.cli import main
from pteroassets.logtool import DateRules, Report, parse_paths
from pteroassets.sources.minecraft.text import LONGEST_LINE
from tests.logtool.writing import START, departure, entry, log, put

DAY = log(f"12:00:00 {START}", entry("12:00:00", "Al"), departure("12:30:00", "Al"))
NEXT = log(entry("13:00:00", "Bo"), departure("13:10:00", "Bo"))
UNKNOWN = b"Feb 30 25:61 gameserver says: hello\nFeb 30 25:62 gameserver says: bye\n" * 3
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
    "bz2": bz2.compress,
}


def tarred(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_773_316_800  # 2026-03-12 12:00 UTC
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def sessions_of(report: Report) -> list[tuple[str, str | None, str | None]]:
    return [(each.player, each.joined_at, each.left_at) for each in report.sessions]


def outcomes_of(report: Report, folder: Path) -> dict[str, str]:
    return {str(Path(file.path).relative_to(folder)): file.outcome for file in report.files}


TWO_DAYS = {
    "logs/2026-03-12-1.log.gz": gzip.compress(DAY),
    "logs/2026-03-12-2.log": NEXT,
    "server.properties": b"motd=x",
}
BOTH = [("Al", "2026-03-12T12:00:00", "2026-03-12T12:30:00"), ("Bo", "2026-03-12T13:00:00", "2026-03-12T13:10:00")]


@pytest.mark.parametrize("pack", [lambda content: content, *PACKERS.values()], ids=["tar", *PACKERS])
def test_a_backup_of_a_server_is_read_as_its_folder_would_be(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "backup.of.whatever.name"
    path.write_bytes(pack(tarred(**TWO_DAYS)))
    report = parse_paths([str(path)])
    assert sessions_of(report) == BOTH
    assert {file.server for file in report.files} == {f"{path}/logs"}
    assert [Path(file.path).name for file in report.files] == ["2026-03-12-1.log.gz", "2026-03-12-2.log"]
    assert report.problems == ()


def test_a_zip_archive_of_several_logs_is_read_so_too(tmp_path: Path) -> None:
    path = tmp_path / "logs.log.zip"
    path.write_bytes(zipped(**TWO_DAYS))
    assert sessions_of(parse_paths([str(path)])) == BOTH


def test_an_archive_on_the_standard_input_is_known_by_its_first_bytes() -> None:
    for packed in (gzip.compress(tarred(**TWO_DAYS)), zipped(**TWO_DAYS)):
        result = CliRunner().invoke(main, ["logs", "parse", "-", "--format", "csv"], input=packed)
        assert result.exit_code == 0
        assert result.stdout.count("2026-03-12T1") == 10  # five times for each session


@pytest.mark.parametrize("suffix", [*PACKERS, *(f"tar.{name}" for name in PACKERS), "zip"])
def test_a_packed_log_is_a_part_of_its_history(tmp_path: Path, suffix: str) -> None:
    content = log(entry("12:00:00", "Al"))
    if suffix == "zip":
        packed = zipped(**{"whatever.txt": content})
    elif suffix.startswith("tar."):
        packed = PACKERS[suffix[4:]](tarred(**{"whatever.txt": content}))
    else:
        packed = PACKERS[suffix](content)
    path = tmp_path / f"2026-03-12-1.log.{suffix}"
    path.write_bytes(packed)
    put(tmp_path / "2026-03-12-2.log", log(departure("12:01:00", "Al")))
    report = parse_paths([str(tmp_path)])
    assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", "2026-03-12T12:01:00")]
    assert outcomes_of(report, tmp_path) == {path.name: "ok", "2026-03-12-2.log": "ok"}


def test_members_are_told_apart_as_files_of_a_folder_are(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    files = {
        "a/logs/latest.log": DAY,
        "a/logs/debug.log": DAY,
        "a/logs/2026-03-12-1.log": DAY,
        "a/plugins/Shop/shop.log": DAY,
        "b/proxy.log.0": NEXT,
        "c/logs/2026-03-11-1.log.7z": b"7z\xbc\xaf\x27\x1c....",
        "c/old.tar.gz": gzip.compress(tarred(**TWO_DAYS)),
        "world/region.mca": DAY,
    }
    path.write_bytes(tarred(**files))
    report = parse_paths([str(path)])
    assert outcomes_of(report, path) == {
        "a/logs/2026-03-12-1.log": "ok",
        "a/logs/debug.log": "duplicate",
        "a/logs/latest.log": "duplicate",
        "a/plugins/Shop/shop.log": "not_a_server_log",
        "b/proxy.log.0": "ok",
        "c/logs/2026-03-11-1.log.7z": "unreadable",
        "c/old.tar.gz": "unreadable",
    }
    assert [Path(problem.path).name for problem in report.problems] == ["2026-03-11-1.log.7z", "old.tar.gz"]
    assert len(report.sessions) == 2


def test_a_member_that_stands_twice_in_an_archive_is_its_last_state(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with tarfile.open(path, "w") as archive:
        for content in (DAY, DAY + NEXT):
            info = tarfile.TarInfo("latest.log")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert [session.player for session in parse_paths([str(path)]).sessions] == ["Al", "Bo"]


def test_the_time_in_an_archive_dates_a_log_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    path.write_bytes(tarred(**{"logs/latest.log": DAY}))
    (session,) = parse_paths([str(path)], dates=DateRules(by_modification=True)).sessions
    assert session.joined_at == "2026-03-12T12:00:00"


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_of_a_backup_that_was_cut_what_comes_before_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    noise = log(*(f"12:40:00 did {number * 104729 % 99991} things" for number in range(20_000)))
    packed = pack(tarred(**{"logs/2026-03-12-1.log": DAY, "logs/2026-03-12-2.log": NEXT + noise}))
    path = tmp_path / "backup.tar"
    path.write_bytes(packed[: len(packed) * 9 // 10])
    report = parse_paths([str(path)])
    assert [session.player for session in report.sessions] == ["Al", "Bo"]
    assert [file.outcome for file in report.files] == ["ok", "truncated"]
    assert "cut" in str(report.files[1].reason)


def test_an_archive_without_a_log_and_one_in_which_nothing_can_be_read_are_problems(tmp_path: Path) -> None:
    without, broken = tmp_path / "a.tar", tmp_path / "b.tar.gz"
    without.write_bytes(tarred(**{"world/level.dat": b"x"}))
    broken.write_bytes(gzip.compress(tarred(**TWO_DAYS))[:30])
    report = parse_paths([str(without), str(broken)])
    assert [problem.path for problem in report.problems] == [str(without), str(broken)]
    assert "no log among the 1 files" in report.problems[0].message
    assert "cut" in report.problems[1].message


def test_in_a_folder_packed_logs_of_another_kind_and_archives_are_told(tmp_path: Path) -> None:
    put(tmp_path / "logs" / "latest.log", DAY)
    for name in ("2026-03-10-1.log.7z", "2026-03-11-1.log.rar"):
        put(tmp_path / "logs" / name, b"7z\xbc\xaf\x27\x1c" if name.endswith("7z") else b"Rar!\x1a\x07\x01\x00")
    (tmp_path / "logs" / "2025.tar.xz").write_bytes(lzma.compress(tarred(**{"2025-03-12-1.log": NEXT})))
    put(tmp_path / "backups" / "monday.tar", tarred(**TWO_DAYS))
    report = parse_paths([str(tmp_path)])
    assert outcomes_of(report, tmp_path) == {
        "logs/latest.log": "ok",
        "logs/2026-03-10-1.log.7z": "unreadable",
        "logs/2026-03-11-1.log.rar": "unreadable",
        "logs/2025.tar.xz/2025-03-12-1.log": "ok",
        "backups/monday.tar": "not_a_server_log",
    }
    assert sorted(session.player for session in report.sessions) == ["Al", "Bo"]
    monday = next(file for file in report.files if file.path.endswith("monday.tar"))
    assert "name it" in str(monday.reason)


# ---------- exit status and messages


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no text"),
        (b"\x7fELF" + bytes(range(32)) * 99, "binary"),
        (UNKNOWN, "no line begins"),
        (b"7z\xbc\xaf\x27\x1c....", "7z x"),
        (gzip.compress(DAY)[:15], "cut"),
        (None, "spelling"),
    ],
    ids=["empty", "binary", "unknown layout", "foreign archive", "cut archive", "missing"],
)
def test_the_status_is_1_where_something_named_could_not_be_read_and_the_rest_is_read(
    tmp_path: Path, content: bytes | None, word: str
) -> None:
    good, bad = put(tmp_path / "good.log", DAY), tmp_path / "bad.log"
    if content is not None:
        bad.write_bytes(content)
    result = CliRunner().invoke(main, ["logs", "parse", str(bad), good, "--format", "csv"])
    assert result.exit_code == 1
    assert result.stdout.count("Al") == 1
    (told,) = result.stderr.splitlines()
    assert told.startswith(f"pteroassets: {bad}: ")
    assert word in told


def test_what_is_only_found_in_a_folder_is_no_fault_unless_it_is_all_there_is(tmp_path: Path) -> None:
    put(tmp_path / "a" / "empty.log", b"")
    put(tmp_path / "a" / "page.log", b"<html></html>")
    alone = CliRunner().invoke(main, ["logs", "parse", str(tmp_path / "a")])
    assert alone.exit_code == 1
    assert "no server's log among its 2 files" in alone.stderr
    put(tmp_path / "a" / "latest.log", DAY)
    assert CliRunner().invoke(main, ["logs", "parse", str(tmp_path / "a")]).exit_code == 0


def test_a_log_in_no_known_layout_is_shown_with_what_to_do(tmp_path: Path) -> None:
    content = (
        b"\n  \n\x1b]0;title\x07\x01\x9b<Al> my secret \xe2\x80\xae from 192.0.2.7:4711 and 2001:db8::1:2 " + b"x" * 500
    )
    (file,) = parse_paths([put(tmp_path / "mine.log", b"\n\nNode 192.0.2.7:4711\x01 up\n" + content)]).files
    reason = str(file.reason)
    assert "line 3 is “Node [address]\\x01 up”" in reason
    assert "--unknown" in reason
    (file,) = parse_paths([put(tmp_path / "mine.log", content)]).files
    reason = str(file.reason)
    assert "secret" not in reason
    assert "192.0.2" not in reason
    assert "2001" not in reason
    assert all(character.isprintable() for character in reason)
    assert len(reason) < 500


def test_unknown_lines_of_refused_files_are_listed(tmp_path: Path) -> None:
    talk = b"Feb 30 25:63 <Al> my secret base\n" * 2
    path = put(tmp_path / "mine.log", UNKNOWN + talk)
    report = parse_paths([path, put(tmp_path / "latest.log", DAY)], unknown=9)
    assert [(each.template, each.count, each.line) for each in report.unknown][:2] == [
        ("Feb # # gameserver says: bye", 3, 2),
        ("Feb # # gameserver says: hello", 3, 1),
    ]
    assert "secret" not in str(report.unknown)


# ---------- odd bytes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_is_read(tmp_path: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    content = (mark + DAY.replace(b"Al", "Ål".encode()).decode()).encode(encoding)
    report = parse_paths([put(tmp_path / "2026-03-12-1.log", content)])
    assert sessions_of(report) == [("Ål", "2026-03-12T12:00:00", "2026-03-12T12:30:00")]


def test_lines_that_end_with_a_carriage_return_alone_are_read(tmp_path: Path) -> None:
    report = parse_paths([put(tmp_path / "2026-03-12-1.log", DAY.replace(b"\n", b"\r"))])
    assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", "2026-03-12T12:30:00")]


@pytest.mark.parametrize("hole", [7, 70_000, 3 << 20])
def test_holes_of_nuls_hide_nothing(tmp_path: Path, hole: int) -> None:
    lines = DAY.splitlines(keepends=True)
    for place in range(3):
        content = b"".join(lines[:place]) + bytes(hole) + b"".join(lines[place:])
        report = parse_paths([put(tmp_path / f"2026-03-1{place}-1.log", content)])
        assert [(each.player, each.left_at is not None) for each in report.sessions] == [("Al", True)]


# ---------- memory

# not by getrusage, whose peak of a process is at least that of the one which started it
MEASURE = """
import pathlib, re, sys
from pteroassets.logtool import parse_paths

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

parse_paths([sys.argv[1]])
before = peak()
report = parse_paths([sys.argv[2]], unknown=int(sys.argv[3]))
print(len(report.sessions), (peak() - before) // 1024)
"""


def long_line(size: int) -> bytes:
    lines = DAY.splitlines(keepends=True)
    noise = b"[12:10:00] [Server thread/INFO]: " + b"all work and no play " * (size // 21) + b"\n"
    return b"".join([*lines[:2], noise, *lines[2:]])


@pytest.mark.parametrize(("kind", "unknown"), [("log", 0), ("log.gz", 5), ("tar", 5)])
def test_a_long_line_costs_little_memory(tmp_path: Path, kind: str, unknown: int) -> None:
    content = long_line(50 << 20)
    path, small = tmp_path / f"2026-03-12-1.{kind}", put(tmp_path / "small.log.gz", DAY)
    if kind == "tar":
        path.write_bytes(tarred(**{"logs/2026-03-12-1.log": content}))
    else:
        path.write_bytes(gzip.compress(content, compresslevel=1) if kind == "log.gz" else content)
    command = [sys.executable, "-c", MEASURE, small, str(path), str(unknown)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sessions, mebibytes = map(int, printed.split())
    assert sessions == 1
    assert mebibytes < 30


def test_what_stands_behind_a_long_line_is_read_wherever_blocks_are_cut(tmp_path: Path) -> None:
    for size in (LONGEST_LINE - 50, LONGEST_LINE, LONGEST_LINE + 1, 2 * LONGEST_LINE + 3, 5 * LONGEST_LINE):
        report = parse_paths([put(tmp_path / "2026-03-12-1.log", long_line(size))], unknown=3)
        assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", "2026-03-12T12:30:00")]
        assert [file.lines for file in report.files] == [4]
        assert [(each.line, each.count) for each in report.unknown] == [(3, 1)]

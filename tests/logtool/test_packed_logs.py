"""What a report says of packed logs: of whole ones, and of those that were cut or damaged."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pteroassets.logtool import Report, parse_paths
from pteroassets.logtool.content import Content
from tests.logtool.writing import departure, entry, log, put


def sessions_of(report: Report) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(each.player, each.joined_at, each.left_at, each.close_reason) for each in report.sessions]


@pytest.mark.parametrize("cut", [40, 4_000, 30_000])
def test_a_cut_archive_gives_what_can_be_read(tmp_path: Path, cut: int) -> None:
    lines = [f"12:{n // 60:02}:{n % 60:02} [Plugin{n * 7919 % 997}] did {n * 104729} things" for n in range(3600)]
    content = log(entry("12:00:00", "Al"), *lines, departure("13:00:00", "Al"))
    packed = gzip.compress(content)
    assert cut < len(packed)
    path = tmp_path / "2026-03-12-1.log.gz"
    path.write_bytes(packed[:cut])
    (file,) = (report := parse_paths([str(path)])).files
    assert file.outcome == "truncated"
    assert file.bytes < len(content)
    if cut > 40:
        assert file.bytes > cut
        assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", None, None)]


def test_an_archive_that_is_damaged_gives_what_comes_before(tmp_path: Path) -> None:
    content = log(entry("12:00:00", "Al"), *[f"12:00:01 did {n * 104729} things" for n in range(3000)])
    packed = bytearray(gzip.compress(content))
    packed[-8:] = b"\0" * 8  # the check sum
    path = tmp_path / "2026-03-12-1.log.gz"
    path.write_bytes(packed)
    report = parse_paths([str(path)])
    assert report.files[0].outcome == "truncated"
    assert report.files[0].bytes == len(content)
    assert len(report.sessions) == 1


def test_an_archive_of_several_members_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "2026-03-12-1.log.gz"
    parts = (log(entry("12:00:00", "Al")), log(departure("12:01:00", "Al")))
    path.write_bytes(b"".join(gzip.compress(part) for part in parts) + b"\0" * 512)
    report = parse_paths([str(path)])
    assert report.files[0].outcome == "ok"
    assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", "2026-03-12T12:01:00", "left")]


class NotSeekable(io.RawIOBase):
    """Passes on what is written, as a pipe does."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return self._target.write(content)


def zipped(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.log", content)
    return packed.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_archive_is_a_part_of_the_history(tmp_path: Path, method: int) -> None:
    (tmp_path / "2026-03-12-1.log.zip").write_bytes(zipped(log(entry("12:00:00", "Al")), method=method))
    put(tmp_path / "2026-03-12-2.log.gz", log(departure("12:01:00", "Al")))
    report = parse_paths([str(tmp_path)])
    assert [file.outcome for file in report.files] == ["ok", "ok"]
    assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", "2026-03-12T12:01:00", "left")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_archive_that_was_cut_gives_what_can_be_read(tmp_path: Path, method: int) -> None:
    content = log(entry("12:00:00", "Al"), *[f"12:00:01 did {n * 104729} things" for n in range(30_000)])
    path = tmp_path / "2026-03-12-1.log.zip"
    path.write_bytes(zipped(content, method=method)[: len(content) // 10])
    (file,) = (report := parse_paths([str(path)])).files
    assert file.outcome == "truncated"
    assert 0 < file.bytes < len(content)
    assert sessions_of(report) == [("Al", "2026-03-12T12:00:00", None, None)]


@pytest.mark.parametrize(
    ("method", "is_streamed"),  # where it is, the check sum follows the file
    [(zipfile.ZIP_STORED, False), (zipfile.ZIP_DEFLATED, False), (zipfile.ZIP_DEFLATED, True)],
)
def test_a_zip_archive_whose_check_sum_is_wrong_is_damaged(tmp_path: Path, *, method: int, is_streamed: bool) -> None:
    path = tmp_path / "2026-03-12-1.log.zip"
    packed = io.BytesIO()
    target = NotSeekable(packed) if is_streamed else packed
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("1.log", log(entry("12:00:00", "Al")))
    content = packed.getvalue()
    path.write_bytes(content)
    assert parse_paths([str(path)]).files[0].outcome == "ok"
    place = content.index(b"PK\x07\x08") + 4 if is_streamed else 14
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    (file,) = parse_paths([str(path)]).files
    assert file.outcome == "truncated"
    assert "the archive is damaged" in str(file.reason)


def test_an_encrypted_zip_archive_is_named(tmp_path: Path) -> None:
    packed = bytearray(zipped(log(entry("12:00:00", "Al"))))
    packed[6] |= 1
    path = tmp_path / "2026-03-12-1.log.zip"
    path.write_bytes(packed)
    (file,) = parse_paths([str(path)]).files
    assert file.outcome != "ok"
    assert "unpack it first" in str(file.reason)


def test_no_block_of_an_archive_is_larger_than_some_mebibytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.log.gz"
    path.write_bytes(gzip.compress(b"\n" * (64 << 20), compresslevel=1))
    with Content(str(path)) as content:
        sizes = [len(block) for block in content.blocks()]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 2 << 20

"""What archives hold: the same however the bytes come in, as far as it goes, and never more memory than said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator

import pytest
from backports import zstd

from pteroassets.sources.minecraft.archives import NESTED, Archive

LINES = b"".join(b"[12:00:00] [Server thread/INFO]: %d\n" % (number * 7919) for number in range(40))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": lambda content: zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1}),
}


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(*entries: tuple[str, bytes] | tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return packed.getvalue()


def in_blocks(packed: bytes, size: int) -> Iterator[bytes]:
    return (packed[place : place + size] for place in range(0, len(packed), size))


def files_of(packed: bytes, *, size: int = 1 << 20) -> tuple[list[tuple[str | None, bytes | str | None]], str | None]:
    """Return the names with their contents, or the reasons why there are none, and the damage of the whole."""
    archive = Archive(in_blocks(packed, size))
    files = []
    for file in archive.files():
        content = b"".join(file.blocks()) if file.refused is None else b""
        files.append((file.name, file.refused or content))
    return files, archive.damage


@pytest.mark.parametrize(
    ("packed", "names"),
    [
        *((pack(LINES[:500]) + pack(LINES[500:]), [None]) for pack in PACKERS.values()),
        (gzip.compress(LINES) + bytes(100), [None]),
        (lzma.compress(LINES) + bytes(8), [None]),
        (b"\x50\x2a\x4d\x18\x04\x00\x00\x00more" + zstd.compress(LINES), [None]),
        (LINES, [None]),
        (zipped(**{"logs/1.log": LINES, "2.log": LINES}), ["logs/1.log", "2.log"]),
        (tarred(("./1.log", LINES), ("logs/2.log.gz", gzip.compress(LINES))), ["1.log", "logs/2.log.gz"]),
        *((pack(tarred(("1.log", LINES), ("2.log", LINES))), ["1.log", "2.log"]) for pack in PACKERS.values()),
    ],
    ids=[
        *(f"two streams of {name}" for name in PACKERS),
        *("padded gzip", "padded xz", "skippable zstd", "plain", "zip", "tar"),
        *(f"tar in {name}" for name in PACKERS),
    ],
)
def test_cuts_between_blocks_do_not_show(packed: bytes, names: list[str | None]) -> None:
    for size in (1, 2, 3, 7, 31, len(packed)):
        files, damage = files_of(packed, size=size)
        assert [name for name, _ in files] == names, size
        assert all(content == LINES for _, content in files), size
        assert damage is None, size


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_of_a_stream_that_was_cut_anywhere_the_beginning_is_read(pack: Callable[[bytes], bytes]) -> None:
    content = random.Random(3).randbytes(600_000).hex().encode()
    packed = pack(content)
    for place in range(20, len(packed) - 1, 99_991):
        ((_, read),), damage = files_of(packed[:place])
        assert damage == "the archive is cut"
        assert content.startswith(read)
    assert len(read) > 500_000


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_of_a_tar_archive_that_was_cut_anywhere_the_files_before_are_read(form: int) -> None:
    packed = tarred(*((f"logs/{number}/" + "n" * 80 + ".log", LINES) for number in range(5)), form=form)
    end = packed.rindex(LINES) + len(LINES)
    for place in range(513, end, 397):
        files, damage = files_of(packed[:place])
        assert damage == "the archive is cut", place
        assert all(content == LINES for _, content in files[:-1])
        assert LINES.startswith(files[-1][1])
    assert len(files) == 5


@pytest.mark.parametrize("pack", [lambda content: content, *PACKERS.values()], ids=["plain", *PACKERS])
def test_bytes_that_are_damaged_never_raise_and_are_told(pack: Callable[[bytes], bytes]) -> None:
    whole = pack(tarred(*((f"{number}.log", random.Random(number).randbytes(3_000)) for number in range(4))))
    chance = random.Random(7)
    told = 0
    for _ in range(60):
        place = chance.randrange(20, len(whole))
        broken = whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :]
        archive = Archive(in_blocks(broken, 4_096))
        for file in archive.files():
            for _block in file.blocks():
                pass
        told += archive.damage is not None
    # a tar archive has no check sum of its contents
    assert told > (0 if pack(b"") == b"" else 50)


def test_links_devices_and_ways_out_of_the_archive_are_not_followed() -> None:
    link, hard, device = (tarfile.TarInfo(name) for name in ("link.log", "hard.log", "device.log"))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    hard.type, hard.linkname = tarfile.LNKTYPE, "1.log"
    device.type = tarfile.CHRTYPE
    packed = tarred(("../../etc/x.log", LINES), ("/abs/y.log", LINES), link, hard, device)
    files, damage = files_of(packed)
    assert [name for name, _ in files] == ["etc/x.log", "abs/y.log", "link.log", "hard.log", "device.log"]
    assert [content == LINES for _, content in files] == [True, True, False, False, False]
    assert all("not followed" in str(reason) for _, reason in files[2:])
    assert damage is None


@pytest.mark.parametrize(
    "inner", [zipped(a=LINES), tarred(("a", LINES)), gzip.compress(tarred(("a", LINES))), b"7z\xbc\xaf\x27\x1c....."]
)
def test_an_archive_in_an_archive_is_named(inner: bytes) -> None:
    archive = Archive([tarred(("inner", inner), ("after.log", LINES))])
    read = [
        (file.name, b"".join(file.blocks()) if file.refused is None else b"", file.refused) for file in archive.files()
    ]
    assert read[0][0] == "inner"
    assert read[1][:2] == ("after.log", LINES)


def test_a_nested_archive_is_known_when_it_is_opened() -> None:
    for inner in (tarred(("a", LINES)), gzip.compress(tarred(("a", LINES)))):
        for file in (archive := Archive([tarred(("inner.tar.gz", inner))])).files():
            assert b"".join(file.blocks()) == b""
            assert file.refused == NESTED
        assert archive.damage is None


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_an_archive_does_not_decide_how_much_memory_it_takes(pack: Callable[[bytes], bytes]) -> None:
    bomb = bytes(64 << 20)
    packed = gzip.compress(tarred(("bomb.log", pack(bomb))))
    tracemalloc.start()
    size = 0
    for file in Archive(in_blocks(packed, 1 << 16)).files():
        for block in file.blocks():
            size += len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == len(bomb)
    assert peak < 32 << 20


def test_a_tar_header_does_not_decide_how_much_memory_it_takes() -> None:
    name = "n" * (64 << 20)
    packed = tarred((name, LINES), form=tarfile.GNU_FORMAT)
    tracemalloc.start()
    files, damage = files_of(packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert files == []
    assert damage == "the archive is damaged"
    assert peak < 32 << 20

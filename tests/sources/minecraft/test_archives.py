"""Unpacking gives the same however the packed bytes come in."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from pteroassets.sources.minecraft.archives import Unpacked

LINES = b"".join(b"[12:00:00] [Server thread/INFO]: %d\n" % (number * 7919) for number in range(40))


def zipped(method: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("2026-03-12-1.log", LINES)
    return packed.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(LINES[:500], mtime=0) + gzip.compress(LINES[500:], mtime=0) + bytes(100),
        zipped(zipfile.ZIP_DEFLATED),
        zipped(zipfile.ZIP_STORED),
        LINES,
    ],
    ids=["gzip", "zip", "stored", "plain"],
)
def test_cuts_between_blocks_do_not_show(packed: bytes) -> None:
    for size in (1, 2, 3, 7, 31, len(packed)):
        unpacked = Unpacked(packed[place : place + size] for place in range(0, len(packed), size))
        assert b"".join(unpacked) == LINES, size
        assert unpacked.damage is None, size

"""What a fetched file holds: its bytes, unpacked, and what came of that."""

from __future__ import annotations

from collections.abc import Iterable

from pteroassets.sources.minecraft.archives import Archive, is_archive
from pteroassets.sources.minecraft.intake import as_text
from pteroassets.sources.minecraft.packing import SUFFIXES, foreign
from pteroassets.sources.outcomes import FileOutcome

LARGEST_CONTENT_BYTES = 1024 * 1024 * 1024


def decode(
    name: str, raw: bytes, *, is_live: bool = False, largest_bytes: int = LARGEST_CONTENT_BYTES
) -> tuple[bytes, FileOutcome, str | None]:
    """Return a file's uncompressed bytes, its outcome and the reason of one that is not ok.

    A killed server leaves a cut archive: what can be read of it is kept. So is the beginning of one that holds more
    than *largest_bytes*, since a server's owner must not decide how much memory we use.
    """
    if (reason := foreign(raw)) is not None:
        return b"", "unreadable", reason
    if not raw or not name.lower().endswith(SUFFIXES):
        return _whole(as_text([raw], is_whole=not is_live))
    if not is_archive(raw):
        return b"", "unreadable", "not an archive, despite its name"
    archive = Archive([raw])
    read: tuple[bytes, FileOutcome, str | None] | None = None
    for file in archive.files():
        if read is not None:
            return b"", "unreadable", "the archive holds several files: unpack it in place, so that each is read"
        if file.refused is None:
            read = _whole(as_text(file.blocks()), largest_bytes)
        if file.refused is not None:
            read = b"", "unreadable", file.refused
    content, outcome, reason = read or (b"", "empty", None)
    if archive.damage is not None and outcome in ("ok", "empty"):
        return content, "truncated" if content else "unreadable", archive.damage
    return content, outcome, reason


def _whole(
    blocks: Iterable[bytes], largest_bytes: int = LARGEST_CONTENT_BYTES
) -> tuple[bytes, FileOutcome, str | None]:
    pieces: list[bytes] = []
    size = 0
    for block in blocks:
        pieces.append(block)
        size += len(block)
        if size > largest_bytes:
            return b"".join(pieces)[:largest_bytes], "truncated", f"more than {largest_bytes} bytes uncompressed"
    return b"".join(pieces), "ok" if size else "empty", None

"""The files that packed bytes hold: one packed log, or the members of a tar or zip archive, each as a stream.

Path of the data::

    bytes --packing.Unpacked--> bytes --Archive.files--> PackedFile --packing.Unpacked--> a log's bytes

Nothing is written to disk and nothing is held but some mebibytes, whatever an archive says of itself; links and devices
are told, never followed. ``tarfile`` reads the headers of tar archives; ``zipfile`` reads neither a cut archive nor a
pipe, so the headers of zip archives are read here.
"""

from __future__ import annotations

import struct
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Final, cast

from pteroassets.sources.minecraft.packing import BLOCK_BYTES, Inflater, Reader, Stream, Unpacked, foreign, is_packed

_TAR_BLOCK = 512
_MOST_HEADER_BYTES = 1 << 20  # of one tar member: its name, links and attributes
_ZIP = b"PK\x03\x04"
_ZIP_ENDS = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06")  # the directory behind the files
# of a file in a zip archive (APPNOTE.TXT 4.3.7): flags, method, check sum, packed size, lengths of name and extra field
_ZIP_HEADER = struct.Struct("<4x2xHH4xLL4xHH")
_ZIP_SUM = b"PK\x07\x08"  # may stand before a check sum that follows the file
_ZIP_ENCRYPTED, _ZIP_SUM_FOLLOWS, _ZIP_UTF8 = 1, 8, 1 << 11  # flags
_ZIP_STORED, _ZIP_DEFLATED = 0, 8
_ZIP_LARGE = 0xFFFF_FFFF  # the size stands elsewhere
_ZIP_SUM_LENGTHS = (12, 16, 20, 24)  # check sum and two sizes, with a mark or not, of four or eight bytes
_RAW_BITS = -15
_CUT, _DAMAGED = "the archive is cut", "the archive is damaged"
NESTED: Final = "an archive inside an archive, which is not opened: unpack the outer one first"


def is_tar(head: bytes) -> bool:
    """Return whether *head*, 512 bytes, is the header of a tar archive's first member."""
    if len(head) < _TAR_BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(head, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def is_archive(head: bytes) -> bool:
    """Return whether what begins with *head*, 512 bytes or the whole, can be unpacked here."""
    return is_packed(head) or head.startswith(_ZIP) or is_tar(head[:_TAR_BLOCK])


class PackedFile:
    """One file, whose content can be read until the next one is asked for.

    Args:
        name: Its path in the archive, without parts that lead out of it; None for bytes that are no archive of files.
        content: Its bytes, packed once more or not.
        modified_at: Its last change, where the archive tells it.
        refused: Why it has no content.
        ending: Tells, once *content* is read, why its end could not be.

    Attributes:
        damage: Why the end could not be read; known when `blocks` has given all.
    """

    def __init__(
        self,
        name: str | None,
        content: Iterable[bytes] = (),
        *,
        modified_at: datetime | None = None,
        refused: str | None = None,
        ending: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.name = name
        self.modified_at = modified_at
        self.refused = refused
        self.damage: str | None = None
        self._reader = Reader(content)
        self._ending = ending
        if refused is None and name is not None:
            self.refused = self._nested()

    def blocks(self) -> Iterator[bytes]:
        """Yield the content, unpacked, in blocks of bounded size, once."""
        unpacked = Unpacked(self._reader)
        inner = Reader(unpacked)
        if self.name is not None and is_tar(inner.peek(_TAR_BLOCK)):
            self.refused = NESTED
            return
        while block := inner.take(BLOCK_BYTES):
            yield block
        self.pass_over()
        self.damage = unpacked.damage or self._ending()

    def pass_over(self) -> None:
        """Read to the end what was not read, so that the archive's next file can be."""
        while self._reader.take(BLOCK_BYTES):
            pass

    def _nested(self) -> str | None:
        head = self._reader.peek(_TAR_BLOCK)
        return NESTED if head.startswith(_ZIP) or is_tar(head) or foreign(head) else None


class Archive:
    """Packed bytes as the files that they hold, in the order in which they lie there, once.

    Args:
        packed: The bytes, in blocks of any size.

    Attributes:
        damage: Why the end could not be read.
        holds_files: Whether it is an archive of files rather than one packed or plain file; known with the first.
    """

    def __init__(self, packed: Iterable[bytes]) -> None:
        self._reader = Reader(packed)
        self.damage: str | None = None
        self.holds_files = False

    def files(self) -> Iterator[PackedFile]:
        """Yield the files."""
        if self._reader.peek(len(_ZIP)) == _ZIP:
            self.holds_files = True
            yield from self._from_zip()
            return
        unpacked = Unpacked(self._reader)
        content = Reader(unpacked)
        if is_tar(content.peek(_TAR_BLOCK)):
            self.holds_files = True
            yield from self._from_tar(content, unpacked)
            return
        file = PackedFile(None, iter(lambda: content.take(BLOCK_BYTES), b""), ending=lambda: unpacked.damage)
        yield file
        file.pass_over()
        self.damage = unpacked.damage

    # ---------- tar

    def _from_tar(self, content: Reader, unpacked: Unpacked) -> Iterator[PackedFile]:
        source = _Forward(content)
        try:
            with tarfile.TarFile(fileobj=cast("IO[bytes]", source), errorlevel=0) as archive:
                while (member := self._next(archive, source)) is not None:
                    yield from self._of_tar(member, source)
        except tarfile.TarError:
            self.damage = _DAMAGED if content.peek(1) else _CUT
        ending = source.last
        while content.take(BLOCK_BYTES):
            pass  # to the end of the packed stream, where its check sum stands
        if unpacked.damage is not None:
            self.damage = unpacked.damage
        elif self.damage is None and (not ending or ending.strip(b"\0")):
            self.damage = _DAMAGED if len(ending) == _TAR_BLOCK else _CUT  # empty blocks end an archive

    @staticmethod
    def _next(archive: tarfile.TarFile, source: _Forward) -> tarfile.TarInfo | None:
        source.allowance = _MOST_HEADER_BYTES
        try:
            member = archive.next()
        except ValueError as error:  # numbers and names that are none
            raise tarfile.ReadError(str(error)) from error
        archive.members = []  # type: ignore[attr-defined] # it keeps every header; not among the types
        return member

    def _of_tar(self, member: tarfile.TarInfo, source: _Forward) -> Iterator[PackedFile]:
        name = _inside(member.name)
        if member.isdir():
            return
        if not member.isreg() or member.issparse():
            what = "a link, a device or a file with holes, which is not followed: unpack the archive first"
            yield PackedFile(name, refused=what)
            return
        rest = _Rest(source, member.size)
        file = PackedFile(name, rest, modified_at=_moment(member.mtime), ending=lambda: rest.damage)
        yield file
        file.pass_over()
        self.damage = rest.damage

    # ---------- zip

    def _from_zip(self) -> Iterator[PackedFile]:
        """Yield the files of a zip archive; the directory at its end is not needed, so a cut one gives its files."""
        reader = self._reader
        while self.damage is None and reader.peek(len(_ZIP)) == _ZIP:
            header = reader.read(_ZIP_HEADER.size)
            if len(header) < _ZIP_HEADER.size:
                break
            flags, method, check_sum, size, name_length, extra_length = _ZIP_HEADER.unpack(header)
            raw_name = reader.read(name_length)
            reader.read(extra_length)
            name = _inside(raw_name.decode("utf-8" if flags & _ZIP_UTF8 else "cp437", errors="replace"))
            # nor does the size stand before the file, where the sum does not
            is_stored = method == _ZIP_STORED and not flags & _ZIP_SUM_FOLLOWS and size != _ZIP_LARGE
            if flags & _ZIP_ENCRYPTED or not (is_stored or method == _ZIP_DEFLATED):
                self.damage = "a file in the archive is encrypted or packed in a rare way: unpack it first"
                yield PackedFile(name, refused=self.damage)
                return
            blocks = _Summed(
                _Rest(reader, size) if is_stored else Stream(reader, Inflater(_RAW_BITS)),
                reader,
                wanted=None if flags & _ZIP_SUM_FOLLOWS else check_sum,
            )
            file = PackedFile(name, blocks, ending=blocks.ending)
            if not raw_name.endswith(b"/"):
                yield file
            file.pass_over()
            self.damage = blocks.damage
        if self.damage is None and not reader.peek(len(_ZIP)).startswith(_ZIP_ENDS):
            self.damage = _CUT if len(reader.peek(len(_ZIP))) < len(_ZIP) else _DAMAGED
        while reader.take(BLOCK_BYTES):
            pass  # a pipe's writer waits for its reader


class _Forward:
    """A stream as ``tarfile`` wants one, which only goes forward and hands out headers of bounded size."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._start = reader.position
        self.allowance = _MOST_HEADER_BYTES
        self.last = b""  # what was read last

    def tell(self) -> int:
        return self._reader.position - self._start

    def read(self, count: int) -> bytes:
        self.allowance -= count
        if self.allowance < 0:
            raise tarfile.ReadError("a header of more than a mebibyte")
        self.last = self._reader.read(count)
        return self.last

    def take(self, most: int) -> bytes:
        return self._reader.take(most)

    def seek(self, place: int) -> None:
        while (left := place - self.tell()) > 0 and self._reader.take(min(left, BLOCK_BYTES)):
            pass
        if left < 0:
            raise tarfile.ReadError("a header that points backwards")


class _Rest:
    """The next *size* bytes of a stream, in blocks."""

    def __init__(self, source: Reader | _Forward, size: int) -> None:
        self._source = source
        self._left = size
        self.is_cut = False

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            block = self._source.take(min(self._left, BLOCK_BYTES))
            if not block:
                self.is_cut = True
                return
            self._left -= len(block)
            yield block

    @property
    def damage(self) -> str | None:
        return _CUT if self.is_cut else None


class _Summed:
    """A file of a zip archive, whose check sum is *wanted*, or follows it in *reader*."""

    def __init__(self, blocks: _Rest | Stream, reader: Reader, *, wanted: int | None) -> None:
        self._blocks = blocks
        self._reader = reader
        self._wanted = wanted
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        found = 0
        for block in self._blocks:
            found = zlib.crc32(block, found)
            yield block
        self.damage = self._blocks.damage
        if self.damage is None:
            wanted = self._wanted if self._wanted is not None else _sum_behind(self._reader)
            self.damage = None if found == wanted else _DAMAGED

    def ending(self) -> str | None:
        return self.damage


def _sum_behind(reader: Reader) -> int:
    """Return the check sum that follows a file of a zip archive, and go on to what follows that."""
    behind = reader.peek(max(_ZIP_SUM_LENGTHS) + len(_ZIP))
    has_mark = behind.startswith(_ZIP_SUM)
    ends = (_ZIP, *_ZIP_ENDS)
    length = next((length for length in _ZIP_SUM_LENGTHS if behind[length:].startswith(ends)), len(behind))
    reader.read(length)
    return int.from_bytes(behind[4 * has_mark :][:4], "little")


def _moment(stamp: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None  # no moment that there is


def _inside(name: str) -> str:
    """Return a member's path without the parts that would lead out of a folder."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return "/".join(parts) or "file"

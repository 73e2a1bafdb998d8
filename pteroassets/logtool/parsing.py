"""Parse files to their events: one after the other, or several at a time in processes of their own."""

from __future__ import annotations

import concurrent.futures
import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from pteroassets.logtool.columns import EventColumns
from pteroassets.logtool.content import Content
from pteroassets.logtool.finding import Candidate, describe, remedy
from pteroassets.logtool.unknown import UnknownLines, first_line, note_all
from pteroassets.sources.minecraft.archives import PackedFile
from pteroassets.sources.minecraft.events import ParserState
from pteroassets.sources.minecraft.intake import CLIENT, as_text, is_unplaced, refusal
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.packing import SUFFIXES, foreign
from pteroassets.sources.minecraft.places import is_archive_name, is_log

# below that, starting processes costs more than it saves
_WORTH_PROCESSES = 32 << 20
_PACKING = 8  # about how many times smaller an archive is than its log
_HEAD_BYTES = 4 << 10
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """What reading one file came to."""

    state: ParserState = field(default_factory=ParserState)
    events: EventColumns = field(default_factory=EventColumns)
    unknown: UnknownLines = field(default_factory=UnknownLines)
    head: bytes = b""  # enough to tell most logs from each other
    content_bytes: int = 0
    damage: str | None = None  # why its end could not be read
    refused: str | None = None  # why it is no server's log
    unreadable: str | None = None
    is_echo: bool = False  # not read: the log beside it says the same
    modified_at: datetime | None = None  # as the archive that it lies in tells

    @property
    def is_log(self) -> bool:
        """Whether it was read as a server's log."""
        return self.refused is None and self.unreadable is None and not self.is_echo


def parse_file(path: str, *, list_unknown: bool, advanced: Callable[[int], object]) -> dict[str, ParsedFile]:
    """Return the events of the log at *path*, or of each log in the archive that it is, by path; read in blocks.

    Of an archive that holds one file and is named as a log, that file is the log, whatever its own name.

    Args:
        path: Of the file; ``-`` is the standard input.
        list_unknown: Collect the templates of unknown lines.
        advanced: Told how many bytes were read.
    """
    found: dict[str, ParsedFile] = {}
    names: list[str] = []
    try:
        with Content(path, advanced=advanced) as content:
            for file in content.files():
                if file.name is None:
                    found[path] = _parse(file, list_unknown=list_unknown)
                    continue
                names.append(file.name)
                inner = f"{path}/{file.name}"
                place = describe(inner, below=path)
                if not is_log(inner) and not is_archive_name(inner) and (len(names) > 1 or not is_log(path)):
                    continue
                if file.refused is not None:
                    found[inner] = ParsedFile(unreadable=file.refused)
                elif place.refused is not None and is_log(inner):
                    found[inner] = ParsedFile(refused=place.refused)
                else:
                    found[inner] = _parse(file, list_unknown=list_unknown)
                if file.refused is not None:  # told by its content
                    found[inner] = ParsedFile(unreadable=file.refused)
    except OSError as error:
        return {path: ParsedFile(unreadable=remedy(error))}
    if not content.holds_files:
        return found or {path: ParsedFile()}
    if len(names) == 1 and is_log(path):
        return dict.fromkeys([path], found.popitem()[1])
    for inner in [inner for inner in found if not is_log(inner) and found[inner].unreadable is None]:
        del found[inner]
    if content.damage is not None and not any(each.damage for each in found.values()):
        found[path] = ParsedFile(damage=content.damage)
    return found or {path: ParsedFile(refused=f"no log among the {len(names)} files in it: look at their names")}


def _parse(file: PackedFile, *, list_unknown: bool) -> ParsedFile:
    events, unknown, size, head = EventColumns(), UnknownLines(), 0, b""
    parser = LogParser(note_unknown=unknown.note if list_unknown else None)
    blocks = as_text(file.blocks())
    for block in blocks:
        if size == 0:
            head = block[:_HEAD_BYTES]
            # of an archive that was cut in its first line nothing can be told
            is_too_short = file.damage is not None and b"\n" not in block
            if not is_too_short and (reason := refusal(block)) is not None:
                if foreign(block) is not None:
                    return ParsedFile(unreadable=reason)
                is_empty = len(block) < _HEAD_BYTES and not block.strip()
                if list_unknown and not is_empty and is_unplaced(reason):
                    note_all(unknown, itertools.chain([block], blocks))
                return ParsedFile(
                    refused=f"{reason}; {first_line(block)}" if is_unplaced(reason) else reason,
                    unknown=unknown,
                    content_bytes=0 if is_empty else len(block),
                )
        size += len(block)
        events.extend(parser.feed(block))
    if file.damage is None:
        # the last line of a cut archive is a part of one, and parts can be read as what they are not
        events.extend(parser.finish())
    if parser.state.is_of == "client":
        return ParsedFile(refused=CLIENT, content_bytes=size)
    return ParsedFile(
        state=parser.state,
        events=events,
        unknown=unknown,
        head=head,
        content_bytes=size,
        damage=file.damage,
        modified_at=file.modified_at,
    )


def parse_files(
    files: Sequence[Candidate],
    *,
    jobs: int,
    list_unknown: bool,
    advanced: Callable[[int], object],
    worth_processes: int = _WORTH_PROCESSES,
) -> Iterator[dict[str, ParsedFile]]:
    """Yield what each of *files* came to, in their order, as `parse_file` does.

    Args:
        files: To be read.
        jobs: How many processes to read them in, at most.
        list_unknown: Collect the templates of unknown lines.
        advanced: Told how many bytes were read.
        worth_processes: From how many bytes on there is more than one.
    """
    sizes = [_size(file) for file in files]
    jobs = min(jobs, sum(size > 0 for size in sizes))
    if jobs > 1 and sum(sizes) >= worth_processes:
        yield from _in_processes(files, jobs=jobs, list_unknown=list_unknown, advanced=advanced)
        return
    for file in files:
        yield parse_file(file.path, list_unknown=list_unknown, advanced=advanced)


def default_jobs() -> int:
    """Return 2 where there are several cores: disks seldom feed more."""
    return min(2, os.cpu_count() or 1)


def _size(file: Candidate) -> int:
    """Return about how many bytes of log there are to parse; 0 for what only this process can read."""
    if file.is_stream:
        return 0
    try:
        size = Path(file.path).stat().st_size
    except OSError:
        return 0  # the message comes when it is opened
    return size * _PACKING if file.path.endswith(SUFFIXES) else size


def _in_processes(
    files: Sequence[Candidate], *, jobs: int, list_unknown: bool, advanced: Callable[[int], object]
) -> Iterator[dict[str, ParsedFile]]:
    # a forked process would take over locks that threads of this one hold
    context = multiprocessing.get_context("spawn")
    total = context.Value("q", 0)
    shown = 0
    pool = concurrent.futures.ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_start_process, initargs=(total,)
    )
    try:
        futures = [
            None if file.is_stream else pool.submit(_parse_in_process, file.path, list_unknown=list_unknown)
            for file in files
        ]
        for file, future in zip(files, futures, strict=True):
            if future is None:
                yield parse_file(file.path, list_unknown=list_unknown, advanced=advanced)
                continue
            while not future.done():
                concurrent.futures.wait([future], timeout=_POLL_SECONDS)
                advanced(total.value - shown)
                shown = total.value
            yield future.result()
        advanced(total.value - shown)
    finally:
        pool.shutdown(cancel_futures=True)


_total: Synchronized[int] | None = None


def _start_process(total: Synchronized[int]) -> None:
    global _total  # noqa: PLW0603 - the way to hand a process what cannot be sent with each call
    _total = total
    # Ctrl-C reaches every process; the one that was started by the user speaks for all
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _parse_in_process(path: str, *, list_unknown: bool) -> dict[str, ParsedFile]:
    return parse_file(path, list_unknown=list_unknown, advanced=_advance)


def _advance(count: int) -> None:
    if _total is not None:
        with _total.get_lock():
            _total.value += count

"""Between which files of a server others are missing."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, date, datetime, timedelta

from pteroassets.landing.minecraft.collection import LogFile
from pteroassets.landing.minecraft.sessions import _with_gaps

SERVER = uuid.UUID("c1a7b9d2-6f0e-4a0f-8d53-2f9b7e6a0c12")


def log_file(
    day: int, sequence: int | None = None, *, first_hour: int = 1, hours: int = 2, is_live: bool = False
) -> LogFile:
    first = datetime(2026, 5, day, first_hour, tzinfo=UTC)
    return LogFile(
        server_uuid=SERVER,
        file_key=f"{day}-{sequence}",
        path=f"/logs/2026-05-{day:02}-{sequence}.log.gz",
        log_date=date(2026, 5, day),
        log_sequence=sequence,
        date_source="file_name",
        is_live=is_live,
        is_listed=True,
        listed_size=1,
        listed_modified_at=first,
        listed_utc_offset_seconds=0,
        outcome="ok",
        content_digest="",
        content_bytes=1,
        first_line_at=first,
        last_line_at=first + timedelta(hours=hours),
        fetched_at=first,
    )


def gaps(files: list[LogFile], *unread: tuple[date, int], starts: bool = True) -> list[bool]:
    files = [dataclasses.replace(file, first_kind="server_start" if starts else None) for file in files]
    return [shape.gap_before for shape in _with_gaps(files, unread)]


def test_what_lies_in_the_folder_unread_is_a_gap_although_the_next_file_begins_with_a_start() -> None:
    files = [log_file(1, 1), log_file(5, is_live=True)]
    assert gaps(files) == [False, False]
    assert gaps(files, (date(2026, 5, 3), 1)) == [False, True]
    assert gaps(files, (date(2026, 5, 5), 2)) == [False, True]


def test_what_is_unread_elsewhere_is_none() -> None:
    files = [log_file(2, 1), log_file(2, 2), log_file(5, is_live=True)]
    assert gaps(files, (date(2026, 5, 1), 4)) == [False, False, False]
    assert gaps(files, (date(2026, 5, 2), 3)) == [False, False, True]


def test_the_unread_end_of_a_file_that_was_closed_is_a_gap() -> None:
    closed = dataclasses.replace(log_file(5), is_listed=False, date_source="modified_at")
    assert gaps([closed, log_file(6, is_live=True)], (date(2026, 5, 5), 1)) == [False, True]


def test_files_without_dates_in_their_names_go_on_from_one_another_over_many_days() -> None:
    files = [log_file(1, hours=24 * 9), log_file(10, first_hour=3)]
    assert gaps(files, starts=False) == [False, False]
    files = [log_file(1, hours=24 * 5), log_file(10, first_hour=3)]
    assert gaps(files, starts=False) == [False, True]

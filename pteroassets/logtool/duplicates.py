"""Find files of one history that say the same: a live log and its closed copy, or a log and its archive."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pteroassets.logtool.content import Content
from pteroassets.logtool.finding import Candidate
from pteroassets.logtool.parsing import ParsedFile


def without_duplicates(
    files: Sequence[tuple[Candidate, ParsedFile]],
) -> tuple[list[tuple[Candidate, ParsedFile]], dict[str, str]]:
    """Return the files that say something of their own, and for the paths of the others which one says the same.

    Of two files of which one begins with all that the other holds, the longer one counts. It takes the date from the
    other's name where its own shows none.
    """
    copies: dict[str, str] = {}
    kept = {candidate.path: candidate for candidate, _ in files}
    # what begins with a text sorts right behind it
    comparable = sorted(
        ((parsed.head, candidate.path) for candidate, parsed in files if not candidate.is_stream and parsed.head)
    )
    for index, (head, path) in enumerate(comparable):
        for other_head, other in comparable[index + 1 :]:
            if not other_head.startswith(head):
                break
            if other in copies:
                continue
            pair = _shorter_and_longer(path, other, prefer_second=kept[path].log_date is None)
            if pair is None:
                continue
            shorter, longer = pair
            copies[shorter] = longer
            if kept[longer].log_date is None:
                named = kept[shorter]
                kept[longer] = dataclasses.replace(
                    kept[longer], log_date=named.log_date, named=named.named, is_live=named.is_live, age=named.age
                )
            if shorter == path:
                break
    return [(kept[candidate.path], parsed) for candidate, parsed in files if candidate.path not in copies], copies


def _shorter_and_longer(first: str, second: str, *, prefer_second: bool) -> tuple[str, str] | None:
    """Return the two paths, the one that says no more than the other first; None where both say something."""
    with Content(first) as first_content, Content(second) as second_content:
        first_blocks, second_blocks = first_content.blocks(), second_content.blocks()
        left = right = b""
        while True:
            left = left or next(first_blocks, b"")
            right = right or next(second_blocks, b"")
            size = min(len(left), len(right))
            if not size:
                is_first_shorter = bool(right) or (not left and prefer_second)
                return (first, second) if is_first_shorter else (second, first)
            if left[:size] != right[:size]:
                return None
            left, right = left[size:], right[size:]

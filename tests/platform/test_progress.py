"""What is shown of something that takes a while: whole lines in a file, one line left on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from pteroassets.platform.progress import under_way


def test_a_file_gets_whole_lines() -> None:
    output = io.StringIO()
    with under_way(Console(file=output), "making history") as advance:
        for number in range(50):
            advance(number, 50)
    assert re.fullmatch(r"making history …\nmaking history: done after \d s\n", output.getvalue())


def test_what_is_interrupted_leaves_a_whole_line_too() -> None:
    output = io.StringIO()
    with pytest.raises(KeyboardInterrupt), under_way(Console(file=output), "building"):
        raise KeyboardInterrupt
    assert re.fullmatch(r"building …\nbuilding: stopped after \d s\n", output.getvalue())


def test_a_terminal_shows_a_bar_that_goes_away() -> None:
    output = io.StringIO()
    with under_way(Console(file=output, force_terminal=True, width=80), "building") as advance:
        advance(1, 2)
    before, _, after = output.getvalue().rpartition("\x1b[2K")  # the last erased line is the bar's
    assert "50%" in before
    assert re.fullmatch(r"building: done after \d s\n", after)

"""The time-outs of the tests themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pteroassets.settings import CHECKOUT

SUITE = """
import time
import pytest

@pytest.fixture(scope="{scope}")
def costly():
    time.sleep({costly})

def test_that_only_looks_at_it(costly):
    pass

def test_that_takes_too_long_itself(costly):
    time.sleep(60)
"""
CONFTEST = """
from tests import timeouts
from tests.timeouts import pytest_fixture_setup, pytest_timeout_set_timer

timeouts.SHARED_FIXTURE_SECONDS = 4
"""


def outcome(folder: Path, scope: str, costly: float) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_suite.py").write_text(SUITE.format(scope=scope, costly=costly))
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout=1", "-c", os.devnull, f"--rootdir={folder}", folder],
        cwd=folder,
        env={"PYTHONPATH": str(CHECKOUT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_timeout"},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.splitlines()[-1].partition(" in ")[0]


def test_a_shared_fixture_does_not_use_up_the_time_of_the_first_test_that_asks_for_it(tmp_path: Path) -> None:
    assert outcome(tmp_path, "session", 2) == "1 failed, 1 passed"


def test_a_shared_fixture_that_hangs_comes_to_an_end(tmp_path: Path) -> None:
    assert outcome(tmp_path, "session", 60) == "2 errors"


def test_a_fixture_of_one_test_counts_as_a_part_of_it(tmp_path: Path) -> None:
    assert outcome(tmp_path, "function", 2) == "2 errors"

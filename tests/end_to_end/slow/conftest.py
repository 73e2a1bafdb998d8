"""What several tests of the truth count with, made once for all of them."""

from __future__ import annotations

from datetime import datetime

import pytest

from pteroassets.simulator.true_rows import TrueSession
from tests.end_to_end.slow.readings import Hour, Read, hours_of, readings_of
from tests.end_to_end.slow.stays import Stay, stays_of
from tests.harness import Platform


@pytest.fixture(scope="session")
def stays(estate: Platform, true_sessions: dict[tuple[str, str, datetime], TrueSession]) -> list[Stay]:
    return stays_of(estate, true_sessions)


@pytest.fixture(scope="session")
def read(estate: Platform) -> Read:
    return readings_of(estate)


@pytest.fixture(scope="session")
def hours(estate: Platform, read: Read) -> dict[tuple[int, datetime], dict[str, Hour]]:
    return hours_of(estate, read)

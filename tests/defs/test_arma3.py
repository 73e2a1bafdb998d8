"""Definitions of replays: reading them asks no site, which is a run's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from pteroassets.clock import SystemClock
from pteroassets.definitions import defs
from pteroassets.simulator.arma3.serve import FakeReplaySites


def test_loading_the_definitions_asks_no_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with FakeReplaySites(SystemClock()) as site:
        monkeypatch.setenv("PTEROASSETS_REPLAY_SITES", f"wog:{site.url}")
        monkeypatch.chdir(tmp_path)
        found = defs()
        assert "replays_schedule" in {schedule.name for schedule in found.schedules or ()}
        assert site.sites.requests.total() == 0

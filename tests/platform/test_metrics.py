"""``pteroassets metrics`` on the terminal; what a comparison finds is tested beside the models."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import pteroassets.platform.metrics
from pteroassets.platform.environment import RuntimeFault
from pteroassets.platform.metrics import print_list, print_one, run_metrics_diff
from pteroassets.settings import Settings
from tests.dashboards.pages import METRICS


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr(pteroassets.platform.metrics, "metrics_of_project", lambda: METRICS)
    return Console(file=io.StringIO(), width=120)


def printed(console: Console) -> list[list[str]]:
    return [row.split() for row in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_the_registry_is_listed_with_unit_grain_and_model(console: Console) -> None:
    print_list(console)
    rows = printed(console)
    assert len(rows) == 1 + len(METRICS)
    assert ["uptime", "%", "server", "and", "day", "fct_server_daily", "log", "files"] in rows


def test_all_that_is_said_of_a_metric_is_printed_and_an_unknown_name_leads_to_the_list(console: Console) -> None:
    print_one("play_hours", console)
    assert [row[0] for row in printed(console)] == [
        "Metric", "Definition", "Unit", "For", "Computed", "Source", "Owner",
    ]  # fmt: skip
    with pytest.raises(RuntimeFault, match="made_up is no metric: pteroassets metrics list"):
        print_one("made_up", console)


def test_a_comparison_without_a_warehouse_says_what_to_run(tmp_path: Path, console: Console) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    with pytest.raises(RuntimeFault, match=r"there is no data in .*: run make demo"):
        run_metrics_diff(settings, console, "HEAD", names=(), by=None, everything=False, home=tmp_path)

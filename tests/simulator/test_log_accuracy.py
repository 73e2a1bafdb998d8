"""What the parser makes of simulated logs is what happened, and the command that says so can say otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.log_accuracy import ANCHOR, LEAST, Comparison, Key, compare_world, main, show
from pteroassets.simulator.simulated_world import World, WorldSize


@pytest.mark.parametrize(("size", "days"), [(WorldSize.TINY, 14), (WorldSize.SAMPLER, 6)])
def test_every_session_and_every_run_of_a_small_world_is_found_as_it_was(size: WorldSize, days: int) -> None:
    sessions, runs = compare_world(World.create(11, ANCHOR, size, timedelta(days=days)), ANCHOR)
    assert sessions.wrong == []
    assert runs.wrong == []
    assert sessions.total.true > 500
    assert runs.total.true > 40


def test_what_was_invented_lowers_precision_and_what_was_missed_lowers_recall() -> None:
    true: dict[Key, Key] = {("Nora", 1): ("left", 9), ("Nora", 20): ("kicked", 30), ("Bo", 5): ("left", 7)}
    comparison = Comparison("sessions")
    found: list[tuple[Key, Key]] = [
        (("Nora", 1), ("left", 9)),
        (("Nora", 1), ("left", 9)),
        (("Nora", 20), ("left", 30)),
        (("Steve", 2), ("left", 3)),
    ]
    comparison.compare(true, found, "Paper")
    total = comparison.total
    assert (total.true, total.found, total.right) == (3, 4, 1)
    assert (total.precision, total.recall) == (1 / 4, 1 / 3)
    assert comparison.by_closing["kicked"].recall == 0
    assert (comparison.by_closing["left"].true, comparison.by_closing["left"].found) == (2, 4)
    assert len(comparison.wrong) == 4


def test_one_kind_of_closing_that_is_read_badly_is_not_hidden_by_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    comparison = Comparison("sessions")
    many: dict[Key, Key] = {("Nora", number): ("left",) for number in range(1000)}
    comparison.compare({**many, ("Bo", 1): ("kicked",)}, list(many.items()), "Paper")
    assert comparison.total.recall > LEAST
    assert not show(comparison)
    assert "kicked" in capsys.readouterr().out


def test_the_command_prints_both_tables_and_says_whether_they_are_good_enough(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--size", "tiny", "--days", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "precision" in line] == ["sessions", "runs"]
    assert sum(line.split()[:1] == ["all"] for line in lines) == 2

"""The frame of the benchmarks: what it shows of what was measured, and what it does with what was not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.frame import checkout, document
from benchmarks.frame.charts import draw, margin_of, specifications
from benchmarks.frame.checkout import BASELINE_COMMIT, UnavailableError, baseline, differing_packages, ours
from benchmarks.frame.command import main
from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import CpuMeter, peak_memory, postmaster_pid, pss_bytes
from benchmarks.frame.registry import Registry
from benchmarks.frame.results import Part, Results
from benchmarks.frame.runner import run_one
from benchmarks.frame.table import cells, markdown
from benchmarks.frame.turns import in_turns, median_ratio
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import ConnectionSettings, connect
from tests.landing.conftest import ANCHOR

MADE = "tests.benchmarks.made"
SPIN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"ours": 1, "baseline_value": 4, "target": 0.25}, "met"),
        ({"ours": 1.1, "baseline_value": 4, "target": 0.25}, "missed"),
        ({"ours": 8, "baseline_value": 4, "target": 2, "direction": "at least"}, "met"),
        ({"ours": 7, "baseline_value": 4, "target": 2, "direction": "at least"}, "missed"),
        ({"ours": 91, "target": 90, "judged": "ours"}, "missed"),
        ({"ours": 0, "target": 90, "judged": "ours"}, "met"),
        ({"ours": 1, "target": 0.25}, "not measured"),  # with what it is compared is unknown
        ({"ours": 1, "ratio": 0.2, "target": 0.25}, "met"),
        ({"ours": None, "note": "no psql", "target": 0.25}, "not measured"),
        ({"ours": None, "note": "no psql"}, "not measured"),
        ({"ours": 1}, ""),
    ],
)
def test_a_target_is_met_missed_or_unknown(fields: dict[str, object], verdict: str) -> None:
    measured = Measurement(claim="a pass", unit="CPU-s", **fields)  # type: ignore[arg-type]
    assert measured.verdict == verdict
    assert Measurement.from_json(measured.as_json()) == measured


def test_what_is_unknown_is_shown_as_unknown_and_says_why() -> None:
    with pytest.raises(ValueError, match="needs a note"):
        Measurement(claim="a pass", unit="CPU-s", ours=None)
    missing = Measurement.missing("a pass", "CPU-s", why="psql is not installed", baseline="psql", target=2)
    assert cells(missing) == (
        "a pass", "?", "psql", "?", "", "at most 2", "not measured", "psql is not installed",
    )  # fmt: skip
    nothing = Measurement(claim="requests", unit="requests", ours=0, x=10_000, x_unit="servers")
    assert cells(nothing)[:2] == ("requests, 10,000 servers", "0 requests")
    assert "| a pass | ? | psql |" in markdown([missing])


def test_only_what_measures_is_a_benchmark() -> None:
    assert Registry(MADE).names() == ["broken", "endless", "good", "slow"]
    assert Registry(MADE).title_of("slow") == "What misses its target, and knows not all"
    modules = {path.stem for path in (CHECKOUT / "benchmarks").glob("*.py")}
    assert modules - {*Registry().names()} == {
        *("__init__", "__main__", "log_accuracy", "made_history", "made_log", "event_servers", "running_platform"),
    }


def test_a_missed_target_is_named_and_fails_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--package={MADE}", "--only=slow"]) == 0
    shown = capsys.readouterr().out
    assert "MISSED" in shown
    assert "psql is not installed" in shown
    assert "2 figures: 1 targets missed, 1 not measured; 0 of 1 benchmarks failed" in shown
    assert main([f"--package={MADE}", "--only=slow", "--strict"]) == 1
    assert main([f"--package={MADE}", "--only=good", "--strict"]) == 0
    with pytest.raises(SystemExit):
        main([f"--package={MADE}", "--only=speed"])
    assert "there is no benchmark speed; there are broken, endless, good, slow" in capsys.readouterr().err


def test_a_benchmark_that_breaks_fails_the_command_and_keeps_what_it_had(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--package={MADE}", "--only=broken", "--only=good"]) == 1
    shown = capsys.readouterr().out
    assert "broken failed: RuntimeError: the disk is full" in shown
    assert "the first" in shown
    assert "2 figures: 0 targets missed, 0 not measured; 1 of 2 benchmarks failed" in shown


def test_a_benchmark_over_its_time_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    part = run_one(Registry(MADE), "endless", Size.SHORT, limit=5)
    assert part.failure == "did not end in 5 s"
    assert [each.claim for each in part.measurements] == ["the first"]
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_results_of_one_benchmark_take_the_place_of_its_former_ones(tmp_path: Path) -> None:
    def part(name: str, ours: float) -> Part:
        measured = [Measurement(claim="a pass", unit="s", ours=ours)]
        return Part(
            name=name, title=name, size="short", started_at=ANCHOR.isoformat(), seconds=1, load=0, commit="",
            failure="", measurements=measured,
        )  # fmt: skip

    results = Results(machine={"Cores": "2"}, parts=[part("one", 1), part("two", 2)])
    results.with_parts([part("one", 3)]).write(tmp_path / "short.json")
    read = Results.read(tmp_path / "short.json")
    assert [(each.name, each.measurements[0].ours) for each in read.parts] == [("one", 3), ("two", 2)]


def test_the_cpu_of_children_counts_after_they_ended_and_sleep_counts_for_nothing() -> None:
    costs = in_turns(
        {
            "child": lambda: ours().run(SPIN),
            "twice": lambda: [ours().run(SPIN) for _ in range(2)],
            "sleep": lambda: time.sleep(0.3),
        },
        rounds=1,
    )
    assert 0.3 <= costs["child"][0].cpu < 0.7
    assert median_ratio(costs["twice"], costs["child"]) == pytest.approx(2, rel=0.4)
    assert costs["sleep"][0].cpu < 0.1
    assert costs["sleep"][0].wall >= 0.3


@pytest.mark.postgres
def test_the_cpu_of_postgres_counts_where_it_is_asked_for(warehouse_settings: ConnectionSettings) -> None:
    with connect(warehouse_settings) as connection:
        work = {"sum": lambda: connection.execute("select sum(sqrt(n)) from generate_series(1, 2000000) n").fetchall()}
        with_server = in_turns(work, rounds=1, meter=CpuMeter([postmaster_pid(warehouse_settings)]))
        without = in_turns(work, rounds=1)
    assert with_server["sum"][0].cpu > 0.1 > without["sum"][0].cpu


def test_memory_is_that_of_the_whole_tree() -> None:
    code = "import sys; held = bytearray(b'1') * 50_000_000; print(flush=True); sys.stdin.read()"
    with ours().start(sys.executable, "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        with peak_memory([holder.pid]) as peak:
            assert holder.stdout is not None
            holder.stdout.readline()
        # a page that it shared with a process which ended since is all its own now
        assert 50_000_000 < pss_bytes([holder.pid]) < peak[0] + 1_000_000 < 90_000_000
        assert pss_bytes([os.getpid()]) > pss_bytes([holder.pid]) + 10_000_000
        holder.communicate()
    assert pss_bytes([holder.pid]) == 0


def test_the_baseline_is_the_code_of_its_commit_and_ours_is_that_of_this_tree() -> None:
    if not (CHECKOUT / ".git").exists():
        pytest.skip("not a git checkout")
    # of a process that such a process starts elsewhere too, as Dagster and dbt do
    where = (
        "import json, os, subprocess, sys; os.chdir('/'); print('first'); "
        "code = 'import json, pteroassets; print(json.dumps(pteroassets.__file__))'; "
        "subprocess.run([sys.executable, '-c', code], check=True)"
    )
    assert ours().json(where) == str(CHECKOUT / "pteroassets" / "__init__.py")
    with baseline() as old:
        assert old.json(where) == str(old.path / "pteroassets" / "__init__.py")
        assert not (old.path / "benchmarks" / "frame").exists()
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            old.run("1 / 0")
    assert not old.path.exists()


def test_without_the_commit_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "BASELINE_COMMIT", "0" * 40)
    with pytest.raises(UnavailableError, match=r"not in this clone.*git fetch --unshallow"), baseline():
        pass


def test_what_is_installed_serves_the_baseline_only_where_its_lock_says_the_same() -> None:
    locks = [(CHECKOUT / "requirements" / f"{name}.txt").read_text() for name in ("dev", "build")]
    assert differing_packages(locks) == []
    changed = locks[0].replace("click==", "click==0.").replace("\nrich==", "\nnot-there==")
    assert [text.partition("==")[0] for text in differing_packages([changed])] == ["click", "not-there"]
    assert len(BASELINE_COMMIT) == 40


def curve(x: int, ours: float) -> Measurement:
    return Measurement(claim="a pass over all", unit="s", ours=ours, x=x, x_unit="servers")


def test_a_chart_shows_how_far_targets_are_met_and_a_curve_where_there_are_points() -> None:
    def of(**fields: object) -> Measurement:
        return Measurement(claim="a pass", unit="s", **fields)  # type: ignore[arg-type]

    assert margin_of(of(ours=1, ratio=0.125, target=0.25)) == 2
    assert margin_of(of(ours=1, ratio=0.5, target=2, direction="at least")) == 0.25
    assert margin_of(Measurement.missing("a pass", "s", why="no psql", target=2)) is None
    rows = [curve(100, 1), curve(1000, 4), Measurement.missing("a pass over all", "s", why="no time", x=10_000)]
    part = Part(
        name="one", title="One", size="short", started_at=ANCHOR.isoformat(), seconds=1, load=0, commit="", failure="",
        measurements=[*rows, of(ours=1, ratio=0.125, target=0.25), of(ours=3, x=100, x_unit="servers")],
    )  # fmt: skip
    charts = specifications(Results(machine={}, parts=[part]))
    assert charts.keys() == {"targets", "a-pass-over-all"}
    assert charts["a-pass-over-all"]["data"]["values"] == [
        {"x": 100, "y": 1, "what": "ours"}, {"x": 1000, "y": 4, "what": "ours"},
    ]  # fmt: skip


def test_charts_of_former_results_go_where_none_can_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "short-old.svg").touch()
    (tmp_path / "full-old.svg").touch()
    monkeypatch.setattr("benchmarks.frame.charts._PYTHON", tmp_path / "none")
    with pytest.raises(UnavailableError, match=r"make \.tools/bench"):
        draw(Results(machine={}, parts=[]), tmp_path, "short")
    assert [path.name for path in tmp_path.iterdir()] == ["full-old.svg"]


def test_the_document_shows_the_figures_that_are_kept() -> None:
    text = document.DOCUMENT.read_text()
    assert document.between_marks(text, document.measured()) == text, "run python -m benchmarks --document"
    assert "| Processor |" in text
    with pytest.raises(ValueError, match="has no place"):
        document.between_marks("# Performance", "")

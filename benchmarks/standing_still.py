"""Standing still: what a pass with all that it feeds costs, and the platform while nothing happens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.frame.checkout import BASELINE_NAME, Checkout, baseline, ours
from benchmarks.frame.measurement import Measurement, Size

_PROGRAM = Path(__file__).with_name("running_platform.py")
_PASSES_A_DAY = 288
_RUNS_AN_HOUR = {"utilization": 12, "logs": 4, "entities": 1, "hourly_checks": 1, "source_freshness": 1}
_MEGABYTE = 1_000_000


def measure(size: Size) -> Iterable[Measurement]:
    """Start the platform of each build on the same simulated panel, one after the other, and compare them.

    In the short size the older build is left out: starting it and its first build take more than a minute of a core.
    """
    is_full = size is Size.FULL
    passes = {"utilization": 10 if is_full else 2}
    asked: dict[str, Any] = {
        "passes": passes,
        "idle_seconds": 300 if is_full else 20,
        "servers": "demo" if is_full else "tiny",
    }
    others = dict.fromkeys(_RUNS_AN_HOUR, 2 if is_full else 1)
    new = _platform_of(ours(), {**asked, "passes": {**others, **passes}})
    old: dict[str, Any] | None = None
    if is_full:
        with baseline() as older:
            old = _platform_of(older, asked)
    note = f"{'30' if is_full else 'few'} servers, {passes['utilization']} passes"
    beside = BASELINE_NAME if old else ""

    def median_of(found: dict[str, Any] | None, what: str) -> float | None:
        return None if found is None else median(one[what] for one in found["utilization"])

    yield Measurement(
        claim="a five-minute pass with what it feeds",
        unit="CPU-s",
        ours=median_of(new, "cpu"),
        baseline=beside,
        baseline_value=median_of(old, "cpu"),
        target=1 / 8 if old else None,
        note=note,
    )
    yield Measurement(
        claim="rows of Dagster's database for a five-minute pass",
        unit="rows",
        ours=median_of(new, "rows"),
        baseline=beside,
        baseline_value=median_of(old, "rows"),
        note=note,
    )
    yield Measurement(
        claim="five-minute passes of a day in Dagster's database, before anything is pruned",
        unit="MB",
        ours=_day_of(new),
        baseline=beside,
        baseline_value=None if old is None else _day_of(old),
        target=30,
        judged="ours",
        note=f"{note}; space that rows left and a vacuum gives back counts too",
    )
    yield Measurement(
        claim="a day of what its schedules run, as it stays in Dagster's database",
        unit="MB",
        ours=_kept_day_of(new),
        target=30,
        judged="ours",
        note=f"{note}; rows and indexes; one result a day of each check that goes on passing; without the daily jobs",
    )
    yield Measurement(
        claim="the platform at rest, between passes",
        unit="% of a core",
        ours=new["idle_share"] * 100,
        baseline=beside,
        baseline_value=None if old is None else old["idle_share"] * 100,
        target=5,
        judged="ours",
        note=f"over {asked['idle_seconds']} s, without schedules",
    )
    yield Measurement(
        claim="the platform at rest, with what its schedules run in an hour",
        unit="% of a core",
        ours=(new["idle_share"] + _seconds_an_hour(new) / 3600) * 100,
        target=5,
        judged="ours",
        note=f"{_seconds_an_hour(new):.0f} CPU-s of runs an hour, on top of the line above; without the daily jobs",
    )
    yield Measurement(
        claim="memory of the platform at rest",
        unit="MB",
        ours=new["memory"]["all"],
        baseline=beside,
        baseline_value=None if old is None else old["memory"]["all"],
        target=600,
        judged="ours",
        note="PSS of the code server, webserver, daemon and Postgres",
    )


def _seconds_an_hour(found: dict[str, Any]) -> float:
    """Return the CPU seconds of an hour's runs."""
    return sum(number * float(median(one["cpu"] for one in found[job])) for job, number in _RUNS_AN_HOUR.items())


def _day_of(found: dict[str, Any]) -> float:
    passes: list[float] = [one["bytes"] for one in found["utilization"]]
    return sum(passes) / len(passes) * _PASSES_A_DAY / _MEGABYTE


def _kept_day_of(found: dict[str, Any]) -> float:
    passes = sum(number * 24 * float(found["kept"][job]) for job, number in _RUNS_AN_HOUR.items())
    return (passes + float(found["results"])) / _MEGABYTE


def _platform_of(checkout: Checkout, asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = checkout.json(_PROGRAM.read_text(), json.dumps(asked))
    return found

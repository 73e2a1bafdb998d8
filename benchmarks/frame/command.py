"""The command: run benchmarks, print the table, keep the results."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.frame import machine
from benchmarks.frame.measurement import Size
from benchmarks.frame.registry import Registry
from benchmarks.frame.results import FOLDER, Results
from benchmarks.frame.runner import measure_here, run_all
from benchmarks.frame.table import print_part


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what *arguments* ask for; return the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.SHORT)
    parser.add_argument("--only", action="append", metavar="NAME", help="may be repeated")
    parser.add_argument("--list", action="store_true", help="say what there is, and measure nothing")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when a target is missed")
    parser.add_argument("--keep", action="store_true", help=f"write {FOLDER.name}/SIZE.json, charts and the document")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for each benchmark")
    parser.add_argument("--package", default="benchmarks", help=argparse.SUPPRESS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    registry = Registry(wanted.package)
    if wanted.list:
        for name in registry.names():
            print(f"{name:20} {registry.title_of(name)}")
        return 0
    if wanted.one:
        measure_here(registry, wanted.one, wanted.size, wanted.out)
        return 0
    names = wanted.only or registry.names()
    if unknown := sorted({*names} - {*registry.names()}):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(registry.names())}")
    parts, trouble = run_all(registry, names, wanted.size, print_part, limit=wanted.limit)
    results = Results(machine=machine.describe(), parts=[]).with_parts(parts)
    if trouble:
        print(trouble)
    figures = sum(len(part.measurements) for part in parts)
    print(
        f"{figures} figures: {results.missed} targets missed, {results.not_measured} not measured; "
        f"{results.failed} of {len(parts)} benchmarks failed"
    )
    if wanted.keep:
        keep(results, FOLDER / f"{wanted.size}.json")
    return int(bool(results.failed) or (wanted.strict and bool(results.missed or results.not_measured)))


def keep(results: Results, path: Path) -> None:
    """Write *results* to *path*; those of other benchmarks stay where they are of the same machine."""
    if path.exists() and (before := Results.read(path)).machine == results.machine:
        results = before.with_parts(results.parts)
    results.write(path)

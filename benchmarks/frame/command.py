"""The command: run benchmarks, print the table, keep the results."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.frame import document, machine
from benchmarks.frame.charts import draw
from benchmarks.frame.checkout import UnavailableError
from benchmarks.frame.measurement import Size
from benchmarks.frame.registry import Registry
from benchmarks.frame.results import FOLDER, Results
from benchmarks.frame.runner import run_all
from benchmarks.frame.table import print_part
from pteroassets.settings import CHECKOUT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what *arguments* ask for; return the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.SHORT)
    parser.add_argument("--only", action="append", metavar="NAME", help="may be repeated")
    parser.add_argument("--list", action="store_true", help="say what there is, and measure nothing")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when a target is missed")
    parser.add_argument(
        "--keep", action="store_true", help="keep results with --only too; those of all are kept always"
    )
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for each benchmark")
    parser.add_argument("--document", action="store_true", help="write the document from what is kept, and stop")
    parser.add_argument("--package", default="benchmarks", help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    registry = Registry(wanted.package)
    if wanted.list:
        for name in registry.names():
            print(f"{name:20} {registry.title_of(name)}")
        return 0
    if wanted.document:
        document.write()
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
    if wanted.keep or not wanted.only:
        keep(results, wanted.size)
    return int(bool(results.failed) or (wanted.strict and bool(results.missed or results.not_measured)))


def keep(results: Results, size: Size) -> None:
    """Write *results*, their charts and the document; those of other benchmarks stay if they are of this machine."""
    path = FOLDER / f"{size}.json"
    if path.exists() and (before := Results.read(path)).machine == results.machine:
        results = before.with_parts(results.parts)
    results.write(path)
    try:
        draw(results, FOLDER, size)
    except UnavailableError as error:
        print(error)
    document.write()
    print(f"kept in {path.relative_to(CHECKOUT)} and {document.DOCUMENT.relative_to(CHECKOUT)}")

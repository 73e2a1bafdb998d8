"""Pages of a set, one for each server, against a kernel for each page.

Each page has ten queries, ten figures, four charts and three tables, as the page of a server has. Ours are made in one
run, as its asset makes them; beside it nbconvert executes the same notebook, once for each page, with the same Python.
Postgres answers both; its CPU is counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.frame.measurement import Measurement, Size
from benchmarks.frame.meters import Cost, CpuMeter, postmaster_pid
from pteroassets.dashboards.build import Site
from pteroassets.dashboards.context import Context, reading_variables
from pteroassets.dashboards.metrics import Metric
from pteroassets.dashboards.notebook import notebooks
from pteroassets.dashboards.store import Store
from pteroassets.platform.notebook import prepare
from pteroassets.platform.postgres.embedded import EmbeddedPostgres
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import ConnectionSettings
from pteroassets.warehouse.migrate import ensure_database, upgrade

_PAGES = {Size.SHORT: 60, Size.FULL: 300}
_PAGES_OF_KERNELS = {Size.SHORT: 2, Size.FULL: 5}
_SECONDS_OF_300 = 60
_NBCONVERT = CHECKOUT / ".tools" / "notebook" / "bin" / "jupyter"
_HEAD = """\
# ---
# jupyter:
#   pteroassets:
#     title: Made
#     summary: A page as large as that of a server.
#     order: 1
#     schedule: "0 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 1800
#     passes: [entities]
#     reads: [dim_servers]
#     for_each: select 'n' || i as slug, 'Number ' || i as title, i as number from generate_series(1, {pages}) as i
# ---

# %% tags=["parameters"]
number = 1

# %%
from pteroassets.dashboards import kit

kit.figures(*[kit.figure("hours", number * i) for i in range(10)])
"""
_CHART = """
# %%
kit.line(
    kit.ask(
        "select current_date - i as day, i * %(number)s as hours from generate_series(0, 29) as i", number=int(number)
    ),
    x="day", metric="hours", title="Hours", empty="",
)
"""
_TABLE = """
# %%
rows = kit.ask("select 'Number ' || i as name, i as hours from generate_series(1, 25) as i")
rows = kit.ask("select 'Number ' || i as name, i as hours from generate_series(1, 25) as i")
kit.table(rows, {"name": "Name", "hours": "hours"}, caption="Numbers", empty="")
"""
_METRIC = Metric(
    name="hours", label="Hours", description="Some hours.", unit="hours", digits=1, owner="Nobody", source="made",
    grain="day", model="none", measure="sum of hours",
)  # fmt: skip


def measure(size: Size) -> Iterator[Measurement]:
    """Make a set of pages, and a few of it with a kernel each."""
    pages = _PAGES[size]
    with EmbeddedPostgres.temporary() as server, tempfile.TemporaryDirectory() as folder:
        warehouse = server.with_database("pages")
        ensure_database(warehouse, "pages")
        upgrade(warehouse)
        book = Path(folder) / "made.py"
        book.write_text(_HEAD.format(pages=pages) + 4 * _CHART + 3 * _TABLE)
        context = Context(now=datetime.now(UTC), metrics={_METRIC.name: _METRIC}, pages=("made",))
        meter = CpuMeter(extra=[postmaster_pid(warehouse)])
        with meter.measured() as costs:
            site = Site(
                store=Store(str(Path(folder) / "pages")),
                notebooks=notebooks(Path(folder)),
                warehouse=warehouse,
                context=context,
                edition_days=1,
            )
            (made,) = site.make(["made"])
        if len(made.pages) != pages:
            raise RuntimeError(f"{len(made.pages)} of {pages} pages were made: {made.error}")
        ours = costs[0]
        by_kernel = _with_kernels(book, Path(folder), context, warehouse, meter, count=_PAGES_OF_KERNELS[size])
    beside = "nbconvert, a kernel for each page" if by_kernel else ""
    note = f"{pages} pages" if by_kernel else f"{pages} pages; make notebook installs what they are compared with"
    yield Measurement(
        claim="a page of a set",
        unit="CPU-s",
        ours=ours.cpu / pages,
        baseline=beside,
        baseline_value=by_kernel.cpu if by_kernel else None,
        target=0.1 if by_kernel else None,
        note=note,
    )
    yield Measurement(
        claim="pages a second",
        unit="pages/s",
        ours=pages / ours.wall,
        baseline=beside,
        baseline_value=1 / by_kernel.wall if by_kernel else None,
        target=300 / _SECONDS_OF_300,
        direction="at least",
        judged="ours",
        note=note,
    )


def _with_kernels(
    book: Path, folder: Path, context: Context, warehouse: ConnectionSettings, meter: CpuMeter, *, count: int
) -> Cost | None:
    """Return what a page costs that nbconvert makes; None where it is not installed."""
    if not _NBCONVERT.is_file():
        return None
    import jupytext  # type: ignore[import-untyped] # noqa: PLC0415 - ships no types

    found: Any = jupytext.read(book)
    found.metadata["kernelspec"] = {"name": "pteroassets", "display_name": "Pteroassets", "language": "python"}
    path = folder / "made.ipynb"
    jupytext.write(found, path)
    variables = prepare(folder / "jupyter", context)
    environment = {**os.environ, **reading_variables(warehouse), **variables, "PYTHONWARNINGS": "ignore"}
    command = [str(_NBCONVERT), "nbconvert", "--to", "html", "--execute", "--no-input", str(path)]
    with meter.measured() as costs:
        for _ in range(count):
            subprocess.run(command, env=environment, check=True, stdout=sys.stderr, stderr=subprocess.DEVNULL)
    return Cost(costs[0].cpu / count, costs[0].wall / count)

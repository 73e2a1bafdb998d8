"""The pages of replays as a test reads them: figures, tables and dots of the map."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from pteroassets.dashboards.build import Made, Site
from pteroassets.dashboards.context import Context
from pteroassets.dashboards.metrics import read_metrics
from pteroassets.dashboards.notebook import notebooks
from pteroassets.dashboards.store import Store
from pteroassets.defs.pages import ages
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings
from tests.dashboards.pages import parsed


def make_pages(warehouse: ConnectionSettings, manifest: Path, folder: Path, now: datetime) -> dict[str, Made]:
    """Make the pages that show replays in *folder*; return what came of each notebook."""
    site = Site(
        store=Store(str(folder)),
        notebooks={name: one for name, one in notebooks().items() if "replays" in one.passes},
        warehouse=warehouse,
        context=Context(
            now=now,
            metrics=read_metrics(json.loads(manifest.read_text())),
            passes=ages(Settings(_env_file=None)),  # type: ignore[call-arg]
        ),
        edition_days=1,
    )
    return {one.name: one for one in site.make([*site.notebooks])}


def trees_of(made: dict[str, Made], folder: Path) -> dict[str, BeautifulSoup]:
    """Return the pages that were made, by file."""
    return {file: parsed((folder / file).read_bytes()) for one in made.values() for file in one.pages}


def figures_of(page: BeautifulSoup) -> dict[str, float | None]:
    """Return the figures of a page by metric, None where one is not known."""
    shown = page.select(".figures > .figure")
    return {one["data-metric"]: float(one["data-value"]) if one["data-value"] else None for one in shown}


def dots_of(page: BeautifulSoup) -> list[dict[str, Any]]:
    """Return what the dots of the only map stand for."""
    (chart,) = page.select(".vega.map")
    spec = json.loads(chart.parent.select_one("script[type='application/json']").string)
    return spec["datasets"][spec["layer"][-1]["data"]["name"]]  # type: ignore[no-any-return]

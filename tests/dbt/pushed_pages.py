"""The pages of pushed events, as a test reads them."""

from __future__ import annotations

import json
from pathlib import Path

from bs4 import BeautifulSoup

from pteroassets.dashboards.build import Site
from pteroassets.dashboards.context import Context
from pteroassets.dashboards.metrics import read_metrics
from pteroassets.dashboards.notebook import notebooks
from pteroassets.dashboards.store import Store
from pteroassets.defs.pages import ages
from pteroassets.settings import Settings
from pteroassets.warehouse.connection import ConnectionSettings
from tests.dashboards.pages import parsed

from .pushed import END


def make_pages(warehouse: ConnectionSettings, manifest: Path, folder: Path) -> dict[str, BeautifulSoup]:
    """Make the pages that show pushed events in *folder*; return them by file."""
    site = Site(
        store=Store(str(folder)),
        notebooks={name: one for name, one in notebooks().items() if one.passes == ("events",)},
        warehouse=warehouse,
        context=Context(
            now=END,
            metrics=read_metrics(json.loads(manifest.read_text())),
            passes=ages(Settings(_env_file=None)),  # type: ignore[call-arg]
        ),
        edition_days=1,
    )
    made = [*site.make([*site.notebooks])]
    assert [(one.name, one.error) for one in made if one.error is not None] == []
    return {file: parsed((folder / file).read_bytes()) for one in made for file in one.pages}

"""Notebooks written by a test, and pages read as a browser reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bs4 import BeautifulSoup

from pteroassets.dashboards.build import Site
from pteroassets.dashboards.context import Context
from pteroassets.dashboards.metrics import Metric
from pteroassets.dashboards.notebook import notebooks
from pteroassets.dashboards.store import Store
from pteroassets.warehouse.connection import ConnectionSettings

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
ATTACK = "</script><img src=x onerror=document.title='run'>"
HEAD = """\
# ---
# jupyter:
#   pteroassets:
#     title: {title}
#     summary: What a test wrote.
#     order: 1
#     schedule: "0 * * * *"
#     stale_after_hours: 3
#     limit_seconds: {limit}
#     passes: [entities]
#     reads: [dim_servers]
{more}# ---

# %%
from pteroassets.dashboards import kit
"""


def a_metric(name: str = "player_hours", unit: str = "hours", digits: int = 1, label: str = "Player-hours") -> Metric:
    return Metric(
        name=name, label=label, description=f"What {name} means.", unit=unit, digits=digits, owner="Someone",
        source="log files", grain="server and day", model="fct_server_daily", measure=f"sum of {name}",
    )  # fmt: skip


METRICS: Mapping[str, Metric] = {
    one.name: one
    for one in (
        a_metric(),
        a_metric("play_hours", label="Play time"),
        a_metric("players", "players", 0, "Players"),
        a_metric("uptime", "ratio", 1, "Uptime"),
    )
}


def write(folder: Path, name: str, cells: str, *, limit: int = 30, more: str = "", title: str | None = None) -> None:
    """Write a notebook; *more* are further lines of its head."""
    lines = "".join(f"#     {line}\n" for line in more.splitlines())
    (folder / f"{name}.py").write_text(HEAD.format(title=title or name.title(), limit=limit, more=lines) + cells)


def site(
    folder: Path, store: Path | str, warehouse: ConnectionSettings, *, now: datetime = NOW, days: int = 30
) -> Site:
    return Site(
        store=Store(str(store)),
        notebooks=notebooks(folder),
        warehouse=warehouse,
        context=Context(now=now, metrics=METRICS),
        edition_days=days,
        statement_seconds=2,
        secrets=[warehouse.password] if warehouse.password else [],
    )


def parsed(html: str | bytes) -> BeautifulSoup:
    """Return the tree that a browser makes of *html*."""
    return BeautifulSoup(html, "html5lib")


def table_of(page: BeautifulSoup, caption: str) -> list[list[str]]:
    """Return the cells of the only table whose caption begins so."""
    (found,) = [
        one for one in page.select("figure.table") if one.select_one("figcaption").get_text().startswith(caption)
    ]
    return [[cell.get_text() for cell in row.select("td")] for row in found.select("tbody tr")]

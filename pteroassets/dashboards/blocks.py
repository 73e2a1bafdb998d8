"""What a page is made of: figures, tables, charts, notes, and the line at its top.

A block shows itself as HTML, in a page as in JupyterLab. All text goes through a template that escapes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pteroassets.dashboards.metrics import Metric

PAGE = "application/vnd.pteroassets.page"  # HTML for our pages: JupyterLab would prefer HTML to a chart
VEGA = "application/vnd.vegalite.v6+json"
_VEGA_OF_JUPYTERLAB = "application/vnd.vegalite.v5+json"  # the newest that it draws by itself
_SCHEMA = "https://vega.github.io/schema/vega-lite/v{}.json"  # a name, which nothing asks for
_ENDINGS = {"shes": "sh", "ies": "y", "s": ""}  # of the words that are units: crashes, entries, servers
_WIDTH_IN_JUPYTERLAB = 640  # it hangs on a width that follows the page


# a figure within a sentence, as characters that no text has: they last through joins until a template shows them
_PART = "([^\ue000-\ue002]*)"
_SAID = re.compile("\ue000" + "\ue001".join([_PART] * 4) + "\ue002")


def said(figure: Figure) -> str:
    """Return *figure* for a sentence; in a template the filters ``prose`` and ``plain`` make of it what is read."""
    shown = f"{figure.shown} {figure.unit}" if figure.unit != "%" else f"{figure.shown}%"
    return f"\ue000{figure.metric.name}\ue001{figure.metric.description}\ue001{figure.value}\ue001{shown}\ue002"


def _prose(text: str) -> Markup:
    """Return a sentence as HTML in which each figure names its metric and leads to its definition."""
    parts = _SAID.split(text)
    link = '<a class="metric said" href="glossary.html#{0}" title="{1}" data-metric="{0}" data-value="{2}">{3}</a>{4}'
    # the text before the first figure, then of each its four parts and the text after it
    told = Markup("").join(Markup(link).format(*parts[at : at + 5]) for at in range(1, len(parts), 5))  # noqa: S704 - constant
    return escape(parts[0]) + told


def _plain(text: str) -> str:
    """Return a sentence as text, for an attribute."""
    return _SAID.sub(r"\4", text)


def templates() -> Environment:
    """Return the templates, which escape whatever is put into them."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(prose=_prose, plain=_plain)
    return environment


_BLOCKS = templates()


class Block:
    """Something on a page; its class has a template of its name."""

    def html(self) -> str:
        """Return what stands for it on a page."""
        name = type(self).__name__.lower()
        return _BLOCKS.get_template(f"block_{name}.html").render(block=self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {PAGE: self.html(), "text/html": self.html()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its unit and its definition.

    *why* says why there is no number, and is shown in its place.
    """

    metric: Metric
    value: float | None
    why: str = ""
    of: str = ""

    @property
    def shown(self) -> str:
        """Return the number as text, without its unit."""
        return "" if self.value is None else self.metric.shown(self.value)

    @property
    def unit(self) -> str:
        """Return the unit as it stands behind this number: one of a thing is no things."""
        unit = self.metric.shown_unit
        return _singular(unit) if self.shown == "1" else unit


def _singular(plural: str) -> str:
    for ending, of_one in _ENDINGS.items():
        if plural.endswith(ending):
            return plural.removesuffix(ending) + of_one
    return plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(Block):
    """Figures beside one another."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What is shown.
        key: What rows are sorted by; None stands last.
        link: Where it leads, a page beside this one.
        is_number: Whether it stands at the right.
        is_time: Whether it stays on one line.
    """

    text: str
    key: float | str | None = None
    link: str | None = None
    is_number: bool = False
    is_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a column."""

    text: str
    metric: Metric | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Block):
    """Rows that a person can sort; *names* and *values* of figures are attributes that a test can read."""

    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Block):
    """A sentence; *kind* is ``note``, ``good`` or ``warning``, *link* the words and the URL that stand at its end."""

    text: str
    kind: str = "note"
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How old the data of a pass are; *state* is ``fresh``, ``late``, ``stale`` or ``unknown``."""

    name: str
    at: str
    age: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Top(Block):
    """The line at the top of a page: until when the data go, how much of it was read, and whether it is late."""

    state: str
    ages: tuple[Age, ...]
    coverage: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart(Block):
    """A chart as a specification of Vega-Lite.

    Attributes:
        title: Its caption.
        told: What it shows, in words, for who cannot see it.
        metrics: The figures in it.
        spec: The specification, without schema and width.
        is_map: Whether it is as high as wide, since both axes are ways.
    """

    title: str
    told: str
    metrics: tuple[Metric, ...]
    spec: Mapping[str, Any] = field(repr=False)
    is_map: bool = False

    @property
    def as_json(self) -> str:
        """Return the specification as it may stand in an element ``script``: no text in it can end the element."""
        height = {"height": "container"} if self.is_map else {}
        spec = {"$schema": _SCHEMA.format(6), "width": "container", **self.spec, **height}
        return json.dumps(spec, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        height = {"height": _WIDTH_IN_JUPYTERLAB} if self.is_map else {}
        here = {"width": _WIDTH_IN_JUPYTERLAB, "title": self.title, **self.spec, **height}
        return {
            PAGE: self.html(),
            VEGA: {"$schema": _SCHEMA.format(6), **here},
            _VEGA_OF_JUPYTERLAB: {"$schema": _SCHEMA.format(5), **here},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Block):
    """A chart or a table for which there are no rows, and why."""

    title: str
    why: str


def row_of(figures: Sequence[Figure]) -> Figures:
    """Return *figures* as one block."""
    return Figures(figures=tuple(figures))

"""The pages about pages: the index, the list of a set of pages, the glossary of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from pteroassets.dashboards.blocks import Cell, Heading, Table
from pteroassets.dashboards.metrics import Metric
from pteroassets.dashboards.notebook import Notebook
from pteroassets.dashboards.render import Frame, render

Nav = Sequence[tuple[str, str]]
Editions = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a notebook's pages, kept beside them.

    Attributes:
        name: Name of the notebook.
        tried_at: When it was run last.
        made_at: When it last gave a page.
        error: Why the last run failed; None if it did not.
        failures: Title and reason of each page of a set that was not made.
        pages: How many pages there are.
        listed: Their files.
        titles: Their titles, by file.
    """

    name: str
    tried_at: str | None = None
    made_at: str | None = None
    error: str | None = None
    failures: tuple[tuple[str, str], ...] = ()
    pages: int | None = None
    listed: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Entry:
        """Return the entry that *record* was made of."""
        lists = {"failures": tuple(map(tuple, record["failures"])), "listed": tuple(record["listed"])}
        return cls(**{**record, **lists})


def index_page(
    notebooks: Mapping[str, Notebook], entries: Iterable[Entry], editions: Editions, nav: Nav, made_at: str
) -> str:
    """Return the index: each page with what it answers, when it was made, and what failed."""
    pages = [_shown(notebooks[entry.name], entry, editions) for entry in entries]
    failed = [page["title"] for page in pages if page["error"]]
    summary = f"Failed: {', '.join(failed)}." if failed else "All pages were made."
    return render("index.html", Frame(title="Pages", summary=summary, made_at=made_at, nav=nav), pages=pages)


def _shown(notebook: Notebook, entry: Entry, editions: Editions) -> dict[str, Any]:
    address = f"{entry.name}.html" if entry.made_at is not None else None
    return {
        "name": entry.name,
        "title": notebook.title,
        "summary": notebook.summary,
        "address": address,
        "tried_at": entry.tried_at,
        "made_at": entry.made_at,
        "error": entry.error,
        "failures": entry.failures,
        "pages": None if notebook.for_each is None else entry.pages,
        "editions": editions.get(f"{entry.name}.html", ()),
    }


def list_page(notebook: Notebook, entry: Entry, nav: Nav) -> str:
    """Return the list of a set of pages."""
    rows = tuple(
        (Cell(text=entry.titles[file], key=entry.titles[file].casefold(), link=file),) for file in entry.listed
    )
    block = Table(caption=notebook.title, headings=(Heading(text="Name"),), rows=rows, empty="There is none yet.")
    made_at = entry.made_at or entry.tried_at or ""
    frame = Frame(title=notebook.title, summary=notebook.summary, made_at=made_at, nav=nav)
    return render("list.html", frame, block=Markup(block.html()))  # noqa: S704 - a template made it, which escapes


def glossary_page(metrics: Iterable[Metric], nav: Nav, made_at: str) -> str:
    """Return the glossary of all metrics."""
    frame = Frame(title="What the figures mean", summary="Every figure of the pages.", made_at=made_at, nav=nav)
    return render("glossary.html", frame, metrics=sorted(metrics, key=lambda one: one.label.casefold()))

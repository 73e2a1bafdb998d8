"""Make a page of what the cells of a notebook showed; their code never appears.

Path of the data::

    Output of each cell --render_page--> HTML; texts escaped, scripts only from beside the page
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from pteroassets.dashboards.blocks import PAGE, templates

#: What a browser may do with a page: run the scripts beside it, and ask nobody for anything.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
_ASSETS = Path(__file__).parent / "assets"
_OWN = ("page.css", "page.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one cell showed: *markdown* of a text, or *outputs*, each by MIME type, of code."""

    markdown: str = ""
    outputs: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around a page: who else is there, and when it was made.

    Attributes:
        title: Heading of the page.
        summary: What it answers.
        made_at: When it was made, as text.
        editions: Days of earlier editions with their addresses.
        nav: Titles of other pages with their addresses.
        stale_after_hours: Age at which a reader is told that the page is old; None if it does not get old.
        up: Title and address of the list in which the page stands; None for one that stands in the index.
    """

    title: str
    summary: str
    made_at: str
    editions: Sequence[tuple[str, str]] = ()
    nav: Sequence[tuple[str, str]] = ()
    stale_after_hours: int | None = None
    up: tuple[str, str] | None = None


@cache
def asset_names() -> dict[str, str]:
    """Return the names under which the files beside the pages are published; a changed file has another name."""
    names = {}
    for name in _OWN:
        digest = hashlib.sha256((_ASSETS / name).read_bytes()).hexdigest()[:10]
        stem, _, kind = name.partition(".")
        names[name] = f"assets/{stem}-{digest}.{kind}"
    names["vega.js"] = f"assets/vega-{version('vl-convert-python')}.js"
    return names


def asset_content(name: str) -> bytes:
    """Return the file called *name*; the script that draws charts is that of the installed vl-convert."""
    if name == "vega.js":
        import vl_convert  # noqa: PLC0415 - 80 megabytes that only a first publication needs

        bundle: Any = vl_convert.javascript_bundle  # its types say that it needs an argument

        return str(bundle()).encode()
    return (_ASSETS / name).read_bytes()


@cache
def _environment() -> Any:
    found = templates()
    found.globals |= {"policy": CONTENT_SECURITY_POLICY, "assets": asset_names()}
    return found


def render(template: str, frame: Frame, **values: Any) -> str:
    """Return the page that *template* makes of *values*, in its *frame*."""
    return str(_environment().get_template(template).render(frame=frame, **values))


def render_page(cells: Sequence[Shown], frame: Frame) -> str:
    """Return the page of a notebook's *cells*."""
    blocks = [Markup(block) for cell in cells for block in _blocks(cell)]  # noqa: S704 - templates made them, which escape
    return render("page.html", frame, blocks=blocks)


def _blocks(cell: Shown) -> list[str]:
    if cell.markdown:
        return [_markdown(cell.markdown)]
    return [_output(output) for output in cell.outputs]


def _markdown(text: str) -> str:
    # HTML in it would be text: it may hold names
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def _output(output: Mapping[str, Any]) -> str:
    if PAGE in output:
        return str(output[PAGE])
    if "text/html" in output:
        return str(output["text/html"])
    if "text/markdown" in output:
        return _markdown(str(output["text/markdown"]))
    return str(Markup("<pre>{}</pre>").format(output.get("text/plain", "")))

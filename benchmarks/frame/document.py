"""The part of the document on performance that is made from the kept results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.frame.checkout import BASELINE_COMMIT
from benchmarks.frame.measurement import Size
from benchmarks.frame.results import FOLDER, Results
from benchmarks.frame.table import markdown
from pteroassets.settings import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured: begin, written by make bench -->\n", "<!-- measured: end -->"


def measured(folder: Path = FOLDER) -> str:
    """Return the results kept in *folder* as Markdown: the machine, the charts and the tables of each size."""
    return "\n".join(line for size in Size if (path := folder / f"{size}.json").exists() for line in _section(path))


def _section(path: Path) -> Iterator[str]:
    results = Results.read(path)
    yield f"\n## {path.stem.capitalize()} sizes\n"
    yield "| | |\n| --- | --- |"
    yield from (f"| {name} | {value} |" for name, value in results.machine.items())
    yield f"| Compared with | commit {BASELINE_COMMIT} |"
    yield (
        f"\nTargets missed: {results.missed}. Figures not measured: {results.not_measured}. "
        f"Benchmarks that did not end well: {results.failed} of {len(results.parts)}."
    )
    for chart in sorted(path.parent.glob(f"{path.stem}-*.svg")):
        name = chart.stem.removeprefix(f"{path.stem}-").replace("-", " ")
        yield f"\n![{name}](../benchmarks/results/{chart.name})"
    for part in results.parts:
        yield f"\n### {part.title}\n"
        yield (
            f"`{part.name}`, {part.started_at[:16].replace('T', ' ')} UTC, commit {part.commit}, {part.seconds:g} s, "
            f"load of the machine before it {part.load:g}."
        )
        yield f"\nIt did not end well: {part.failure}" if part.failure else ""
        yield markdown(part.measurements)


def write(document: Path = DOCUMENT, folder: Path = FOLDER) -> None:
    """Put what is kept in *folder* between the marks of *document*.

    Raises:
        ValueError: The document has no such marks.
    """
    text = document.read_text(encoding="utf-8")
    document.write_text(between_marks(text, measured(folder)), encoding="utf-8")


def between_marks(text: str, content: str) -> str:
    """Return *text* with *content* between its marks."""
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"the document has no place that begins with {_BEGIN.strip()}")
    return pattern.sub(lambda _: f"{_BEGIN}{content}\n{_END}", text)

"""The table of results, for a terminal and for a document."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.frame.measurement import Measurement
from benchmarks.frame.results import Part

HEADINGS = ("Claim", "Ours", "Compared with", "Its figure", "Ratio", "Target", "", "Note")
_LEAST_WIDTH = 150  # where the output is no terminal, such as a log of CI


def cells(measurement: Measurement) -> tuple[str, ...]:
    """Return the texts of one row, in the order of `HEADINGS`."""
    at = f", {shown(measurement.x)} {measurement.x_unit}" if measurement.x is not None else ""
    target = ""
    if measurement.target is not None:
        unit = f" {measurement.unit}" if measurement.judged == "ours" else ""
        target = f"{measurement.direction} {shown(measurement.target)}{unit}"
    return (
        f"{measurement.claim}{at}",
        "?" if measurement.ours is None else f"{shown(measurement.ours)} {measurement.unit}",
        measurement.baseline,
        "?" if measurement.baseline and measurement.baseline_value is None else shown(measurement.baseline_value),
        shown(measurement.ratio),
        target,
        measurement.verdict.upper() if measurement.verdict == "missed" else measurement.verdict,
        measurement.note,
    )


def shown(number: float | None) -> str:
    """Return *number* with three digits that say something, large ones whole; nothing for what is not known."""
    if number is None:
        return ""
    if number == 0 or abs(number) >= 100:  # from here on three digits are whole
        return f"{number:,.0f}"
    return f"{number:.3g}"


def print_part(part: Part, console: Console | None = None) -> None:
    """Print the rows of one benchmark."""
    console = console or Console()
    if not console.is_terminal:
        console.width = max(console.width, _LEAST_WIDTH)
    table = Table(title=f"{part.title} ({part.name}, {part.seconds:g} s)", title_justify="left", title_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in {"Ours", "Its figure", "Ratio"} else "left")
    styles = {"missed": "red", "not measured": "yellow"}
    for each in part.measurements:
        table.add_row(*cells(each), style=styles.get(each.verdict, ""))
    console.print(table)
    if part.failure:
        console.print(f"{part.name} failed: {part.failure}", style="red", markup=False)


def markdown(measurements: Iterable[Measurement]) -> str:
    """Return the rows as a table of Markdown."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(cells, measurements)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)

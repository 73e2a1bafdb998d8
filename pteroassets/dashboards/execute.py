"""Run notebooks: ``python -m pteroassets.dashboards.execute --order FILE``.

One process imports what notebooks need, which takes seconds, and forks a child for each notebook, in which all of its
pages are made. What a notebook breaks, leaks or spends stays in its child, and the kernel ends it at its limit of time.

Path of the data::

    notebook --jupytext--> cells --IPython--> outputs --render--> <out>/<file>.html and a line in <out>/<notebook>.jsonl
"""

from __future__ import annotations

import gc
import json
import math
import os
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import click
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from pteroassets.dashboards import reading
from pteroassets.dashboards.context import from_json, use
from pteroassets.dashboards.notebook import Notebook, read_notebook
from pteroassets.dashboards.render import Frame, Shown, render_page

_AT_ONCE = 2
_SHARED_FROM = 20  # pages: then two children make every other one
_LATE_PARTS = 2  # then nothing more of the notebook is begun: the rest would be late as well
_SLUG = re.compile(r"[0-9a-z][0-9a-z-]{0,80}")
_LONGEST_ERROR = 300


class CellError(Exception):
    """A cell of a notebook failed; the message says which, and how."""


class _QuietShell(InteractiveShell):
    """IPython that prints no traceback: what failed is reported, and shown on the index."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None: ...


def cells_of(notebook: Notebook) -> list[Any]:
    """Return the cells of a notebook."""
    import jupytext  # type: ignore[import-untyped] # noqa: PLC0415 - ships no types; starts pandoc as it is imported

    return list(jupytext.read(notebook.path).cells)


def shown_by(cells: Sequence[Any], values: Mapping[str, Any]) -> list[Shown]:
    """Run *cells* with *values* in place of those in the cell tagged ``parameters``; return what each showed.

    Raises:
        CellError: A cell failed; those after it are not run.
    """
    shell: Any = _QuietShell.instance(colors="nocolor")  # IPython is typed in part
    shell.history_manager.enabled = False
    shell.reset(new_session=True)
    found = []
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type == "markdown":
            found.append(Shown(markdown=cell.source))
        if cell.cell_type != "code":
            continue
        if "parameters" in cell.metadata.get("tags", ()):
            shell.push(dict(values) if values else _defaults(shell, cell.source))
            continue
        with capture_output() as captured:
            result = shell.run_cell(cell.source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise CellError(_told(number, error)) from error
        outputs = [output.data for output in captured.outputs]
        if result.result is not None:
            outputs.append(shell.display_formatter.format(result.result)[0])
        found.append(Shown(outputs=outputs))
    return found


def _defaults(shell: Any, source: str) -> dict[str, Any]:
    shell.run_cell(source, store_history=False)
    return {}


def _told(number: int | None, error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    where = "" if number is None else f" in cell {number}"
    return f"{type(error).__name__}{where}: {lines[0][:_LONGEST_ERROR]}".rstrip(": ")


def pages_of(notebook: Notebook) -> list[dict[str, Any]]:
    """Return the pages of a notebook: ``file``, ``slug``, ``title`` and the ``values`` of its parameters.

    Raises:
        CellError: A slug cannot be a part of an address, or two are the same.
    """
    if notebook.for_each is None:
        return [{"file": f"{notebook.name}.html", "slug": None, "title": notebook.title, "values": {}}]
    found = []
    for row in reading.ask(notebook.for_each).to_dict("records"):
        slug, title = str(row.pop("slug")), str(row.pop("title"))
        if not _SLUG.fullmatch(slug):
            raise CellError(f"{slug!r} cannot be a part of an address")
        found.append({"file": f"{notebook.name}-{slug}.html", "slug": slug, "title": title, "values": row})
    if len({page["slug"] for page in found}) < len(found):
        raise CellError("two pages have the same slug")
    return found


def make_pages(notebook: Notebook, pages: Sequence[Mapping[str, Any]], order: Mapping[str, Any], out: Path) -> None:
    """Make *pages*, and write a line for each that says whether that succeeded."""
    cells = cells_of(notebook)
    with (out / f"{notebook.name}.jsonl").open("a") as report:
        for page in pages:
            begun = time.perf_counter()
            error = None
            try:
                frame = _frame(notebook, page, order)
                (out / page["file"]).write_text(render_page(shown_by(cells, page["values"]), frame))
            except CellError as failure:
                error = str(failure)
            made = {"file": page["file"], "error": error, "seconds": round(time.perf_counter() - begun, 3)}
            report.write(json.dumps(made) + "\n")  # one write a line: two children may write it
            report.flush()


def _frame(notebook: Notebook, page: Mapping[str, Any], order: Mapping[str, Any]) -> Frame:
    return Frame(
        title=page["title"],
        summary=notebook.summary,
        made_at=order["made_at"],
        editions=[tuple(one) for one in order["editions"].get(page["file"], ())],
        nav=[tuple(one) for one in order["nav"]],
        stale_after_hours=notebook.stale_after_hours,
        up=None if notebook.for_each is None else (notebook.title, f"{notebook.name}.html"),
    )


def _child(path: str, order: Mapping[str, Any], out: Path, share: tuple[int, int]) -> None:
    notebook = read_notebook(Path(path))
    # the kernel ends this process then, whatever it waits for
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, notebook.limit_seconds)
    number, of = share
    pages = json.loads((out / f"{notebook.name}.pages.json").read_text())
    try:
        make_pages(notebook, pages[number::of], order, out)
    except Exception as error:
        # no fault of a cell: the process ends with it, and the index shows more than its status
        _note(out, notebook.name, f"making its pages failed: {_told(None, error)}")
        raise


def _list_pages(path: str, out: Path) -> None:
    notebook = read_notebook(Path(path))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, notebook.limit_seconds)
    try:
        pages = pages_of(notebook)
    except Exception as error:  # noqa: BLE001 - it ends this notebook alone, and the index shows it
        _note(out, notebook.name, _told(None, error))
        return
    (out / f"{notebook.name}.pages.json").write_text(json.dumps(pages))


def run(order: Mapping[str, Any], out: Path) -> None:
    """Run the notebooks of *order*, two processes at once; a limit of time holds for each part of a set."""
    import jupytext  # noqa: F401, PLC0415 - once for all children; ships no types

    use(from_json(order["context"]))
    gc.freeze()  # IPython collects garbage before each page, and what was imported is none
    forks = get_context("fork")
    for path in order["notebooks"]:
        name = Path(path).stem
        listing = forks.Process(target=_list_pages, args=(path, out))
        listing.start()
        listing.join()
        if listing.exitcode:
            _note_end(out, name, listing)
    waiting = list(_shares(order, out))
    running: list[tuple[str, BaseProcess]] = []
    late: Counter[str] = Counter()
    while waiting or running:
        waiting = [one for one in waiting if late[Path(one[0]).stem] < _LATE_PARTS]
        while waiting and len(running) < _AT_ONCE:
            path, share = waiting.pop(0)
            child: BaseProcess = forks.Process(target=_child, args=(path, order, out, share), daemon=True)
            child.start()
            running.append((Path(path).stem, child))
        running[0][1].join(0.05)
        for name, child in [one for one in running if one[1].exitcode is not None]:
            running.remove((name, child))
            late[name] += child.exitcode == -signal.SIGALRM
            if child.exitcode:
                _note_end(out, name, child)


def _shares(order: Mapping[str, Any], out: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for path in order["notebooks"]:
        pages = out / f"{Path(path).stem}.pages.json"
        if pages.exists():
            count = len(json.loads(pages.read_text()))
            shares = max(math.ceil(count / order["pages_of_part"]), _AT_ONCE if count >= _SHARED_FROM else 1)
            yield from ((path, (number, shares)) for number in range(shares))


def _note_end(out: Path, name: str, child: BaseProcess) -> None:
    if (out / f"{name}.failed").exists():
        return  # it said itself what happened
    ended = child.exitcode or 0
    why = (
        "it took longer than it may"
        if ended == -signal.SIGALRM
        else f"its process was ended by {signal.Signals(-ended).name}"
        if ended < 0
        else f"its process ended with status {ended}"
    )
    _note(out, name, why)


def _note(out: Path, name: str, why: str) -> None:
    (out / f"{name}.failed").write_text(why)


@click.command()
@click.option("--order", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
def main(path: Path) -> None:
    """Run the notebooks that the file ORDER names, and write their pages beside it."""
    with tempfile.TemporaryDirectory() as profile:
        os.environ["IPYTHONDIR"] = profile
        run(json.loads(path.read_text()), path.parent)


if __name__ == "__main__":
    main()

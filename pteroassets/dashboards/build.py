"""Make pages and publish them; what fails is on the index, and the last good page stays.

Path of the data::

    notebooks --execute, in a process of its own--> a temporary folder --publish--> the store: pages, editions, index
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pteroassets.dashboards.context import STATEMENT_SECONDS, Context, reading_variables
from pteroassets.dashboards.index import Entry, glossary_page, index_page, list_page
from pteroassets.dashboards.notebook import Notebook
from pteroassets.dashboards.render import asset_content, asset_names
from pteroassets.dashboards.store import Store, edition_of, editions, outdated
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

_GRACE_SECONDS = 120  # for imports, on a busy machine
_LOOKED_AT_SECONDS = 5
_PAGES_OF_PART = 200  # some 10 MB, and 15 seconds; a part is made within its limit, and is published as a whole
_FORM = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of one notebook.

    Attributes:
        name: Its name.
        pages: Files of the pages that were made.
        failures: Title and reason of each page that was not.
        error: Why the notebook failed as a whole, or the first of its pages; None if all were made.
        seconds: Time that the pages took together.
    """

    name: str
    pages: Sequence[str]
    failures: Sequence[tuple[str, str]] = ()
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The published pages, and what they are made with.

    Attributes:
        store: Where they are published.
        notebooks: All notebooks, in the order of the index.
        warehouse: What they ask.
        context: What they work with.
        edition_days: Days of which editions are kept at most.
        statement_seconds: Time after which one query is ended.
        secrets: Texts that no page may show.
    """

    store: Store
    notebooks: Mapping[str, Notebook]
    warehouse: ConnectionSettings
    context: Context
    edition_days: int
    statement_seconds: int = STATEMENT_SECONDS
    secrets: Collection[str] = field(default=(), repr=False)

    def make(self, names: Sequence[str]) -> list[Made]:
        """Make the pages of the notebooks called *names* and publish them; a failure is published as well."""
        with tempfile.TemporaryDirectory(prefix="pteroassets-pages-") as folder:
            out = Path(folder)
            wanted = self._wanted()
            chosen = [self.notebooks[name] for name in names if name in wanted]
            ended = self._execute(chosen, wanted, out) if chosen else None
            made = [self._collected(one, out, ended) for one in chosen]
            for one in made:
                self._publish(one, wanted, out)
        nothing = [name for name in names if name not in wanted]
        self._withdraw(nothing)
        self._publish_index(wanted)
        return [*made, *(Made(name=name, pages=[]) for name in nothing)]

    def _wanted(self) -> dict[str, Notebook]:
        """Return the notebooks that have something to show; one of which that cannot be asked is tried."""
        asked = [one for one in self.notebooks.values() if one.only_if is not None]
        nothing: set[str] = set()
        if asked:
            try:
                with connect(self.warehouse, autocommit=True) as connection:
                    connection.execute("set role analyst")
                    connection.execute("set search_path to marts")
                    connection.execute("set default_transaction_read_only to on")
                    connection.execute(f"set statement_timeout to '{self.statement_seconds}s'")
                    nothing = {one.name for one in asked if not _is_true(connection, one)}
            except psycopg.OperationalError:
                nothing = {one.name for one in asked if not self.store.has(f"state/{one.name}.json")}
        return {name: one for name, one in self.notebooks.items() if name not in nothing}

    def _withdraw(self, names: Sequence[str]) -> None:
        """Remove what was published of notebooks that have nothing to show any more."""
        published = self.store.names()
        for name in (one for one in names if self.store.has(f"state/{one}.json")):
            mine = [page for page in published if re.match(rf"{name}[-@.]", page)]
            self.store.remove([*mine, f"state/{name}.json"])

    @property
    def _made_at(self) -> str:
        return f"{self.context.now:{_FORM}}"

    def _execute(self, chosen: Sequence[Notebook], wanted: Mapping[str, Notebook], out: Path) -> str | None:
        """Run *chosen*; return why their process as a whole failed, None if it did not."""
        names = self.store.names()
        # a page that was never tried is about to be made, in a later step of the run that makes all
        untried = [one for one in wanted.values() if not self.store.has(f"state/{one.name}.json")]
        order = {
            "context": replace(self.context, pages=tuple(wanted)).as_json(),
            "notebooks": [str(one.path) for one in chosen],
            "made_at": self._made_at,
            "pages_of_part": _PAGES_OF_PART,
            "nav": self._nav(wanted, [*names, *(f"{one.name}.html" for one in [*chosen, *untried])]),
            "editions": _of_notebooks(editions(names), chosen),
        }
        path = out / "order.json"
        path.write_text(json.dumps(order))
        # the process ends each part that takes too long; how many there are is known when it has listed the pages
        patience = 2 * max((one.limit_seconds for one in chosen), default=0) + _GRACE_SECONDS
        environment = {
            **os.environ,
            **reading_variables(self.warehouse, seconds=self.statement_seconds),
            "OPENBLAS_NUM_THREADS": "1",  # a thread would not survive the fork
            "PYTHONWARNINGS": "ignore",
        }
        command = [sys.executable, "-m", "pteroassets.dashboards.execute", "--order", str(path)]
        ended = _followed(command, environment, out, patience)
        if ended is None:
            return f"the process that runs notebooks made nothing for {patience} seconds"
        status, said = ended
        lines = said.strip().splitlines()
        return (
            f"the process that runs notebooks ended with status {status}: {lines[-1] if lines else ''}"
            if status
            else None
        )

    def _nav(self, wanted: Mapping[str, Notebook], made: Collection[str]) -> list[tuple[str, str]]:
        found = [(one.title, f"{one.name}.html") for one in wanted.values()]
        return [(title, address) for title, address in found if address in made]

    def _collected(self, notebook: Notebook, out: Path, ended: str | None) -> Made:
        listed = out / f"{notebook.name}.pages.json"
        pages = json.loads(listed.read_text()) if listed.exists() else []
        reported = out / f"{notebook.name}.jsonl"
        lines = [json.loads(line) for line in reported.read_text().splitlines()] if reported.exists() else []
        failed = out / f"{notebook.name}.failed"
        whole = failed.read_text() if failed.exists() else ended
        if whole == "it took longer than it may":
            whole = f"it took longer than its {notebook.limit_seconds} seconds"
            whole += f" for {_PAGES_OF_PART} pages" if len(pages) > _PAGES_OF_PART else ""
        reports = {line["file"]: line for line in lines}
        failures = []
        for page in pages:
            report = reports.get(page["file"])
            reason = (whole or "it was not made") if report is None else report["error"]
            if reason is not None:
                failures.append((page["title"], self._redacted(reason)))
        done = [page for page in pages if page["file"] in reports and reports[page["file"]]["error"] is None]
        error = self._redacted(whole) if whole is not None else failures[0][1] if failures else None
        if notebook.for_each is not None:
            (out / f"{notebook.name}.list.json").write_text(json.dumps([page for page in pages if page in done]))
        return Made(
            name=notebook.name,
            pages=[page["file"] for page in done],
            failures=failures if notebook.for_each is not None else (),
            error=error,
            seconds=round(sum(line["seconds"] for line in lines), 1),
        )

    def _redacted(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text

    def _publish(self, made: Made, wanted: Mapping[str, Notebook], out: Path) -> None:
        notebook = self.notebooks[made.name]
        before = self._entry(made.name)
        self._put_assets()
        today = self.context.now.date()
        keep = min(self.edition_days, notebook.editions)
        entry = Entry(
            name=made.name,
            tried_at=self._made_at,
            error=made.error,
            failures=tuple(made.failures),
            made_at=before.made_at,
            pages=before.pages,
            listed=before.listed,
        )
        if made.pages:
            listed = tuple(made.pages) if notebook.for_each is None else _listed(out, made, before)
            entry = replace(entry, made_at=self._made_at, pages=len(listed), listed=listed)
        # in parts, of which each is written whole or not at all: ten thousand pages do not fit into memory
        for part in _parts(made.pages):
            files = {name: (out / name).read_bytes() for name in part}
            self.store.put({**files, **{edition_of(name, today): content for name, content in files.items()}})
        lists: dict[str, bytes] = {}
        if notebook.for_each is not None:
            titles = _titles(out, made.name)
            known = {**before.titles, **titles}
            entry = replace(entry, titles={file: known[file] for file in entry.listed})
            nav = self._nav(wanted, [*self.store.names(), f"{made.name}.html"])
            lists[f"{made.name}.html"] = list_page(notebook, entry, nav).encode()
        copies = {edition_of(name, today): content for name, content in lists.items()} if made.pages else {}
        # the list last: it leads to no page that is not there yet
        self.store.put({**lists, **copies, f"state/{made.name}.json": json.dumps(asdict(entry)).encode()})
        names = self.store.names()
        kept = editions(names)
        oldest = today - timedelta(days=keep - 1)
        made_now = [*made.pages, *lists]
        self.store.remove([old for page in made_now for old in outdated(kept.get(page, ()), oldest=oldest)])
        self.store.remove(_of_gone(names, notebook, entry))

    def _put_assets(self) -> None:
        missing = {path: name for name, path in asset_names().items() if not self.store.has(path)}
        self.store.put({path: asset_content(name) for path, name in missing.items()})

    def _entry(self, name: str) -> Entry:
        try:
            return Entry.of(json.loads(self.store.get(f"state/{name}.json")))
        except FileNotFoundError:
            return Entry(name=name)

    def _publish_index(self, wanted: Mapping[str, Notebook]) -> None:
        self._put_assets()
        entries = [self._entry(name) for name in wanted]
        names = self.store.names()
        kept, nav = editions(names), self._nav(wanted, names)
        self.store.put(
            {
                "index.html": index_page(self.notebooks, entries, kept, nav, self._made_at).encode(),
                "glossary.html": glossary_page(self.context.metrics.values(), nav, self._made_at).encode(),
            }
        )


def _is_true(connection: Connection, notebook: Notebook) -> bool:
    """Return whether a notebook has something to show; where that cannot be asked its page is tried, and says why."""
    try:
        return bool((connection.execute((notebook.only_if or "").encode()).fetchone() or (False,))[0])
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return False  # nothing was built yet
    except psycopg.Error:
        return True


def _followed(
    command: Sequence[str], environment: Mapping[str, str], out: Path, patience: float
) -> tuple[int, str] | None:
    """Return status and errors of *command*; None where it was ended, since *out* had no new file for *patience*."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        files, since = -1, time.monotonic()
        try:
            while time.monotonic() - since < patience:
                try:
                    said = process.communicate(timeout=_LOOKED_AT_SECONDS)[1]
                except subprocess.TimeoutExpired:
                    found = sum(1 for _ in out.iterdir())
                    files, since = found, since if found == files else time.monotonic()
                else:
                    return process.returncode, said
        finally:
            process.kill()  # nothing is left of it where this process is ended, either
    return None


def _of_notebooks(kept: Mapping[str, Any], chosen: Sequence[Notebook]) -> dict[str, Any]:
    """Return the editions of the pages of *chosen* alone: those of ten thousand others fill a file."""
    names = {one.name for one in chosen}
    return {page: found for page, found in kept.items() if page.removesuffix(".html").partition("-")[0] in names}


def _parts(pages: Sequence[str]) -> Iterator[Sequence[str]]:
    return (pages[begin : begin + _PAGES_OF_PART] for begin in range(0, len(pages), _PAGES_OF_PART))


def _titles(out: Path, name: str) -> dict[str, str]:
    listed = out / f"{name}.list.json"
    return {page["file"]: page["title"] for page in json.loads(listed.read_text())} if listed.exists() else {}


def _listed(out: Path, made: Made, before: Entry) -> tuple[str, ...]:
    """Return the pages of a set: those of the list, of which some may be earlier ones that were not made again."""
    listed = [page["file"] for page in json.loads((out / f"{made.name}.pages.json").read_text())]
    return tuple(file for file in listed if file in made.pages or file in before.listed)


def _of_gone(names: Sequence[str], notebook: Notebook, entry: Entry) -> list[str]:
    """Return the pages and editions of what is not listed any more, such as a user who was erased."""
    if notebook.for_each is None or entry.error is not None:
        return []
    stems = {file.removesuffix(".html") for file in entry.listed}
    mine = [name for name in names if name.startswith(f"{notebook.name}-")]
    return [name for name in mine if name.removesuffix(".html").partition("@")[0] not in stems]


def stale_limits(notebook: Notebook) -> tuple[timedelta, timedelta]:
    """Return the ages at which the pages of a notebook are late, and too old."""
    stale = timedelta(hours=notebook.stale_after_hours)
    return stale * 2 / 3, stale


def when(instant: datetime) -> str:
    """Return *instant* as the pages show it."""
    return f"{instant:{_FORM}}"

"""Make pages and publish them; what fails is on the index, and the last good page stays.

Path of the data::

    notebooks --execute, in a process of its own--> a temporary folder --publish--> the store: pages, editions, index
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from pteroassets.dashboards.context import STATEMENT_SECONDS, Context, reading_variables
from pteroassets.dashboards.index import Entry, glossary_page, index_page, list_page
from pteroassets.dashboards.notebook import Notebook
from pteroassets.dashboards.render import asset_content, asset_names
from pteroassets.dashboards.store import Store, edition_of, editions, outdated
from pteroassets.warehouse.connection import ConnectionSettings

_GRACE_SECONDS = 120  # for imports, on a busy machine
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
            chosen = [self.notebooks[name] for name in names]
            ended = self._execute(chosen, out)
            made = [self._collected(one, out, ended) for one in chosen]
            for one in made:
                self._publish(one, out)
        self._publish_index()
        return made

    @property
    def _made_at(self) -> str:
        return f"{self.context.now:{_FORM}}"

    def _execute(self, chosen: Sequence[Notebook], out: Path) -> str | None:
        """Run *chosen*; return why their process as a whole failed, None if it did not."""
        names = self.store.names()
        order = {
            "context": replace(self.context, pages=tuple(self.notebooks)).as_json(),
            "notebooks": [str(one.path) for one in chosen],
            "made_at": self._made_at,
            "nav": self._nav([*names, *(f"{one.name}.html" for one in chosen)]),
            "editions": editions(names),
        }
        path = out / "order.json"
        path.write_text(json.dumps(order))
        limit = sum(one.limit_seconds for one in chosen) * 2 + _GRACE_SECONDS
        environment = {
            **os.environ,
            **reading_variables(self.warehouse, seconds=self.statement_seconds),
            "OPENBLAS_NUM_THREADS": "1",  # a thread would not survive the fork
            "PYTHONWARNINGS": "ignore",
        }
        command = [sys.executable, "-m", "pteroassets.dashboards.execute", "--order", str(path)]
        try:
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=limit)
        except subprocess.TimeoutExpired:
            return "the process that runs notebooks did not end"
        if ended.returncode == 0:
            return None
        lines = ended.stderr.strip().splitlines()
        return f"the process that runs notebooks ended with status {ended.returncode}: {lines[-1] if lines else ''}"

    def _nav(self, made: Collection[str]) -> list[tuple[str, str]]:
        found = [(one.title, f"{one.name}.html") for one in self.notebooks.values()]
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

    def _publish(self, made: Made, out: Path) -> None:
        notebook = self.notebooks[made.name]
        before = self._entry(made.name)
        self._put_assets()
        files = {name: (out / name).read_bytes() for name in made.pages}
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
        if notebook.for_each is not None:
            titles = _titles(out, made.name)
            known = {**before.titles, **titles}
            entry = replace(entry, titles={file: known[file] for file in entry.listed})
            files[f"{made.name}.html"] = list_page(
                notebook, entry, self._nav([*self.store.names(), f"{made.name}.html"])
            ).encode()
        copies = {edition_of(name, today): content for name, content in files.items()} if made.pages else {}
        self.store.put({**files, **copies, f"state/{made.name}.json": json.dumps(asdict(entry)).encode()})
        names = self.store.names()
        kept = editions(names)
        oldest = today - timedelta(days=keep - 1)
        self.store.remove([old for page in files for old in outdated(kept.get(page, ()), oldest=oldest)])
        self.store.remove(_of_gone(names, notebook, entry))

    def _put_assets(self) -> None:
        missing = {path: name for name, path in asset_names().items() if not self.store.has(path)}
        self.store.put({path: asset_content(name) for path, name in missing.items()})

    def _entry(self, name: str) -> Entry:
        try:
            return Entry.of(json.loads(self.store.get(f"state/{name}.json")))
        except FileNotFoundError:
            return Entry(name=name)

    def _publish_index(self) -> None:
        self._put_assets()
        entries = [self._entry(name) for name in self.notebooks]
        names = self.store.names()
        kept, nav = editions(names), self._nav(names)
        self.store.put(
            {
                "index.html": index_page(self.notebooks, entries, kept, nav, self._made_at).encode(),
                "glossary.html": glossary_page(self.context.metrics.values(), nav, self._made_at).encode(),
            }
        )


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

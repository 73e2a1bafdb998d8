"""``pteroassets metrics diff``: metrics as an earlier commit defines them beside those of now, on the same raw rows.

Both are built in databases of their own, which are copies of the warehouse's raw tables as of one moment: a build
leaves notes of what it took in, so one in the warehouse would take work from the platform. They are dropped at the end.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql
from rich.console import Console
from rich.table import Column, Table

from pteroassets.dashboards.computing import Formula, Span, Values, compute, read_formulas
from pteroassets.dashboards.metrics import Metric, MetricError, read_metrics
from pteroassets.defs.dbt_project import DbtFailedError, run_dbt
from pteroassets.platform.environment import RuntimeFault
from pteroassets.settings import CHECKOUT
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect
from pteroassets.warehouse.migrate import ensure_database, upgrade

_PROJECT = "dbt_project"
_TOLERANCE = 1e-9  # of sums whose rows may be added in another order
_DIGITS = 6
_LONGEST = 60  # rows of spans that are shown
# what models read; the rest of ops are notes of builds, which a copy makes for itself
_COPIED = """
    select n.nspname, c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and (
        n.nspname ~ '^(raw|derived)_'
        or n.nspname = 'ops' and c.relname in ('loads', 'server_timezones', 'dropped_samples')
    )
    order by 1, 2
"""
_PARTITIONS = """
    select n.nspname, c.relname, p.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid)
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class p on p.oid = i.inhparent
    where c.relispartition and c.relkind = 'r'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The metrics of one state of the dbt project.

    Attributes:
        project: Its folder.
        target: Where dbt works for it.
        metrics: The registry.
        formulas: How each metric is computed.
        models: For each model a digest of all that its rows are made by.
    """

    project: Path
    target: Path
    metrics: Mapping[str, Metric]
    formulas: Mapping[str, Formula]
    models: Mapping[str, str]

    def lineage(self, name: str) -> tuple[str, ...]:
        """Return the digests of the models of a metric."""
        return tuple(self.models[measure.node] for measure in self.formulas[name].measures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A metric of both states.

    Attributes:
        name: Its name.
        old: Its values as of the earlier commit, by span; None where it was not there.
        now: Its values as of now.
        what: What changed: ``definition``, ``models``, both, ``only old``, ``only now`` or ``nothing``.
    """

    name: str
    old: Values | None
    now: Values | None
    what: str

    @property
    def differing(self) -> list[date | None]:
        """Return the spans whose values differ, or [None] for a whole that does."""
        old, now = self.old or {}, self.now or {}
        spans = sorted({*old, *now}, key=lambda at: at or date.min)
        return [at for at in spans if not _same(old.get(at), now.get(at))]


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other))


def diff(
    warehouse: ConnectionSettings,
    ref: str,
    console: Console,
    *,
    names: Sequence[str] = (),
    by: Span | None = None,
    everything: bool = False,
    checkout: Path = CHECKOUT,
) -> list[Line]:
    """Return each metric as *ref* of *checkout* defines it and as the files there do now.

    Args:
        warehouse: Where the raw rows are; its account makes two databases beside it and drops them.
        ref: A commit, in Git's words.
        console: Is told what is done.
        names: The only metrics to compare.
        by: Spans whose values are compared; None for the whole alone.
        everything: Whether those are computed, too, of which neither definition nor models changed.
        checkout: Folder of the project.

    Raises:
        RuntimeFault: Git, the commit or a metric is not there, another comparison runs, or a project cannot be built.
        psycopg.OperationalError: The warehouse cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="pteroassets-metrics-") as folder:
        commit = _commit(checkout, ref)
        _extract(checkout, commit, Path(folder))
        if changed := _git(checkout, "status", "--porcelain", "--", _PROJECT).split("\n")[:-1]:
            console.print(f"now is what lies in {_PROJECT}, with {len(changed)} files that are not committed")
        with _scratch(warehouse, console) as (old_database, now_database):
            # the two do not meet, and most of the time is dbt's own
            with ThreadPoolExecutor(2) as pool:
                reading = (
                    pool.submit(
                        _side, Path(folder) / _PROJECT, Path(folder) / "old", old_database, f"{ref} ({commit[:9]})"
                    ),
                    pool.submit(_side, checkout / _PROJECT, Path(folder) / "now", now_database, "now"),
                )
                old, now = (one.result() for one in reading)
                if missing := [name for name in names if name not in {**old.metrics, **now.metrics}]:
                    raise RuntimeFault(f"{', '.join(missing)} is no metric, neither at {ref} nor now: see metrics list")
                what = {name: changes(old, now, name) for name in sorted({*old.metrics, *now.metrics})}
                wanted = [name for name in what if (name in names if names else everything or what[name] != "nothing")]
                building = [
                    pool.submit(
                        _built, side, database, [side.formulas[name] for name in wanted if name in side.formulas], by,
                        console, told,
                    )
                    for side, database, told in ((old, old_database, f"as of {ref}"), (now, now_database, "as of now"))
                ]  # fmt: skip
                found = [one.result() for one in building]
            return [
                Line(name=name, old=found[0].get(name), now=found[1].get(name), what=what[name])
                if name in wanted
                else Line(name=name, old=None, now=None, what="not computed")
                for name in (what if not names else wanted)
            ]


def changes(old: Side, now: Side, name: str) -> str:
    """Return what of a metric changed."""
    if name not in old.metrics:
        return "only now"
    if name not in now.metrics:
        return "only old"
    parts = {
        "definition": (old.metrics[name], old.formulas[name].told) != (now.metrics[name], now.formulas[name].told),
        "models": old.lineage(name) != now.lineage(name),
    }
    return " and ".join(part for part, is_other in parts.items() if is_other) or "nothing"


def show(lines: Sequence[Line], ref: str, console: Console, by: Span | None = None) -> None:
    """Print *lines* side by side, and by span those that differ."""
    computed = [line for line in lines if line.what != "not computed"]
    if computed and by is None:
        table = Table(
            Column("Metric", no_wrap=True), f"As of {ref}", "As of now", "Difference", "What changed", box=None
        )
        for line in computed:
            old, now = ((values or {}).get(None) for values in (line.old, line.now))
            told = (_told(old, line.old), _told(now, line.now), _difference(old, now))
            table.add_row(line.name, *told, line.what)
        console.print(table)
    elif computed:
        _show_spans(computed, ref, console, by)
    if left := len(lines) - len(computed):
        console.print(
            f"{left} metric{'s' * (left > 1)} have the same definition and the same models and were not computed; "
            "--all does"
        )


def _show_spans(lines: Iterable[Line], ref: str, console: Console, by: Span | None) -> None:
    rows = [(line, at) for line in lines for at in line.differing]
    table = Table(
        Column("Metric", no_wrap=True),
        str(by).capitalize(),
        f"As of {ref}",
        "As of now",
        "Difference",
        "What changed",
        box=None,
    )
    for line, at in rows[:_LONGEST]:
        old, now = (line.old or {}).get(at), (line.now or {}).get(at)
        told = (_told(old, line.old), _told(now, line.now), _difference(old, now))
        table.add_row(line.name, str(at), *told, line.what)
    console.print(table if rows else f"no {by} differs")
    if len(rows) > _LONGEST:
        console.print(f"and {len(rows) - _LONGEST} more")


def _told(value: float | None, values: Values | None) -> str:
    if values is None:
        return "-"
    return "not known" if value is None else f"{value:,.{_DIGITS}g}" if abs(value) < 10**_DIGITS else f"{value:,.0f}"


def _difference(old: float | None, now: float | None) -> str:
    if old is None or now is None:
        return ""
    return "none" if _same(old, now) else f"{now - old:+,.{_DIGITS}g}"


def _git(checkout: Path, *arguments: str) -> str:
    return _run_git(checkout, *arguments).decode()


def _run_git(checkout: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise RuntimeFault("git is not installed: earlier definitions are read from its history") from error
    if done.returncode:
        raise RuntimeFault(
            f"git {arguments[0]} failed in {checkout}: {done.stderr.decode().strip() or 'no reason given'}"
        )
    return done.stdout


def _commit(checkout: Path, ref: str) -> str:
    _git(checkout, "rev-parse", "--git-dir")
    try:
        return _git(checkout, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").strip()
    except RuntimeFault as error:
        raise RuntimeFault(
            f"{ref} is no commit of {checkout}: name a branch, a tag or a commit, such as HEAD~1"
        ) from error


def _extract(checkout: Path, commit: str, folder: Path) -> None:
    packed = _run_git(checkout, "archive", "--format=tar", commit, "--", _PROJECT)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def _side(project: Path, target: Path, database: ConnectionSettings, told: str) -> Side:
    _dbt(["parse"], project, target, database, told)
    manifest = json.loads((target / "manifest.json").read_text())
    try:
        metrics, formulas = read_metrics(manifest), read_formulas(manifest)
    except MetricError as error:
        raise RuntimeFault(f"the registry as of {told} cannot be read: {error}") from error
    written = yaml.safe_load((project / "dbt_project.yml").read_text()).get("vars", {})
    models = _digests(manifest, written)
    return Side(project=project, target=target, metrics=metrics, formulas=formulas, models=models)


def _dbt(arguments: list[str], project: Path, target: Path, database: ConnectionSettings, told: str) -> None:
    try:
        run_dbt(arguments, database.environment(), target=target, project=project)
    except DbtFailedError as error:
        raise RuntimeFault(f"the project as of {told} cannot be built on the raw tables of now: {error}") from error


def _digests(manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
    """Return for each model a digest of its SQL, its macros, its settings and those of all before it."""
    found: dict[str, str] = {}

    def digest(unique_id: str) -> str:
        if unique_id in found:
            return found[unique_id]
        if unique_id in manifest["sources"]:
            source = manifest["sources"][unique_id]
            parts: list[Any] = [
                source["relation_name"].partition(".")[2],
                source["freshness"],
                source["loaded_at_query"],
            ]
        elif unique_id in manifest["macros"]:
            macro = manifest["macros"][unique_id]
            found[unique_id] = ""  # macros may call each other
            parts = [macro["macro_sql"], *map(digest, macro["depends_on"]["macros"])]
        else:
            node = manifest["nodes"][unique_id]
            config = {name: node["config"].get(name) for name in ("materialized", "pre-hook", "post-hook")}
            parents = [*node["depends_on"]["macros"], *node["depends_on"].get("nodes", ())]
            # of a seed that which stands in its file
            parts = [node["raw_code"] or node["checksum"], config, *map(digest, parents)]
        found[unique_id] = hashlib.sha256(json.dumps([variables, parts], default=str).encode()).hexdigest()
        return found[unique_id]

    return {node["unique_id"]: digest(node["unique_id"]) for node in manifest["nodes"].values() if _is_model(node)}


def _is_model(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model")


def _built(
    side: Side, database: ConnectionSettings, formulas: Sequence[Formula], by: Span | None, console: Console, told: str
) -> dict[str, Values]:
    if not formulas:
        return {}
    models = sorted({measure.relation for formula in formulas for measure in formula.measures})
    console.print(f"building {', '.join(models)} {told}")
    kinds = ["--resource-type", "model", "--resource-type", "seed"]
    _dbt(["build", *kinds, "--select", *(f"+{model}" for model in models)], side.project, side.target, database, told)
    with connect(database) as connection:
        return compute(connection, formulas, by)


@contextmanager
def _scratch(
    warehouse: ConnectionSettings, console: Console
) -> Iterator[tuple[ConnectionSettings, ConnectionSettings]]:
    """Give two databases with the raw tables of *warehouse* as of one moment; they are gone at the end."""
    old, now = (warehouse.with_database(f"{warehouse.database[:50]}_metrics_{name}") for name in ("old", "now"))
    with (
        connect(warehouse, autocommit=True) as held,
        connect(warehouse.with_database("postgres"), autocommit=True) as admin,
    ):
        if not held.execute("select pg_try_advisory_lock(hashtext('pteroassets metrics diff'))").fetchone() == (True,):
            raise RuntimeFault("another comparison of metrics runs on this warehouse: wait for it to end")
        try:
            _drop(admin, old, now)  # what a killed one left
            console.print("copying the raw tables")
            ensure_database(old, old.database)
            upgrade(old)
            _copy(warehouse, old)
            template = sql.SQL("create database {} template {}")
            admin.execute(template.format(sql.Identifier(now.database), sql.Identifier(old.database)))
            yield old, now
        finally:
            _drop(admin, old, now)


def _drop(admin: Connection, *databases: ConnectionSettings) -> None:
    for one in databases:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(one.database)))


def _copy(warehouse: ConnectionSettings, into: ConnectionSettings) -> None:
    """Copy the rows that models read, as of one moment.

    Raises:
        RuntimeFault: The warehouse has the tables of another release.
    """
    with connect(warehouse) as source, connect(into) as target:
        source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        revision = "select version_num from public.alembic_version"
        if source.execute(revision).fetchall() != target.execute(revision).fetchall():
            raise RuntimeFault("the warehouse has the tables of another release: run pteroassets migrate first")
        known = {tuple(row[:2]) for row in target.execute(_PARTITIONS)}
        for schema, name, parent, bound in source.execute(_PARTITIONS).fetchall():
            if (schema, name) not in known:
                made = sql.SQL(f"create table {{}} partition of {parent} {bound}").format(sql.Identifier(schema, name))
                target.execute(made)
        tables = [sql.Identifier(*row) for row in source.execute(_COPIED).fetchall()]
        target.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(tables)))
        for table in tables:
            target.execute(sql.SQL("alter table {} disable trigger user").format(table))
            out = source.cursor().copy(sql.SQL("copy {} to stdout (format binary)").format(table))
            taken = target.cursor().copy(sql.SQL("copy {} from stdin (format binary)").format(table))
            with out as rows, taken as writer:
                for block in rows:
                    writer.write(block)
        target.commit()
        target.autocommit = True
        target.execute("analyze")

"""What a built model reports to Dagster: its rows, its columns, and of which columns each was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtProject
from sqlglot.errors import SqlglotError

from pteroassets.defs.dbt_project import DIGEST_NAME, target_folder
from pteroassets.defs.dbt_translator import Translator
from pteroassets.defs.metadata import row_figures
from pteroassets.defs.private import column_lineage
from pteroassets.warehouse.connection import Connection

_LINEAGE = "lineage.json"  # in the platform's target folder: lineage by model, and the digest of what it was made of
_LOG = dg.get_dagster_logger()

Columns = Mapping[str, tuple[str, bool]]
"""The type of each column, and whether it is never null, by its name."""


def model_metadata(
    connection: Connection,
    manifest: Mapping[str, Any],
    built: Sequence[str],
    *,
    translator: Translator,
    project: DbtProject,
    target: Path,
) -> dict[str, dict[str, Any]]:
    """Return for each of the models *built*, by their ids, what its materialization says.

    Lineage takes a second for a large model, and follows from the project and the columns alone: it is kept until one
    of these changes. *target* holds the compiled SQL.
    """
    nodes = {**manifest["nodes"], **manifest["sources"]}
    read = {unique_id: nodes[unique_id]["depends_on"].get("nodes", ()) for unique_id in built}
    columns = _columns(
        connection, (nodes[one] for one in {*built, *(parent for all_ in read.values() for parent in all_)})
    )
    lineage = _Lineage(manifest, translator, project, target)
    described = {}
    for unique_id in built:
        node = nodes[unique_id]
        table = f"{node['schema']}.{node['alias']}"
        described[unique_id] = {
            "dagster/table_name": table,
            "dagster/column_schema": _schema(columns[table], node["columns"]),
            **lineage.of(
                node, columns[table], {_table(nodes[one]): columns[_table(nodes[one])] for one in read[unique_id]}
            ),
            **({} if node["config"]["materialized"] == "view" else row_figures(connection, table)),
        }
    lineage.keep()
    return described


def _table(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"


def _columns(connection: Connection, nodes: Iterable[Mapping[str, Any]]) -> dict[str, Columns]:
    tables = [_table(node) for node in nodes]
    found: dict[str, dict[str, tuple[str, bool]]] = {table: {} for table in tables}
    rows = connection.execute(
        """
        select named.name, attname, format_type(atttypid, atttypmod), attnotnull
        from unnest(%s::text[]) as named (name) join pg_attribute on attrelid = to_regclass(named.name)
        where attnum > 0 and not attisdropped
        order by named.name, attnum
        """,
        (tables,),
    )
    for table, column, kind, is_required in rows:
        found[table][column] = (kind, is_required)
    return dict(found)


def _schema(columns: Columns, described: Mapping[str, Any]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=kind,
                description=described.get(name, {}).get("description") or None,
                constraints=dg.TableColumnConstraints(nullable=not is_required),
            )
            for name, (kind, is_required) in columns.items()
        ]
    )


class _Lineage:
    """The lineage of columns, kept in a file."""

    def __init__(self, manifest: Mapping[str, Any], translator: Translator, project: DbtProject, target: Path) -> None:
        self._manifest = manifest
        self._translator = translator
        self._dbt_project = project
        self._target = target
        self._path = target_folder() / _LINEAGE
        self._digest = (target_folder() / DIGEST_NAME).read_text()
        self._kept: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}
        self._is_changed = False

    def of(self, node: Mapping[str, Any], columns: Columns, parents: Mapping[str, Columns]) -> dict[str, Any]:
        """Return the metadata of a model: which column was made of which."""
        text = json.dumps(
            [self._digest, list(columns.items()), sorted((name, list(its.items())) for name, its in parents.items())]
        )
        digest = hashlib.sha256(text.encode()).hexdigest()
        kept = self._kept.get(node["unique_id"])
        if kept is None or kept["digest"] != digest:
            try:
                made = column_lineage(
                    self._manifest,
                    node,
                    columns,
                    parents,
                    translator=self._translator,
                    project=self._dbt_project,
                    target=self._target,
                )
            except SqlglotError as error:  # what only describes a table must not fail its build
                _LOG.warning("of which columns those of %s are made is not known: %s", node["name"], error)
                return {}
            kept = {
                "digest": digest,
                "columns": {
                    name: [[*dep.asset_key.path, dep.column_name] for dep in deps]
                    for name, deps in sorted(made.items())
                },
            }
            self._kept[node["unique_id"]] = kept
            self._is_changed = True
        deps = {
            name: [dg.TableColumnDep(asset_key=dg.AssetKey(path), column_name=column) for *path, column in sources]
            for name, sources in kept["columns"].items()
        }
        return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)} if deps else {}

    def keep(self) -> None:
        """Write what was made anew."""
        if self._is_changed:
            aside = self._path.with_suffix(".new")
            aside.write_text(json.dumps(self._kept))
            aside.replace(self._path)

"""The entity diagram: which key of a mart leads to which other mart, drawn from the tests of the dbt project.

Path of the data::

    manifest.json --entities_of--> entities and relations --as_dot--> text for Graphviz --drawn--> SVG --page--> HTML

A relation is what a test ``relationships`` demands, so the diagram shows nothing that is not tested. Graphviz is the
port that the package graphviz-pure brings; the page asks for nothing outside itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

# beside the interpreter: the PATH of a service or a test may lead elsewhere
_GRAPHVIZ = str(Path(sys.executable).with_name("graphviz-pure"))
_SECONDS = 60
_COLOURS = ("#d7e8fa", "#dcefd9", "#fbe5cf", "#ecdff5", "#f7dcdc", "#e3e7ea", "#fdf3c4")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tables and their keys · Pteroassets</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 1rem; color: #1f2328; background: #fff }}
figure {{ margin: 0; overflow: auto; border: 1px solid #d0d7de }}
svg {{ display: block; min-width: 60rem; height: auto }}
svg text {{ font-family: monospace }}
table {{ border-collapse: collapse; margin-top: 1rem }}
td, th {{ border: 1px solid #d0d7de; padding: 0.2rem 0.6rem; text-align: left }}
</style>
</head>
<body>
<h1>Tables and their keys</h1>
<p>Each mart with its primary key and the keys that lead to another one, coloured by its subject. A fork stands at the
side of which many rows belong to one of the other. A test demands each relation. A table's name leads to its
<a href="index.html">description</a>.</p>
<figure role="img" aria-label="Diagram of the tables; the same relations are listed below">
{svg}
</figure>
<table>
<thead><tr><th>Column</th><th>leads to</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


class DiagramError(Exception):
    """The diagram cannot be drawn; the message says what Graphviz said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A mart: its name, its subject, what it has a row for, its primary key, and how many columns it has."""

    name: str
    subject: str
    description: str
    key: tuple[str, ...]
    columns: int


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """That *column* of the mart *model* holds values of *to_column* of the mart *to_model*."""

    model: str
    column: str
    to_model: str
    to_column: str

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.model}.{self.column} leads to {self.to_model}.{self.to_column}"


def entities_of(manifest: Mapping[str, Any]) -> list[Entity]:
    """Return the marts of dbt's *manifest*, by name."""
    marts = [node for node in manifest["nodes"].values() if _is_mart(node)]
    return [
        Entity(
            name=node["name"],
            subject=node["fqn"][2],
            description=node["description"],
            key=_primary_key(node),
            columns=len(node["columns"]),
        )
        for node in sorted(marts, key=lambda node: str(node["name"]))
    ]


def relations_of(manifest: Mapping[str, Any]) -> list[Relation]:
    """Return what the tests of dbt's *manifest* demand between two marts, sorted."""
    marts = {node["name"] for node in manifest["nodes"].values() if _is_mart(node)}
    found = set()
    for test in manifest["nodes"].values():
        metadata = test.get("test_metadata") or {}
        if metadata.get("name") != "relationships":
            continue
        arguments = metadata["kwargs"]
        model = manifest["nodes"].get(test["attached_node"], {"name": None})["name"]
        to_model = arguments["to"].split("'")[1]  # ref('…')
        if {model, to_model} <= marts:
            found.add(Relation(model, arguments["column_name"], to_model, arguments["field"]))
    return sorted(found)


def _is_mart(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model" and node["fqn"][1] == "marts")


def _primary_key(node: Mapping[str, Any]) -> tuple[str, ...]:
    of_columns = [
        name
        for name, column in node["columns"].items()
        if any(constraint["type"] == "primary_key" for constraint in column["constraints"])
    ]
    of_model = [constraint["columns"] for constraint in node["constraints"] if constraint["type"] == "primary_key"]
    return tuple(of_columns or (of_model[0] if of_model else ()))


def as_dot(entities: Sequence[Entity], relations: Sequence[Relation]) -> str:
    """Return the diagram in Graphviz' language; only keys are shown, since a mart has up to forty columns."""
    subjects = sorted({one.subject for one in entities})
    colours = {subject: _COLOURS[number % len(_COLOURS)] for number, subject in enumerate(subjects)}
    lines = [
        "digraph entities {",
        'graph [rankdir=LR ranksep=1.6 nodesep=0.2 fontname="Courier"]',
        'node [shape=plain fontname="Courier" fontsize=11]',
        'edge [dir=both arrowtail=crow arrowhead=teetee arrowsize=0.7 color="#57606a"]',
        *(_node(one, relations, colours[one.subject]) for one in entities),
        *(
            f'"{one.model}":"{one.column}":e -> "{one.to_model}":"{one.to_column}":w [tooltip="{one}"]'
            for one in relations
        ),
        "}",
    ]
    return "\n".join(lines)


def _node(entity: Entity, relations: Sequence[Relation], colour: str) -> str:
    leading = [one.column for one in relations if one.model == entity.name]
    led_to = [one.to_column for one in relations if one.to_model == entity.name]
    shown = tuple(dict.fromkeys((*entity.key, *leading, *led_to)))
    rows = [
        f'<tr><td port="{escape(name)}" align="left">{f"<b>{escape(name)}</b>" if name in entity.key else escape(name)}'
        "</td></tr>"
        for name in shown
    ]
    others = entity.columns - len(shown)
    if others > 0:
        rows.append(f'<tr><td align="left"><font color="#57606a">and {others} more</font></td></tr>')
    head = f'<tr><td bgcolor="{colour}" align="left"><b>{escape(entity.name)}</b></td></tr>'
    table = '<table border="0" cellborder="1" cellspacing="0" cellpadding="4" color="#8c959f" bgcolor="white">'
    tooltip = escape(entity.description.replace("\n", " "), quote=True)
    address = f"index.html#!/model/model.pteroassets.{entity.name}"
    return f'"{entity.name}" [URL="{address}" tooltip="{tooltip}" label=<{table}{head}{"".join(rows)}</table>>]'


def drawn(dot: str) -> str:
    """Return the SVG of a diagram in Graphviz' language.

    Raises:
        DiagramError: Graphviz is not there, or refuses it.
    """
    try:
        ended = subprocess.run(
            [_GRAPHVIZ, "-Tsvg"], input=dot, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DiagramError(f"the entity diagram was not drawn: {error}") from error
    if ended.returncode != 0:
        raise DiagramError(f"the entity diagram was not drawn: {ended.stderr.strip()}")
    return ended.stdout[ended.stdout.index("<svg") :]


def diagram_page(manifest: Mapping[str, Any]) -> str:
    """Return the page with the diagram, and its relations as a table.

    Raises:
        DiagramError: It cannot be drawn.
    """
    relations = relations_of(manifest)
    rows = [
        f"<tr><td>{escape(f'{one.model}.{one.column}')}</td><td>{escape(f'{one.to_model}.{one.to_column}')}</td></tr>"
        for one in relations
    ]
    return _PAGE.format(svg=drawn(as_dot(entities_of(manifest), relations)), rows="\n".join(rows))

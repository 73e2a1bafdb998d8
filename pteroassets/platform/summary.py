"""What a platform holds, and what in it needs attention: queries of the marts, for the terminal.

The same queries, in ``summary.toml``, run against the demo and against a real panel.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from psycopg.rows import dict_row

from pteroassets.landing.passes import Rhythm
from pteroassets.landing.sources import PASSES
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import ConnectionSettings, connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that needs attention.

    Attributes:
        kind: Name of the query that found it.
        subject: What it is about: the uuid of a server, the name of a node, a table, a server's file, or a check.
        text: What was found, for a person.
        look: A statement of SQL that shows more, or an address of the UI. It is typed into a shell, so it holds no name
            that people chose.
    """

    kind: str
    subject: str
    text: str
    look: str


@cache
def _queries() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(files("pteroassets.platform").joinpath("summary.toml").read_text(encoding="utf-8"))


def figures(warehouse: ConnectionSettings) -> list[str]:
    """Return a line for each kind of thing that the platform holds."""
    lines = []
    with connect(warehouse, autocommit=True) as connection:
        for line in _queries()["lines"]:
            row = connection.execute(line["query"]).fetchone()
            if row is not None:
                pairs = zip(row, line["nouns"], strict=True)
                lines.append(plain(line["text"].format(*(_said(value, noun) for value, noun in pairs))))
    return lines


def findings(warehouse: ConnectionSettings, kept: Mapping[str, Rhythm]) -> list[Finding]:
    """Return what needs attention, by kind and subject; a table may be as old as *kept*, its pass' rhythm, allows."""
    ages = {table: kept[one.name].stale_after for one in PASSES.values() for table in one.tables}
    found = []
    with connect(warehouse, autocommit=True) as connection:
        for search in _queries()["searches"]:
            given = {"tables": [*ages], "ages": [*ages.values()]} if "%(tables)s" in search["query"] else None
            rows = connection.cursor(row_factory=dict_row).execute(search["query"], given).fetchall()
            for row in sorted(rows, key=lambda row: str(row["subject"])):
                values = {**row, **_phrases(row)}
                found.append(
                    Finding(
                        kind=search["kind"],
                        subject=row["subject"],
                        text=plain(search["text"].format(**values)),
                        look=search["look"].format(**row),
                    )
                )
    return found


def plain(text: str) -> str:
    """Return *text* safe for a terminal: names in a panel may hold control characters."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _phrases(row: dict[str, Any]) -> dict[str, str]:
    nouns = {"crashes": "time", "days": "day"}
    return {name: counted(row[name], noun) for name, noun in nouns.items() if name in row}


def _said(value: Any, noun: str) -> str:
    """Return a figure with its *noun*, which may be empty."""
    if value is None:
        return f"unknown {noun}s" if noun else "unknown"
    if noun:
        return counted(value, noun)
    return f"{value:,}" if isinstance(value, int) else str(value)

"""A report for programs: one JSON object, or a table as CSV."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.resources import files
from typing import Any, Literal, TextIO

from pteroassets.logtool.rows import FileReport, Report, RunReport, SessionReport
from pteroassets.logtool.summary import Summary

Table = Literal["sessions", "runs", "files", "events"]

_ROWS: dict[Table, type] = {"sessions": SessionReport, "runs": RunReport, "files": FileReport}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of what `write_json` writes."""
    text = files("pteroassets.logtool").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def as_json(report: Report) -> dict[str, Any]:
    """Return *report* as plain JSON values; `schema` describes them."""
    return {
        "files": [_plain(file) for file in report.files],
        "runs": [_plain(run) for run in report.runs],
        "sessions": [_plain(session) for session in report.sessions],
        "event_counts": {path: dict(counts) for path, counts in report.event_counts.items()},
        "servers": [_figures(server) for server in report.servers],
        "summary": _figures(report.summary),
        "unknown": [_plain(template) for template in report.unknown],
        "problems": [_plain(problem) for problem in report.problems],
    }


def write_json(report: Report, stream: TextIO) -> None:
    """Write *report* to *stream* as one JSON object."""
    json.dump(as_json(report), stream, ensure_ascii=False, indent=2)
    stream.write("\n")


def write_csv(report: Report, stream: TextIO, *, table: Table) -> None:
    """Write one table of *report* to *stream*, with a line of column names first."""
    writer = csv.writer(stream, lineterminator="\n")
    if table == "events":
        writer.writerow(["file", "kind", "count"])
        writer.writerows(
            [path, kind, count] for path, kinds in report.event_counts.items() for kind, count in kinds.items()
        )
        return
    rows: Mapping[Table, Iterable[Any]] = {"sessions": report.sessions, "runs": report.runs, "files": report.files}
    names = [column.name for column in dataclasses.fields(_ROWS[table])]
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows[table])


def _plain(value: Any) -> dict[str, Any]:
    return {
        name: field.isoformat() if isinstance(field, date) else field
        for name, field in dataclasses.asdict(value).items()
    }


def _figures(summary: Summary) -> dict[str, Any]:
    values = {column.name: getattr(summary, column.name) for column in dataclasses.fields(summary)}
    for name in ("player_keys", "fake_names"):  # serve adding up; the players stand in the sessions
        del values[name]
    return {
        **values,
        "sessions_by_close_reason": dict(summary.sessions_by_close_reason),
        "hours_played": round(summary.hours_played, 3),
        "share_known": None if summary.share_known is None else round(summary.share_known, 4),
    }


def _cell(value: Any) -> Any:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value

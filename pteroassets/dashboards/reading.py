"""Ask the warehouse from a notebook: one connection a process, which can only read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import psycopg
from psycopg.types.numeric import FloatLoader

_BY_KIND = {
    "int2": "number", "int4": "number", "int8": "number", "float4": "number", "float8": "number", "numeric": "number",
    "date": "date", "timestamp": "time", "timestamptz": "time", "uuid": "text",
}  # fmt: skip
_opened: list[psycopg.Connection[Any]] = []


def connection() -> psycopg.Connection[Any]:
    """Return the connection that libpq's variables describe, opened on the first call.

    Raises:
        psycopg.OperationalError: The warehouse cannot be reached or refuses the account.
    """
    if not _opened or _opened[-1].closed:
        opened = psycopg.connect("", autocommit=True)
        opened.adapters.register_loader("numeric", FloatLoader)  # no column of ours is money
        _opened[:] = [opened]
    return _opened[-1]


def ask(query: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Return the rows of *query* as a frame: numbers as numbers even where all are NULL, times in UTC, UUIDs as text.

    Args:
        query: SQL; names of tables are those of the schema marts.
        parameters: Values for ``%(name)s``.

    Raises:
        psycopg.Error: The query failed, or took longer than it may.
    """
    with connection().cursor() as cursor:
        cursor.execute(query.encode(), parameters)
        columns = [(one.name, _kind(one.type_code)) for one in cursor.description or ()]
        rows = cursor.fetchall()
    frame = pd.DataFrame(rows, columns=[name for name, _ in columns], dtype=object)
    for name, kind in columns:
        frame[name] = _converted(frame[name], kind)
    return frame


def _kind(type_code: int) -> str | None:
    known = psycopg.adapters.types.get(type_code)
    return _BY_KIND.get(known.name) if known is not None else None


def _converted(values: pd.Series[Any], kind: str | None) -> pd.Series[Any]:
    match kind:
        case "number":
            return pd.to_numeric(values)
        case "date":
            return pd.to_datetime(values)
        case "time":
            return pd.to_datetime(values, utc=True)
        case "text":
            return values.map(str, na_action="ignore")
        case _:
            return values

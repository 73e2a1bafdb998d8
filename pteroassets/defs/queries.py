"""The queries of checks on raw tables: each is a file in ``sql/`` with the name of its check.

They check what a pass has just landed, before any model is built, and show servers and reasons; a dbt test would only
count rows.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

import dagster as dg
from psycopg.rows import dict_row

from pteroassets.landing.context import Landing

#: In a result: the kind of incident that tells people of the same cause, so that the failure is no news of its own.
TOLD_AS: Final = "pteroassets/told_as"


def rows_of(landing: Landing, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return the rows of the query in ``sql/<query>.sql``, by the names of its columns."""
    text = resources.files(__package__).joinpath("sql", f"{query}.sql").read_text()
    with landing.connect() as connection:
        return connection.cursor(row_factory=dict_row).execute(text, parameters).fetchall()


def told_of_nodes(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what says that an incident of a node tells people of *rows*: where no outcome is another one."""
    return {TOLD_AS: "node_down"} if {row["outcome"] for row in rows} == {"node_unreachable"} else {}


def verdict(
    rows: list[dict[str, Any]],
    shown_as: str,
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **metadata: Any,
) -> dg.AssetCheckResult:
    """Return the result of a check that passes unless one of *rows* has true in its column ``fails``.

    The rows that have are shown as *shown_as*, beside *metadata*.
    """
    failing = [{name: value for name, value in row.items() if name != "fails"} for row in rows if row["fails"]]
    return dg.AssetCheckResult(
        passed=not failing, severity=severity, metadata={shown_as: dg.JsonMetadataValue(failing), **metadata}
    )

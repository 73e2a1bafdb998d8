"""What a notebook works with: the warehouse as the role analyst, the registry and the age that data may have.

A process of the platform sets it for the notebooks that it runs. In JupyterLab it is read from the file that
``PTEROASSETS_PAGES_CONTEXT`` names. The connection is that of libpq's own variables (``PGHOST`` …), so that no password
stands in a file of ours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pteroassets.dashboards.metrics import Metric, MetricError
from pteroassets.warehouse.connection import ConnectionSettings

CONTEXT_VARIABLE = "PTEROASSETS_PAGES_CONTEXT"
STATEMENT_SECONDS = 20
_set: list[Context] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAge:
    """When the data of a pass count as late.

    *table* is the one whose load ends a reading; the ages are in seconds.
    """

    table: str
    warn_after: float
    stale_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a notebook works with.

    Attributes:
        now: Time at which the pages are made.
        metrics: The registry.
        passes: Passes by name.
        pages: Names of the notebooks that are made, to link to their pages.
    """

    now: datetime
    metrics: Mapping[str, Metric]
    passes: Mapping[str, PassAge] = field(default_factory=dict)
    pages: tuple[str, ...] = ()

    def metric(self, name: str) -> Metric:
        """Return the metric called *name*.

        Raises:
            MetricError: The registry has none of this name.
        """
        if name not in self.metrics:
            raise MetricError(f"{name!r} is not in the registry of metrics: write it beside its model in dbt_project")
        return self.metrics[name]

    def as_json(self) -> dict[str, Any]:
        """Return the context as a record of which JSON can be made."""
        return {
            "now": self.now.isoformat(),
            "metrics": [metric.as_json() for metric in self.metrics.values()],
            "passes": {
                name: {"table": one.table, "warn_after": one.warn_after, "stale_after": one.stale_after}
                for name, one in self.passes.items()
            },
            "pages": list(self.pages),
        }


def from_json(record: Mapping[str, Any]) -> Context:
    """Return the context that *record* was made of."""
    metrics = [Metric(**metric) for metric in record["metrics"]]
    return Context(
        now=datetime.fromisoformat(record["now"]),
        metrics={metric.name: metric for metric in metrics},
        passes={name: PassAge(**one) for name, one in record["passes"].items()},
        pages=tuple(record["pages"]),
    )


def use(given: Context) -> None:
    """Let the notebooks of this process work with *given*."""
    _set[:] = [given]


def context() -> Context:
    """Return what the notebooks of this process work with.

    Raises:
        LookupError: It was not set, and the environment names none.
    """
    if not _set:
        use(context_of_environment())
    return _set[-1]


def metric(name: str) -> Metric:
    """Return the metric called *name*.

    Raises:
        MetricError: The registry has none of this name.
    """
    return context().metric(name)


def context_of_environment() -> Context:
    """Return the context of the file that the environment names.

    Raises:
        LookupError: It names none.
    """
    if CONTEXT_VARIABLE not in os.environ:
        raise LookupError("no warehouse is known here: open the notebooks with make notebook")
    return from_json(json.loads(Path(os.environ[CONTEXT_VARIABLE]).read_text()))


def reading_options(role: str | None = "analyst", *, seconds: int = STATEMENT_SECONDS) -> str:
    """Return libpq's options of a connection that only reads, as *role* where that is not the login's own.

    A statement is ended after *seconds*.
    """
    options = {
        "role": role,
        "default_transaction_read_only": "on",
        "statement_timeout": f"{seconds}s",
        "search_path": "marts",
        "timezone": "UTC",
    }
    return " ".join(f"-c {name}={value}" for name, value in options.items() if value is not None)


def reading_variables(warehouse: ConnectionSettings, *, seconds: int = STATEMENT_SECONDS) -> dict[str, str]:
    """Return libpq's variables of a connection to *warehouse* that only reads, with the rights of the role analyst.

    A statement is ended after *seconds*.
    """
    return {
        "PGHOST": warehouse.host,
        "PGPORT": str(warehouse.port),
        "PGUSER": warehouse.username,
        "PGPASSWORD": warehouse.password,
        "PGDATABASE": warehouse.database,
        "PGOPTIONS": reading_options(seconds=seconds),
        "PGCONNECT_TIMEOUT": "10",
        "PGAPPNAME": "pteroassets pages",
    }

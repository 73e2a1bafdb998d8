"""The description of a raw table, read from the YAML of dbt's sources, its only place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg
import yaml

from pteroassets.defs.dbt_project import DBT_PROJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table that is landed; *columns* maps column names to descriptions.

    Its group of assets is its schema, so that a source is a group, unless ``meta.dagster`` names another.
    """

    source: str
    schema: str
    name: str
    description: str
    columns: Mapping[str, str]
    group: str

    @property
    def key(self) -> dg.AssetKey:
        """Return the key of its asset, which is that of dbt's source, so that lineage connects."""
        return dg.AssetKey([self.source, self.name])

    @property
    def qualified_name(self) -> str:
        """Return schema and name."""
        return f"{self.schema}.{self.name}"

    def definition(self) -> dict[str, Any]:
        """Return the arguments that describe its asset."""
        return {
            "description": self.description,
            "group_name": self.group,
            "kinds": {"python", "postgres"},
            "metadata": {"dagster/table_name": self.qualified_name},
        }

    def spec(self, *, deps: Iterable[list[str]] = (), skippable: bool = False) -> dg.AssetSpec:
        """Return the spec of its asset."""
        return dg.AssetSpec(self.key, deps=list(deps), skippable=skippable, **self.definition())


@cache
def raw_tables() -> Mapping[str, RawTable]:
    """Return every raw table by its schema and name."""
    return {
        f"{source['schema']}.{table['name']}": RawTable(
            source=source["name"],
            schema=source["schema"],
            name=table["name"],
            description=table["description"],
            columns={column["name"]: column["description"] for column in table["columns"]},
            group=table.get("config", {}).get("meta", {}).get("dagster", {}).get("group", source["schema"]),
        )
        for path in sorted(DBT_PROJECT.glob("models/staging/*/*__sources.yml"))
        for source in yaml.safe_load(path.read_text())["sources"]
        for table in source["tables"]
    }

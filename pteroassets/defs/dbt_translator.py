"""How nodes of the dbt project are named and described in Dagster: models as assets, tests as their checks.

A test is the check of one asset: the model or source it is written under, or the one its ``meta.dagster.ref`` names
if it reads several. A check without an asset would be invisible, which tests/test_definitions.py forbids.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

RHYTHM = "pteroassets/rhythm"  # in the metadata of a check, which has no tags
_COMPARISONS = {">=": "at least", "<=": "at most", ">": "above", "<": "below", "=": "equal to"}


class Translator(DagsterDbtTranslator):
    """Name assets so that lineage connects; groups and owners are those of ``meta.dagster``."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Return the spec of a node: sources keep ``[source, table]``, models and seeds are ``[schema, name]``."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None or node["resource_type"] not in {"model", "seed"}:
            return spec
        return spec.replace_attributes(kinds={"dbt", "postgres"})

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return the key of a node; compatibility views have another, since their schemas have sources' names."""
        if dbt_resource_props["resource_type"] == "model" and dbt_resource_props["fqn"][1] == "compatibility":
            return dg.AssetKey(["compatibility", dbt_resource_props["schema"], dbt_resource_props["alias"]])
        return super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the group in ``meta.dagster``, else that of the layer; staging has one for each source.

        The UI cuts names at 18 characters, hence stg, as in the names of the models.
        """
        layer, *folders = dbt_resource_props["fqn"][1:-1] or [None]
        own = f"stg_{folders[0]}" if layer == "staging" else layer
        return super().get_group_name(dbt_resource_props) or own

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return only the YAML's description: the code is behind the link to the source."""
        return str(dbt_resource_props["description"])

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """Return a test as a check of *asset_spec*, described in words; None if it is another asset's."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        return dg.AssetCheckSpec(
            spec.name,
            asset=spec.asset_key,
            description=describe_test(manifest["nodes"][unique_id]),
            additional_deps=spec.additional_deps,
            blocking=spec.blocking,
            metadata={**(spec.metadata or {}), **_rhythm(manifest["nodes"][unique_id])},
        )


def _rhythm(test: Mapping[str, Any]) -> dict[str, str]:
    """Return how often a test runs, if its tags say so."""
    return next(({RHYTHM: tag} for tag in ("daily", "hourly") if tag in test["tags"]), {})


def describe_test(test: Mapping[str, Any]) -> str:
    """Return in one sentence what a dbt test requires: its own description, else one made from its arguments.

    Raises:
        ValueError: A test without a description, of a kind that has no wording here.
    """
    if test["description"]:
        return str(test["description"])
    metadata = test.get("test_metadata") or {}
    arguments = metadata.get("kwargs", {})
    column = f"`{arguments.get('column_name')}`"
    match metadata.get("name"):
        case "unique":
            return f"No two rows have the same {column}."
        case "not_null":
            return f"Every row has a value in {column}."
        case "unique_combination":
            return f"No two rows have the same combination of {_listed(arguments['columns'], 'and')}."
        case "accepted_values":
            return f"Each known {column} is {_listed(arguments['values'], 'or')}."
        case "relationships":
            other = arguments["to"].split("'")[-2]
            return f"Each known {column} is the `{arguments['field']}` of a row of `{other}`."
        case "intervals_do_not_overlap":
            times = f"`{arguments['from_column']}` to `{arguments['until_column']}`"
            return f"Spans of time from {times} of the same {_listed(arguments['group_by'], 'and')} do not overlap."
        case "expression_is_true" if "column_name" in arguments:
            return f"Each known {column} is {_in_words(arguments['expression'])}."
    raise ValueError(
        f"the dbt test {test['name']} has no description: write one in {test['original_file_path']}, under the test's "
        "own key `description`"
    )


def _in_words(expression: str) -> str:
    operator, _, operand = expression.partition(" ")
    return f"{_COMPARISONS.get(operator, operator)} {operand}"


def _listed(names: list[str], word: str) -> str:
    quoted = [f"`{name}`" for name in names]
    return f" {word} ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))

"""Write the exposures of the pages into the dbt project: ``python -m pteroassets.dashboards.exposures``.

An exposure tells dbt's lineage what is made of the models. Those of the pages follow from the heads of the notebooks,
so they are written by this module and not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from pteroassets.dashboards.notebook import Notebook, notebooks
from pteroassets.settings import CHECKOUT

EXPOSURES = CHECKOUT / "dbt_project" / "models" / "pages.yml"
_OWNER = {"name": "Analytics engineering", "email": "analytics@example.com"}
_HEAD = "# Written by python -m pteroassets.dashboards.exposures from the heads of the notebooks.\n"


class _Indented(yaml.SafeDumper):
    """Indents lists below their key, as the other files of the project do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as PyYAML has it
        """Indent the next level."""
        super().increase_indent(flow, False)


def exposures_text(found: Mapping[str, Notebook]) -> str:
    """Return the YAML of one exposure for each of the notebooks *found*."""
    exposures = {"exposures": [_exposure(one) for one in found.values()]}
    text: str = yaml.dump(exposures, Dumper=_Indented, sort_keys=False, width=110, allow_unicode=True)
    return _HEAD + text


def _exposure(notebook: Notebook) -> dict[str, Any]:
    kind = "page" if notebook.for_each is None else "page of a set"
    return {
        "name": f"page_{notebook.name}",
        "label": f"Page {notebook.title}",
        "type": "dashboard",
        "maturity": "high",
        "description": f"One {kind}. {notebook.summary}",
        "owner": dict(_OWNER),
        "depends_on": [f"ref('{model}')" for model in notebook.models],
    }


def main() -> None:
    """Write the file."""
    EXPOSURES.write_text(exposures_text(notebooks()))


if __name__ == "__main__":
    main()

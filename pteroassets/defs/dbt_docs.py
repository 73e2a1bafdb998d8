"""The site of the dbt docs without Dagster: its files, and whether they describe the project as it is.

The folder holds ``index.html``, all of the dbt docs in one file, ``entities.html``, the entity diagram, and the digest
of the project that both describe.
"""

from __future__ import annotations

import json
from pathlib import Path

from pteroassets.defs.dbt_project import DIGEST_NAME, target_folder
from pteroassets.defs.diagram import diagram_page

PAGE = "index.html"
DIAGRAM = "entities.html"
GENERATE = ("docs", "generate", "--static")


def describes(folder: Path, digest: str) -> bool:
    """Return whether the docs in *folder* are of the project with this *digest*."""
    files = (folder / PAGE, folder / DIAGRAM, folder / DIGEST_NAME)
    return all(file.exists() for file in files) and files[-1].read_text() == digest


def digest_of_parsed() -> str:
    """Return the digest of the project as it was last parsed."""
    return (target_folder() / DIGEST_NAME).read_text()


def publish(target: Path, folder: Path, *, digest: str) -> None:
    """Put what dbt generated in *target* into *folder*, with the diagram and the *digest* of the project.

    A reader sees the old page or the new one, never a part.

    Raises:
        DiagramError: The diagram cannot be drawn.
    """
    manifest = json.loads((target / "manifest.json").read_text())
    files = {
        PAGE: (target / "static_index.html").read_text(),
        DIAGRAM: diagram_page(manifest),
        DIGEST_NAME: digest,
    }
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in files.items():
        aside = folder / f"{name}.new"
        aside.write_text(text)
        aside.replace(folder / name)

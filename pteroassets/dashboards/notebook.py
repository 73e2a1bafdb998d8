"""What a notebook says of itself: the block ``jupyter: pteroassets:`` at its head.

A notebook is a Python file in Jupytext's percent format. It has no place for outputs, so none can be committed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

NOTEBOOKS = Path(__file__).parent / "notebooks"
_HEAD = re.compile(r"\A# ---\n(?P<yaml>(?:#.*\n)+?)# ---\n")
_NAME = re.compile(r"[a-z][a-z_]*")
_DEFAULT_EDITIONS = 30
_READ_BY_THE_TOP = ("fct_server_daily", "stg_ops__loads")  # the line that kit.top gives each page


class NotebookError(Exception):
    """A notebook's head cannot be read; the message names the file and what is wrong."""


class Notebook(BaseModel):
    """A notebook's head.

    Attributes:
        name: Name of the file, of the page and of its asset.
        path: The file.
        title: Heading of the page, or of the list of its pages.
        summary: What the page answers, in one sentence.
        order: Its place in the index.
        schedule: When it is made, as cron in UTC.
        stale_after_hours: Age at which the page counts as failed to be made; two thirds of it are a warning.
        limit_seconds: Time in which its page has to be made, or 200 pages of a set, which are a part.
        reads: Names of the models that it asks.
        passes: Names of the passes whose data it shows, for the time of the data at its top.
        for_each: Query of one row for each page: ``slug``, ``title`` and the parameters; None if there is one page.
        only_if: Query of one boolean: whether there is anything to show. While it is not true there is no page, and the
            index does not name it. None: there is always a page.
        editions: Days of which an edition is kept at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    path: Path
    title: str
    summary: str
    order: int
    schedule: str
    stale_after_hours: int = Field(ge=2)
    limit_seconds: int = Field(ge=1, le=1800)
    reads: tuple[str, ...] = Field(min_length=1)
    passes: tuple[str, ...] = Field(min_length=1)
    for_each: str | None = None
    only_if: str | None = None
    editions: int = Field(_DEFAULT_EDITIONS, ge=1)

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of all models that have to be there: those it asks, and those that its top is made of."""
        return tuple(dict.fromkeys((*self.reads, *_READ_BY_THE_TOP)))


def notebooks(folder: Path = NOTEBOOKS) -> dict[str, Notebook]:
    """Return the notebooks in *folder* by name, in the order of the index.

    Raises:
        NotebookError: One has no readable head.
    """
    found = [read_notebook(path) for path in folder.glob("*.py")]
    return {one.name: one for one in sorted(found, key=lambda one: (one.order, one.name))}


def read_notebook(path: Path) -> Notebook:
    """Return what the head of the notebook in *path* says.

    Raises:
        NotebookError: It has none, or a wrong one.
    """
    head = _HEAD.match(path.read_text())
    if head is None or not _NAME.fullmatch(path.stem):
        raise NotebookError(f"{path.name} does not begin with a block between two lines # ---, or has an unusual name")
    text = re.sub(r"^# ?", "", head["yaml"], flags=re.MULTILINE)
    try:
        given: dict[str, Any] = yaml.safe_load(text)["jupyter"]["pteroassets"]
        return Notebook(name=path.stem, path=path, **given)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise NotebookError(f"the head of {path.name} has no block jupyter: pteroassets: ({error})") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise NotebookError(f"the head of {path.name} is wrong: {wrong}") from error

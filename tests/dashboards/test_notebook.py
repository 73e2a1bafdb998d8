"""The heads of notebooks, and that a notebook has no place for what it showed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import jupytext  # type: ignore[import-untyped] # ships no types
import pytest

from pteroassets.dashboards.notebook import NOTEBOOKS, NotebookError, notebooks, read_notebook
from tests.dashboards.pages import write


def test_a_head_says_when_a_page_is_made_and_what_it_asks(tmp_path: Path) -> None:
    write(tmp_path, "later", "", more="editions: 3")
    write(tmp_path, "sooner", "")
    found = notebooks(tmp_path)
    assert list(found) == ["later", "sooner"]
    assert (found["later"].editions, found["later"].reads, found["later"].for_each) == (3, ("dim_servers",), None)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("# ---\n", ""), "does not begin with a block"),
        (("pteroassets:\n#     title", "someone:\n#     title"), "has no block jupyter: pteroassets:"),
        (("limit_seconds: 30", "limit_seconds: 0"), "limit_seconds"),
        (("order: 1", "order: 1\n#     colour: blue"), "colour"),
        (("reads: [dim_servers]", "reads: []"), "reads"),
    ],
)
def test_a_wrong_head_is_refused_with_the_name_of_the_file(tmp_path: Path, change: tuple[str, str], what: str) -> None:
    write(tmp_path, "wrong", "")
    path = tmp_path / "wrong.py"
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(NotebookError, match=what) as refused:
        read_notebook(path)
    assert "wrong.py" in str(refused.value)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.py")), ids=lambda path: path.stem)
def test_a_notebook_is_text_that_jupytext_reads_and_writes_back(path: Path) -> None:
    book = jupytext.read(path)
    assert all(not cell.get("outputs") for cell in book.cells)
    assert jupytext.writes(book, fmt="py:percent").split("# %%", 1)[1].strip() in path.read_text()


@pytest.mark.parametrize("notebook", notebooks().values(), ids=lambda one: one.name)
def test_a_notebook_names_the_models_that_its_queries_ask(notebook: object) -> None:
    one = read_notebook(getattr(notebook, "path"))  # noqa: B009 - typed as an object for the parameter
    queries = f"{one.path.read_text()}\n{one.for_each}"
    asked = set(re.findall(r"\b(?:from|join)\s+(?:staging\.)?((?:dim|fct|stg)_\w+)", queries))
    assert asked == set(one.reads)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.py")), ids=lambda path: path.stem)
def test_what_a_notebook_makes_to_be_shown_is_shown(path: Path) -> None:
    """A cell shows its last expression; one within an `if`, or before another statement, is lost without a word."""
    lost = []
    for cell in jupytext.read(path).cells:
        body = ast.parse(cell.source).body if cell.cell_type == "code" else []
        statements = [one for outer in body for one in ast.walk(outer) if isinstance(one, ast.Expr)]
        lost += [ast.unparse(one) for one in statements if one not in body[-1:] and "kit." in ast.unparse(one)]
    assert lost == []

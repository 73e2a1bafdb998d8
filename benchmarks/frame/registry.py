"""Which benchmarks there are: the modules of a package that have a function ``measure``."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks.frame.measurement import Measurement, Size


@dataclass(frozen=True, slots=True)
class Registry:
    """The benchmarks of one *package*, read without importing them."""

    package: str = "benchmarks"

    def names(self) -> list[str]:
        """Return the names of the modules that measure."""
        return sorted(path.stem for path in self._folder().glob("*.py") if _measures(path))

    def title_of(self, name: str) -> str:
        """Return the first line of the docstring of the benchmark called *name*.

        Raises:
            ValueError: It has none.
        """
        docstring = ast.get_docstring(ast.parse((self._folder() / f"{name}.py").read_text(encoding="utf-8")))
        if not docstring:
            raise ValueError(f"{name} has no docstring, whose first line is its title")
        return docstring.splitlines()[0].rstrip(".")

    def measure(self, name: str, size: Size) -> Iterable[Measurement]:
        """Import the benchmark called *name* and return what it measures."""
        return cast("Iterable[Measurement]", importlib.import_module(f"{self.package}.{name}").measure(size))

    def _folder(self) -> Path:
        (folder,) = importlib.import_module(self.package).__path__
        return Path(folder)


def _measures(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in body)

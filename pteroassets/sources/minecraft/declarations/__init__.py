"""What the lines of logs look like and say, declared in files of TOML: layouts, dialects, and what says nothing.

A pattern may hold ``{WORD}``, which stands for the fragment of that name; a list of patterns is one that was cut.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any


def declared(name: str) -> dict[str, Any]:
    """Return what the file *name* declares."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def spelled_out(pattern: str | Sequence[str], fragments: Mapping[str, str]) -> str:
    """Return *pattern* with all that its words stand for."""

    def fragment(match: re.Match[str]) -> str:
        return spelled_out(fragments[match[1]], fragments)

    return re.sub(r"\{([A-Z][A-Z_2]+)\}", fragment, "".join(pattern))

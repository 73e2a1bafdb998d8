"""What is wrong with settings, in words for the operator."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from pteroassets.settings.files import FILE_FAULT, SECRET_FILE

_LONGEST_VALUE = 80
#: Variables of ours that are not settings: tests, pictures and our own processes use them.
NOT_SETTINGS: Final = (
    "PTEROASSETS_ARTIFACTS",
    "PTEROASSETS_CODE_SERVER_HOST",
    "PTEROASSETS_CODE_SERVER_PORT",
    "PTEROASSETS_CUSTOMER_PASSWORD",
    "PTEROASSETS_FIXED_TIME",
    "PTEROASSETS_PAGES_CONTEXT",
    "PTEROASSETS_RUN_SOCKET",
    "PTEROASSETS_SCREENSHOTS",
)


def lines_of(error: ValidationError, *, examples: Mapping[str, str], secrets: Collection[str]) -> Iterator[str]:
    """Yield a line for each setting that *error* reports.

    Args:
        error: What reading the settings raised.
        examples: Of each setting a value as an operator would write it, by its name in capitals.
        secrets: Names, in lower case, of those whose values are not shown.
    """
    seen: set[str] = set()
    for fault in error.errors(include_url=False):
        field = str(fault["loc"][0]).lower()
        if field in seen:
            continue
        seen.add(field)
        name = field.upper()
        if fault["type"] == FILE_FAULT:
            is_secret = field != "pteroassets_config"
            shown = f"{SECRET_FILE}=/run/secrets/{field}" if is_secret else f"={examples[name]}"
            yield f"{fault['msg']}; for example {name}{shown}"
            continue
        value = str(fault["input"])
        is_shown = field not in secrets and "@" not in value and isinstance(fault["input"], str)
        shown = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"
        is_ = f"{name} is {shown!r}" if is_shown else name
        what = _what(fault["type"], fault.get("ctx", {}), fault["msg"].removeprefix("Value error, "))
        line = what if what.startswith(name) else f"{is_}: {what}"
        example = examples.get(name)
        yield line if example is None or example in line else f"{line}; for example {name}={example}"


def unknown_names(names: Collection[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that look like our settings but are not, each with what to do.

    Args:
        names: The variables' names.
        known: Names of the settings.
    """
    for name in sorted(names):
        if name.startswith("PTEROASSETS_") and name not in known and name not in NOT_SETTINGS:
            near = difflib.get_close_matches(name, known, n=1)
            yield name, f"write {near[0]}" if near else "remove it; .env.example names all settings"


def _what(kind: str, context: Mapping[str, Any], message: str) -> str:
    match kind:
        case "int_parsing" | "int_type" | "int_from_float":
            return "it must be a whole number"
        case "float_parsing" | "float_type":
            return "it must be a number"
        case "bool_parsing" | "bool_type":
            return "it must be true or false"
        case "literal_error":
            return f"it must be {context['expected']}"
        case "greater_than_equal":
            return f"it must be at least {context['ge']}"
        case "greater_than":
            return f"it must be more than {context['gt']}"
        case "less_than_equal":
            return f"it must be at most {context['le']}"
        case "string_type":
            return "each of its values must be a text in quotes"
        case _:
            return message

"""The words for settings that cannot be: one line for each, with its name, what is wrong and an example."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

#: Of each setting a value as an operator would write it.
EXAMPLES: Final[Mapping[str, str]] = {
    "PTERODACTYL_URL": "https://panel.example.com",
    "PTERODACTYL_APP_KEY": "ptla_…",
    "PTERODACTYL_CLI_KEY": "ptlc_…",
    "POSTGRES_HOST": "127.0.0.1",
    "POSTGRES_PORT": "5432",
    "POSTGRES_DATABASE": "pteroassets",
    "POSTGRES_USERNAME": "postgres",
    "POSTGRES_PASSWORD": "…",
    "PTEROASSETS_DAGSTER_DATABASE": "dagster",
    "PTEROASSETS_PII": "hash",
    "PTEROASSETS_PII_KEY": "openssl rand -hex 32",
    "PTEROASSETS_LAND_TEXT": "false",
    "PTEROASSETS_LOG_TIMEZONE": "Europe/Berlin",
    "PTEROASSETS_LOG_TIMEZONES": '{"7d0c7a0e-53a5-4c8f-8f3f-0d4f2c5a9e01": "America/New_York"}',
    "PTEROASSETS_LOG_PATHS": '{"My Old Modpack": "/data/logs"}',
    "PTEROASSETS_LOG_REQUESTS_PER_PASS": "5000",
    "PTEROASSETS_LOG_BYTES_PER_PASS": "2147483648",
    "PTEROASSETS_SCHEDULES": "fresh",
    "TZ": "Europe/Berlin",
    "PTEROASSETS_REQUEST_SHARE": "0.8",
    "PTEROASSETS_ALLOW_SHRINK": "false",
    "PTEROASSETS_HOME": "/srv/pteroassets",
    "PTEROASSETS_NODE_ACCESS": "false",
    "PTEROASSETS_LOG_STORE": "/srv/pteroassets/log_store",
    "PTEROASSETS_POSTGRES_BINDIR": "/usr/lib/postgresql/17/bin",
    "PTEROASSETS_DAGSTER_PORT": "3000",
    "PTEROASSETS_DOCS_PORT": "8080",
    "PTEROASSETS_ALARM_WEBHOOK": "https://hooks.example.com/services/T0",
    "PTEROASSETS_UI_URL": "https://dagster.example.com",
    "PTEROASSETS_OWNERS": "team:platform,someone@example.com",
    "PTEROASSETS_RUN_RETENTION_DAYS": "30",
}
_LONGEST_VALUE = 80
#: Variables of ours that are no settings: tests, pictures and our own processes use them.
NOT_SETTINGS: Final = (
    "PTEROASSETS_ARTIFACTS",
    "PTEROASSETS_CODE_SERVER_PORT",
    "PTEROASSETS_FIXED_TIME",
    "PTEROASSETS_FUZZ_LINES",
    "PTEROASSETS_SCREENSHOTS",
)


def lines_of(error: ValidationError, *, secrets: Collection[str]) -> Iterator[str]:
    """Yield a line for each setting of which *error* tells.

    Args:
        error: What reading the settings raised.
        secrets: Names, in lower case, of those whose values are not shown.
    """
    told: set[str] = set()
    for fault in error.errors(include_url=False):
        field = str(fault["loc"][0]).lower()
        if field in told:
            continue
        told.add(field)
        name = field.upper()
        value = str(fault["input"])
        is_shown = field not in secrets and "@" not in value and isinstance(fault["input"], str)
        shown = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"
        is_ = f"{name} is {shown!r}" if is_shown else name
        what = _what(fault["type"], fault.get("ctx", {}), fault["msg"].removeprefix("Value error, "))
        line = what if what.startswith(name) else f"{is_}: {what}"
        example = EXAMPLES.get(name)
        yield line if example is None or example in line else f"{line}; for example {name}={example}"


def unknown_names(names: Collection[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that look like settings of ours and are none, each with what to do.

    Args:
        names: Of variables.
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

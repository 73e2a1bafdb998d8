"""The contracts as one JSON Schema, which games read, and what a change of it would break.

Written to ``docs/events.schema.json`` by ``python -m pteroassets.sources.events.schema``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from pteroassets.sources.events.contracts import CONTRACTS, Envelope

SCHEMA: Final = Path(__file__).resolve().parents[3] / "docs" / "events.schema.json"


def schema() -> dict[str, Any]:
    """Return the schema of an event (draft 2020-12): what all have, and for each type and version its own fields."""
    names = [f"{event_type}_{version}" for event_type, version in CONTRACTS]
    (_, *_), components = msgspec.json.schema_components([Envelope, *CONTRACTS.values()], ref_template="#/$defs/{name}")
    envelope = components.pop("Envelope")
    # where the classes have names that games need not know
    own = {name: components[contract.__name__] for name, contract in zip(names, CONTRACTS.values(), strict=True)}
    for definition in (envelope, *own.values()):
        definition.pop("title", None)
    envelope["properties"]["properties"] = {"type": "object", "description": "The fields of the type."}
    envelope["description"] = "An event of a game."
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:pteroassets:events",
        **envelope,
        "oneOf": [
            {
                "properties": {
                    "type": {"const": event_type},
                    "version": {"const": version},
                    "properties": {"$ref": f"#/$defs/{event_type}_{version}"},
                }
            }
            for event_type, version in CONTRACTS
        ],
        "$defs": own,
    }


def schema_text() -> str:
    """Return the published file."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


def broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what games that send by the schema *before* would find refused, or lost, by the schema *after*.

    A field that may be left out can be added; nothing else of a version that was published may change.
    """
    old, new = {"event": before, **before["$defs"]}, {"event": after, **after["$defs"]}
    return [fault for name in old for fault in _faults(name, old[name], new.get(name))]


def _faults(name: str, before: Mapping[str, Any], after: Mapping[str, Any] | None) -> Iterator[str]:
    if after is None:
        yield f"{name} was removed"
        return
    fields, others = before.get("properties", {}), after.get("properties", {})
    for field, kind in fields.items():
        if field not in others:
            yield f"{name}.{field} was removed"
        elif _kind(others[field]) != _kind(kind):
            yield f"{name}.{field} was {_kind(kind)} and is {_kind(others[field])}"
    for field in sorted(set(after.get("required", [])) - set(before.get("required", []))):
        yield f"{name}.{field} has to be sent now"


def _kind(definition: Any) -> Any:
    """Return a definition without its descriptions."""
    if isinstance(definition, Mapping):
        return {name: _kind(value) for name, value in definition.items() if name != "description"}
    return [_kind(one) for one in definition] if isinstance(definition, list) else definition


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")

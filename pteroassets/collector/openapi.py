"""The routes in the words of OpenAPI 3.1, for tools that make clients, and for those that look for faults."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any, Final

import msgspec

from pteroassets.collector.answers import Detail, Refused, Taken
from pteroassets.collector.compatibility import DEEDS, Deed
from pteroassets.collector.intake import MOST_EVENTS
from pteroassets.sources.events.schema import schema

_SCHEMAS: Final = "#/components/schemas/"
_BUSY: Final = {
    "description": "More comes than is taken: send it again after some seconds. Nothing is stored.",
    "headers": {"Retry-After": {"schema": {"type": "integer"}}},
}


def openapi(*, is_compatible: bool) -> dict[str, Any]:
    """Return the description, with the routes that ask for no key if *is_compatible*."""
    event = schema()
    types = event.pop("$defs")
    for name in ("$schema", "$id"):
        del event[name]
    text = msgspec.json.encode({"Event": event, **types}).replace(b"#/$defs/", _SCHEMAS.encode())
    (_, *_), answers = msgspec.json.schema_components([Taken, Refused, Detail], ref_template=f"{_SCHEMAS}{{name}}")
    paths: dict[str, Any] = {
        "/v1/events": {"post": _events()},
        "/health": {"get": _text("Whether Postgres commits.", {"503": "It does not."})},
        "/metrics": {"get": _text("What the collector counts, for Prometheus.", {})},
    }
    if is_compatible:
        paths |= {deed.path: {deed.method.lower(): _deed(deed)} for deed in DEEDS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Events of games",
            "version": version("pteroassets"),
            "description": "Takes in what players do, and answers once it is stored.",
        },
        "paths": paths,
        "components": {
            "schemas": {**msgspec.json.decode(text), **answers},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _events() -> dict[str, Any]:
    one = {"$ref": f"{_SCHEMAS}Event"}
    return {
        "operationId": "push_events",
        "summary": "Push an event, or an array of them, also packed with gzip.",
        "security": [{"key": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [one, {"type": "array", "items": one, "maxItems": MOST_EVENTS}]}
                }
            },
        },
        "responses": {
            "202": _json("Committed; what was refused is kept as a dead letter.", "Taken"),
            "400": {
                "description": "Nothing of it is an event; it is kept as a dead letter, unless its gzip is broken.",
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [{"$ref": f"{_SCHEMAS}{name}"} for name in ("Taken", "Detail")]}
                    }
                },
            },
            "401": _json("No key, or none that is known.", "Detail"),
            "408": _json("The body did not come in time.", "Detail"),
            "413": _json("It is too large, or has too many events.", "Detail"),
            "415": _json("It is packed otherwise than with gzip.", "Detail"),
            "429": {**_BUSY, **_json(_BUSY["description"], "Detail")},
            "503": _json("Postgres did not say that it is stored: send it again, with the same ids.", "Detail"),
        },
    }


def _deed(deed: Deed) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", deed.path)
    unknown = {} if deed.table is None else {"404": f"The reference data {deed.table} do not have the id."}
    return {
        "operationId": f"{deed.method.lower()}_{deed.event_type}",
        **_text(
            f"Report an event of the type {deed.event_type}; it is done anew each time.",
            {"400": "It is not as its contract says.", **unknown, "408": "The body did not come in time.",
             "413": "The body is too large.", "415": "The body is packed otherwise than with gzip.",
             "503": "Postgres did not say that it is stored."},
        ),
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
              for name in names),
            {"name": "X-Player", "in": "header", "required": False, "schema": {"type": "string"},
             "description": "Who plays; the host that is asked, where it is left out."},
        ],
    }  # fmt: skip


def _text(summary: str, others: dict[str, str]) -> dict[str, Any]:
    plain = {"text/plain": {"schema": {"type": "string"}}}
    more: dict[str, Any] = {status: {"description": said, "content": plain} for status, said in others.items()}
    if "408" in others:
        more["429"] = {**_BUSY, "content": plain}
    return {"summary": summary, "responses": {"200": {"description": "Done.", "content": plain}, **more}}


def _json(description: Any, schema_name: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{schema_name}"}}},
    }

"""What is sent and is no event, of each kind that a collector keeps as a dead letter."""

from __future__ import annotations

import json
from typing import Any, Final

NOT_JSON: Final = "not_json"
"""Spoils a whole request, so that it is sent in one of its own."""
KINDS: Final = (
    "unknown_type",
    "not_an_event",
    "wrong_fields",
    "unknown_version",
    NOT_JSON,
    "too_deep",
    "nul_character",
)
_DEPTH: Final = 20


def malformed(kind: str, event: dict[str, Any]) -> bytes:
    """Return *event* spoilt so that it is refused for the reason *kind*."""
    if kind == "unknown_type":
        event["type"] = "no_such_type"
    elif kind == "not_an_event":
        del event["player_id"]
    elif kind == "wrong_fields":
        event |= {"type": "take_damage", "properties": {"enemy_id": "1", "damage": "much"}}
    elif kind == "unknown_version":
        event["version"] = 99
    elif kind == "too_deep":
        event["note"] = json.loads("[" * _DEPTH + "]" * _DEPTH)
    elif kind == "nul_character":
        event["note"] = "a\0b"
    body = json.dumps(event).encode()
    return body[: len(body) // 2] if kind == NOT_JSON else body

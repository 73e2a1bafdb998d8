"""Remove secrets from what was read, and treat personal data as the operator chose.

Never kept, in any mode: ``container.environment``, ``variables[].server_value``, ``invocation``, node tokens, database
passwords, signed links, the console commands of schedules, and what `Redactor.activity` names. E-mail and player
addresses follow the mode. A keyed hash is HMAC-SHA256 of the normalised value (an e-mail in lower case, an IP address
in its shortest form), its first 32 hex digits after ``hmac:``; without the key it cannot be found by trying all
addresses.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

PiiMode = Literal["hash", "drop", "plain"]

_SECRETS = frozenset(
    {
        "environment",
        "server_value",
        "invocation",
        "token",
        "token_id",
        "daemon_token",
        "daemon_token_id",
        "password",
        "signed_url",
    }
)
# written by an egg's maker: templates with keys called password or token that hold neither
_EGG_TEXTS = frozenset({"config", "script", "docker_images"})
# of an entry of the activity log: what people typed, and what lets somebody in
_UNTOLD = frozenset(
    {"command", "commands", "email", "emails", "fingerprint", "identifier", "public_key", "sha256_fingerprint", "url"}
)
_EDIT = frozenset({"old", "new"})
_TOLD_TASKS = frozenset({"power", "backup"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_EMAIL_FIELDS = frozenset({"email", "author"})
# a gravatar's address is an unkeyed hash of the e-mail
_PICTURE = "image"
# the last four tell of runs of a schedule, which is the same before and after
_VOLATILE = frozenset({"updated_at", "allocated_resources", "last_run_at", "next_run_at", "is_processing", "is_queued"})


class Redactor:
    """Decides which parts of a record may be landed.

    Args:
        mode: ``hash`` replaces personal data by a keyed hash, ``drop`` by null, ``plain`` keeps it.
        key: The key of the hashes.

    Raises:
        ValueError: The mode is unknown, or is ``hash`` and there is no key.
    """

    def __init__(self, mode: PiiMode, key: bytes | None) -> None:
        if mode not in ("hash", "drop", "plain"):
            raise ValueError(f"PTEROASSETS_PII is hash, drop or plain, not {mode!r}")
        if mode == "hash" and not key:
            raise ValueError(
                "PTEROASSETS_PII is hash, which needs a secret in PTEROASSETS_PII_KEY (make one with: openssl rand "
                "-hex 32); or set PTEROASSETS_PII to drop or plain"
            )
        self.mode = mode
        self._key = key or b""

    def address(self, text: str) -> str | None:
        """Return a player's IP address (without its port) as it may be landed."""
        try:
            address = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
        except ValueError:
            normal = text.strip().lower()
        else:
            mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
            normal = (mapped or address).compressed
        return self._treat(text, normal)

    def email(self, text: str) -> str | None:
        """Return an e-mail address as it may be landed."""
        return self._treat(text, text.strip().lower())

    def record(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return *attributes* of a panel's record, with everything nested in them, as they may be landed.

        Characters that Postgres' jsonb refuses (U+0000, lone surrogates) become U+FFFD: one of them in one
        server's description must not stop all others from being landed.
        """
        return self._mapping(attributes, kind=None)

    def activity(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the *attributes* of an entry of a server's activity log as they may be landed.

        Of its properties are left out in every mode: console commands, also those of a schedule's task; the old and new
        values of edits of the startup; e-mail addresses; identifiers of keys; and links, which may be signed.
        """
        kept = self._mapping(attributes, kind="activity_log")
        is_startup = str(attributes.get("event")).startswith("server:startup")
        kept["properties"] = _told(kept.get("properties"), _UNTOLD | _EDIT if is_startup else _UNTOLD)
        return kept

    def _value(self, value: Any, *, kind: str | None) -> Any:
        if isinstance(value, Mapping):
            if isinstance(value.get("object"), str) and "attributes" in value:
                kind = value["object"]
            return self._mapping(value, kind=kind)
        if isinstance(value, list):
            return [self._value(member, kind=kind) for member in value]
        return _landable(value) if isinstance(value, str) else value

    def _mapping(self, mapping: Mapping[str, Any], *, kind: str | None) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in mapping.items():
            if name in _SECRETS or (kind == "signed_url" and name == "url"):
                continue
            if name in _EGG_TEXTS:
                kept[_landable(name)] = _as_arrived(value)
            elif name in _EMAIL_FIELDS and _is_email(value):
                kept[name] = self.email(_landable(value))
            elif name == "payload" and mapping.get("action") == "command":
                kept[name] = None  # the text of a console command
            elif name == "ip" and kind == "activity_log" and isinstance(value, str):
                kept[name] = self.address(_landable(value))
            elif name == _PICTURE and self.mode != "plain" and isinstance(value, str) and "gravatar" in value:
                kept[name] = None
            else:
                kept[_landable(name)] = self._value(value, kind=kind)
        return kept

    def _treat(self, text: str, normal: str) -> str | None:
        if self.mode == "plain":
            return text
        if self.mode == "drop":
            return None
        return f"hmac:{hmac.new(self._key, normal.encode(), hashlib.sha256).hexdigest()[:32]}"


def _told(value: Any, untold: frozenset[str]) -> Any:
    """Return *value*, of an entry's properties, without what stands under the names *untold* and without e-mails."""
    if isinstance(value, list):
        return [_told(member, untold) for member in value if not _is_email(member)]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _told(member, untold)
        for name, member in value.items()
        if name not in untold
        and not _is_email(member)
        and not (name == "payload" and value.get("action") not in _TOLD_TASKS)
    }


def digest(record: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hex, of the parts of a redacted *record* that change detection compares.

    Left out: times of change, sums over other records, personal data (its form follows the mode) and relationships,
    which are entities of their own; but an egg's variables, a schedule's tasks and the ids of a server's allocations
    are included. An empty list and an empty object count as the same, since the panel sends either for an empty map.
    """
    relevant: dict[str, Any] = {
        name: _stable(value)
        for name, value in record.items()
        if name != "relationships" and not _is_left_out(name, value)
    }
    relationships = record.get("relationships")
    if isinstance(relationships, Mapping):
        variables = _related(relationships, "variables")
        # a server's variables hold values, which are secret; those of an egg are its definition
        if variables is not None and "limits" not in record:
            relevant["variables"] = sorted((_stable(item) for item in variables), key=_canonical)
        tasks = _related(relationships, "tasks")
        if tasks is not None:
            relevant["tasks"] = sorted((_stable(item) for item in tasks), key=_canonical)
        allocations = _related(relationships, "allocations")
        if allocations is not None:
            relevant["allocations"] = sorted(item["id"] for item in allocations if isinstance(item.get("id"), int))
    return hashlib.sha256(_canonical(relevant).encode()).hexdigest()


def _related(relationships: Mapping[str, Any], name: str) -> list[dict[str, Any]] | None:
    related = relationships.get(name)
    data = related.get("data") if isinstance(related, Mapping) else None
    return [item["attributes"] for item in data if item.get("attributes")] if isinstance(data, list) else None


def _stable(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name: _stable(member) for name, member in value.items() if not _is_left_out(name, member)}
        return kept or []
    if isinstance(value, list):
        return [_stable(member) for member in value]
    return value


def _is_left_out(name: str, value: Any) -> bool:
    if name in _VOLATILE or name == "email":
        return True
    if name == _PICTURE:  # a person's picture; a container's image has the same name
        return value is None or "gravatar" in str(value)
    # an author may be a name, which is not personal data, or an address in any of its three forms
    return name == "author" and (value is None or str(value).startswith("hmac:") or _is_email(value))


def _is_email(value: Any) -> bool:
    return isinstance(value, str) and _EMAIL.fullmatch(value.strip()) is not None


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _as_arrived(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_landable(name): _as_arrived(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_arrived(member) for member in value]
    return _landable(value) if isinstance(value, str) else value


def _landable(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)

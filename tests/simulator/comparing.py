"""Compare an answer of the simulator with a recorded one: status, headers, keys, types, nullability, wire format.

Objects are told apart by their envelope (``{"object": …, "attributes": …}``): what an object of a kind may hold is the
union over all recordings of one API; what it must hold is what every recorded object of the kind holds in the entry
that is compared.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]

# keyed by names of the data rather than of the format: their keys are not compared, their values are
_MAPS = {"environment", "docker_images", "properties", "files"}

# what the fact sheet on the API allows beyond what the recordings happen to show: (API, kind, path) -> type
DOCUMENTED = {
    ("application", "node", ("description",)): "str",
    ("application", "nest", ("description",)): "null",
    ("application", "egg", ("description",)): "null",
    ("application", "location", ("long",)): "null",
    ("application", "allocation", ("alias",)): "null",
    ("application", "allocation", ("notes",)): "str",
    ("client", "allocation", ("notes",)): "str",
    ("client", "server", ("egg_features",)): "null",
    ("client", "server", ("status",)): "str",
    ("client", "backup", ("checksum",)): "null",
    ("client", "backup", ("completed_at",)): "null",
    ("client", "server_schedule", ("last_run_at",)): "str",
}


def type_name(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float", str: "str", dict: "object", list: "list", type(None): "null"}
    return names[type(value)]


def objects(value: Any, kind: str = "top") -> Iterator[tuple[str, Any]]:
    """Yield each enveloped object with its kind, and what stands outside of any as ``top``."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item, kind)
        return
    if not isinstance(value, dict):
        return
    if "attributes" in value and "object" in value:
        name = str(value["object"])
        yield name, value["attributes"]
        yield from objects(
            {key: item for key, item in value.items() if key not in {"object", "attributes"}}, f"{name} envelope"
        )
        attributes = value["attributes"] or {}
        for included in attributes.get("relationships", {}).values():
            yield from objects(included, "included list")
        return
    yield kind, value
    for key, item in value.items():
        if key == "data":
            yield from objects(item)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str, frozenset[str]]]:
    """Yield (path, type, keys) of *value* and of all below; stops at envelopes and at maps."""
    if isinstance(value, dict):
        is_map = bool(path) and path[-1] in _MAPS
        yield path, "object", frozenset() if is_map else frozenset(value)
        for key, item in value.items():
            if path == () and key in {"relationships", "data"}:
                if key == "relationships":
                    yield (key,), "object", frozenset(item)
                continue
            if is_map:
                if path[-1] != "files":
                    yield (*path, "*"), type_name(item), frozenset()
            else:
                yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        yield path, "list", frozenset()
        for item in value:
            yield from leaves(item, (*path, "[]"))
    else:
        yield path, type_name(value), frozenset()


@dataclass
class Shape:
    """What is known of the objects of one or more answers."""

    types: dict[tuple[str, Path], set[str]] = field(default_factory=lambda: defaultdict(set))
    every_key: dict[tuple[str, Path], frozenset[str]] = field(default_factory=dict)
    some_key: dict[tuple[str, Path], frozenset[str]] = field(default_factory=dict)

    def add(self, body: Any) -> None:
        for kind, attributes in objects(body):
            for path, name, keys in leaves(attributes):
                place = (kind, path)
                self.types[place].add(name)
                if name == "object":
                    self.every_key[place] = self.every_key.get(place, keys) & keys
                    self.some_key[place] = self.some_key.get(place, frozenset()) | keys


def differences(simulated: Any, recorded: Any, known: Shape, api: str) -> list[str]:
    """Return what is wrong with *simulated* beside *recorded*; *known* is all that was recorded of *api*."""
    shown, wanted = Shape(), Shape()
    shown.add(simulated)
    wanted.add(recorded)
    wrong = []
    kinds = {kind for kind, _ in wanted.types}
    wrong += [f"no {kind} in the answer" for kind in sorted(kinds - {kind for kind, _ in shown.types})]
    for place, keys in wanted.every_key.items():
        if place in shown.every_key and (missing := keys - shown.every_key[place]):
            wrong.append(f"{place}: lacks {sorted(missing)}")
    for place, keys in shown.some_key.items():
        if extra := keys - known.some_key.get(place, frozenset()):
            wrong.append(f"{place}: has {sorted(extra)}, which no recording has")
    for place, names in shown.types.items():
        kind, path = place
        allowed = set(known.types.get(place, set()))
        allowed |= {name for key, name in DOCUMENTED.items() if key == (api, kind, path)}
        here = wanted.types.get(place, set()) - {"null"}
        if here and "null" not in here:
            # a number that is whole in this state is whole here too; nothing but null may be added from elsewhere
            allowed = here | (allowed & {"null"})
            allowed |= {name for key, name in DOCUMENTED.items() if key == (api, kind, path)}
        if not names <= allowed:
            wrong.append(f"{place}: {sorted(names - allowed)} where {sorted(allowed)} is known")
    return wrong


def wire_format(body: bytes) -> str:
    """Return ``compact`` or ``pretty-printed``, as the manifest calls them."""
    text = body.decode()
    value = json.loads(text)
    if text == json.dumps(value, separators=(",", ":")).replace("/", "\\/"):
        return "compact"
    if text in {json.dumps(value, indent=4), json.dumps(value, indent=4, ensure_ascii=False)}:
        return "pretty-printed"
    return "neither"

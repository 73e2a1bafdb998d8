"""A recording as newest OCAP web servers convert it: Protocol Buffers in chunks of 300 frames.

What the converter loses is lost here too: heights, who is nobody (0), what was said, the end of the mission, and the
last frame.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

_FRAMES: Final = 300
_PREFIX: Final = struct.pack("<I", 1)
_SIDES: Final = {"WEST": 1, "EAST": 2, "GUER": 3, "CIV": 4}
_MARKER_SIDES: Final = {0: 2, 1: 1, 2: 3, 3: 4}
_NO_END: Final = 2**32 - 1

Field = tuple[int, Any]


@lru_cache(maxsize=8)
def converted(content: bytes) -> dict[str, bytes]:
    """Return the files of a recording by their names below its folder, of its JSON."""
    recording = json.loads(content)
    end = recording["endFrame"]
    count = max(1, -(-end // _FRAMES))
    frames: list[list[bytes]] = [[] for _ in range(end)]
    for entity in filter(None, recording["entities"]):
        for frame, state in _states(entity):
            if frame < end:
                frames[frame].append(state)
    files = {"manifest.pb": _PREFIX + message(_manifest(recording, count))}
    for index in range(count):
        first = index * _FRAMES
        last = min(first + _FRAMES, end)
        told = [(4, message([(1, at), *((2, state) for state in frames[at])])) for at in range(first, last)]
        files[f"chunks/{index:04}.pb"] = _PREFIX + message([(1, index), (2, first), (3, last - first), *told])
    return files


def message(fields: Iterable[Field]) -> bytes:
    """Return fields, each a number and a value, as they are written; what is zero or empty is left out."""
    made = bytearray()
    for number, value in fields:
        match value:
            case bool() | int():
                if value:
                    made += _varint(number << 3) + _varint(int(value) % 2**64)
            case float():
                if value:
                    made += _varint(number << 3 | 5) + struct.pack("<f", value)
            case str():
                if value:
                    made += _bytes(number, value.encode())
            case bytes():
                made += _bytes(number, value)
            case list():
                if value and isinstance(value[0], float):
                    made += _bytes(number, struct.pack(f"<{len(value)}f", *value))
                elif value:
                    made += _bytes(number, b"".join(map(_varint, value)))
    return bytes(made)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _manifest(recording: dict[str, Any], chunks: int) -> Iterator[Field]:
    yield from ((1, 1), (2, recording["worldName"]), (3, recording["missionName"]), (4, recording["endFrame"]))
    yield from ((5, _FRAMES), (6, int(recording["captureDelay"] * 1000)), (7, chunks))
    for entity in filter(None, recording["entities"]):
        yield 8, message(_entity(entity))
    for time in recording.get("times", []):
        said = [(1, time["frameNum"]), (2, time["systemTimeUTC"]), (3, time["date"])]
        yield 9, message([*said, (4, float(time["timeMultiplier"])), (5, float(time["time"]))])
    for event in recording["events"]:
        yield 10, message(_event(event))
    for marker in recording.get("Markers", []):
        if len(marker) > 10 and isinstance(marker[7], list):  # noqa: PLR2004 - its form
            yield 11, message(_marker(marker))
    yield from ((12, recording.get("extensionVersion", "")), (13, recording.get("addonVersion", "")))


def _entity(entity: dict[str, Any]) -> list[Field]:
    frames = [frame for frame, _ in _states(entity)]
    return [
        (1, entity["id"]),
        (2, {"unit": 1, "vehicle": 2}.get(entity["type"], 0)),
        (3, entity["name"]),
        (4, _SIDES.get(entity.get("side", ""), 0)),
        (5, entity.get("group", "")),
        (6, entity.get("role", "")),
        (7, entity["startFrameNum"]),
        (8, frames[-1] if frames else entity["startFrameNum"]),
        (9, entity.get("isPlayer") == 1),
        (10, entity.get("class", "")),
    ]


def _states(entity: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
    is_unit = entity["type"] == "unit"
    for at, one in enumerate(entity["positions"], entity["startFrameNum"]):
        place = [(1, entity["id"]), (2, float(one[0][0])), (3, float(one[0][1])), (4, one[1]), (5, one[2])]
        if is_unit:
            name, player = [*one[4:6], "", 0][:2]
            more = [(7, one[3] if one[3] > 1 else 0), (8, one[3] > 0), (9, name), (10, player == 1)]
        else:
            more = [(6, one[3])]
        state = message([*place, *more])
        first, last = one[4] if not is_unit and len(one) > 4 else (at, at)  # noqa: PLR2004 - its form
        for frame in range(first, last + 1):
            yield frame, state


def _event(event: list[Any]) -> list[Field]:
    frame, kind, *rest = event
    if kind in {"killed", "hit"}:
        by, weapon = [*rest[1], ""][:2]
        source = by if isinstance(by, int) else 0
        return [(1, frame), (2, kind), (3, source), (4, rest[0]), (6, float(rest[2] or 0)), (7, weapon)]
    said = rest[0] if kind in {"connected", "disconnected"} else ""
    return [(1, frame), (2, kind), (5, said)]


def _marker(marker: list[Any]) -> list[Field]:
    kind, text, first, last, owner, colour, side, places, size, shape, brush = marker[:11]
    told = [
        (
            8,
            message(
                [(1, one[0]), (2, float(one[1][0])), (3, float(one[1][1])), (5, float(one[2])), (6, float(one[3]))]
            ),
        )
        for one in places
    ]
    head = [(1, kind), (2, text), (3, first), (4, last if last >= 0 else _NO_END), (5, owner), (6, colour)]
    return [*head, (7, _MARKER_SIDES.get(side, 5)), *told, (9, [float(one) for one in size]), (10, shape), (11, brush)]

"""The chunked binary form to which newest OCAP web servers convert recordings: Protocol Buffers, schema 1.

A recording is ``manifest.pb`` (head, entities, events, markers) and ``chunks/0000.pb`` and so on, with the states of
all entities frame by frame. Each file may begin with four bytes of its schema's version. It holds less than the JSON
that it was made of: neither heights nor what was said, the last frame is left out, and who is unknown is 0. So it is
read only where a server has no JSON any more. Here it is kept as one archive of zip, without packing, of the files as
they came.

Numbers and types of fields are those of the server's schema (``ocap.v1``); the names are ours.
"""

from __future__ import annotations

import io
import zipfile
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from pteroassets.sources.arma3.ocap_entities import Entity
from pteroassets.sources.arma3.unpacking import Limits, Unreadable

_MAGIC: Final = b"PK\x03\x04"
MANIFEST: Final = "manifest.pb"
_PREFIX: Final = 4
_VERSION: Final = 1
_MOST_CHUNKS: Final = 20_000
_MOST_STATES: Final = 50_000_000
_NO_END: Final = 2**31
_TYPES: Final = {1: "unit", 2: "vehicle"}
_SIDES: Final = {1: "WEST", 2: "EAST", 3: "GUER", 4: "CIV"}
#: As the JSON numbers the sides that see a marker.
_SIDE_PLACES: Final = {"EAST": 0, "WEST": 1, "GUER": 2, "CIV": 3}
_KINDS: Final = {
    "u": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "i": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "f": descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
    "s": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "b": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}
#: Of each message the fields in the order of their numbers, from 1: name, and type; ``*`` is an array.
_LAYOUT: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "Manifest": (
        ("version", "u"), ("world", "s"), ("mission", "s"), ("frames", "u"), ("chunk_size", "u"), ("delay_ms", "u"),
        ("chunks", "u"), ("entities", "*Entity"), ("times", "*Time"), ("events", "*Event"), ("markers", "*Marker"),
        ("extension", "s"), ("addon", "s"),
    ),
    "Entity": (
        ("id", "u"), ("kind", "u"), ("name", "s"), ("side", "u"), ("squad", "s"), ("role", "s"), ("first", "u"),
        ("last", "u"), ("is_player", "b"), ("vehicle_class", "s"),
    ),
    "Time": (("frame", "u"), ("utc", "s"), ("date", "s"), ("multiplier", "f"), ("seconds", "f")),
    "Event": (
        ("frame", "u"), ("kind", "s"), ("source", "u"), ("target", "u"), ("text", "s"), ("distance", "f"),
        ("weapon", "s"),
    ),
    "Marker": (
        ("kind", "s"), ("text", "s"), ("first", "u"), ("last", "u"), ("owner", "i"), ("colour", "s"), ("side", "u"),
        ("places", "*Place"), ("size", "*f"), ("shape", "s"), ("brush", "s"),
    ),
    "Place": (("frame", "u"), ("x", "f"), ("y", "f"), ("z", "f"), ("heading", "f"), ("alpha", "f")),
    "Chunk": (("index", "u"), ("first", "u"), ("count", "u"), ("frames", "*Frame")),
    "Frame": (("number", "u"), ("states", "*State")),
    "State": (
        ("entity", "u"), ("x", "f"), ("y", "f"), ("heading", "u"), ("life", "u"), ("crew", "*u"), ("vehicle", "u"),
        ("is_aboard", "b"), ("name", "s"), ("is_player", "b"),
    ),
}  # fmt: skip


def _messages() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="recording.proto", package="recording", syntax="proto3")
    for name, fields in _LAYOUT.items():
        made = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, 1):
            of = kind.removeprefix("*")
            one = made.field.add(name=field, number=number)
            one.label = one.LABEL_REPEATED if kind.startswith("*") else one.LABEL_OPTIONAL
            one.type = _KINDS.get(of, one.TYPE_MESSAGE)
            if of not in _KINDS:
                one.type_name = f".recording.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"recording.{name}")) for name in _LAYOUT}


_OF: Final = _messages()


def is_chunked(content: bytes) -> bool:
    """Return whether a document is an archive that `bundle` made."""
    return content.startswith(_MAGIC)


def chunk_count(manifest: bytes) -> int:
    """Return how many chunks belong to a manifest.

    Raises:
        Unreadable: It is no manifest of this schema.
    """
    found = int(_parse("Manifest", manifest, MANIFEST).chunks)
    if not 0 < found <= _MOST_CHUNKS:
        raise Unreadable("not_a_replay", f"its manifest tells of {found:,} chunks, and 1 to {_MOST_CHUNKS:,} are read")
    return found


def check_chunk(content: bytes, name: str) -> None:
    """Do nothing where a chunk can be read.

    Raises:
        Unreadable: It is damaged or of another schema.
    """
    _parse("Chunk", content, name)


def chunk_name(index: int) -> str:
    """Return the name of a chunk's file, from the folder of the recording."""
    return f"chunks/{index:04}.pb"


def bundle(manifest: bytes, chunks: Iterable[bytes]) -> bytes:
    """Return one document of the files of a recording; the same files make the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST), manifest)
        for index, chunk in enumerate(chunks):
            archive.writestr(zipfile.ZipInfo(chunk_name(index)), chunk)
    return held.getvalue()


def with_texts(content: bytes, change: Callable[[str], str]) -> bytes:
    """Return an archive with each text changed, as it is where none is; what is no such archive stays as it is."""
    try:
        files = _files(content, Limits())
        manifest, *chunks = [
            _changed(files[name], "Manifest" if name == MANIFEST else "Chunk", change) for name in files
        ]
    except (Unreadable, ValueError):
        return content
    new = bundle(manifest, chunks)
    return content if [manifest, *chunks] == list(files.values()) else new


class ChunkedRecording:
    """A recording of this form: its head as a recording's JSON has it, and its entities, one after the other.

    Chunks are read one at a time, into columns of some twenty bytes for each state.

    Raises:
        Unreadable: It is damaged, of another schema or too large.
    """

    def __init__(self, content: bytes, limits: Limits) -> None:
        self._files = _files(content, limits)
        self._limits = limits
        self._manifest = _parse("Manifest", self._files[MANIFEST], MANIFEST)
        self.counts: dict[str, int] = defaultdict(int)
        self.missing: dict[str, str] = {}
        lacking = [name for name in map(chunk_name, range(self._manifest.chunks)) if name not in self._files]
        if lacking:
            self.missing["positions"] = f"{len(lacking)} of {self._manifest.chunks} chunks are not there"

    def __len__(self) -> int:
        return len(self._manifest.entities)

    def head(self) -> dict[str, Any]:
        """Return head, events and markers as a recording's JSON names and writes them."""
        one = self._manifest
        return {
            "worldName": one.world,
            "missionName": one.mission,
            "captureDelay": one.delay_ms / 1000,
            "endFrame": one.frames,
            "addonVersion": one.addon,
            "extensionVersion": one.extension,
            "times": [{"frameNum": time.frame, "systemTimeUTC": time.utc} for time in one.times],
            "events": [_event(event) for event in one.events],
            "Markers": [_marker(marker) for marker in one.markers],
        }

    def entities(self) -> Iterator[Entity]:
        """Yield the entities, each with all its positions."""
        states = self._states()
        for one in self._manifest.entities:
            kind = _TYPES.get(one.kind, "")
            mine = states.pop(one.id, None)
            start: int = one.first
            positions: list[Any] = []
            if mine is not None:
                start, positions = mine.positions(is_unit=kind == "unit")
                if not positions:
                    self.counts["entities_with_gaps"] += 1
            yield Entity(
                id=one.id,
                type=kind,
                name=one.name,
                group=one.squad,
                side=_SIDES.get(one.side),
                is_player=int(one.is_player),
                role=one.role or None,
                vehicle_class=one.vehicle_class,
                start=start,
                positions=positions,
            )

    def _states(self) -> dict[int, _States]:
        last = min(self._manifest.frames + 1, self._limits.frames)
        found: dict[int, _States] = {one.id: _States() for one in self._manifest.entities}
        total = 0
        for name, content in self._files.items():
            if name == MANIFEST:
                continue
            for frame in _parse("Chunk", content, name).frames:
                total += len(frame.states)
                if total > _MOST_STATES:
                    raise Unreadable("too_large", f"it has more than {_MOST_STATES:,} positions: raise the limit")
                if frame.number > last:
                    self.counts["positions_beyond_the_end"] += len(frame.states)
                    continue
                for state in frame.states:
                    mine = found.get(state.entity)
                    if mine is None or not mine.take(frame.number, state):
                        self.counts["positions_unreadable"] += 1
        return {number: states for number, states in found.items() if states}


class _States:
    """The states of one entity in columns, by frame."""

    def __init__(self) -> None:
        self._frames, self._headings, self._vehicles = array("i"), array("i"), array("i")
        self._x, self._y = array("f"), array("f")
        self._lives, self._players = array("b"), array("b")
        self._changes: list[tuple[int, Any]] = []
        """From which state on a unit has another name, or a vehicle another crew."""

    def __len__(self) -> int:
        return len(self._frames)

    def take(self, frame: int, state: Any) -> bool:
        """Take the state of a later frame; return whether it is one."""
        if self._frames and frame <= self._frames[-1]:
            return False
        changes = (state.name, tuple(state.crew))
        if not self._changes or self._changes[-1][1] != changes:
            self._changes.append((len(self._frames), changes))
        self._frames.append(frame)
        self._x.append(state.x)
        self._y.append(state.y)
        self._headings.append(state.heading % 360)
        self._lives.append(min(state.life, 2))
        self._vehicles.append(min(state.vehicle, 2**31 - 1) or int(state.is_aboard))
        self._players.append(state.is_player)
        return True

    def positions(self, *, is_unit: bool) -> tuple[int, list[Any]]:
        """Return the first frame and the positions as JSON has them; of a unit with more gaps than states, none."""
        first, last = self._frames[0], self._frames[-1]
        if is_unit and last - first + 1 > 2 * len(self._frames):
            return first, []
        made: list[Any] = [None] * (last - first + 1) if is_unit else []
        changes = iter([*self._changes, (len(self._frames), None)])
        (_, (name, crew)), (until, following) = next(changes), next(changes)
        for at, frame in enumerate(self._frames):
            if at == until:
                name, crew = following
                until, following = next(changes)
            # single precision is a millimetre on the largest map
            place = [round(self._x[at], 2), round(self._y[at], 2)]
            if is_unit:
                vehicle, player = self._vehicles[at], self._players[at]
                made[frame - first] = [place, self._headings[at], self._lives[at], vehicle, name, player]
            else:
                made.append([place, self._headings[at], self._lives[at], list(crew), [frame, frame]])
        return first, made


def _event(event: Any) -> list[Any]:
    if event.kind in {"killed", "hit"}:
        # nobody was written as 0 without a weapon and with an unknown distance
        is_nobody = event.source == 0 and not event.weapon and event.distance < 0
        by = ["null"] if is_nobody else [event.source, event.weapon]
        return [event.frame, event.kind, event.target, by, round(event.distance, 2)]
    return [event.frame, event.kind, event.text]


def _marker(marker: Any) -> list[Any]:
    side = _SIDE_PLACES.get(_SIDES.get(marker.side, ""), -1)
    places = [[one.frame, [one.x, one.y, one.z], one.heading, one.alpha] for one in marker.places]
    end = -1 if marker.last >= _NO_END else marker.last
    head = [marker.kind, marker.text, marker.first, end, marker.owner, marker.colour, side]
    return [*head, places, list(marker.size), marker.shape, marker.brush]


def _files(content: bytes, limits: Limits) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
                raise Unreadable("too_large", f"it has more than {limits.unpacked_bytes >> 20:,} MiB: raise the limit")
            # `bundle` packs nothing, and what others packed may fail in the ways of each packing
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise Unreadable("not_a_replay", "it is an archive that is no recording in chunks")
            found = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise Unreadable("unreadable", f"its archive is damaged ({error}): fetch it again") from None
    if MANIFEST not in found:
        raise Unreadable("not_a_replay", f"its archive has no {MANIFEST}")
    return found


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Return the version's four bytes, where they are there, and the rest; no message begins with them."""
    if len(content) >= _PREFIX and content[1:_PREFIX] == b"\0\0\0":
        return content[:_PREFIX], content[_PREFIX:]
    return b"", content


def _parse(kind: str, content: bytes, name: str) -> Any:
    prefix, rest = _split(content)
    if prefix and prefix[0] != _VERSION:
        raise Unreadable("unreadable", f"{name} is of schema {prefix[0]}, and schema {_VERSION} is read")
    try:
        return _OF[kind].FromString(rest)
    except DecodeError:
        raise Unreadable("unreadable", f"{name} is damaged: fetch it again") from None


def _changed(content: bytes, kind: str, change: Callable[[str], str]) -> bytes:
    prefix, _ = _split(content)
    message = _parse(kind, content, kind)
    # a field that is not known here stays as it is
    return prefix + bytes(message.SerializeToString(deterministic=True)) if _change(message, change) else content


def _change(message: Message, change: Callable[[str], str]) -> bool:
    is_other = False
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for one in value:
                is_other = _change(one, change) or is_other
        elif field.type == field.TYPE_STRING and (new := change(value)) != value:
            setattr(message, field.name, new)
            is_other = True
    return is_other

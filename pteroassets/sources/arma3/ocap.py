"""Recordings of OCAP in every generation of its JSON: legacy, SolidGames, extension 4 and 5, streams, Reforger.

A recording is one document with a head, events and entities. Entities are most of it, so they stay bytes until their
turn comes: memory is the document and one entity. Nothing is read by its place but by its kind; generations differ:

==========  ===========================  ==========================================================
generation  known by                     what is its own
==========  ===========================  ==========================================================
legacy      no ``Markers``               distances as text, no names by frame
solidgames  ``playersCount``             markers as operations, no end of the mission
extension4  ``extensionVersion`` 4       times, unconsciousness, frames of vehicles that are merged
extension5  ``extensionVersion`` 5       number of the vehicle, nobody is 0
stream      units of 7, version 5        a position for each state received, so frames are unknown
reforger    ``extensionBuild``           entities that are null
chunked     an archive                   no heights, no words, no end of the mission; nobody is 0
==========  ===========================  ==========================================================

The last is made of the others by newest servers, which keep the JSON beside it; it is read where they have that alone.
"""

from __future__ import annotations

import contextlib
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from pteroassets.sources.arma3.ocap_chunked import ChunkedRecording, is_chunked
from pteroassets.sources.arma3.ocap_clock import Clock, tell
from pteroassets.sources.arma3.ocap_entities import Entities, Entity
from pteroassets.sources.arma3.ocap_events import Events, read_events
from pteroassets.sources.arma3.ocap_markers import read_markers
from pteroassets.sources.arma3.ocap_tracks import Tracks
from pteroassets.sources.arma3.positions import RollUp
from pteroassets.sources.arma3.records import Generation, ListedReplay, Reading, Replay, ReplayOutcome, Side, SideName
from pteroassets.sources.arma3.unpacking import Limits, Unreadable, decode, unpack
from pteroassets.sources.arma3.values import SIDE_NUMBERS, count, number, row, text

#: Members of ``playersCount``, in their order.
_SLOTS: Final = tuple(SIDE_NUMBERS.values())
_LONGEST_DELAY: Final = 3600.0
_ASSUMED_DELAY: Final = 1.0


class _Document(msgspec.Struct):
    """The head of a recording, and the rest of it."""

    world: Any = msgspec.field(default=None, name="worldName")
    mission: Any = msgspec.field(default=None, name="missionName")
    author: Any = msgspec.field(default=None, name="missionAuthor")
    delay: Any = msgspec.field(default=None, name="captureDelay")
    end: Any = msgspec.field(default=None, name="endFrame")
    addon: Any = msgspec.field(default=None, name="addonVersion")
    extension: Any = msgspec.field(default=None, name="extensionVersion")
    build: Any = msgspec.field(default=None, name="extensionBuild")
    tags: Any = None
    times: Any = None
    players: Any = msgspec.field(default=None, name="playersCount")
    editor_markers: Any = msgspec.field(default=None, name="EditorMarkers")
    markers: Any = msgspec.field(default=None, name="Markers")
    events: Any = None
    entities: list[msgspec.Raw] | None = None


def read_recording(
    content: bytes,
    listed: ListedReplay,
    *,
    zone: str = "UTC",
    roll_up: RollUp | None = None,
    limits: Limits | None = None,
) -> Reading:
    """Return a recording as rows; never raises on what the site sent.

    Args:
        content: As it was fetched; gzip packed it, or not.
        listed: What the site's list says of it.
        zone: Zone of the clock by which the site names files, and of `Replay.played_on`.
        roll_up: How positions are rolled up.
        limits: What a recording may hold at most.
    """
    head = Replay(
        source="ocap",
        replay_id=listed.replay_id,
        site_number=listed.site_number,
        url=listed.url,
        mission=listed.mission,
        island=listed.island,
        played_on=listed.listed_on,
        zone=zone,
        clock="unknown" if listed.listed_on is None else "upload_date",
        duration_seconds=listed.duration_seconds,
        tag=listed.tag,
        winner_reason="the recording was not read",
    )
    try:
        return _read(content, listed, head, ZoneInfo(zone), roll_up or RollUp(), limits or Limits())
    except Unreadable as unreadable:
        return Reading(replay=replace(head, outcome=unreadable.outcome, reason=unreadable.reason))


def _read(
    content: bytes, listed: ListedReplay, head: Replay, zone: ZoneInfo, roll_up: RollUp, limits: Limits
) -> Reading:
    chunked = ChunkedRecording(content, limits) if is_chunked(content) else None
    if chunked is not None:
        document = msgspec.convert({**chunked.head(), "entities": []}, _Document)
    else:
        document = decode(unpack(content, limits), _Document)
    if document.entities is None and document.events is None:
        raise Unreadable("not_a_replay", "it has neither entities nor events")
    missing = _missing(document) | ({} if chunked is None else chunked.missing)
    events = _array(document.events)
    end, delay = count(document.end), _delay(document)
    how_many = len(document.entities or []) if chunked is None else len(chunked)
    _check(limits, entities=how_many, events=len(events), frames=end or 0)
    latest = limits.frames if end is None else end
    tracks = Tracks(delay, latest) if roll_up.keeps_all else None
    entities = Entities(end=latest, delay=delay, roll_up=roll_up, tracks=tracks)
    with _collector_at_rest():
        parts = _decoded(document.entities or [], entities) if chunked is None else enumerate(chunked.entities())
        generation = _walk(document, parts, entities)
    if chunked is not None:
        generation = "chunked"
        for name, skipped in chunked.counts.items():
            entities.counts[name] += skipped
    if end is None:
        lasts = [one.last for one in entities.soldiers.values() if one.last is not None]
        entities.end = max(lasts, default=0)
    found = read_events(events, entities, generation)
    markers = read_markers(_array(document.markers), _array(document.editor_markers), entities)
    clock = tell(
        times=document.times,
        delay=delay,
        end_frame=entities.end,
        generation=generation,
        file_name=listed.replay_id,
        address=listed.site_number,
        listed_on=listed.listed_on,
        zone=zone,
    )
    units = entities.unit_rows(found.killed)
    stints = entities.stint_rows()
    if any(not one.is_reliable for one in entities.soldiers.values()):
        missing["positions"] = "some units have fewer positions than frames, which then cannot be told"
    replay = _head(head, document, clock, found, entities, generation, missing)
    names: dict[SideName | None, set[str]] = defaultdict(set)
    side_of = {one.unit_id: one.side for one in units}
    for unit_id, name in [(one.unit_id, one.name) for one in stints if one.is_player] + [
        (one.unit_id, one.name) for one in units if one.is_player and one.name is not None
    ]:
        names[side_of[unit_id]].add(name)
    slots = _slots(document)
    sides = tuple(
        Side(side=name, players=len(names[name]), slots=slots[name])
        for name in _SLOTS
        if slots[name] or name in side_of.values()
    )
    given = [one for one in slots.values() if one is not None]
    return Reading(
        replay=replace(replay, players=len(set().union(*names.values())), slots=sum(given) if given else None),
        sides=sides,
        units=tuple(units),
        stints=tuple(stints),
        vehicles=tuple(entities.vehicles.values()),
        kills=tuple(found.kills),
        hits=tuple(found.hits),
        connects=tuple(found.connects),
        messages=tuple(found.messages),
        markers=tuple(markers),
        roll_up=roll_up,
        positions=tuple(entities.cell_rows()),
        full_positions=() if tracks is None else tracks,
    )


def _missing(document: _Document) -> dict[str, str]:
    """Return what a recording of any generation has and this one lacks."""
    missing = {}
    for name, value in (("mission", text(document.mission)), ("island", text(document.world))):
        if value is None:
            missing[name] = "the recording names none"
    if document.entities is None:
        missing["entities"] = "the recording has no array of entities"
    if not isinstance(document.events, list):
        missing["events"] = "the recording has no array of events"
    if count(document.end) is None:
        missing["end_frame"] = "the recording has no endFrame: the last position was taken"
    if _delay(document) != number(document.delay):
        missing["capture_delay"] = f"the recording has no usable captureDelay: {_ASSUMED_DELAY} s were assumed"
    return missing


def _check(limits: Limits, *, entities: int, events: int, frames: int) -> None:
    for what, found, most in (
        ("entities", entities, limits.entities),
        ("events", events, limits.events),
        ("frames", frames, limits.frames),
    ):
        if found > most:
            raise Unreadable("too_large", f"it has {found:,} {what}, and at most {most:,} are read: raise the limit")


def _delay(document: _Document) -> float:
    found = number(document.delay)
    return found if found is not None and 0 < found <= _LONGEST_DELAY else _ASSUMED_DELAY


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the collector of cycles off millions of lists, which hold none: looking takes it as long as reading does."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _decoded(parts: list[msgspec.Raw], entities: Entities) -> Iterator[tuple[int, Entity]]:
    """Yield the entities with their places, each decoded when its turn comes."""
    for place, raw in enumerate(parts):
        entity = _entity(raw)
        if entity is None:
            entities.counts["placeholders" if bytes(raw).strip() == b"null" else "entities_unreadable"] += 1
        else:
            yield place, entity


def _walk(document: _Document, parts: Iterable[tuple[int, Entity]], entities: Entities) -> Generation:
    """Take all entities, one after the other; return the generation, which their form tells too."""
    version, build = text(document.extension) or "", (text(document.build) or "").lower()
    by_version: Generation = "unknown"
    if build.startswith("reforger"):
        by_version = "reforger"
    elif version.startswith(("4", "5")):
        by_version = "extension4" if version.startswith("4") else "extension5"
    # early versions wrote what changed, and streams what was received: the place of a position is then no frame
    is_sparse = "alpha" in version
    has_chat = any(isinstance(event, list) and event[1:2] == ["chat"] for event in _array(document.events))
    has_role = False
    for place, entity in parts:
        entity_id = count(entity.id)
        entity_id = place if entity_id is None else entity_id
        has_role = has_role or entity.role is not None
        if entity_id in entities.soldiers or entity_id in entities.vehicles:
            entities.counts["entities_twice"] += 1
        elif entity.type == "unit":
            is_newest = by_version == "extension5" or (by_version == "unknown" and has_chat)
            if is_newest and _members(entity) == 7:  # noqa: PLR2004 - of a stream
                by_version, is_sparse = "stream", True
            entities.walk_unit(entity, entity_id, needs_every_frame=is_sparse)
        elif entity.type == "vehicle":
            entities.walk_vehicle(entity, entity_id)
        else:
            entities.counts["placeholders"] += 1
    if by_version != "unknown":
        return by_version
    if document.players is not None or document.editor_markers is not None:
        return "solidgames"
    if document.markers is None:
        return "legacy"
    return "extension4" if has_role else "unknown"


def _entity(raw: msgspec.Raw) -> Entity | None:
    try:
        return msgspec.json.decode(raw, type=Entity)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            return decode(bytes(raw), Entity)
        except Unreadable:
            return None


def _members(entity: Entity) -> int:
    first = entity.positions[0] if isinstance(entity.positions, list) and entity.positions else None
    return len(first) if isinstance(first, list) else 0


def _slots(document: _Document) -> Mapping[SideName, int | None]:
    """Return the slots of each side: EAST, WEST, GUER, CIV; -1 is unknown."""
    counted = [count(value) for value in row(document.players, len(_SLOTS))]
    return dict(zip(_SLOTS, counted, strict=True))


def _head(
    head: Replay,
    document: _Document,
    clock: Clock,
    found: Events,
    entities: Entities,
    generation: Generation,
    missing: dict[str, str],
) -> Replay:
    versions = {"addon": document.addon, "extension": document.extension, "build": document.build}
    outcome: ReplayOutcome = "incomplete" if missing else "ok"
    soldiers = entities.soldiers.values()
    return replace(
        head,
        generation=generation,
        mission=text(document.mission) or head.mission,
        mission_author=text(document.author),
        island=text(document.world) or head.island,
        played_on=clock.played_on,
        started_at=clock.started_at,
        ended_at=clock.ended_at,
        clock=clock.source,
        clock_reason=clock.reason,
        duration_seconds=entities.second(entities.end),
        capture_delay=entities.delay,
        end_frame=entities.end,
        winner=found.winner,
        winner_reason=found.winner_reason,
        end_message=found.end_message,
        tag=text(document.tags) or head.tag,
        versions={name: said for name, value in versions.items() if (said := text(value)) is not None},
        positions_are_reliable=all(one.is_reliable for one in soldiers) if soldiers else None,
        missing=missing,
        counts=dict(sorted(entities.counts.items())),
        outcome=outcome,
        reason="; ".join(f"{name}: {why}" for name, why in sorted(missing.items())) or None,
    )

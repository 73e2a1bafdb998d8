"""What a replay yields, as rows; each field that a source lacks is None, and `Replay.missing` says why.

Path of the data::

    list page / operations --> Listing --> page + digest / recording --> Reading --> rows of ``raw_arma3``

Seconds are counted from the begin of the recording. A recording holds frames; a frame is ``capture_delay`` seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pteroassets.sources.arma3.positions import FullPosition, PositionCell, RollUp

SourceName = Literal["wog", "ocap"]
SideName = Literal["EAST", "WEST", "GUER", "CIV"]
#: How a document was written; of WOG there is one form only.
Generation = Literal[
    "wog", "legacy", "solidgames", "extension4", "extension5", "stream", "reforger", "chunked", "unknown"
]
#: How the instants are known: from times that the page shows, from UTC inside the recording, from the second of UNIX in
#: its address, from the time in its file name, from the day of its upload (a date and no instant then), or not at all.
ClockSource = Literal["page", "recording", "address", "file_name", "upload_date", "unknown"]
#: What came of reading a document that was fetched. An *incomplete* one was read, but for what `Replay.missing` names.
ReplayOutcome = Literal["ok", "incomplete", "truncated", "not_a_replay", "not_found", "too_large", "unreadable"]
#: What a kill or a hit befell, or what did it.
ActorKind = Literal["unit", "vehicle", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedReplay:
    """One line of a site's list: that a replay is there, and what the list says of it.

    Attributes:
        source: Kind of site.
        replay_id: WOG's number of the game as text; of OCAP the file name without its suffixes. With the site's address
            it names the replay for ever.
        site_number: WOG's number, or the number of OCAP's operation, which an upload anew changes.
        url: Where a person looks at it.
        data_urls: Where its document is, to be tried in this order; WOG's digest.
        mission: Its name.
        island: The world it was played in.
        listed_on: Day of the upload in the server's own zone.
        duration_seconds: Of the game.
        players: Who took part.
        slots: Places there were.
        tag: Word of the community, such as ``TvT``.
        state: Of the server's conversion, such as ``completed``; None where it does not say.
        focus_frames: First and last frame that are worth watching.
        position: Place in the list, from 0; WOG's newest is first.
    """

    source: SourceName
    replay_id: str
    site_number: int | None = None
    url: str
    data_urls: tuple[str, ...]
    mission: str | None = None
    island: str | None = None
    listed_on: date | None = None
    duration_seconds: float | None = None
    players: int | None = None
    slots: int | None = None
    tag: str | None = None
    state: str | None = None
    focus_frames: tuple[int, int] | None = None
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A site's list as it was read; *skipped* counts lines that are no replay one could name."""

    replays: tuple[ListedReplay, ...] = ()
    skipped: int = 0
    outcome: ReplayOutcome = "ok"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One replay; its head.

    Attributes:
        source: Kind of site.
        replay_id: As in `ListedReplay`.
        site_number: The same.
        url: Where a person looks at it.
        generation: How its document was written.
        mission: Name of the mission.
        mission_id: WOG's number of it.
        mission_author: Who made the mission.
        island: The world it was played in.
        played_on: Day on which it began, in *zone*.
        started_at: When it began; with a zone, as all instants.
        ended_at: When it ended; never before its begin, also over midnight.
        zone: Zone in which the source tells times, such as ``Europe/Moscow``.
        clock: How the instants are known.
        clock_reason: The same in words, with what was assumed.
        duration_seconds: Of the game, or of the recording.
        capture_delay: Seconds of a frame.
        end_frame: The last frame.
        slots: Places there were.
        players: Who took part.
        winner: Side that won; None where no source says one, never guessed from prose.
        winner_reason: Why there is no winner.
        end_message: What was said at the end.
        tag: Word of the community, such as ``TvT``.
        versions: Versions of what recorded it, by name.
        positions_are_reliable: Whether frames of positions are known; None without positions.
        missing: Reasons by the name of a field of this class or of a kind of rows.
        counts: What was passed over, by kind, such as ``kills_without_victim``.
        outcome: What came of reading it.
        reason: Why it is not ok, in words, with what to do.
    """

    source: SourceName
    replay_id: str
    site_number: int | None = None
    url: str
    generation: Generation = "unknown"
    mission: str | None = None
    mission_id: int | None = None
    mission_author: str | None = None
    island: str | None = None
    played_on: date | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    zone: str | None = None
    clock: ClockSource = "unknown"
    clock_reason: str | None = None
    duration_seconds: float | None = None
    capture_delay: float | None = None
    end_frame: int | None = None
    slots: int | None = None
    players: int | None = None
    winner: SideName | None = None
    winner_reason: str | None = None
    end_message: str | None = None
    tag: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    positions_are_reliable: bool | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    outcome: ReplayOutcome = "ok"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One row for each side of a replay that took part."""

    side: SideName
    faction: str | None = None
    players: int | None = None
    """Heads of the side: as the site counts them, else players that the recording saw."""
    slots: int | None = None
    commander_name: str | None = None
    commander_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One row for each soldier of a replay.

    Attributes:
        unit_id: Number within the replay; of WOG the player's.
        player_id: The site's number of the player; recordings have none.
        name: The first player's name, else the soldier's own.
        side: None where it is unknown.
        squad: Its group.
        role: Its slot in the mission.
        is_player: Whether a person ever played it.
        first_second: When it came.
        last_second: When it was last recorded.
        survived: Whether it lived when it was last recorded; None where the source says nothing of it.
        died_second: When it died.
        death_without_kill: It died and no kill tells of it, as by a disconnect.
    """

    unit_id: int
    player_id: int | None = None
    name: str | None = None
    side: SideName | None = None
    squad: str | None = None
    role: str | None = None
    is_player: bool
    first_second: float | None = None
    last_second: float | None = None
    survived: bool | None = None
    died_second: float | None = None
    death_without_kill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stint:
    """One row for each span in which somebody held a unit; taking over a unit begins a new one, numbered from 0."""

    unit_id: int
    number: int
    name: str
    is_player: bool
    first_second: float
    last_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One row for each vehicle of a replay; *vehicle_id* is unique within the replay only.

    Attributes:
        vehicle_id: Number within the replay.
        vehicle_class: OCAP's word, such as ``car`` or ``heli``.
        name: Name of the model.
        side: Whose it is; most sources do not say.
        first_second: When it came.
        last_second: When it was last recorded.
        survived: Whether it was whole when it was last recorded.
    """

    vehicle_id: int
    vehicle_class: str | None = None
    name: str | None = None
    side: SideName | None = None
    first_second: float | None = None
    last_second: float | None = None
    survived: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What a kill and a hit have in common; rows are numbered from 0 in the order of the document.

    Attributes:
        number: Place among the rows of its kind.
        second: When.
        victim_kind: What was harmed.
        victim_id: Unit that was harmed.
        victim_name: Its name then.
        victim_side: Its side.
        victim_vehicle_id: Vehicle that was harmed, or in which the victim sat.
        victim_vehicle: Its name.
        killer_kind: What did it; *unknown* where *killer_reason* says why.
        killer_id: Unit that did it; None is unknown, and never somebody else.
        killer_name: Its name then.
        killer_side: Its side.
        killer_vehicle_id: Vehicle that did it, or in which the killer sat.
        killer_vehicle: Its name.
        killer_reason: Why the killer is unknown or in doubt.
        is_doubtful: The killer is written down, but the writer may have meant nobody.
        weapon: As the source writes it.
        distance_metres: Between both.
        is_team_kill: As WOG says it; else whether both are of one side and not the same. None where that is unknown.
        is_suicide: Whether victim and killer are the same; None where the killer is unknown.
    """

    number: int
    second: float
    victim_kind: ActorKind
    victim_id: int | None = None
    victim_name: str | None = None
    victim_side: SideName | None = None
    victim_vehicle_id: int | None = None
    victim_vehicle: str | None = None
    killer_kind: ActorKind
    killer_id: int | None = None
    killer_name: str | None = None
    killer_side: SideName | None = None
    killer_vehicle_id: int | None = None
    killer_vehicle: str | None = None
    killer_reason: str | None = None
    is_doubtful: bool = False
    weapon: str | None = None
    distance_metres: float | None = None
    is_team_kill: bool | None = None
    is_suicide: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill(Harm):
    """One row for each kill of a replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Harm):
    """One row for each hit of a replay that did not have to kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """One row for each time somebody came or left; *unit_id* where the source names it."""

    number: int
    second: float
    is_connect: bool
    name: str
    unit_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row for each other event of a replay; *text* is what it says, as JSON where it is no text."""

    number: int
    second: float
    kind: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One row for each marker on the map.

    Attributes:
        number: Place in the document.
        kind: Its icon, such as ``mil_objective``.
        text: What stands beside it.
        colour: As the source writes it.
        shape: ``ICON``, ``RECTANGLE``, ``ELLIPSE`` or ``POLYLINE``.
        side: Who sees it; None is everybody, or unknown.
        owner_unit_id: Who placed it; None is the mission, or unknown.
        owner_name: The same by name, where the source gives a name.
        first_second: When it was there first.
        last_second: When it was there last; None is to the end.
        x: Metres from the south-west corner, when it was there first.
        y: The same.
        moves: How often it was moved or changed.
        is_projectile: It is a shot or a mine rather than a sign.
    """

    number: int
    kind: str | None = None
    text: str | None = None
    colour: str | None = None
    shape: str | None = None
    side: SideName | None = None
    owner_unit_id: int | None = None
    owner_name: str | None = None
    first_second: float | None = None
    last_second: float | None = None
    x: float | None = None
    y: float | None = None
    moves: int = 0
    is_projectile: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All rows of one replay; of one that could not be read there is the head alone, which says why."""

    replay: Replay
    sides: tuple[Side, ...] = ()
    units: tuple[Unit, ...] = ()
    stints: tuple[Stint, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    kills: tuple[Kill, ...] = ()
    hits: tuple[Hit, ...] = ()
    connects: tuple[Connect, ...] = ()
    messages: tuple[Message, ...] = ()
    markers: tuple[Marker, ...] = ()
    roll_up: RollUp = field(default_factory=RollUp)
    positions: tuple[PositionCell, ...] = ()
    full_positions: Collection[FullPosition] = ()
    """Of all entities, made as they are asked for; empty unless `RollUp.keeps_all`."""

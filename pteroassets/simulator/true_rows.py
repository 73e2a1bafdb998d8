"""The rows of the truth about a world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pteroassets.simulator.world.consumption import Outcome, PowerState
from pteroassets.simulator.world.life import Reason

CrashCause = Literal["exception", "watchdog", "crash_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """How a server stood in [valid_from, valid_to); memory and disk in MiB, cpu in percent of a core."""

    server_uuid: str
    valid_from: datetime
    valid_to: datetime | None
    memory: int
    disk: int
    cpu: int
    egg_id: int
    owner_id: int
    node_id: int
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the panel's ``/resources`` says of a server at an instant; figures are None where it refuses (409).

    The figures are those of the beginning of the instant's slot of 20 seconds (epoch seconds divisible by 20), as the
    panel keeps an answer that long; the outcome is that of the instant itself.
    """

    server_uuid: str
    at: datetime
    outcome: Outcome
    state: PowerState | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    uptime_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueSession:
    """A stay of a player on a server, as of an instant.

    *joined_at* is the second of the login line; *left_at* that of the first departure line, or, where no line tells the
    end, that at which the server closed its connections or its process was killed; None while the player is on.
    *is_end_observed* tells whether a line does (None while on). *player_uuid* is what the log shows: None where it
    shows none, *player_xuid* the number of the account on phones and consoles. *network_session* is the same text for a
    session on a proxy (*is_proxy*) and for those on the back-ends within it; *server_switches* counts the changes of
    the back-end until the instant. *end_known_at* is when a reader of the log could first know that the stay had ended:
    at the departure line, else at the stop or crash line, else (killed) at the next start; None while nobody could. The
    counts are of lines written until the instant: ``<name>`` chat, commands, deaths, advancements.
    """

    server_uuid: str
    player_name: str
    player_uuid: str | None
    joined_at: datetime
    left_at: datetime | None
    close_reason: Reason | None
    is_end_observed: bool | None
    end_known_at: datetime | None
    chat_messages: int
    commands: int
    deaths: int
    advancements: int
    player_xuid: int | None = None
    is_proxy: bool = False
    server_switches: int = 0
    network_session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRun:
    """A run of a Minecraft server or a proxy, as of an instant.

    *started_at* is the second of the start line, *ready_at* of the ``Done`` line, *stopping_at* of the first stop or
    crash line (None where it was killed, or goes on), *ended_at* the end of the process. What has not come yet is None.
    A proxy is of no version of the game. *crash_cause* is what the first line of the crash shows, *crash_exception* the
    exception that it names, *crash_report* the name of the report that a line names.
    """

    server_uuid: str
    started_at: datetime
    ready_at: datetime | None
    stopping_at: datetime | None
    ended_at: datetime | None
    end_reason: Literal["stopped", "crashed"] | None
    software: str
    game_version: str | None
    is_proxy: bool
    overload_warnings: int
    crash_cause: CrashCause | None
    crash_exception: str | None
    crash_report: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueNetwork:
    """A proxy and the servers behind it, by the names that the proxy has for them."""

    proxy_uuid: str
    members: dict[str, str]

# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""What is done to keep servers: backups and schedules, a pure function of the world's seed, a server and the time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import DAY, HOUR, MINUTE, mix, noise, uuid4_of
from pteroassets.simulator.world.entities import Server

_LOOKED_BACK: Final = 14
_BACKUP_HOUR: Final = 2
Action = Literal["command", "power", "backup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup of a server; one that is being made has no *completed_at*, one that failed has no bytes."""

    uuid: str
    name: str
    created_at: int
    completed_at: int | None
    is_successful: bool
    is_locked: bool
    size: int
    ignored_files: tuple[str, ...]

    @property
    def is_failed(self) -> bool:
        """Whether it was not made; such a one does not count against the limit."""
        return self.completed_at is not None and not self.is_successful

    @property
    def checksum(self) -> str | None:
        """What the panel shows of its content; None until there is one."""
        digest = hashlib.sha1(self.uuid.encode()).hexdigest()  # noqa: S324 - as the panel does
        return f"sha1:{digest}" if self.is_successful else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step of a schedule, *offset* seconds after the one before."""

    id: int
    place: int
    action: Action
    payload: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What the panel does with a server each day at *hour*:*minute* on its own clock, which is UTC."""

    id: int
    name: str
    hour: int
    minute: int
    is_active: bool
    only_when_online: bool
    created_at: int
    updated_at: int
    tasks: tuple[Task, ...]

    def last_run(self, at: int) -> int | None:
        """Return when it last ran; None before the first time, and for one that is switched off."""
        last = (at - self.hour * HOUR - self.minute * MINUTE) // DAY * DAY + self.hour * HOUR + self.minute * MINUTE
        return last if self.is_active and last > self.created_at else None

    def next_run(self, at: int) -> int:
        """Return when it is due next."""
        today = at // DAY * DAY + self.hour * HOUR + self.minute * MINUTE
        return today if today > at else today + DAY


def backup_limit(server: Server) -> int:
    """Return how many backups the owner of *server* may have."""
    return server.index % 3


def _backup_time(seed: int, server: Server, day: int) -> int:
    return day * DAY + _BACKUP_HOUR * HOUR + mix(seed, 41, server.index) % (50 * MINUTE)


def backups(seed: int, server: Server, at: int) -> list[Backup]:
    """Return the backups of *server* that the panel lists at *at*, oldest first.

    One is made each night while the server stands; the oldest of those that succeeded goes when there are too many,
    and the failed ones with it. On some servers one that is locked takes up part of the limit.
    """
    limit = backup_limit(server)
    found: list[Backup] = []
    locked = _locked(seed, server, at) if limit == 2 and server.index % 4 == 0 else None
    if locked is not None:
        limit -= 1
    day = at // DAY
    for number in range(day, day - _LOOKED_BACK, -1):
        if sum(not one.is_failed for one in found) >= limit:
            break
        made = _nightly(seed, server, _backup_time(seed, server, number), at)
        if made is not None:
            found.append(made)
    return [*([locked] if locked is not None else []), *reversed(found)]


def nightly_backups(seed: int, server: Server, at: int, *, days: int) -> list[Backup]:
    """Return what the backups of the last *days* nights came to as of *at*, whether they are still there or not."""
    if not backup_limit(server):
        return []
    nights = (_nightly(seed, server, _backup_time(seed, server, at // DAY - day), at) for day in range(days))
    return [made for made in nights if made is not None]


def _locked(seed: int, server: Server, at: int) -> Backup | None:
    begun = server.created_at + DAY + mix(seed, 43, server.index) % HOUR
    return _made(seed, server, begun, at, name="before the update", is_locked=True) if begun <= at else None


def _nightly(seed: int, server: Server, begun: int, at: int) -> Backup | None:
    state = server.state(begun) if begun <= at else None
    if state is None or state.is_gated:
        return None
    return _made(seed, server, begun, at, name="nightly", is_locked=False)


def _made(seed: int, server: Server, begun: int, at: int, *, name: str, is_locked: bool) -> Backup:
    chance = noise(seed, 42, server.index, begun)
    end = begun + 90 + int(chance * 600)
    is_done = end <= at
    succeeds = is_locked or chance >= 0.1
    return Backup(
        uuid=uuid4_of(seed, "backup", server.index, begun),
        name=name,
        created_at=begun,
        completed_at=end if is_done else None,
        is_successful=is_done and succeeds,
        is_locked=is_locked,
        size=100_000_000 + mix(seed, 44, server.index, begun) % 900_000_000 if is_done and succeeds else 0,
        ignored_files=("*.log", "cache/") if server.index % 2 else (),
    )


def schedules(seed: int, server: Server, at: int, *, restart: int | None) -> list[Schedule]:
    """Return the schedules of *server* at *at*.

    Args:
        seed: The world's.
        server: Whose schedules.
        at: When.
        restart: Second of the day, in UTC, at which the server is restarted daily; None if it is not.
    """
    rows = []
    created = server.created_at + 2 * HOUR + mix(seed, 45, server.index) % HOUR
    if restart is not None:
        # somebody makes the warning longer one day
        changed = created + 5 * DAY
        rows.append(
            Schedule(
                id=10 * server.id + 1,
                name="Nightly restart",
                hour=restart // HOUR,
                minute=restart % HOUR // MINUTE,
                is_active=True,
                only_when_online=True,
                created_at=created,
                updated_at=changed if changed <= at else created,
                tasks=(
                    _task(server, 1, "command", f"say {CANARIES['command']} restarting soon", 0),
                    _task(server, 2, "power", "restart", 60 if changed <= at else 30),
                ),
            )
        )
    if backup_limit(server):
        time_of_day = _backup_time(seed, server, 0)
        rows.append(
            Schedule(
                id=10 * server.id + 2,
                name="Backup",
                hour=time_of_day // HOUR,
                minute=time_of_day % HOUR // MINUTE,
                is_active=server.index % 7 != 3,
                only_when_online=False,
                created_at=created,
                updated_at=created,
                tasks=(_task(server, 1, "backup", "", 0),),
            )
        )
    return [row for row in rows if row.created_at <= at]


def _task(server: Server, place: int, action: Action, payload: str, offset: int) -> Task:
    number = 100 * server.id + 10 * (1 if action != "backup" else 2) + place
    return Task(id=number, place=place, action=action, payload=payload, offset=offset)

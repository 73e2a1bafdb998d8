# ruff: noqa: PLR2004 - the shares and counts of a made-up world mean nothing beyond themselves
"""What people and the panel itself did with a server, as the panel's activity log tells it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from pteroassets.simulator.world import upkeep
from pteroassets.simulator.world.canaries import CANARIES
from pteroassets.simulator.world.chance import DAY, HOUR, MINUTE, dice, mix
from pteroassets.simulator.world.entities import Server
from pteroassets.simulator.world.life import Run

KEPT: Final = 90 * DAY
"""How long the panel keeps an entry."""
_EVENTS: Final = (
    "server:console.command",
    "server:startup.edit",
    "server:subuser.create",
    "server:file.write",
    "server:file.read",
    "server:sftp.write",
    "server:settings.rename",
    "server:task.create",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An entry of a server's activity.

    *user_id* is None where the panel did it by itself; the log shows the entry from *shown_at* on, since a node hands
    in what it saw once a minute.
    """

    id: str
    event: str
    at: int
    shown_at: int
    user_id: int | None
    ip: str
    is_api: bool
    properties: dict[str, Any]


def deed_id(*names: object) -> str:
    """Return the id of an entry, which is the same each time."""
    return hashlib.sha1("/".join(map(str, names)).encode()).hexdigest()  # noqa: S324 - as the panel does


def deeds(seed: int, server: Server, runs: Sequence[Run], at: int) -> list[Deed]:
    """Return every entry that the panel shows at *at* of what was done with *server*, in no order.

    What was asked of the panel through its API is not among them: the panel remembers that by itself.
    """
    found = [
        *_starts(seed, server, runs),
        *_of_people(seed, server, at),
        *_of_backups(seed, server, at),
    ]
    return [deed for deed in found if at - KEPT <= deed.at and deed.shown_at <= at]


def _starts(seed: int, server: Server, runs: Sequence[Run]) -> Iterator[Deed]:
    for run in runs:
        state = server.state(run.container_at)
        if state is not None:
            yield Deed(
                id=deed_id(server.uuid, run.number),
                event="server:power.start" if run.number % 3 else "server:power.restart",
                at=run.container_at,
                shown_at=run.container_at + mix(seed, 51, server.index, run.number) % 90,
                user_id=state.owner_id,
                ip=f"{CANARIES['player_address']}{1 + state.owner_id % 250}",
                is_api=False,
                properties={},
            )


def _of_people(seed: int, server: Server, at: int) -> Iterator[Deed]:
    for day in range((at - KEPT) // DAY, at // DAY + 1):
        for number in range(mix(seed, 52, server.index, day) % 3):
            throw = dice(seed, "deed", server.index, day, number)
            moment = day * DAY + throw.randrange(8 * HOUR, 23 * HOUR)
            state = server.state(moment) if moment <= at else None
            if state is None or state.is_gated:
                continue
            event = throw.choice(_EVENTS)
            yield Deed(
                id=deed_id(server.uuid, day, number),
                event=event,
                at=moment,
                shown_at=moment,
                user_id=state.owner_id,
                ip=f"{CANARIES['player_address']}{1 + state.owner_id % 250}",
                # scripts of people read files through the API, too; the collector's account (1) has none but that
                is_api=event == "server:file.read" and state.owner_id != 1 and throw.random() < 0.5,
                properties=_properties(throw, event, server),
            )


def _properties(throw: Random, event: str, server: Server) -> dict[str, Any]:
    match event:
        case "server:console.command":
            return {"command": f"say {CANARIES['command']} {throw.randrange(100)}"}
        case "server:startup.edit":
            secret = f"{CANARIES['variable']}-{server.id}"
            return {"variable": "SERVER_JARFILE", "old": secret, "new": f"{secret}-{throw.randrange(100)}"}
        case "server:subuser.create":
            email = f"guest{throw.randrange(100)}.{CANARIES['email']}@example.org"
            return {"email": email, "permissions": ["websocket.connect"], "count": 1}
        case "server:sftp.write":
            return {"files": ["server.properties", "plugins/a.jar"], "count": 2}
        case "server:settings.rename":
            return {"old": "a server", "new": f"a server {throw.randrange(10)}"}
        case "server:task.create":
            return {"name": "Nightly restart", "action": "command", "payload": f"say {CANARIES['command']}"}
        case _:
            return {"file": "/server.properties"}


def _of_backups(seed: int, server: Server, at: int) -> Iterator[Deed]:
    for backup in upkeep.nightly_backups(seed, server, at, days=KEPT // DAY + 1):
        ended = [] if backup.completed_at is None else [(backup.completed_at, backup.is_successful)]
        yield _of_panel(backup, "server:backup.start", backup.created_at)
        for moment, succeeded in ended:
            yield _of_panel(backup, f"server:backup.{'complete' if succeeded else 'fail'}", moment)


def _of_panel(backup: upkeep.Backup, event: str, moment: int) -> Deed:
    return Deed(
        id=deed_id(backup.uuid, event),
        event=event,
        at=moment,
        shown_at=moment + MINUTE,
        user_id=None,
        ip="127.0.0.1",
        is_api=False,
        properties={"name": backup.name},
    )

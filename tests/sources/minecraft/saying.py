"""Events of sessions, told in few words: what the tests of sessions share."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from pteroassets.sources.minecraft.history import FileOfEvents, PlayerSession, SessionBuild, SessionEvent
from tests.sources.minecraft.writing import at

START = "12:00:00 Starting minecraft server version 1.21.4"
LATER = "13:00:00 Starting minecraft server version 1.21.4"


def only(built: SessionBuild) -> PlayerSession:
    (session,) = built.sessions
    return session


def said(time: str, kind: str, player: str | None = None, uuid: str | None = None, **detail: str | int) -> SessionEvent:
    """One event of file ``a``; its line number is given by `events`."""
    return SessionEvent(
        file_key="a",
        line_number=0,
        logged_at=at(time),
        kind=kind,
        player=player,
        player_uuid=UUID(uuid) if uuid is not None else None,
        detail=detail or None,
    )


def events(*said_in_file: SessionEvent, key: str = "a", first: str | None = None, gap: bool = False) -> FileOfEvents:
    numbered = [
        dataclasses.replace(event, file_key=key, line_number=number) for number, event in enumerate(said_in_file, 1)
    ]
    first_at = at(first) if first is not None else said_in_file[0].logged_at
    return FileOfEvents(
        file_key=key,
        first_line_at=first_at,
        last_line_at=said_in_file[-1].logged_at,
        events=numbered,
        gap_before=gap,
    )


def start(time: str, **detail: str) -> SessionEvent:
    return said(time, "server_start", **(detail or {"game_version": "1.21.4"}))


def entry(time: str, player: str, entity: int = 1) -> SessionEvent:
    return said(time, "player_login", player, entity_id=entity)


def lost(time: str, player: str, reason: str = "Disconnected") -> SessionEvent:
    return said(time, "player_lost_connection", player, reason=reason)


KICK = said("12:05:00", "player_kick", "Al", reason="spam")


def switch(time: str, player: str, server: str) -> SessionEvent:
    return said(time, "player_switch", player, server=server)


def failed(time: str, player: str, server: str) -> SessionEvent:
    return said(time, "player_switch_failed", player, server=server)


def arrival(time: str, player: str) -> SessionEvent:
    return said(time, "player_arrival", player)


def gone(time: str, player: str) -> SessionEvent:
    return said(time, "player_lost_connection", player)

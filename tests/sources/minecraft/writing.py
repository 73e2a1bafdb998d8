"""Short ways to write logs, events and files in tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pteroassets.sources.minecraft.dates import Stamper
from pteroassets.sources.minecraft.events import LogEvent
from pteroassets.sources.minecraft.formats import is_proxy
from pteroassets.sources.minecraft.history import FileOfEvents, SessionBuild, SessionEvent
from pteroassets.sources.minecraft.log import LogParser
from pteroassets.sources.minecraft.sessions import build_sessions


def parse(text: str | bytes, *, keep_text: bool = False) -> list[LogEvent]:
    parser = LogParser(keep_text=keep_text)
    return [*parser.feed(text if isinstance(text, bytes) else text.encode()), *parser.finish()]


def paper(*lines: str) -> str:
    """Lines ``12:00:00 message`` as Paper's main thread writes them."""
    return "".join(f"[{line[:8]}] [Server thread/INFO]: {line[9:]}\n" for line in lines)


def file_of(
    text: str | bytes,
    *,
    key: str = "a",
    day: str | None = "2026-03-12",
    zone: str = "UTC",
    after: datetime | None = None,
    gap_before: bool = False,
    is_live: bool = False,
) -> FileOfEvents:
    """Parse *text* as one file; without a *day* its events bear instants that tell nothing but their order."""
    parser = LogParser()
    events = [*parser.feed(text if isinstance(text, bytes) else text.encode()), *parser.finish()]
    if day is None:
        return _untimed(key, events)
    stamper = Stamper(date.fromisoformat(day), ZoneInfo(zone), after=after, restarts=parser.state.restarts)
    return FileOfEvents(
        file_key=key,
        first_line_at=stamper.stamp(parser.state.first)[0] if parser.state.first else None,
        last_line_at=stamper.stamp(parser.state.last)[0] if parser.state.last else None,
        events=[
            SessionEvent(
                file_key=key,
                line_number=event.line_number,
                logged_at=stamper.stamp(event)[0],
                kind=event.kind,
                player=event.player,
                player_uuid=event.player_uuid,
                detail=event.detail,
            )
            for event in events
        ],
        is_live=is_live,
        gap_before=gap_before,
        is_proxy=is_proxy(parser.software) is True,
    )


def _untimed(key: str, events: Sequence[LogEvent]) -> FileOfEvents:
    return FileOfEvents(
        file_key=key,
        first_line_at=None,
        last_line_at=None,
        events=[
            SessionEvent(
                file_key=key,
                line_number=event.line_number,
                logged_at=at("00:00:00") + timedelta(microseconds=event.line_number),
                kind=event.kind,
                player=event.player,
                player_uuid=event.player_uuid,
                detail=event.detail,
            )
            for event in events
        ],
    )


def build(*files: FileOfEvents | str) -> SessionBuild:
    return build_sessions([file_of(file) if isinstance(file, str) else file for file in files])


def at(text: str) -> datetime:
    """``12:00:00`` of the tests' day, or a whole ISO stamp; in UTC."""
    whole = text if "T" in text else f"2026-03-12T{text}"
    return datetime.fromisoformat(whole).replace(tzinfo=UTC)


def login(time: str, name: str, entity: int = 1) -> str:
    return f"{time} {name}[/192.0.2.4:50123] logged in with entity id {entity} at ([world]1.5, 64.0, -3.25)"


def summary(built: SessionBuild) -> Sequence[tuple[str, str | None]]:
    return [(session.player_name, session.close_reason) for session in built.sessions]

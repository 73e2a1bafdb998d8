"""The WOG statistics site: its list of games, and a game's page.

The pages are Russian. Labels and places of fields are those of the site in 2024; nothing but the labels is relied on,
and a field that is not found is None with a reason, so that a change of the markup costs fields and never a game.

A game's kills stand in its digest, which `pteroassets.sources.arma3.wog_game` reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pteroassets.sources.arma3.records import ListedReplay, Listing, SideName
from pteroassets.sources.arma3.unpacking import Limits, Unreadable, unpack
from pteroassets.sources.arma3.values import count, side, text

SITE: Final = "https://stats.wogames.info"
LIST_PATH: Final = "/projects/wog-a3/games/"
ZONE: Final = "Europe/Moscow"
"""Zone of the times on the pages, which name none; the community plays by this clock."""
_LIMITS: Final = Limits(unpacked_bytes=16 << 20)
_GAME: Final = re.compile(r"/games/(\d{1,9})/?(?:[?#].*)?$")
_MISSION: Final = re.compile(r"/missions/(\d{1,9})/?")
_PLAYER: Final = re.compile(r"/players/(\d{1,9})/?")
_PAIR: Final = re.compile(r"(\d{1,5})\s*/\s*(\d{1,5})")
_DATE: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_TIME: Final = re.compile(r"(?<![\d:.])(\d{1,3}):(\d{2})(?::(\d{2}))?(?![\d:])")
_LONGEST_GAME: Final = timedelta(days=1)
_ERROR_TITLE: Final = "Ошибка"
_COMMANDER: Final = "командир стороны"
_LABELS: Final = {
    "island": "остров",
    "winner": "сторона-победитель",
    "players": "количество игроков",
    "started_at": "дата и время старта",
    "ended_at": "дата и время окончания",
    "duration_seconds": "длительность",
}


def game_url(game: int, site: str = SITE) -> str:
    """Return the address of a game's page."""
    return f"{site.rstrip('/')}/games/{game}/"


def digest_url(game: int, site: str = SITE) -> str:
    """Return the address of a game's digest."""
    return f"{site.rstrip('/')}/json/replay-data.json?game={game}"


def read_list(content: bytes, site: str = SITE) -> Listing:
    """Return the games of a list page in its order, each once; the whole list, small games too."""
    try:
        tree = parse_page(content)
    except Unreadable as unreadable:
        return Listing(outcome=unreadable.outcome, reason=unreadable.reason)
    found: dict[int, ListedReplay] = {}
    skipped = 0
    for link in tree.css("a[href]"):
        match = _GAME.search(link.attributes.get("href") or "")
        if match is None:
            continue
        game = int(match[1])
        players, slots = _players_beside(link)
        earlier = found.get(game)
        if earlier is not None and (earlier.players is not None or players is None):
            continue
        if game == 0:
            skipped += 1
            continue
        found[game] = ListedReplay(
            source="wog",
            replay_id=str(game),
            site_number=game,
            url=game_url(game, site),
            data_urls=(digest_url(game, site),),
            mission=(text(link.text()) if not (text(link.text()) or "").isdecimal() else None)
            or (earlier.mission if earlier else None),
            players=players,
            slots=slots,
            position=earlier.position if earlier else len(found),
        )
    if not found:
        reason = "the page links to no game: its markup changed, or it is another page"
        return Listing(outcome="not_a_replay", reason=reason, skipped=skipped)
    return Listing(replays=tuple(found.values()), skipped=skipped)


def _players_beside(link: LexborNode) -> tuple[int | None, int | None]:
    """Return players and slots: the first such pair in the row that the link stands in, and in that row alone."""
    game = (link.attributes.get("href") or "").rstrip("/")
    around: LexborNode | None = link
    while around is not None and around.tag not in {"body", "html"}:
        others = {
            (other.attributes.get("href") or "").rstrip("/")
            for other in around.css("a[href]")
            if _GAME.search(other.attributes.get("href") or "")
        }
        if others - {game}:
            return None, None
        pair = _PAIR.search(around.text(separator=" "))
        if pair is not None:
            return int(pair[1]), int(pair[2])
        around = around.parent
    return None, None


@dataclass(slots=True, kw_only=True)
class GamePage:
    """What a game's page says; *missing* has the reason for each field that is None."""

    mission: str | None = None
    mission_id: int | None = None
    island: str | None = None
    played_on: date | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: float | None = None
    players: int | None = None
    slots: int | None = None
    winner: SideName | None = None
    winner_reason: str | None = None
    commanders: dict[SideName, tuple[str | None, int | None]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def read_page(content: bytes, zone: ZoneInfo) -> GamePage:
    """Return what a game's page says.

    Raises:
        Unreadable: It is no page of a game.
    """
    tree = parse_page(content)
    title = text((tree.css_first("title") or tree.css_first("h1") or _nothing()).text()) or ""
    if title.startswith(_ERROR_TITLE):
        raise Unreadable("not_found", "the site has no such game, or took it back")
    rows = _rows(tree)
    page = GamePage()
    _read_mission(tree, page)
    for label, cell in rows:
        if label.startswith(_COMMANDER):
            _read_commander(label, cell, page)
    values = {
        name: next((cell for label, cell in rows if label.startswith(start)), None) for name, start in _LABELS.items()
    }
    known = {name: cell for name, cell in values.items() if cell is not None}
    if not known and page.mission is None:
        raise Unreadable("not_a_replay", "the page tells nothing of a game: its markup changed, or it is another page")
    for name in values.keys() - known.keys():
        page.missing[name] = f"the page has no row that begins with {_LABELS[name]!r}"
    if "island" in known:
        page.island = text(known["island"].text())
        _note(page, "island", page.island, "the row is empty")
    _read_counts(known.get("players"), page)
    _read_winner(known.get("winner"), page)
    _read_times(title, known, page, zone)
    return page


def parse_page(content: bytes) -> LexborHTMLParser:
    """Return the tree of a page of HTML.

    Raises:
        Unreadable: It is empty, too large, or no HTML.
    """
    page = unpack(content, _LIMITS)
    if b"<" not in page:
        raise Unreadable("not_a_replay", "it is no page of HTML")
    return LexborHTMLParser(bytes(page).decode("utf-8", errors="replace"))


def _nothing() -> LexborNode:
    return LexborHTMLParser("<i></i>").css("i")[0]


def _rows(tree: LexborHTMLParser) -> list[tuple[str, LexborNode]]:
    """Return labels in lower case, and the element that holds what each says."""
    found = []
    for line in tree.css("tr"):
        cells = [cell for cell in line.iter() if cell.tag in {"td", "th"}]
        if len(cells) > 1:
            found.append((_label(cells[0]), cells[-1]))
    for term in tree.css("dt"):
        following = term.next
        while following is not None and following.tag not in {"dd", "dt"}:
            following = following.next
        if following is not None and following.tag == "dd":
            found.append((_label(term), following))
    return found


def _label(cell: LexborNode) -> str:
    return " ".join(cell.text(separator=" ").split()).lower()


def _note(page: GamePage, name: str, value: object, reason: str) -> None:
    if value is None:
        page.missing[name] = reason


def _read_mission(tree: LexborHTMLParser, page: GamePage) -> None:
    for link in tree.css('a[href*="/missions/"]'):
        match = _MISSION.search(link.attributes.get("href") or "")
        if match is not None:
            page.mission_id, page.mission = count(match[1]), text(link.text())
            break
    _note(page, "mission", page.mission, "the page has no link to a mission")


def _read_commander(label: str, cell: LexborNode, page: GamePage) -> None:
    where = side(label.removeprefix(_COMMANDER).strip(" :"))
    if where is None:
        page.missing["sides"] = f"a commander's side is unknown: {label.removeprefix(_COMMANDER).strip()!r}"
        return
    links = cell.css('[data-toggle="current"] a[href*="/players/"]') or cell.css('a[href*="/players/"]')
    name, player = None, None
    if links:
        match = _PLAYER.search(links[0].attributes.get("href") or "")
        name, player = text(links[0].text()), count(match[1]) if match else None
    if name is None:
        page.missing[f"commander_{where.lower()}"] = "the row names no player"
    page.commanders[where] = (name, player)


def _read_counts(cell: LexborNode | None, page: GamePage) -> None:
    pair = _PAIR.search(cell.text(separator=" ")) if cell is not None else None
    if pair is not None:
        page.players, page.slots = int(pair[1]), int(pair[2])
    elif cell is not None:
        page.missing["players"] = f"no pair of numbers in {cell.text(strip=True)[:60]!r}"


def _read_winner(cell: LexborNode | None, page: GamePage) -> None:
    if cell is None:
        page.winner_reason = page.missing["winner"]
        return
    spans = [found for found in (side(span.text()) for span in cell.css("span")) if found]
    page.winner = spans[0] if len(spans) == 1 else side(cell.text(strip=True))
    if page.winner is None:
        said = " ".join(cell.text(separator=" ").split())[:80]
        page.winner_reason = f"the page names no side but {said!r}" if said else "the page names no winner"
        page.missing["winner"] = page.winner_reason


def _read_times(title: str, rows: dict[str, LexborNode], page: GamePage, zone: ZoneInfo) -> None:
    begin, end = _said(rows.get("started_at")), _said(rows.get("ended_at"))
    page.played_on = _date(title) or _date(begin)
    _note(page, "played_on", page.played_on, "neither title nor start has a date")
    clock = _span(_said(rows.get("duration_seconds")))
    page.duration_seconds = None if clock is None else clock.total_seconds()
    if "duration_seconds" in rows:
        _note(page, "duration_seconds", page.duration_seconds, "no hours and minutes in the row")
    page.started_at = _instant(_date(begin) or page.played_on, begin, zone)
    day = _date(end) or (page.started_at.date() if page.started_at else None)
    page.ended_at = _instant(day, end, zone)
    if page.started_at is not None and page.ended_at is not None:
        if page.ended_at < page.started_at and _date(end) is None:
            page.ended_at += timedelta(days=1)  # over midnight
        if not timedelta() <= page.ended_at - page.started_at <= _LONGEST_GAME:
            page.ended_at = None
    if clock is not None:  # one of both and the duration give the other, in UTC: clocks may change in between
        if page.started_at is not None and page.ended_at is None:
            page.ended_at = (page.started_at.astimezone(UTC) + clock).astimezone(zone)
        elif page.started_at is None and page.ended_at is not None:
            page.started_at = (page.ended_at.astimezone(UTC) - clock).astimezone(zone)
    for name, value in (("started_at", page.started_at), ("ended_at", page.ended_at)):
        if name in rows:
            _note(page, name, value, "no date and time of day in the row that fit the other one")
        elif value is not None:
            page.missing.pop(name, None)  # it was counted from the start and the duration


def _said(cell: LexborNode | None) -> str:
    return "" if cell is None else " ".join(cell.text(separator=" ").split())


def _date(said: str) -> date | None:
    match = _DATE.search(said)
    if match is None or not 1990 <= int(match[3]) <= 2200:  # noqa: PLR2004 - years in which the game is played
        return None
    try:
        return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None


def _span(said: str) -> timedelta | None:
    match = _TIME.search(said)
    return timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=int(match[3] or 0)) if match else None


def _instant(day: date | None, said: str, zone: ZoneInfo) -> datetime | None:
    # a time follows its date, after a comma
    clock = _TIME.search(said)
    try:
        at = time(int(clock[1]), int(clock[2]), int(clock[3] or 0)) if clock else None
        return None if day is None or at is None else datetime.combine(day, at, zone)
    except ValueError:
        return None

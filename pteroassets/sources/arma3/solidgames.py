"""The site of SolidGames: pages of replays, thirty on each, and a replay's page, which names its recording.

A row is a table's row with a link to ``/replays/<second>``, the world, the server's number and the start by the site's
clock. That second of UNIX is when the game began, and names the replay. The recording is ``/data/<name>.json``, of the
generation that `pteroassets.sources.arma3.ocap` calls solidgames.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from selectolax.lexbor import LexborNode

from pteroassets.sources.arma3.records import ListedReplay, Listing
from pteroassets.sources.arma3.unpacking import Unreadable
from pteroassets.sources.arma3.values import LARGEST_ID, text
from pteroassets.sources.arma3.wog import parse_page

LIST_PATH: Final = "/replays"
_REPLAY: Final = re.compile(r"/replays/(\d{1,10})/?(?:[?#].*)?$")
_PROTECTED: Final = re.compile(r"\[email\s*protected\]")


def list_url(site: str, page: int = 1) -> str:
    """Return the address of a page of replays, of which the first has the newest."""
    return f"{site.rstrip('/')}{LIST_PATH}?p={page}"


def replay_url(number: int, site: str) -> str:
    """Return the address of a replay's page."""
    return f"{site.rstrip('/')}{LIST_PATH}/{number}"


def read_list(content: bytes, site: str) -> Listing:
    """Return the replays of a page in its order, each once."""
    try:
        tree = parse_page(content)
    except Unreadable as unreadable:
        return Listing(outcome=unreadable.outcome, reason=unreadable.reason)
    found: dict[int, ListedReplay] = {}
    skipped = 0
    for row in tree.css("tr"):
        links = [link for link in row.css("a[href]") if _REPLAY.search(link.attributes.get("href") or "")]
        if not links:
            continue
        match = _REPLAY.search(links[0].attributes.get("href") or "")
        number = int(match[1]) if match is not None else 0
        if not 0 < number <= LARGEST_ID:
            skipped += 1
            continue
        cells = row.css("td")
        found.setdefault(
            number,
            ListedReplay(
                source="ocap",
                replay_id=str(number),
                site_number=number,
                url=replay_url(number, site),
                data_urls=(),
                mission=_mission(links[0]),
                island=text(cells[1].text()) if len(cells) > 1 else None,
                position=len(found),
            ),
        )
    if not found:
        reason = "the page has no row that links to a replay: its markup changed, or it is another page"
        return Listing(outcome="not_a_replay", reason=reason, skipped=skipped)
    return Listing(replays=tuple(found.values()), skipped=skipped)


def recording_url(page: bytes, site: str) -> str | None:
    """Return where the recording of a replay's page is; None where it names none."""
    try:
        tree = parse_page(page)
    except Unreadable:
        return None
    field, body = tree.css_first("#filename"), tree.body
    named = text(field.attributes.get("value")) if field is not None else None
    named = named or (text(body.attributes.get("data-ocap")) if body is not None else None)
    name = (named or "").removesuffix(".json")
    if not name or name.startswith(".") or "/" in name:
        return None
    return f"{site.rstrip('/')}/data/{quote(name)}.json"


def _mission(link: LexborNode) -> str | None:
    """Return a mission's name; one with an @ is taken for an address and hidden by the site's guard."""
    said = " ".join(link.text().split())
    for hidden in link.css("[data-cfemail]"):
        if (place := _PROTECTED.search(said)) is not None:
            said = said[: place.start()] + _unhidden(hidden) + said[place.end() :]
    return text(said)


def _unhidden(node: LexborNode) -> str:
    """Return what the guard hid: hexadecimal, of which the first byte is mixed into each of the others."""
    try:
        key, *rest = bytes.fromhex(node.attributes.get("data-cfemail") or "")
    except ValueError:
        return ""
    return bytes(one ^ key for one in rest).decode(errors="replace")

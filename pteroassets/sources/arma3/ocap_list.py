"""The list of operations that an OCAP web server gives under ``/api/v1/operations``."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from urllib.parse import quote, urlencode

from pteroassets.sources.arma3.records import ListedReplay, Listing
from pteroassets.sources.arma3.unpacking import Limits, Unreadable, decode, unpack
from pteroassets.sources.arma3.values import count, positive, text

LIST_PATH: Final = "/api/v1/operations"
_LIMITS: Final = Limits(unpacked_bytes=64 << 20)
_SUFFIXES: Final = (".gz", ".json")


def operations_url(site: str, newer: date | None = None) -> str:
    """Return the address of a server's list; *newer* leaves out what was uploaded before that day."""
    query = "" if newer is None else "?" + urlencode({"tag": "", "name": "", "newer": newer.isoformat(), "older": ""})
    return f"{site.rstrip('/')}{LIST_PATH}{query}"


def stem(file_name: str) -> str:
    """Return a file's name without ``.json`` and ``.gz``, which servers add and drop as they are renewed."""
    for suffix in _SUFFIXES:
        file_name = file_name.removesuffix(suffix)
    return file_name


def read_operations(content: bytes, site: str) -> Listing:
    """Return the operations of a list in its order, each file once; keys that nobody knows are passed over."""
    try:
        operations = decode(unpack(content, _LIMITS), list[Any] | None)  # type: ignore[arg-type] # a union is no class
    except Unreadable as unreadable:
        return Listing(outcome=unreadable.outcome, reason=unreadable.reason)
    found: dict[str, ListedReplay] = {}
    skipped = 0
    for one in operations or []:
        listed = _listed(one, site.rstrip("/"), len(found)) if isinstance(one, dict) else None
        if listed is None:
            skipped += 1
            continue
        before = found.get(listed.replay_id)
        # an upload anew comes under a new number
        if before is None or (listed.site_number or 0) > (before.site_number or 0):
            found[listed.replay_id] = listed
    return Listing(replays=tuple(found.values()), skipped=skipped)


def _listed(one: dict[str, Any], site: str, position: int) -> ListedReplay | None:
    file_name = text(one.get("filename"))
    if file_name is None or not stem(file_name) or "/" in file_name or file_name.startswith("."):
        return None
    name = stem(file_name)
    ids = count(one.get("id"))
    addresses = dict.fromkeys([f"{name}.json.gz", file_name])
    focus = (count(one.get("focusStart")), count(one.get("focusEnd")))
    return ListedReplay(
        source="ocap",
        replay_id=name,
        site_number=ids,
        url=_page(site, one, ids, file_name),
        data_urls=tuple(f"{site}/data/{quote(address)}" for address in addresses),
        mission=text(one.get("mission_name")),
        island=text(one.get("world_name")),
        listed_on=_day(one.get("date")),
        duration_seconds=positive(one.get("mission_duration")),
        players=count(one.get("player_count")),
        tag=text(one.get("tag")) or text(one.get("type")),
        state=text(one.get("conversionStatus")),
        focus_frames=None if focus[0] is None or focus[1] is None else (focus[0], focus[1]),
        position=position,
    )


def _page(site: str, one: dict[str, Any], number: int | None, file_name: str) -> str:
    """Return where the server shows it; the front end of 2026, which lists conversions, has other addresses."""
    if number is not None and "conversionStatus" in one:
        return f"{site}/recording/{number}/{quote(stem(file_name))}"
    return f"{site}/?file={quote(file_name)}"


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None

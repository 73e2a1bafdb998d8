"""A site of replays: its addresses, and what reads its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import quote, urlsplit

import msgspec

from pteroassets.landing.arma3.fetching import Document
from pteroassets.landing.arma3.rows import Wanted
from pteroassets.sources.arma3 import ocap, ocap_list, solidgames, wog, wog_game
from pteroassets.sources.arma3.positions import RollUp
from pteroassets.sources.arma3.records import ListedReplay, Listing, Reading, SourceName

SiteKind = Literal["wog", "ocap", "solidgames"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site that lists replays.

    Attributes:
        kind: How it lists them.
        url: Its address.
        zone: In which its pages tell times, and its files are named.
        roll_up: What is kept of positions.
    """

    kind: SiteKind
    url: str
    zone: str
    roll_up: RollUp

    @property
    def source(self) -> SourceName:
        """Return what its replays are: games of WOG, or recordings of OCAP."""
        return "wog" if self.kind == "wog" else "ocap"

    @property
    def name(self) -> str:
        """Return its host, with the port where it has one: with a replay's id it names the replay for ever."""
        return urlsplit(self.url).netloc.lower()  # however it is written, it is the same site

    @property
    def list_url(self) -> str:
        """Return where its replays are listed, the newest first where there are several pages."""
        match self.kind:
            case "wog":
                return self.url.rstrip("/") + wog.LIST_PATH
            case "ocap":
                return ocap_list.operations_url(self.url)
            case "solidgames":
                return solidgames.list_url(self.url)

    def further_list_url(self, page: int) -> str | None:
        """Return where the list goes on; None where it is one page, or the site shows its newest alone."""
        return solidgames.list_url(self.url, page) if self.kind == "solidgames" else None

    @property
    def list_is_json(self) -> bool:
        """Return whether the list is no page of HTML."""
        return self.kind == "ocap"

    def read_list(self, content: bytes) -> Listing:
        """Return what its list says."""
        match self.kind:
            case "wog":
                return wog.read_list(content, self.url)
            case "ocap":
                return ocap_list.read_operations(content, self.url)
            case "solidgames":
                return solidgames.read_list(content, self.url)

    def listed(self, number: int) -> ListedReplay | None:
        """Return the replay with a *number* where its address follows from that, whether or not it is listed."""
        if self.kind == "ocap":
            return None
        is_wog = self.kind == "wog"
        return ListedReplay(
            source=self.source,
            replay_id=str(number),
            site_number=number,
            url=wog.game_url(number, self.url) if is_wog else solidgames.replay_url(number, self.url),
            data_urls=(wog.digest_url(number, self.url),) if is_wog else (),
            position=0,
        )

    def documents(self, wanted: Wanted) -> list[tuple[Document, Sequence[str], bool]]:
        """Return what a replay is read from: each with the addresses at which it may be, and whether it is JSON.

        Where there is none, the page before it names the address (`named_by`).
        """
        urls = _listed(wanted).data_urls
        match self.kind:
            case "wog":
                return [("page", [wanted.url], False), ("digest", urls, True)]
            case "ocap":
                return [("recording", urls, True)]
            case "solidgames":
                return [("page", [wanted.url], False), ("recording", [], True)]

    def named_by(self, page: bytes) -> list[str]:
        """Return the address of the recording that a replay's page names; nothing where it names none."""
        url = solidgames.recording_url(page, self.url)
        return [] if url is None else [url]

    def chunks_of(self, wanted: Wanted) -> str | None:
        """Return the folder below which a server may have a recording in chunks; None where it tells of none."""
        listed = _listed(wanted)
        if self.source != "ocap" or listed.state != "completed":
            return None
        return f"{self.url.rstrip('/')}/data/{quote(listed.replay_id)}"

    def read(self, wanted: Wanted, contents: Mapping[Document, bytes]) -> Reading:
        """Return the rows of a replay."""
        if self.source == "ocap":
            return ocap.read_recording(contents["recording"], _listed(wanted), zone=self.zone, roll_up=self.roll_up)
        return wog_game.read_game(
            contents.get("page"), contents.get("digest"), game=int(wanted.replay_id), site=self.url, zone=self.zone
        )


def _listed(wanted: Wanted) -> ListedReplay:
    return msgspec.convert({**(wanted.listed or {}), "position": 0}, ListedReplay)


def sites_of(given: Sequence[str], zone: str, roll_up: RollUp) -> list[Site]:
    """Return the sites that a setting names, each as ``<kind>:<address>``."""
    found = []
    for one in given:
        kind, _, url = one.partition(":")
        found.append(Site(kind=cast("SiteKind", kind), url=url, zone=zone, roll_up=roll_up))
    return found

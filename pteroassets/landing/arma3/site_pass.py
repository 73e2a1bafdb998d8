"""One reading of one site: its list, then the replays that are due, each in a transaction of its own.

Path of the data::

    list --> rows.enlist --> rows.due --> fetching.Fetcher --> store --> sites.Site.read --> rows.replace

What is fetched and landed stays when the process is killed; the next pass goes on with what is left.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import psycopg

from pteroassets.landing.arma3 import rows
from pteroassets.landing.arma3.fetching import Document, Fetcher, Kept
from pteroassets.landing.arma3.rows import Wanted
from pteroassets.landing.arma3.sites import Site, sites_of
from pteroassets.landing.arma3.tables import PAGES, PARTS, REPLAYS, TABLES
from pteroassets.landing.context import Landing
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.sources.arma3.client import SiteClient
from pteroassets.sources.arma3.positions import RollUp
from pteroassets.sources.arma3.records import Listing
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport, record_load

PAUSE_SECONDS: Final = 1.0
"""Between two requests to a site."""
MOST_PAGES: Final = 20
"""Of a list that goes on, read in one pass."""
_FAULTS_IN_A_ROW: Final = 3
_EVERYWHERE: Final = uuid.UUID(int=0)

Advance = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class SitePass:
    """One pass over one site."""

    landing: Landing
    connection: Connection
    site: Site
    now: datetime
    load_id: uuid.UUID
    totals: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, str]] = field(default_factory=list)
    faults: int = 0
    """Requests in a row that were not answered."""
    fetcher: Fetcher = field(init=False)

    def __post_init__(self) -> None:
        self.fetcher = Fetcher(
            site=self.site.name,
            client=SiteClient(self.landing.clock, pause_seconds=PAUSE_SECONDS),
            store=self.landing.store,
            hidden=self._hidden(),
            load_id=self.load_id,
        )

    def _hidden(self) -> OptOuts:
        return self.landing.opt_outs.of_server(self.connection, _EVERYWHERE)

    def close(self) -> None:
        """Close the connections to the site; what was counted stays."""
        self.fetcher.client.close()

    def read_list(self) -> bool:
        """Read the site's list and note what it lists; return whether it could be read."""
        listing = self._listing(self.site.list_url)
        page = 1
        # newest first: further pages are read until there is one on which nothing is new, which is never the first time
        while (
            listing.outcome == "ok"
            and page < MOST_PAGES
            and (url := self.site.further_list_url(page + 1)) is not None
            and rows.has_gap(self.connection, self.site.name, self.site.source, listing)
        ):
            page += 1
            following = self._listing(url)
            if following.outcome != "ok":
                listing = following
            elif {one.replay_id for one in following.replays} <= {one.replay_id for one in listing.replays}:
                break  # the last page again
            else:
                listing = replace(listing, replays=(*listing.replays, *following.replays))
        if page == MOST_PAGES and rows.has_gap(self.connection, self.site.name, self.site.source, listing):
            reason = f"its list has more than {page} pages of new games: read the older ones by their numbers"
            self.problems.append({"scope": self.site.name, "reason": reason})
        if listing.outcome != "ok":
            self.problems.append({"scope": self.site.list_url, "reason": f"the list was not read: {listing.reason}"})
            return False
        with self.connection.transaction():
            self.totals["listed"] += len(listing.replays)
            self.totals["enlisted"] += rows.enlist(
                self.connection, self.site.name, self.site.source, listing, now=self.now, load_id=self.load_id
            )
        return True

    def _listing(self, url: str) -> Listing:
        until = self.fetcher.waits_until(self.connection, url)
        if until is not None and until > self.now:
            return Listing(outcome="unreadable", reason=f"it is asked for again after {until:%F %R} UTC")
        kept = self.fetcher.fetch(self.connection, [url], "list", wants_json=self.site.list_is_json)
        if not kept.is_there:
            return Listing(outcome="unreadable", reason=kept.reason)
        return self.site.read_list(self.landing.store.get(str(kept.digest)))

    def land(self, wanted: Sequence[Wanted], advance: Advance | None = None, *, more: int = 0) -> bool:
        """Read *wanted* one after another, and return whether that was done: a site that does not answer is left alone.

        Args:
            wanted: What is to be read.
            advance: Told after each replay.
            more: How many are to be read after these.
        """
        for done, one in enumerate(wanted):
            if self.faults >= _FAULTS_IN_A_ROW:
                left = len(wanted) - done + more
                reason = f"{left} x left for a later pass, since the site did not answer"
                self.problems.append({"scope": self.site.name, "reason": reason})
                return False
            self.faults = 0 if self._land_one(one) else self.faults + 1
            if advance is not None:
                advance(done + 1, len(wanted))
        return True

    def land_numbers(self, numbers: Sequence[int], *, only_new: bool, advance: Advance | None, more: int) -> bool:
        """Read the replays with *numbers*, listed or not, and return whether the site answered."""
        self.now = self.landing.clock.now()
        self.fetcher.hidden = self._hidden()  # hours may have passed
        there = {wanted.site_number for wanted in self._known(numbers)}
        new = (self.site.listed(number) for number in numbers if number not in there)
        listing = Listing(replays=tuple(listed for listed in new if listed is not None))
        with self.connection.transaction():
            rows.enlist(
                self.connection,
                self.site.name,
                self.site.source,
                listing,
                is_listed=False,
                now=self.now,
                load_id=self.load_id,
            )
        found = self._known(numbers)
        for number in sorted({*numbers} - {wanted.site_number for wanted in found}):
            self.problems.append({"scope": self.site.name, "reason": f"it lists no replay {number}"})
        if only_new:
            found = [wanted for wanted in found if not wanted.is_landed and wanted.next_try_at <= self.now]
        return self.land(found, advance, more=more)

    def _known(self, numbers: Sequence[int] | None = None) -> list[Wanted]:
        return rows.known(self.connection, self.site.name, self.site.source, numbers)

    def _land_one(self, wanted: Wanted) -> bool:
        """Read one replay and replace its rows; return whether the site answered."""
        found: dict[Document, Kept] = {}
        for document, urls, is_json in self.site.documents(wanted):
            addresses = urls or self.site.named_by(self._contents(found)["page"])
            if not addresses:
                reason = f"{wanted.url}: the page names no recording: its markup changed, or it is not out yet"
                self._note(wanted, "not_a_replay", reason, None)
                return True
            kept = self.fetcher.fetch(
                self.connection, addresses, document, replay_id=wanted.replay_id, wants_json=is_json
            )
            if kept.outcome in {"not_found", "not_json"} and (folder := self.site.chunks_of(wanted)) is not None:
                if wanted.is_landed and wanted.is_listed and rows.is_of_json(self.connection, wanted):
                    # converted since: the chunks hold less than what was read, no winner and nothing that was said
                    rows.note_unchanged(self.connection, wanted, now=self.now)
                    self.totals["unchanged"] += 1
                    return True
                chunked = self.fetcher.fetch_chunked(self.connection, folder, replay_id=wanted.replay_id)
                kept = kept if chunked.outcome == "not_found" else chunked
            if not kept.is_there:
                # a page may say that the game was taken back, where the site has no digest any more
                is_wog = self.site.kind == "wog"
                head = self.site.read(wanted, self._contents(found)).replay if found and is_wog else None
                if head is not None and head.outcome == "not_found":
                    self._note(wanted, head.outcome, str(head.reason), None)
                else:
                    self._note(wanted, kept.outcome, f"{kept.url}: {kept.reason}", kept.not_before)
                return kept.outcome not in {"unavailable", "rate_limited"}
            found[document] = kept
        self.read(wanted, found)
        return True

    def read(self, wanted: Wanted, found: Mapping[Document, Kept], *, anew: bool = False) -> None:
        """Read a replay from its documents in the store, and replace its rows if they say something else.

        Args:
            wanted: The replay.
            found: Its documents.
            anew: Replace them in any case, since the reader may be another.
        """
        digest = hashlib.sha256(
            " ".join(f"{one} {found[one].fingerprint}" for one in sorted(found)).encode()
        ).hexdigest()
        if wanted.is_landed and wanted.documents_digest == digest and not anew:
            rows.note_unchanged(self.connection, wanted, now=self.now)
            self.totals["unchanged"] += 1
            return
        reading = self.site.read(wanted, self._contents(found))
        if reading.replay.outcome not in rows.GOOD:
            reason = reading.replay.reason or "it could not be read"
            self._note(wanted, reading.replay.outcome, reason, None)
            return
        try:
            report = rows.replace(self.connection, wanted, reading, digest, hidden=self.fetcher.hidden, now=self.now)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            # what no reader foresaw in one replay keeps no other from being landed
            self._note(wanted, "unreadable", f"its rows cannot be stored: {str(error).splitlines()[0]}", None)
            return
        self.totals["added"] += report.rows_added
        self.totals["changed"] += report.rows_changed
        for part in PARTS:
            self.totals[part] += len(getattr(reading, part))

    def _contents(self, found: Mapping[Document, Kept]) -> dict[Document, bytes]:
        return {name: self.landing.store.get(str(one.digest)) for name, one in found.items()}

    def _note(self, wanted: Wanted, outcome: Any, reason: str, not_before: datetime | None) -> None:
        again = rows.note_failure(
            self.connection, wanted, outcome, reason, now=self.now, load_id=self.load_id, not_before=not_before
        )
        self.totals["failed"] += 1
        self.problems.append(
            {"scope": f"{wanted.site} {wanted.replay_id}", "reason": f"{reason}; tried again at {again:%F %R} UTC"}
        )


def sites(landing: Landing) -> list[Site]:
    """Return the sites of the settings.

    Raises:
        MissingSettingError: None is named.
    """
    landing.require("pteroassets_replay_sites")
    settings = landing.settings
    roll_up = RollUp(
        grid_metres=settings.pteroassets_replay_grid_metres,
        step_seconds=settings.pteroassets_replay_step_seconds,
        keeps_all=settings.pteroassets_replay_full_positions,
    )
    return sites_of(settings.replay_sites(), settings.pteroassets_replay_timezone, roll_up)


def begin(landing: Landing, connection: Connection, site: Site) -> SitePass:
    """Return a reading of *site* that begins now; close it after use."""
    return SitePass(landing=landing, connection=connection, site=site, now=landing.clock.now(), load_id=uuid.uuid4())


def reported(
    landing: Landing, connection: Connection, passes: Sequence[SitePass], begun: datetime, *, is_whole: bool
) -> list[LoadReport]:
    """Return what was done, a report for each table; of a whole pass it is written into the ledger.

    What is read by hand is no reading of the sites, so their tables are no fresher for it.
    """
    totals = sum((one.totals for one in passes), Counter[str]())
    problems = [problem for one in passes for problem in one.problems]
    # a replay that is not read is an outcome of its own row; a list that is not read leaves the pass without an end
    lists = {one.site.list_url for one in passes}
    is_complete = not any(problem["scope"] in lists for problem in problems)
    reports = []
    with connection.transaction():
        for table in TABLES:
            part = table.rpartition(".")[2]
            is_head = table == REPLAYS
            report = LoadReport(
                table=table,
                observed_at=begun,
                is_complete=is_complete,
                rows_read=totals["listed"] if is_head else totals[part],
                rows_added=totals["added"] if is_head else totals[part],
                rows_changed=totals["changed"] if is_head else 0,
                requests=sum(one.fetcher.client.requests for one in passes) if table == PAGES else 0,
                seconds=(landing.clock.now() - begun).total_seconds(),
                problems=problems if is_head else (),
                shown={name: totals[name] for name in ("enlisted", "unchanged", "failed")} if is_head else {},
            )
            if is_whole:
                record_load(connection, report)
            reports.append(report)
    return reports

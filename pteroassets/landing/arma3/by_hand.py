"""Replays read by hand: by their numbers, listed or not, or all of them again from the store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from pteroassets.landing.arma3 import rows
from pteroassets.landing.arma3.fetching import Document, Kept
from pteroassets.landing.arma3.rows import Wanted
from pteroassets.landing.arma3.site_pass import Advance, begin, reported, sites
from pteroassets.landing.arma3.sites import Site
from pteroassets.landing.context import Landing
from pteroassets.warehouse.connection import Connection
from pteroassets.warehouse.load import LoadReport

_AT_ONCE: Final = 100
"""Numbers that are read without letting a pass in between."""


class UnknownSiteError(Exception):
    """No site of the settings has that name, or two have; the message names those that there are."""


def load_replays(
    landing: Landing,
    connection: Connection,
    numbers: Sequence[int],
    *,
    site: str | None = None,
    only_new: bool = False,
    advance: Advance | None = None,
) -> list[LoadReport]:
    """Read the replays with *numbers* of one site, due or not; of WOG also those that it does not list.

    Args:
        landing: What passes work with.
        connection: To the warehouse.
        numbers: Of the site; a range, however long, is gone through in parts, between which a pass may have its turn.
        site: Its host, its kind and host, or its setting; None is the first site.
        only_new: Leave out those that were read, and those that are to be left alone for now, so that this can be begun
            again where it was interrupted.
        advance: Told after each replay.

    Raises:
        MissingSettingError: No site is named.
        UnknownSiteError: None of them is *site*.
    """
    begun = landing.clock.now()
    with closing(begin(landing, connection, _site_named(sites(landing), site))) as one:
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            so_far = start + len(part)

            def told(done: int, _of: int, start: int = start) -> None:
                if advance is not None:
                    advance(start + done, len(numbers))

            with rows.one_at_a_time(connection):
                # of a server of recordings the list alone says which address a number has
                if one.site.kind == "ocap" and start == 0:
                    one.read_list()
                goes_on = one.land_numbers(part, only_new=only_new, advance=told, more=len(numbers) - so_far)
            if not goes_on:
                break
            if len(numbers) > _AT_ONCE:
                told(len(part), 0)  # also of those that were left out
        return reported(landing, connection, [one], begun, is_whole=False)


def _site_named(given: Sequence[Site], name: str | None) -> Site:
    if name is None:
        return given[0]
    asked = name.strip().rstrip("/").lower()
    found = [
        one
        for one in given
        if asked in {one.name.lower(), f"{one.kind}:{one.name.lower()}", f"{one.kind}:{one.url.rstrip('/').lower()}"}
    ]
    if len(found) != 1:
        there = ", ".join(f"{one.kind}:{one.name}" for one in given)
        what = "is several sites" if found else "is no site"
        raise UnknownSiteError(f"{name!r} {what} of PTEROASSETS_REPLAY_SITES: name one of {there}")
    return found[0]


def reparse(landing: Landing, connection: Connection, advance: Advance | None = None) -> list[LoadReport]:
    """Read every replay again from the documents in the store, without asking a site.

    One of which the store lacks a document stays as it is, and is a problem of the report.
    """
    begun = landing.clock.now()
    passes = []
    with rows.one_at_a_time(connection):
        # one host may have sites of both kinds
        wanted = {(site.source, site.name): rows.known(connection, site.name, site.source) for site in sites(landing)}
        total, done = sum(map(len, wanted.values())), 0
        for site in sites(landing):
            with closing(begin(landing, connection, site)) as one:
                passes.append(one)
                for replay in wanted[site.source, site.name]:
                    found = _stored(connection, replay)
                    if len(found) == len(site.documents(replay)):
                        if all(str(kept.digest) in landing.store for kept in found.values()):
                            one.read(replay, found, anew=True)
                        else:
                            reason = "a document of it is not in the log store: read it by its number (replays load)"
                            one.problems.append({"scope": f"{site.name} {replay.replay_id}", "reason": reason})
                    done += 1
                    if advance is not None:
                        advance(done, total)
        return reported(landing, connection, passes, begun, is_whole=False)


def _stored(connection: Connection, wanted: Wanted) -> dict[Document, Kept]:
    found = connection.execute(
        "select distinct on (document) document, url, fingerprint, content_digest from raw_arma3.pages "
        "where site = %s and replay_id = %s and content_digest is not null "
        "order by document, fetched_at desc nulls last",
        (wanted.site, wanted.replay_id),
    ).fetchall()
    return {
        document: Kept(url=url, outcome="unchanged", fingerprint=mark, digest=digest)
        for document, url, mark, digest in found
    }

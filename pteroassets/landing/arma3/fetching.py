"""Documents of sites: asked for only where they may have changed, kept by content, and noted each in a row.

The bytes are in the log store, as they were sent; ``raw_arma3.pages`` says of each address what came of asking last.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from pteroassets.landing.arma3.rows import FIRST_PAUSE, LAST_CHECK, LONGEST_PAUSE
from pteroassets.landing.files.store import LogStore
from pteroassets.landing.opt_outs import OptOuts
from pteroassets.sources.arma3.client import PASSING, Fetched, FetchOutcome, Known, SiteClient
from pteroassets.sources.arma3.ocap_chunked import (
    MANIFEST,
    bundle,
    check_chunk,
    chunk_count,
    chunk_name,
    is_chunked,
    with_texts,
)
from pteroassets.sources.arma3.unpacking import Limits, Unreadable, unpack
from pteroassets.warehouse.connection import Connection

Document = Literal["list", "page", "digest", "recording"]
_PROTOBUF: Final = "application/x-protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What came of asking for a document.

    Attributes:
        url: The address that was asked last.
        outcome: Of the request; of those *ok* and *unchanged* alone there is a content.
        reason: Why there is none.
        fingerprint: Of the document, without its packing.
        digest: Of its content in the store.
        not_before: When it may be asked for again.
    """

    url: str
    outcome: FetchOutcome
    reason: str | None = None
    fingerprint: str | None = None
    digest: str | None = None
    not_before: datetime | None = None

    @property
    def is_there(self) -> bool:
        """Return whether its content is in the store."""
        return self.digest is not None and self.outcome in {"ok", "unchanged"}


@dataclass(slots=True, kw_only=True)
class Fetcher:
    """Asks one site for documents and keeps them.

    Attributes:
        site: Host of the site.
        client: Asks.
        store: Where contents are kept.
        hidden: Players who are to be forgotten.
        load_id: Of the pass.
    """

    site: str
    client: SiteClient
    store: LogStore
    hidden: OptOuts
    load_id: uuid.UUID

    def waits_until(self, connection: Connection, url: str) -> datetime | None:
        """Return until when a document that could not be read is left alone."""
        row = connection.execute("select next_try_at from raw_arma3.pages where url = %s", (url,)).fetchone()
        return row[0] if row is not None else None

    def fetch(
        self,
        connection: Connection,
        urls: Sequence[str],
        document: Document,
        *,
        replay_id: str | None = None,
        wants_json: bool,
    ) -> Kept:
        """Ask for a document at each of *urls* until one has it, and note what came of it."""
        for url in urls:
            kept = self._fetch_at(connection, url, document, replay_id, wants_json=wants_json)
            if kept.outcome not in {"not_found", "not_json"}:
                break
        return kept

    def fetch_chunked(self, connection: Connection, folder: str, *, replay_id: str) -> Kept:
        """Ask for a recording that the server has in chunks below *folder*: all of it where the manifest changed."""
        return self._fetch_at(
            connection,
            f"{folder}/{MANIFEST}",
            "recording",
            replay_id,
            wants_json=True,
            accept=_PROTOBUF,
            whole=lambda manifest: self._with_chunks(folder, manifest),
        )

    def _with_chunks(self, folder: str, manifest: Fetched) -> Fetched:
        """Return an archive of the manifest and its chunks; it is not there where one of them is not."""
        try:
            first = bytes(unpack(manifest.content or b"", Limits()))
            chunks, total = [], len(first)
            for index in range(chunk_count(first)):
                found = self.client.get(f"{folder}/{chunk_name(index)}", accept=_PROTOBUF)
                if found.outcome != "ok" or found.content is None:
                    return replace(found, known=Known(), content=None)
                chunks.append(bytes(unpack(found.content, Limits())))
                # a damaged one that is kept is never asked for again, since its manifest stays as it is
                check_chunk(chunks[-1], chunk_name(index))
                total += len(chunks[-1])
                if total > (most := Limits().unpacked_bytes):
                    reason = f"its chunks have more than {most >> 20:,} MiB: raise the limit to take them"
                    return replace(manifest, outcome="too_large", reason=reason, known=Known(), content=None)
        except Unreadable as unreadable:
            return replace(manifest, outcome="truncated", reason=unreadable.reason, known=Known(), content=None)
        return replace(manifest, content=bundle(first, chunks))

    def _fetch_at(
        self,
        connection: Connection,
        url: str,
        document: Document,
        replay_id: str | None,
        *,
        wants_json: bool,
        accept: str | None = None,
        whole: Callable[[Fetched], Fetched] | None = None,
    ) -> Kept:
        row = connection.execute(
            "select etag, last_modified, fingerprint, content_digest, tries from raw_arma3.pages where url = %s", (url,)
        ).fetchone()
        etag, last_modified, mark, digest, tries = row or (None, None, None, None, 0)
        # what an erasure or an operator took out of the store is fetched whole
        known = Known(etag=etag, last_modified=last_modified) if digest is not None and digest in self.store else None
        fetched = self.client.get(url, known=known, wants_json=wants_json, accept=accept)
        if whole is not None and fetched.outcome == "ok" and (fetched.fingerprint != mark or known is None):
            fetched = whole(fetched)
        outcome, size, is_new = fetched.outcome, None, False
        if outcome == "ok" and fetched.content is not None:
            is_new = fetched.fingerprint != mark or known is None
            if is_new:
                content = without_names(fetched.content, self.hidden)
                size, digest, mark = len(content), self.store.put(content), fetched.fingerprint
            else:  # the site knows no conditions, or packed it anew
                outcome = "unchanged"
        is_good = outcome in {"ok", "unchanged"}
        tries = 0 if is_good else tries + 1
        again = _again(fetched, tries) if tries else None
        self._note(
            connection,
            {
                "url": url,
                "site": self.site,
                "replay_id": replay_id,
                "document": document,
                "outcome": outcome,
                "reason": fetched.reason,
                "http_status": fetched.status,
                "etag": fetched.known.etag,
                "last_modified": fetched.known.last_modified,
                "fingerprint": mark,
                "content_digest": digest,
                "content_bytes": size,
                "asked_at": fetched.fetched_at,
                "fetched_at": fetched.fetched_at if is_new else None,
                "tries": tries,
                "next_try_at": again,
                "_load_id": self.load_id,
            },
        )
        return Kept(
            url=url,
            outcome=outcome,
            reason=fetched.reason,
            fingerprint=mark if is_good else None,
            digest=digest if is_good else None,
            not_before=again,
        )

    def _note(self, connection: Connection, row: dict[str, object]) -> None:
        kept = {"etag", "last_modified", "content_bytes", "fetched_at"}
        values = ", ".join(f"%({name})s" for name in row)
        newer = ", ".join(
            f"{name} = coalesce(excluded.{name}, mine.{name})" if name in kept else f"{name} = excluded.{name}"
            for name in row
            if name != "url"
        )
        connection.execute(
            f"insert into raw_arma3.pages as mine ({', '.join(row)}) values ({values}) "
            f"on conflict (url) do update set {newer}, _loaded_at = now()",
            row,
        )


def without_names(content: bytes, hidden: OptOuts) -> bytes:
    """Return a document with pseudonyms, unpacked where there was somebody to be hidden; else as it is."""
    if not hidden:
        return content
    if is_chunked(content):
        return with_texts(content, lambda said: str(hidden.value(said)))
    try:
        plain = bytes(unpack(content, Limits()))
    except Unreadable:
        return content  # there is nothing in it to be found
    changed = hidden.content(plain)
    return content if changed == plain else changed


def _again(fetched: Fetched, tries: int) -> datetime:
    """Return when a document is asked for again: soon and ever later where that may help, else in a month.

    It may where one is refused: a guard before the site does that for an hour, of a list or of a game in it.
    """
    if fetched.outcome not in PASSING and fetched.outcome != "refused":
        return fetched.fetched_at + LAST_CHECK
    pause = min(FIRST_PAUSE * float(2 ** min(tries - 1, 20)), LONGEST_PAUSE)
    return fetched.fetched_at + max(pause, timedelta(seconds=fetched.wait_seconds))

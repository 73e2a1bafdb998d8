"""Sends a stream to a collector, as a game would: in batches, again where it must, and no faster than is asked."""

from __future__ import annotations

import gzip
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pteroassets.simulator.events.malformed import NOT_JSON
from pteroassets.simulator.events.stream import Sent

_SECONDS: Final = 60
_AGAIN: Final = Retry(
    total=12, connect=3, allowed_methods=None, status_forcelist=(429, 503), backoff_factor=0.2, backoff_max=10,
    raise_on_status=False,
)  # fmt: skip
_LARGEST: Final = 1_000_000
_LIVE_BATCH_SECONDS: Final = 0.25


class _Refused(msgspec.Struct, frozen=True):
    reason: str


class _Told(msgspec.Struct, frozen=True):
    """What a collector answers of a request that it understood."""

    accepted: int
    refused: int
    refusals: tuple[_Refused, ...] = ()


class SendingError(Exception):
    """The collector takes nothing in."""


@dataclass(slots=True)
class Outcome:
    """What the collector answered.

    Attributes:
        accepted: Things that it stored as events, copies included.
        refused: Things that it kept as dead letters, by reason as far as its answers name them.
    """

    accepted: int = 0
    refused: int = 0
    named: Counter[str] = field(default_factory=Counter)


def send(
    sent: Sequence[Sent],
    url: str,
    key: str,
    *,
    batch: int = 500,
    is_live: bool = False,
    advance: Callable[[int, int | None], None] = lambda _done, _all: None,
) -> Outcome:
    """Send all of *sent* to the collector at *url* with a game's *key*; where *is_live*, each at its time.

    Raises:
        SendingError: It cannot be reached, or refuses the key or a whole request.
    """
    outcome, done = Outcome(), 0
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=_AGAIN))
        session.mount("https://", HTTPAdapter(max_retries=_AGAIN))
        session.headers["Authorization"] = f"Bearer {key}"
        for group in _batches(sent, batch, is_live=is_live):
            if is_live:
                time.sleep(max(0.0, (group[-1].at - datetime.now(tz=UTC)).total_seconds()))
            _post(session, url, group, outcome)
            done += len(group)
            advance(done, len(sent))
    return outcome


def _batches(sent: Sequence[Sent], most: int, *, is_live: bool) -> Iterator[list[Sent]]:
    group: list[Sent] = []
    length = 0
    for one in sent:
        is_alone = one.reason == NOT_JSON
        is_waited_for = is_live and group and (one.at - group[0].at).total_seconds() > _LIVE_BATCH_SECONDS
        if group and (is_alone or is_waited_for or len(group) == most or length + len(one.body) > _LARGEST):
            yield group
            group, length = [], 0
        if is_alone:
            yield [one]
            continue
        group.append(one)
        length += len(one.body) + 1
    if group:
        yield group


def _post(session: requests.Session, url: str, group: Sequence[Sent], outcome: Outcome) -> None:
    raw = group[0].body if len(group) == 1 else b"[" + b",".join(one.body for one in group) + b"]"
    try:
        answer = session.post(
            f"{url.rstrip('/')}/v1/events", data=gzip.compress(raw, 1), timeout=_SECONDS,
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )  # fmt: skip
    except requests.RequestException as error:
        raise SendingError(f"no collector answers at {url}: {error}") from error
    told = _told(answer)
    if answer.status_code not in (requests.codes.accepted, requests.codes.bad_request) or told is None:
        raise SendingError(
            f"the collector at {url} answered {answer.status_code}, and not what became of the events: "
            f"{answer.text.strip()[:300]}"
        )
    outcome.accepted += told.accepted
    outcome.refused += told.refused
    outcome.named.update(one.reason for one in told.refusals)


def _told(answer: requests.Response) -> _Told | None:
    try:
        return msgspec.json.decode(answer.content, type=_Told)
    except (msgspec.MsgspecError, ValueError):
        return None  # a proxy's page, or something else than a collector

"""One JSON message for each failure, sent to a URL that the operator sets.

The URL is a secret: no message, log line or exception of this module has it. A message has an ``id`` that stays
the same when it is sent again, since an answer can be lost after the message arrived.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pteroassets.sources.pterodactyl.client import USER_AGENT
from pteroassets.sources.pterodactyl.errors import scrub
from pteroassets.sources.pterodactyl.transport import PlainSession, reason_of

_TIMEOUT = (3.0, 5.0)
# for faults that may pass at once; 429 and 503 may ask for an hour, so the next tick tries those
_RETRY = Retry(
    total=2,
    backoff_factor=0.5,
    status_forcelist=(500, 502, 504),
    allowed_methods=("POST",),
    respect_retry_after_header=False,
)
_LONGEST_WAIT_SECONDS = 3600.0
_LONGEST_TEXT = 1_900  # Discord takes 2,000 characters
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SHORTEST_SECRET = 6  # a password of fewer characters would blank out ordinary words


class DeliveryError(Exception):
    """The webhook did not accept a message; the text says why, without the address."""

    def __init__(self, text: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureMessage:
    """The message about one failure; *link* is None if the address of the UI is unknown."""

    id: str
    kind: Literal["run_failure", "check_failure"]
    severity: Literal["ERROR", "WARN"]
    run_id: str
    what: str
    occurred_at: datetime
    message: str
    link: str | None

    def as_json(self, secrets: Collection[str] = ()) -> dict[str, str | None]:
        """Return the body of the message, its texts free of *secrets*.

        ``text`` (read by Slack and Mattermost) and ``content`` (by Discord) say the same in one paragraph.
        """
        message = redact(self.message, secrets)[:_LONGEST_TEXT]
        line = f"{self.severity}: {self.what} failed: {message}"
        text = line[: _LONGEST_TEXT - len(self.link or "") - 1] + (f"\n{self.link}" if self.link else "")
        return {
            **dataclasses.asdict(self),
            "occurred_at": self.occurred_at.isoformat(timespec="seconds"),
            "message": message,
            "text": text,
            "content": text,
        }


def redact(text: str, secrets: Collection[str]) -> str:
    """Return *text* without *secrets*, panel keys, tokens, queries and passwords of addresses, and e-mail addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return _EMAIL.sub("…", scrub(text))


def deliver(url: str, message: FailureMessage, *, secrets: Collection[str] = ()) -> None:
    """Send *message* to *url*, with retries that can help within seconds.

    Raises:
        DeliveryError: It was not accepted. ``wait_seconds`` is how long the receiver asks us to wait.
    """
    adapter = HTTPAdapter(max_retries=_RETRY)
    with PlainSession(adapter, user_agent=USER_AGENT) as session, _unlogged(urlsplit(url).path):
        try:
            answer = session.post(url, json=message.as_json({url, *secrets}), timeout=_TIMEOUT)
        except requests.exceptions.RetryError:
            raise DeliveryError("it answered with a server error (500, 502 or 504)") from None
        except (requests.RequestException, UnicodeError) as error:
            # not chained: the text of the exception shows the address
            raise DeliveryError(f"no answer ({reason_of(error)})") from None
    if not answer.ok or answer.is_redirect:
        raise DeliveryError(f"it answered {answer.status_code}", wait_seconds=_asked_to_wait(answer))


def _asked_to_wait(answer: requests.Response) -> float:
    seconds = answer.headers.get("Retry-After", "")
    return min(float(seconds), _LONGEST_WAIT_SECONDS) if re.fullmatch(r"\d{1,9}(\.\d+)?", seconds) else 0.0


@contextmanager
def _unlogged(path: str) -> Iterator[None]:
    """Keep urllib3, which logs each repeat with its address, from logging *path*."""

    def without_path(record: logging.LogRecord) -> bool:
        return len(path) < 2 or path not in record.getMessage()  # noqa: PLR2004 - "/" stands in every address

    logger = logging.getLogger("urllib3.connectionpool")
    logger.addFilter(without_path)
    try:
        yield
    finally:
        logger.removeFilter(without_path)

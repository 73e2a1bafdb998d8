"""Keep secrets out of what is sent and out of what is logged while it is sent."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pteroassets.sources.pterodactyl.errors import scrub

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SHORTEST_SECRET = 6  # a password of fewer characters would blank out ordinary words


def redact(text: str, secrets: Collection[str]) -> str:
    """Return *text* without *secrets*, panel keys, tokens, queries and passwords of addresses, and e-mail addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return _EMAIL.sub("…", scrub(text))


@contextmanager
def unlogged(url: str) -> Iterator[None]:
    """Keep urllib3, which logs requests with their path, from logging that of *url*; a secret stands there."""
    path = urlsplit(url).path

    def without_path(record: logging.LogRecord) -> bool:
        return len(path) < 2 or path not in record.getMessage()  # noqa: PLR2004 - "/" stands in every address

    logger = logging.getLogger("urllib3.connectionpool")
    logger.addFilter(without_path)
    try:
        yield
    finally:
        logger.removeFilter(without_path)

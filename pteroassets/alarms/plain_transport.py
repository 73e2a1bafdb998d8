"""Ways that only send: a plain webhook that takes JSON, and through apprise mail, ntfy, Slack and the like."""

from __future__ import annotations

from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from pteroassets.alarms.outbox import Severity
from pteroassets.alarms.redaction import redact, unlogged
from pteroassets.alarms.ways import DeferredError, Notice, RefusedError
from pteroassets.clock import Clock
from pteroassets.sources.pterodactyl.client import USER_AGENT
from pteroassets.sources.pterodactyl.transport import PlainSession, reason_of, retry_after

_TIMEOUT = (3.0, 5.0)
_APPRISE_SECONDS = 20.0
_LONGEST_WAIT_SECONDS = 3_600.0
_LONGEST_TEXT = 1_900  # Discord takes 2,000 characters, and this webhook may be one of its
#: Statuses of a receiver that will not take the message whoever tries it how often.
_FOR_GOOD: Final = frozenset({400, 404, 405, 410, 413, 414, 415, 422})
_TYPES: dict[Severity, str] = {"info": "info", "warning": "warning", "critical": "failure"}


class PlainWebhook:
    """A URL that takes each message as one JSON object; the URL is a secret.

    ``text`` (read by Slack and Mattermost) and ``content`` (by Discord) say the same.
    """

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._session = PlainSession(HTTPAdapter(max_retries=0), user_agent=USER_AGENT)
        self.status: int | None = None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, notice: Notice) -> None:
        """Send *notice*.

        Raises:
            DeferredError: No answer, 429, 5xx, a redirect, or a refusal that an operator can lift.
            RefusedError: Another 4xx.
        """
        self.status = None
        text = notice.text[:_LONGEST_TEXT]
        body: dict[str, Any] = {
            "id": notice.id, "key": notice.key, "severity": notice.severity, **notice.facts, "text": text,
            "content": text,
        }  # fmt: skip
        try:
            with unlogged(self._url):
                answer = self._session.post(self._url, json=body, timeout=_TIMEOUT)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            # not chained: the text of the exception shows the address
            raise DeferredError(f"no answer ({reason_of(error)})", doubtful=True) from None
        self.status = answer.status_code
        if answer.ok and not answer.is_redirect:
            return
        said = f"it answered {answer.status_code}"
        if answer.status_code in _FOR_GOOD:
            raise RefusedError(said, status=answer.status_code, of="message")
        asked = retry_after(answer.headers.get("Retry-After"), self._clock.now()) or 0.0
        raise DeferredError(said, status=answer.status_code, wait_seconds=min(asked, _LONGEST_WAIT_SECONDS))


class AppriseChannel:
    """Whatever apprise has a URL for. It neither edits nor returns an id, and the URL is a secret."""

    def __init__(self, url: str) -> None:
        import apprise  # noqa: PLC0415 - a third of a second that only who has such a channel spends

        # it would name icons on a public site, follow redirects, and keep files of its own
        asset = apprise.AppriseAsset(
            app_id="Pteroassets", app_desc="Pteroassets", app_url="", image_url_mask="", image_url_logo="",
            http_redirects=False, storage_mode=apprise.PersistentStoreMode.MEMORY,
        )  # fmt: skip
        self._url = url
        self._apprise = apprise.Apprise(asset=asset)
        if not self._apprise.add(url):
            raise ValueError("it is no URL that apprise knows, such as mailto://, ntfy:// or slack://")
        self.status: int | None = None

    def close(self) -> None:
        """Close nothing: apprise keeps no connection."""

    def send(self, notice: Notice) -> None:
        """Send *notice*.

        Raises:
            DeferredError: The service did not take it. apprise does not tell why for good or for now.
        """
        result = self._apprise.notify(
            body=notice.text, title=notice.title, notify_type=_TYPES[notice.severity], body_format="text",
            timeout=_APPRISE_SECONDS,
        )  # fmt: skip
        if not result:
            said = "; ".join(redact(entry.message, {self._url}) for entry in result.logs())
            raise DeferredError(said or "apprise could not send it and does not say why", doubtful=True)


def channel(url: str, *, clock: Clock) -> PlainWebhook | AppriseChannel:
    """Return the way to *url*: a plain webhook if it begins with https:// or http://, else one of apprise's.

    Raises:
        ValueError: apprise knows no such URL.
    """
    return PlainWebhook(url, clock=clock) if url.startswith(("https://", "http://")) else AppriseChannel(url)

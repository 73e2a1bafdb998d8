"""Whether the way out works: what waits, since when, who looks after it; and the ping that says so to others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from pteroassets.alarms.redaction import unlogged
from pteroassets.sources.pterodactyl.client import USER_AGENT
from pteroassets.sources.pterodactyl.transport import PlainSession, reason_of
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection

#: A message that has waited longer, and a way that gave no sign for longer, is a fault.
LONGEST_WAIT = timedelta(minutes=10)
LONGEST_SILENCE = timedelta(minutes=5)
_DEAD_SHOWN_FOR = timedelta(days=1)
_TIMEOUT = (3.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the outbox stands.

    Attributes:
        waiting: Messages whose target does not agree with them yet; dead ones are not among them.
        waiting_since: When the oldest of them was written.
        silent: Ways that ought to be looked after and gave no sign for five minutes.
        dead: Messages that were refused for good within the last day.
        now: When this was found.
    """

    waiting: int
    waiting_since: datetime | None
    silent: tuple[str, ...]
    dead: int
    now: datetime

    @property
    def faults(self) -> list[str]:
        """Return why messages do not arrive; none if they do."""
        found = []
        if self.silent:
            found.append(f"nobody looks after {', '.join(self.silent)}: is the service outbox running?")
        if self.waiting_since is not None and self.now - self.waiting_since > LONGEST_WAIT:
            found.append(
                f"{counted(self.waiting, 'message')} wait{'s' if self.waiting == 1 else ''}, the oldest since "
                f"{self.waiting_since:%Y-%m-%d %H:%M} UTC: pteroassets outbox list says why"
            )
        return found


def state_of(connection: Connection, ways: Collection[str], now: datetime) -> State:
    """Return how the outbox stands.

    Args:
        connection: To the warehouse.
        ways: That the settings name: ``discord``, ``webhook:<name>``, ``channel:<name>``.
        now: By the caller's clock.
    """
    # a card that changes every few minutes waits since its first attempt failed, not since it changed last
    row = connection.execute(
        """
        select
            count(*) filter (where dead_at is null),
            min(least(changed_at, failing_since)) filter (where dead_at is null),
            count(*) filter (where dead_at > %s)
        from ops.outbox
        left join lateral (
            select min(began_at) as failing_since from ops.outbox_deliveries
            where outbox_id = outbox.id and outcome = 'deferred'
                and began_at >= coalesce(outbox.sent_at, '-infinity')
        ) as attempts on true
        where sent_version is distinct from version
        """,
        (now - _DEAD_SHOWN_FOR,),
    ).fetchone()
    alive = {
        way
        for (way,) in connection.execute(
            "select way from ops.outbox_ways where alive_at > %s", (now - LONGEST_SILENCE,)
        )
    }
    waiting, since, dead = row or (0, None, 0)
    return State(waiting=waiting, waiting_since=since, silent=tuple(sorted(set(ways) - alive)), dead=dead, now=now)


class Ping:
    """Asks for a URL of the operator's while all is well, so that who watches it notices when that ends.

    The URL is a secret.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = PlainSession(HTTPAdapter(max_retries=0), user_agent=USER_AGENT)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def send(self) -> str | None:
        """Ask for the URL once; return why that did not work, or None if it did."""
        try:
            with unlogged(self._url):
                answer = self._session.get(self._url, timeout=_TIMEOUT)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            return f"no answer ({reason_of(error)})"
        return None if answer.ok else f"it answered {answer.status_code}"

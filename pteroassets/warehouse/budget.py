"""One request budget for every process that talks to the panel, kept in Postgres.

The panel counts requests per user in windows of 60 seconds which open with the first counted request
(``X-RateLimit-Limit``, ``X-RateLimit-Remaining``, ``Retry-After``). Runs are separate processes, so the count
of requests is in ``ops.request_budgets``; a process leases a tenth of the allowance at a time, which
makes one short transaction for dozens of requests.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from pteroassets.clock import Clock
from pteroassets.sources.pterodactyl.pacing import WINDOW, Api
from pteroassets.warehouse.connection import Connection, ConnectionSettings, connect

_LEASES_PER_WINDOW = 10
# a window further in the future than any Retry-After means that the clock was set back
_LONGEST_PENALTY = timedelta(hours=1)


@dataclass(slots=True)
class _Lease:
    left: int
    ends_at: datetime


class PostgresBudget:
    """Allows requests within *share* of the limit that the panel announces.

    The limit is unknown until the panel's first answer; until then requests are allowed one at a time.
    """

    def __init__(self, settings: ConnectionSettings, *, panel: str, clock: Clock, share: float) -> None:
        self._settings = settings
        self._panel = panel
        self._clock = clock
        self._share = share
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._leases: dict[str, _Lease] = {}
        self._announced: dict[str, int] = {}

    def close(self) -> None:
        """Close the connection; unused leases are lost until the window ends."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def take(self, api: Api) -> None:
        """Return when one request to *api* may be sent, sleeping on the clock while the window is used up."""
        while True:
            with self._lock:
                now = self._clock.now()
                lease = self._leases.get(api)
                if lease is not None and lease.left > 0 and now < lease.ends_at:
                    lease.left -= 1
                    return
                granted, ends_at = self._lease(api, now)
                if granted > 0:
                    self._leases[api] = _Lease(left=granted - 1, ends_at=ends_at)
                    return
            self._clock.sleep(max((ends_at - now).total_seconds(), 0.05))

    def observe(self, api: Api, *, limit: int | None, remaining: int | None, retry_after: float | None) -> None:
        """Record what the panel's headers say; a refusal (*retry_after*, seconds) stops every process until then."""
        with self._lock:
            now = self._clock.now()
            if retry_after is not None:
                self._leases.pop(api, None)
                with self._connect().transaction():
                    self._connect().execute(
                        """
                        update ops.request_budgets
                        set window_started_at = %(start)s, taken = greatest(taken, coalesce(announced_limit, 1)),
                            announced_limit = coalesce(%(limit)s, announced_limit)
                        where panel = %(panel)s and api = %(api)s
                        """,
                        {
                            "start": now - WINDOW + timedelta(seconds=retry_after),
                            "limit": limit,
                            "panel": self._panel,
                            "api": api,
                        },
                    )
                return
            if limit is None or self._announced.get(api) == limit:
                self._yield_to_others(api, limit, remaining, now)
                return
            self._announced[api] = limit
            with self._connect().transaction():
                self._connect().execute(
                    "update ops.request_budgets set announced_limit = %s where panel = %s and api = %s",
                    (limit, self._panel, api),
                )

    def _yield_to_others(self, api: Api, limit: int | None, remaining: int | None, now: datetime) -> None:
        # A person's browser and other tools use the same window: once less than the reserve is left, the
        # window is closed for us, whatever our own count says.
        if limit is None or remaining is None or remaining > limit * (1 - self._share) / 2:
            return
        lease = self._leases.get(api)
        if lease is None or lease.left == 0 or now >= lease.ends_at:
            return
        lease.left = 0
        with self._connect().transaction():
            self._connect().execute(
                "update ops.request_budgets set taken = greatest(taken, %s) where panel = %s and api = %s",
                (limit, self._panel, api),
            )

    def _lease(self, api: Api, now: datetime) -> tuple[int, datetime]:
        connection = self._connect()
        with connection.transaction():
            connection.execute(
                """
                insert into ops.request_budgets (panel, api, window_started_at, taken)
                values (%s, %s, %s, 0) on conflict do nothing
                """,
                (self._panel, api, now),
            )
            row = connection.execute(
                """
                select announced_limit, window_started_at, taken from ops.request_budgets
                where panel = %s and api = %s for update
                """,
                (self._panel, api),
            ).fetchone()
            assert row is not None  # noqa: S101 - inserted above
            limit, started_at, taken = row
            if now >= started_at + WINDOW or now < started_at - _LONGEST_PENALTY:
                started_at, taken = now, 0
            if limit is None:
                granted = 1
            else:
                allowance = max(1, int(limit * self._share))
                granted = min(max(1, allowance // _LEASES_PER_WINDOW), allowance - taken)
            if granted > 0:
                connection.execute(
                    "update ops.request_budgets set window_started_at = %s, taken = %s where panel = %s and api = %s",
                    (started_at, taken + granted, self._panel, api),
                )
            return max(granted, 0), started_at + WINDOW

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._settings, autocommit=True)
        return self._connection

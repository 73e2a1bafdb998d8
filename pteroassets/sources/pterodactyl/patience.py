"""How long a panel that is down is waited for.

A restart takes seconds, an update or a database that is restarted a minute: a pass that gave up at once would leave its
tables as they are for an hour. The wait is shared by all requests of a client, so an outage is waited out once and not
once for each list.
"""

from __future__ import annotations

import threading
from datetime import datetime

from pteroassets.clock import Clock

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0


class Patience:
    """Gives the pauses between attempts, each twice the one before, until an outage has lasted too long.

    Args:
        clock: Tells how long the outage has lasted.
        seconds: After which it is waited for no longer.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._began_at: datetime | None = None

    def end(self) -> None:
        """Note that the panel answered: there is no outage, or it is over."""
        with self._lock:
            self._began_at = None

    def waited(self) -> float:
        """Return for how many seconds the outage has lasted."""
        with self._lock:
            return 0.0 if self._began_at is None else (self._clock.now() - self._began_at).total_seconds()

    def pause(self, attempt: int, *, asked: float | None = None) -> float | None:
        """Return the seconds to wait after a failed *attempt*, counted from 1; None when waiting is over.

        Args:
            attempt: Of this request.
            asked: What the panel itself asks to wait; a longer time than is left is not begun.
        """
        now = self._clock.now()
        with self._lock:
            if self._began_at is None:
                self._began_at = now
            left = self._seconds - (now - self._began_at).total_seconds()
        wanted = min(_FIRST_PAUSE_SECONDS * 2 ** min(attempt - 1, 10), _LONGEST_PAUSE_SECONDS)
        if asked is not None:
            wanted = max(wanted, asked)
        return wanted if wanted <= left else None

"""Local time by whole seconds since the epoch, fast enough for every line of a log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pteroassets.simulator.world.chance import DAY, HOUR

_QUARTER = 900  # every zone's offset changes at a multiple of fifteen minutes
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Zone:
    """One IANA zone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info = ZoneInfo(name)
        self._offsets: dict[int, int] = {}

    def offset(self, second: int) -> int:
        """Return the seconds that local time is ahead of UTC at *second*."""
        quarter = second // _QUARTER
        known = self._offsets.get(quarter)
        if known is None:
            shift = datetime.fromtimestamp(quarter * _QUARTER, tz=UTC).astimezone(self.info).utcoffset()
            known = int((shift or timedelta()).total_seconds())
            self._offsets[quarter] = known
        return known

    def day(self, second: int) -> int:
        """Return the local day of *second* as days since 1970-01-01."""
        return (second + self.offset(second)) // DAY

    def midnight(self, day: int) -> int:
        """Return the second at which the local *day* (days since 1970-01-01) begins."""
        local = datetime.combine(date_of(day), datetime.min.time(), tzinfo=self.info)
        return int(local.timestamp())

    def at(self, day: int, hour: float) -> int:
        """Return the second at which clocks first show *hour* (0 to 30, may pass midnight) on the local *day*."""
        naive = datetime.combine(date_of(day), datetime.min.time()) + timedelta(hours=hour)
        return int(naive.replace(tzinfo=self.info).timestamp())

    def isoformat(self, second: int) -> str:
        """Return *second* as local ISO time with offset, as a node's file listing writes it."""
        return datetime.fromtimestamp(second, tz=UTC).astimezone(self.info).isoformat()

    def repeats(self, second: int) -> bool:
        """Return whether *second* lies in an hour that clocks show for the second time (end of daylight saving)."""
        return self.offset(second - HOUR) - self.offset(second) == HOUR


def date_of(day: int) -> date:
    """Return the date that is *day* days after 1970-01-01."""
    return date.fromordinal(_EPOCH_DAY + day)

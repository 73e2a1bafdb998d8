"""``pteroassets samples``: months of the archive come back into Postgres to be read, and go again."""

from __future__ import annotations

from datetime import date

from rich.console import Console

from pteroassets.platform.environment import RuntimeFault, landing_of
from pteroassets.settings import Settings
from pteroassets.sources.wording import counted
from pteroassets.warehouse.restored import RESTORED, release


def run_restore(settings: Settings, console: Console, first: date, last: date) -> None:
    """Restore the months from *first* to *last* and say how many samples each has.

    Raises:
        RuntimeFault: The months are the wrong way round, no archive is set, or it cannot be read.
        LogStoreError: The archive cannot be opened.
    """
    _in_order(first, last)
    with landing_of(settings) as landing:
        landing.require("pteroassets_sample_archive")
        archive = landing.sample_archive
        assert archive is not None  # noqa: S101 - its setting is there
        from pteroassets.landing.sample_archive import SampleArchiveError  # noqa: PLC0415 - it needs pyarrow

        try:
            with landing.connect() as connection:
                for month in archive.restore(connection, first, last):
                    what = "restored" if month.is_new else "there already"
                    console.print(f"{month.month:%Y-%m}: {counted(month.samples, 'sample')} {what}")
        except SampleArchiveError as error:
            raise RuntimeFault(str(error)) from error
    console.print(f"read them in {RESTORED}; pteroassets samples release drops them from Postgres")


def run_release(settings: Settings, console: Console, months: tuple[date, date] | None) -> None:
    """Drop the restored months between *months*, or all, and say which.

    Raises:
        RuntimeFault: The months are the wrong way round.
    """
    first, last = months or (date.min, date.max)
    _in_order(first, last)
    with landing_of(settings) as landing, landing.connect() as connection:
        released = release(connection, first, last)
    for month in released:
        console.print(f"released {month:%Y-%m}")
    if not released:
        console.print("no month was restored")


def _in_order(first: date, last: date) -> None:
    if first > last:
        raise RuntimeFault(f"--to is {last:%Y-%m}, before --from, which is {first:%Y-%m}")

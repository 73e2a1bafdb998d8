"""Checks that show which servers' logs need attention after the newest passes."""

import dagster as dg

from pteroassets.defs.queries import rows_of, told_of_nodes, verdict
from pteroassets.landing.context import Landing
from pteroassets.sources.outcomes import READ_FAULTS, SAID_EACH_PASS, TIMED

_WARN = dg.AssetCheckSeverity.WARN


@dg.asset_check(
    asset=["minecraft", "log_files"],
    description="The zone set for each server's log has the offset that the file listing shows.",
)
def timezone_agrees_with_listing(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of servers whose configured zone disagrees with the zone of the node that lists their files."""
    rows = rows_of(landing, "timezone_agrees_with_listing")
    return verdict(
        rows,
        "disagreeing",
        severity=_WARN,
        servers_compared=len(rows),
        remedy="set the zone in PTEROASSETS_LOG_TIMEZONES or PTEROASSETS_LOG_TIMEZONE",
    )


@dg.asset_check(
    asset=["minecraft", "log_files"],
    description="Every server's logs could be listed and every changed file be fetched.",
)
def every_log_was_read(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when the newest pass left a file unread for a reason that is not the server's own state.

    What only waits for a later pass is a warning, and so is an archive that cannot be unpacked.
    """
    rows = rows_of(landing, "every_log_was_read", unread=[*READ_FAULTS, *SAID_EACH_PASS])
    return verdict(
        rows,
        "unread",
        severity=_WARN if {row["outcome"] for row in rows} <= set(SAID_EACH_PASS) else dg.AssetCheckSeverity.ERROR,
        remedy="what waits for a later pass is fetched at once by `pteroassets logs backfill`; for more in each pass "
        "raise PTEROASSETS_LOG_REQUESTS_PER_PASS and PTEROASSETS_LOG_BYTES_PER_PASS",
        **told_of_nodes(rows),
    )


@dg.asset_check(
    asset=["minecraft", "events"],
    description="The share of a server's log lines that is understood or ignored by rule has not fallen.",
)
def lines_are_understood(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of servers whose newest files are understood clearly less than their earlier ones, or hardly at all."""
    rows = rows_of(landing, "lines_are_understood", timed=list(TIMED))
    return verdict(
        rows,
        "less_understood",
        severity=_WARN,
        servers_compared=len(rows),
        remedy="see which lines are unknown: pteroassets logs parse FILE --unknown, with a copy of the file",
    )


@dg.asset_check(
    asset=["minecraft", "log_reads"],
    description="The share of the bytes in a server's log folder that have been read has not fallen.",
)
def bytes_are_read(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of servers where a smaller share of the log bytes is read than in the week before."""
    rows = rows_of(landing, "bytes_are_read")
    return verdict(
        rows,
        "less_read",
        severity=_WARN,
        servers_compared=len(rows),
        remedy="what waits for a later pass is fetched by `pteroassets logs backfill`; a file too large to be fetched "
        "can be read where it lies: pteroassets logs parse FILE --unknown",
    )


CHECKS = [timezone_agrees_with_listing, every_log_was_read, lines_are_understood, bytes_are_read]

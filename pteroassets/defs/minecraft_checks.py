"""Checks that show which servers' logs need attention after the newest passes."""

import dagster as dg

from pteroassets.landing.context import Landing
from pteroassets.sources.outcomes import READ_FAULTS, SAID_EACH_PASS, TIMED


@dg.asset_check(
    asset=["minecraft", "log_files"],
    description="The zone set for each server's log has the offset that the file listing shows.",
)
def timezone_agrees_with_listing(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of servers whose configured zone disagrees with the zone of the node that lists their files."""
    with landing.connect() as connection:
        rows = connection.execute(
            """
            select files.server_uuid::text, zones.timezone, files.listed_utc_offset_seconds,
                extract(epoch from (files.listed_modified_at at time zone zones.timezone)
                    - (files.listed_modified_at at time zone 'UTC'))::integer as set_offset
            from (
                select distinct on (server_uuid) server_uuid, listed_modified_at, listed_utc_offset_seconds
                from raw_minecraft.log_files where is_listed order by server_uuid, listed_modified_at desc
            ) as files
            inner join ops.server_timezones as zones on zones.server_uuid = files.server_uuid
            """
        ).fetchall()
    wrong = [
        {"server": server, "zone": zone, "zone_offset_seconds": ours, "listing_offset_seconds": theirs}
        for server, zone, theirs, ours in rows
        if theirs is not None and theirs != ours
    ]
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "servers_compared": len(rows),
            "disagreeing": dg.JsonMetadataValue(wrong),
            "remedy": "set the zone in PTEROASSETS_LOG_TIMEZONES or PTEROASSETS_LOG_TIMEZONE",
        },
    )


@dg.asset_check(
    asset=["minecraft", "log_files"],
    description="Every server's logs could be listed and every changed file be fetched.",
)
def every_log_was_read(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Fail when the newest pass left a file unread for a reason that is not the server's own state.

    What only waits for a later pass is a warning, and so is an archive that cannot be unpacked.
    """
    with landing.connect() as connection:
        rows = connection.execute(
            """
            select outcome, count(*), min(reason), sum(size)::bigint from raw_minecraft.log_reads
            where observed_at = (select max(observed_at) from raw_minecraft.log_reads)
                and outcome = any(%s)
            group by outcome order by outcome
            """,
            ([*READ_FAULTS, *SAID_EACH_PASS],),
        ).fetchall()
    only_waits = {outcome for outcome, *_ in rows} <= set(SAID_EACH_PASS)
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN if only_waits else dg.AssetCheckSeverity.ERROR,
        metadata={
            "unread": dg.JsonMetadataValue(
                [
                    {
                        "outcome": outcome,
                        "reads": count,
                        "for_example": reason,
                        "bytes": None if size is None else int(size),
                    }
                    for outcome, count, reason, size in rows
                ]
            ),
            "remedy": "what waits for a later pass is fetched at once by `pteroassets logs backfill`; for more in each "
            "pass raise PTEROASSETS_LOG_REQUESTS_PER_PASS and PTEROASSETS_LOG_BYTES_PER_PASS",
        },
    )


# files of a server's last days against those before; with fewer lines a share means nothing
_NEWEST_FILES = 3
_EARLIER_FILES = 30
_FEWEST_LINES = 200
_LARGEST_FALL = 0.25
_LEAST_SHARE = 0.01


@dg.asset_check(
    asset=["minecraft", "events"],
    description="The share of a server's log lines that is understood or ignored by rule has not fallen.",
)
def lines_are_understood(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of servers whose newest files are understood clearly less than their earlier ones, or hardly at all."""
    with landing.connect() as connection:
        rows = connection.execute(
            """
            with numbered as (
                select
                    server_uuid, software, layout, path,
                    lines_understood + lines_ignored as known,
                    parsed_lines - lines_continuation as lines,
                    row_number() over (
                        partition by server_uuid order by is_live desc, first_line_at desc nulls last
                    ) as number
                from raw_minecraft.log_files
                where parser_version is not null and outcome = any(%(timed)s) and parsed_lines > 0
            ),
            shares as (
                select
                    server_uuid,
                    sum(known) filter (where number <= %(newest)s) as newest_known,
                    sum(lines) filter (where number <= %(newest)s) as newest_lines,
                    sum(known) filter (where number > %(newest)s) as earlier_known,
                    sum(lines) filter (where number > %(newest)s) as earlier_lines,
                    max(path) filter (where number = 1) as path,
                    max(software) filter (where number = 1) as software,
                    max(layout) filter (where number = 1) as layout
                from numbered where number <= %(newest)s + %(earlier)s group by server_uuid
            )
            select server_uuid::text, path, software, layout, newest_known::float / newest_lines,
                case when earlier_lines >= %(fewest)s then earlier_known::float / earlier_lines end
            from shares where newest_lines >= %(fewest)s order by server_uuid
            """,
            {"newest": _NEWEST_FILES, "earlier": _EARLIER_FILES, "fewest": _FEWEST_LINES, "timed": list(TIMED)},
        ).fetchall()
    fallen = [
        {
            "server": server,
            "file": path,
            "software": software,
            "layout": layout,
            "share_of_newest_lines": round(newest, 4),
            "share_of_earlier_lines": None if earlier is None else round(earlier, 4),
        }
        for server, path, software, layout, newest, earlier in rows
        if newest < _LEAST_SHARE or (earlier is not None and newest < earlier * (1 - _LARGEST_FALL))
    ]
    return dg.AssetCheckResult(
        passed=not fallen,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "servers_compared": len(rows),
            "less_understood": dg.JsonMetadataValue(fallen),
            "remedy": "see which lines are unknown: pteroassets logs parse FILE --unknown, with a copy of the file",
        },
    )


_SMALLEST_FALL = 0.02


@dg.asset_check(
    asset=["minecraft", "log_reads"],
    description="The share of the bytes in a server's log folder that have been read has not fallen.",
)
def bytes_are_read(landing: dg.ResourceParam[Landing]) -> dg.AssetCheckResult:
    """Warn of servers where a smaller share of the log bytes is read than in the week before."""
    with landing.connect() as connection:
        rows = connection.execute(
            """
            with listings as (
                select server_uuid, observed_at, bytes_present, bytes_read, files_present,
                    bytes_read::float / nullif(bytes_present, 0) as share,
                    row_number() over (partition by server_uuid order by observed_at desc) as number
                from raw_minecraft.log_reads
                where path = '' and outcome = 'ok' and bytes_present is not null and observed_at > (
                    select max(observed_at) from raw_minecraft.log_reads
                ) - interval '7 days'
            )
            select newest.server_uuid::text, newest.share, earlier.share, newest.bytes_present, newest.bytes_read,
                (
                    select min(format('%s: %s', reads.outcome, coalesce(reads.reason, reads.path)))
                    from raw_minecraft.log_reads as reads
                    where reads.server_uuid = newest.server_uuid and reads.observed_at = newest.observed_at
                        and reads.path <> '' and reads.outcome <> 'ok'
                )
            from listings as newest
            inner join (
                select server_uuid, max(share) as share from listings where number > 1 group by server_uuid
            ) as earlier on earlier.server_uuid = newest.server_uuid
            where newest.number = 1 and newest.share is not null
            order by newest.server_uuid
            """
        ).fetchall()
    fallen = [
        {
            "server": server,
            "share_read": round(share, 4),
            "share_read_before": round(before, 4),
            "bytes_present": present,
            "bytes_read": read,
            "for_example": why,
        }
        for server, share, before, present, read, why in rows
        if before is not None and share < before - _SMALLEST_FALL
    ]
    return dg.AssetCheckResult(
        passed=not fallen,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "servers_compared": len(rows),
            "less_read": dg.JsonMetadataValue(fallen),
            "remedy": "what waits for a later pass is fetched by `pteroassets logs backfill`; a file too large to be "
            "fetched can be read where it lies: pteroassets logs parse FILE --unknown",
        },
    )


CHECKS = [timezone_agrees_with_listing, every_log_was_read, lines_are_understood, bytes_are_read]

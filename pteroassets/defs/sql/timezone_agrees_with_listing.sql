-- each server whose zone is set: its offset, and that of the node's clock, when the newest file that is listed was written
select
    files.server_uuid::text as server,
    zones.timezone as zone,
    listed.zone_offset_seconds,
    files.listed_utc_offset_seconds as listing_offset_seconds,
    files.listed_utc_offset_seconds <> listed.zone_offset_seconds as fails
from (
    select distinct on (server_uuid) server_uuid, listed_modified_at, listed_utc_offset_seconds
    from raw_minecraft.log_files where is_listed order by server_uuid, listed_modified_at desc
) as files
inner join ops.server_timezones as zones on zones.server_uuid = files.server_uuid
cross join lateral (
    select extract(
        epoch from (files.listed_modified_at at time zone zones.timezone) - (files.listed_modified_at at time zone 'UTC')
    )::integer as zone_offset_seconds
) as listed

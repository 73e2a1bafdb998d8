-- each server's newest listing against the best of the week before
with

listings as (
    select
        server_uuid, observed_at, bytes_present, bytes_read,
        bytes_read::float / nullif(bytes_present, 0) as share,
        row_number() over (partition by server_uuid order by observed_at desc) as number
    from raw_minecraft.log_reads
    where path = '' and outcome = 'ok' and bytes_present is not null
        and observed_at > (select max(observed_at) from raw_minecraft.log_reads) - interval '7 days'
),

earlier as (
    select server_uuid, max(share) as share from listings where number > 1 group by server_uuid
)

select
    newest.server_uuid::text as server,
    round(newest.share::numeric, 4)::float as share_read,
    round(earlier.share::numeric, 4)::float as share_read_before,
    newest.bytes_present,
    newest.bytes_read,
    (
        select min(format('%%s: %%s', reads.outcome, coalesce(reads.reason, reads.path)))
        from raw_minecraft.log_reads as reads
        where reads.server_uuid = newest.server_uuid and reads.observed_at = newest.observed_at
            and reads.path <> '' and reads.outcome <> 'ok'
    ) as for_example,
    newest.share < earlier.share - 0.02 as fails
from listings as newest
inner join earlier on earlier.server_uuid = newest.server_uuid
where newest.number = 1 and newest.share is not null
order by newest.server_uuid

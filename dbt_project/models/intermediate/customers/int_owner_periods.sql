with

host as (

    select * from {{ ref('int_host_timezone') }}

),

owners as (

    select * from {{ ref('int_server_owners') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

listed as (

    select
        min(observed_at) as first_listed_at,
        max(observed_at) as last_listed_at
    from {{ ref('stg_ops__loads') }}
    where table_name = 'raw_pterodactyl.servers' and is_complete

),

periods as (

    select
        grains.period_grain,
        generated.period::date as period_start,
        (generated.period + ('1 ' || grains.period_grain)::interval)::date as next_start,
        host.timezone,
        listed.first_listed_at,
        listed.last_listed_at
    from listed
    cross join host
    cross join (values ('week'), ('month')) as grains (period_grain)
    cross join lateral generate_series(
        date_trunc(grains.period_grain, {{ local_date('listed.first_listed_at', 'host.timezone') }}::timestamp),
        {{ local_date("listed.last_listed_at - interval '1 microsecond'", 'host.timezone') }}::timestamp,
        ('1 ' || grains.period_grain)::interval
    ) as generated (period)

),

-- of a period that began before the first reading, what is seen from there on; what happens at a border comes after it
bounded as (

    select
        period_grain,
        period_start,
        next_start - 1 as period_end,
        greatest({{ local_day_start('period_start', 'timezone') }}, first_listed_at) as observed_from,
        {{ local_day_start('next_start', 'timezone') }} as observed_until,
        {{ local_day_start('period_start', 'timezone') }} >= first_listed_at as is_begin_known,
        {{ local_day_start('next_start', 'timezone') }} <= last_listed_at as is_over
    from periods

),

counted as (

    select
        bounded.*,
        owners.owner_user_id,
        count(distinct owners.server_uuid)::integer as servers_total,
        count(*) filter (where owners.owned_from < bounded.observed_from)::integer as servers_at_start,
        count(*) filter (where owners.owned_from >= bounded.observed_from)::integer as servers_gained,
        count(*) filter (where owners.owned_until < bounded.observed_until)::integer as servers_lost,
        count(*) filter (
            where coalesce(owners.owned_until, 'infinity') >= bounded.observed_until
        )::integer as servers_at_end
    from bounded
    inner join owners
        on
            bounded.observed_until > owners.owned_from
            and bounded.observed_from <= coalesce(owners.owned_until, 'infinity')
    group by
        bounded.period_grain, bounded.period_start, bounded.period_end, bounded.observed_from, bounded.observed_until,
        bounded.is_begin_known, bounded.is_over, owners.owner_user_id

),

limits as (

    select
        bounded.period_grain,
        bounded.period_start,
        validity.owner_user_id,
        sum(validity.memory_limit_mebibytes)::bigint as memory_limit_mebibytes,
        sum(validity.disk_limit_mebibytes)::bigint as disk_limit_mebibytes,
        count(*) filter (where validity.memory_limit_mebibytes is null)::integer as servers_without_memory_limit
    from bounded
    inner join validity
        on
            bounded.observed_until > validity.counted_from
            and bounded.observed_until <= coalesce(validity.valid_to, 'infinity')
    group by bounded.period_grain, bounded.period_start, validity.owner_user_id

)

select
    counted.*,
    limits.memory_limit_mebibytes,
    limits.disk_limit_mebibytes,
    coalesce(limits.servers_without_memory_limit, 0) as servers_without_memory_limit
from counted
left join limits
    on
        counted.period_grain = limits.period_grain
        and counted.period_start = limits.period_start
        and counted.owner_user_id = limits.owner_user_id

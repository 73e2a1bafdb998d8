with

host as (

    select * from {{ ref('int_host_timezone') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

-- a server that was gone and is there again begins anew with its owner
compared as (

    select
        *,
        lag(owner_user_id) over (partition by server_uuid order by counted_from) as owner_before,
        lag(valid_to) over (partition by server_uuid order by counted_from) as held_until
    from validity

),

numbered as (

    select
        *,
        count(*) filter (
            where owner_before is distinct from owner_user_id or held_until is distinct from valid_from
        ) over (partition by server_uuid order by counted_from) as stretch
    from compared

),

stretches as (

    select
        server_uuid,
        owner_user_id,
        stretch,
        min(counted_from) as owned_from,
        case when bool_and(valid_to is not null) then max(valid_to) end as owned_until
    from numbered
    group by server_uuid, owner_user_id, stretch

)

select
    stretches.server_uuid,
    stretches.owner_user_id,
    stretches.owned_from,
    stretches.owned_until,
    {{ days_held('stretches.owned_from', 'stretches.owned_until', 'host.timezone') }},
    {{ local_date(
        'lead(stretches.owned_from) over (partition by stretches.server_uuid order by stretches.owned_from)',
        'host.timezone'
    ) }} as next_date
from stretches
cross join host

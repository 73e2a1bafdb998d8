with

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

limits as (

    select
        server_uuid,
        jsonb_agg(jsonb_build_array(counted_from, valid_to, memory_limit_mebibytes) order by counted_from) as history
    from validity
    group by server_uuid

),

terms as (

    select
        servers.server_uuid,
        coalesce(timezones.timezone, 'UTC') as timezone,
        servers.created_at as exists_from,
        servers.deleted_at as exists_until,
        limits.history
    from servers
    left join timezones on servers.server_uuid = timezones.server_uuid
    left join limits on servers.server_uuid = limits.server_uuid

)

select
    server_uuid,
    timezone,
    exists_from,
    exists_until,
    md5(jsonb_build_array(timezone, exists_from, exists_until, history)::text) as terms_digest
from terms

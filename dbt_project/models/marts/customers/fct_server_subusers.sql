{{ config(indexes=[{'columns': ['owner_user_uuid']}, {'columns': ['subuser_user_uuid']}]) }}

with

subusers as (

    select * from {{ ref('stg_pterodactyl__subusers') }}

),

servers as (

    {{ newest_by_id(ref('stg_pterodactyl__servers'), 'server_id') }}

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

)

select
    subusers.subuser_id,
    servers.server_uuid,
    owners.user_uuid as owner_user_uuid,
    users.user_uuid as subuser_user_uuid,
    jsonb_array_length(
        case when jsonb_typeof(subusers.permissions) = 'array' then subusers.permissions end
    ) as permissions_total,
    subusers.created_at as shared_since,
    least(subusers.deleted_at, servers.deleted_at) as shared_until,
    subusers.is_active and coalesce(servers.is_active, false) as is_active
from subusers
left join servers on subusers.server_id = servers.server_id
left join users on subusers.user_id = users.user_id
left join users as owners on servers.owner_user_id = owners.user_id

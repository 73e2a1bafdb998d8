with

validity as (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

),

joined as (

    select
        validity.server_uuid,
        validity.valid_from,
        validity.valid_to,
        validity.valid_to is null as is_current,
        validity.counted_from,
        validity.server_id,
        validity.status,
        validity.is_suspended,
        validity.memory_limit_mebibytes,
        validity.swap_limit_mebibytes,
        validity.disk_limit_mebibytes,
        validity.cpu_limit_percent,
        validity.cpu_threads,
        validity.io_weight,
        validity.is_oom_killer_disabled,
        validity.database_limit,
        validity.allocation_limit,
        validity.backup_limit,
        validity.owner_user_id,
        users.user_uuid as owner_user_uuid,
        validity.node_id,
        nodes.node_uuid,
        validity.nest_id,
        validity.egg_id,
        eggs.egg_uuid
    from validity
    left join users on validity.owner_user_id = users.user_id
    left join nodes on validity.node_id = nodes.node_id
    left join eggs on validity.egg_id = eggs.egg_id

)

select * from joined

with

versions as (

    select * from {{ ref('stg_pterodactyl__server_versions') }}

),

nodes as (

    {{ newest_by_id(ref('stg_pterodactyl__nodes'), 'node_id') }}

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

),

-- what tells two versions apart, and what a person reads of it
described as (

    select
        versions.server_uuid,
        versions.valid_from,
        jsonb_build_object(
            'memory_limit', versions.memory_limit_mebibytes,
            'disk_limit', versions.disk_limit_mebibytes,
            'cpu_limit', versions.cpu_limit_percent,
            'node', versions.node_id,
            'egg', versions.egg_id,
            'owner', versions.owner_user_id,
            'image', versions.docker_image,
            'status', coalesce(versions.status, case when versions.is_suspended then 'suspended' end, 'normal')
        ) as keys,
        jsonb_build_object(
            'memory_limit', coalesce(nullif(versions.memory_limit_mebibytes, 0) || ' MiB', 'without limit'),
            'disk_limit', coalesce(nullif(versions.disk_limit_mebibytes, 0) || ' MiB', 'without limit'),
            'cpu_limit', coalesce(nullif(versions.cpu_limit_percent, 0) || ' %', 'without limit'),
            'node', nodes.node_name,
            'egg', eggs.egg_name,
            'owner', users.username,
            'image', versions.docker_image,
            'status', coalesce(versions.status, case when versions.is_suspended then 'suspended' end, 'normal')
        ) as names
    from versions
    left join nodes on versions.node_id = nodes.node_id
    left join eggs on versions.egg_id = eggs.egg_id
    left join users on versions.owner_user_id = users.user_id

),

compared as (

    select
        *,
        lag(keys) over by_age as keys_before,
        lag(names) over by_age as names_before,
        lag(valid_from) over by_age as valid_before
    from described
    window by_age as (partition by server_uuid order by valid_from)

),

changed as (

    select
        compared.server_uuid,
        case
            when fields.name <> 'status' then fields.name
            when 'suspended' in (fields.value, compared.keys_before ->> fields.name) then 'suspension'
            when fields.value || (compared.keys_before ->> fields.name) like '%install%' then 'install'
            else 'status'
        end as kind,
        compared.valid_from as happened_before,
        compared.valid_before,
        compared.names_before ->> fields.name as before_value,
        compared.names ->> fields.name as after_value
    from compared
    cross join lateral jsonb_each_text(compared.keys) as fields (name, value)
    where
        compared.keys_before is not null
        and fields.value is distinct from compared.keys_before ->> fields.name

    union all

    select
        server_uuid,
        'deleted' as kind,
        deleted_at as happened_before,
        valid_from as valid_before,
        null as before_value,
        null as after_value
    from versions
    where deleted_at is not null

)

-- the list that shows it first was read then; the one before did not show it
select
    changed.server_uuid,
    changed.kind,
    greatest(changed.valid_before, reads.observed_at) as happened_after,
    changed.happened_before,
    changed.before_value,
    changed.after_value
from changed
left join lateral (
    select loads.observed_at
    from {{ ref('stg_ops__loads') }} as loads
    where
        loads.table_name = 'raw_pterodactyl.servers'
        and loads.is_complete
        and loads.observed_at < changed.happened_before
    order by loads.observed_at desc
    limit 1
) as reads on true

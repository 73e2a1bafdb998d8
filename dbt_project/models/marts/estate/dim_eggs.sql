with

eggs as (

    select * from {{ ref('stg_pterodactyl__eggs') }}

),

nests as (

    {{ newest_by_id(ref('stg_pterodactyl__nests'), 'nest_id') }}

),

variables as (

    select * from {{ ref('stg_pterodactyl__egg_variables') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

variables_of_egg as (

    select
        egg_uuid,
        count(*)::integer as variables_total
    from variables
    group by egg_uuid

),

servers_of_egg as (

    select
        egg_id,
        count(*)::integer as servers_active
    from servers
    where is_active
    group by egg_id

),

joined as (

    select
        eggs.egg_uuid,
        eggs.egg_id,
        eggs.egg_name,
        eggs.nest_id,
        nests.nest_name,
        eggs.description,
        eggs.author,
        eggs.docker_image,
        eggs.stop_command,
        eggs.extends_egg_id,
        coalesce(variables_of_egg.variables_total, 0) as variables_total,
        case when eggs.is_active then coalesce(servers_of_egg.servers_active, 0) end as servers_active,
        eggs.is_active,
        eggs.created_at,
        eggs.updated_at,
        eggs.deleted_at
    from eggs
    left join nests on eggs.nest_id = nests.nest_id
    left join variables_of_egg on eggs.egg_uuid = variables_of_egg.egg_uuid
    left join servers_of_egg on eggs.egg_id = servers_of_egg.egg_id

)

select * from joined

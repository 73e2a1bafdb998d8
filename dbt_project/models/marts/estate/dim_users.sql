with

users as (

    select * from {{ ref('stg_pterodactyl__users') }}

),

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

subusers as (

    select * from {{ ref('stg_pterodactyl__subusers') }}

),

owned as (

    select
        owner_user_id as user_id,
        count(*)::integer as servers_owned
    from servers
    where is_active
    group by owner_user_id

),

shared as (

    select
        user_id,
        count(distinct server_id)::integer as servers_shared
    from subusers
    where is_active
    group by user_id

),

joined as (

    select
        users.user_uuid,
        users.user_id,
        users.external_id,
        users.username,
        users.email,
        users.first_name,
        users.last_name,
        users.language,
        users.is_root_admin,
        users.has_two_factor,
        case when users.is_active then coalesce(owned.servers_owned, 0) end as servers_owned,
        case when users.is_active then coalesce(shared.servers_shared, 0) end as servers_shared,
        users.is_active,
        users.created_at,
        users.updated_at,
        users.deleted_at
    from users
    left join owned on users.user_id = owned.user_id
    left join shared on users.user_id = shared.user_id

)

select * from joined

{{ config(tags=['daily']) }}

with

owners as (

    select * from {{ ref('int_server_owners') }}

),

users as (

    {{ newest_by_id(ref('stg_pterodactyl__users'), 'user_id') }}

),

servers as (

    select
        owner_user_id,
        count(distinct server_uuid)::integer as servers_ever,
        count(*) filter (where owned_until is null)::integer as servers_now,
        min(owned_from) as first_owned_at,
        case when bool_and(owned_until is not null) then max(owned_until) end as left_at
    from owners
    group by owner_user_id

),

-- a server's day is its owner's at the end of it
players as (

    select
        owners.owner_user_id,
        min(days.local_date) as first_player_on,
        max(days.local_date) as last_player_on,
        count(distinct days.player_id)::integer as players_ever
    from {{ ref('fct_player_daily') }} as days
    inner join owners
        on
            days.server_uuid = owners.server_uuid
            and days.local_date >= owners.first_date
            and days.local_date < coalesce(owners.next_date, 'infinity')
    where not days.is_proxy
    group by owners.owner_user_id

)

select
    servers.owner_user_id,
    users.user_uuid as owner_user_uuid,
    users.username,
    servers.servers_now,
    servers.servers_ever,
    servers.first_owned_at,
    servers.left_at,
    players.players_ever,
    players.first_player_on,
    players.last_player_on
from servers
left join users on servers.owner_user_id = users.user_id
left join players on servers.owner_user_id = players.owner_user_id

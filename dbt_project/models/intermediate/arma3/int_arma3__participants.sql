with

replays as (

    select * from {{ ref('stg_arma3__replays') }}

),

units as not materialized (

    select * from {{ ref('stg_arma3__units') }}

),

stints as (

    select * from {{ ref('stg_arma3__stints') }}

),

-- a site that numbers its players says who held a unit; a recording tells it by names, and a unit may change hands
held as (

    select
        units.replay_key,
        units.unit_id,
        units.player_id,
        units.unit_name as player_name,
        units.side,
        units.squad_name,
        units.role_name,
        units.first_second,
        units.last_second,
        units.is_survivor,
        units.is_death_without_kill
    from units
    where units.is_player and units.player_id is not null
    union all
    select
        units.replay_key,
        units.unit_id,
        null as player_id,
        stints.player_name,
        units.side,
        units.squad_name,
        units.role_name,
        stints.first_second,
        stints.last_second,
        -- how a unit ended is told of who held it last
        case when stints.last_second >= units.last_second then units.is_survivor end as is_survivor,
        units.is_death_without_kill and stints.last_second >= units.last_second as is_death_without_kill
    from units
    inner join stints on units.replay_key = stints.replay_key and units.unit_id = stints.unit_id
    where units.player_id is null and stints.is_player

),

keyed as (

    select
        held.*,
        replays.site,
        {{ arma3_player_key('replays.site', 'held.player_id', 'held.player_name') }} as player_key
    from held
    inner join replays on held.replay_key = replays.replay_key

)

-- who came back with another unit is one participant, who survived if one of the units did
select
    replay_key,
    player_key,
    min(site) as site,
    min(player_id) as player_id,
    (array_agg(player_name order by first_second desc nulls last, unit_id asc))[1] as player_name,
    (array_agg(side order by first_second nulls first, unit_id))[1] as side,
    (array_agg(squad_name order by first_second nulls first, unit_id))[1] as squad_name,
    (array_agg(role_name order by first_second nulls first, unit_id))[1] as role_name,
    count(distinct unit_id) as units,
    bool_or(is_survivor) as is_survivor,
    count(*) filter (where is_death_without_kill) as deaths_without_kill,
    min(first_second) as first_second,
    max(last_second) as last_second,
    sum(last_second - first_second) as present_seconds
from keyed
where player_key is not null
group by replay_key, player_key

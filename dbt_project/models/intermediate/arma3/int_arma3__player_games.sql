{#-
    Incremental by replay: built are those that were read since, known by their load, and those of which there are no rows.
    Each is found by index in what its rows are made of. Rows of those that were corrected go first, since a correction may
    take all players out of a game, and what is not among the new rows is deleted by none of them.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='replay_key',
    on_schema_change='fail',
    pre_hook="{{ arma3_corrected_go() }}",
    indexes=[
        {'columns': ['replay_key', 'player_key'], 'unique': true},
        {'columns': ['player_key', 'played_date']},
        {'columns': ['played_date']},
    ]
) }}

with

replays as materialized (

    {{ arma3_replays_to_build() }}

),

participants as (

    select found_rows.*
    from replays
    cross join lateral (
        select found.*
        from {{ ref('int_arma3__participants') }} as found
        where found.replay_key = replays.replay_key
        {{ by_index_for_each_row() }}
    ) as found_rows

),

kills as materialized (

    select found_rows.*
    from replays
    cross join lateral (
        select found.*
        from {{ ref('int_arma3__kills') }} as found
        where found.replay_key = replays.replay_key
        {{ by_index_for_each_row() }}
    ) as found_rows

),

of_killers as (

    select
        replay_key,
        killer_player_key as player_key,
        count(*) filter (where is_credited) as kills,
        count(*) filter (where is_team_kill) as team_kills,
        count(*) filter (where is_suicide) as suicides,
        count(*) filter (where victim_kind = 'vehicle') as vehicles_destroyed,
        max(distance_metres) filter (where is_credited) as longest_kill_metres
    from kills
    where killer_player_key is not null
    group by replay_key, killer_player_key

),

of_victims as (

    select
        replay_key,
        victim_player_key as player_key,
        count(*) as deaths
    from kills
    where victim_player_key is not null and victim_kind = 'unit'
    group by replay_key, victim_player_key

),

commanders as (

    select distinct
        replays.replay_key,
        {{ arma3_player_key('replays.site', 'sides.commander_player_id', 'sides.commander_name') }} as player_key
    from replays
    inner join {{ ref('stg_arma3__sides') }} as sides on replays.replay_key = sides.replay_key

)

select
    replays.replay_key,
    participants.player_key,
    replays.site,
    replays.site_kind,
    participants.player_id,
    participants.player_name,
    replays.played_date,
    replays.started_at,
    replays.mission_name,
    replays.island_name,
    participants.side,
    participants.squad_name,
    participants.role_name,
    participants.units,
    commanders.player_key is not null as is_commander,
    case when replays.winner_side is not null then participants.side = replays.winner_side end as is_win,
    participants.is_survivor,
    {{ arma3_of_kills('of_killers.kills') }} as kills,
    {{ arma3_of_kills('of_victims.deaths') }} + participants.deaths_without_kill as deaths,
    {{ arma3_of_kills('of_killers.team_kills') }} as team_kills,
    {{ arma3_of_kills('of_killers.suicides') }} as suicides,
    -- a page tells of no vehicles
    case
        when replays.site_kind <> 'wog'
            then {{ arma3_of_kills('of_killers.vehicles_destroyed') }}
    end as vehicles_destroyed,
    of_killers.longest_kill_metres,
    replays.started_at + make_interval(secs => coalesce(participants.first_second, 0)) as present_from,
    coalesce(
        replays.started_at + make_interval(secs => participants.last_second),
        greatest(replays.ended_at, replays.started_at)
    ) as present_until,
    coalesce(participants.present_seconds, replays.duration_seconds) as play_seconds,
    participants.present_seconds is not null as is_presence_recorded,
    replays._load_id
from replays
inner join participants on replays.replay_key = participants.replay_key
left join of_killers
    on participants.replay_key = of_killers.replay_key and participants.player_key = of_killers.player_key
left join of_victims
    on participants.replay_key = of_victims.replay_key and participants.player_key = of_victims.player_key
left join commanders
    on participants.replay_key = commanders.replay_key and participants.player_key = commanders.player_key

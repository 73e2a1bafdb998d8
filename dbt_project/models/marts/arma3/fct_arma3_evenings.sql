{{ config(tags=['daily'], indexes=[{'columns': ['scope_key', 'local_date']}]) }}

with

pieces as (

    select
        scopes.scope,
        scopes.scope_key,
        played.played_date as local_date,
        played.replay_key,
        played.player_key,
        played.present_from as piece_from,
        played.present_until as piece_until,
        played.play_seconds,
        played.is_presence_recorded
    from {{ ref('fct_arma3_player_games') }} as played
    inner join {{ ref('int_arma3__games') }} as games on played.replay_key = games.replay_key
    cross join lateral (values ('site', played.site), ('game', 'arma3')) as scopes (scope, scope_key)
    where games.is_counted and played.played_date is not null

),

timed as (

    select *
    from pieces
    where piece_from is not null and piece_until is not null

),

peaks as (

    {{ peak_concurrency('timed', keys=['scope', 'scope_key', 'local_date']) }}

),

counted as (

    select
        scope,
        scope_key,
        local_date,
        count(distinct replay_key)::integer as games,
        count(distinct player_key)::integer as players,
        sum(play_seconds::numeric)::double precision / 3600 as play_hours,
        avg(is_presence_recorded::integer)::double precision as recorded_share,
        min(piece_from) as first_from,
        max(piece_until) as last_until
    from pieces
    group by scope, scope_key, local_date

)

select
    counted.scope,
    counted.scope_key,
    counted.local_date,
    counted.games,
    counted.players,
    counted.play_hours,
    peaks.peak_concurrent_players,
    peaks.peak_at,
    peaks.peak_concurrent_players > coalesce(
        max(peaks.peak_concurrent_players) over (
            partition by counted.scope_key order by counted.local_date rows between unbounded preceding and 1 preceding
        ),
        0
    ) as is_record,
    counted.recorded_share,
    counted.first_from,
    counted.last_until
from counted
left join peaks
    on
        counted.scope = peaks.scope
        and counted.scope_key = peaks.scope_key
        and counted.local_date = peaks.local_date

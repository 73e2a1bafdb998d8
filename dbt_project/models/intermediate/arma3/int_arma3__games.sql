{{ config(materialized='table', tags=['daily'], indexes=[{'columns': ['replay_key']}]) }}

with

replays as (

    select
        *,
        floor(date_part('epoch', started_at) / 60 / {{ var('same_game_within_minutes') }}) as slot
    from {{ ref('stg_arma3__replays') }}
    where landed_at is not null

),

names as not materialized (

    select distinct
        replay_key,
        unit_name
    from {{ ref('stg_arma3__units') }}
    where is_player and unit_name is not null

),

-- by slots of time, so that a replay is compared with its neighbours and not with every other
near as (

    select
        recordings.replay_key,
        pages.replay_key as page_replay_key
    from replays as recordings
    cross join (values (-1), (0), (1)) as beside (slots)
    inner join replays as pages on recordings.slot + beside.slots = pages.slot
    where
        recordings.site_kind = 'ocap'
        and pages.site_kind = 'wog'
        and abs({{ seconds_between('pages.started_at', 'recordings.started_at') }})
        <= 60 * {{ var('same_game_within_minutes') }}

),

in_common as (

    select
        near.replay_key,
        near.page_replay_key,
        count(*) as names_in_common
    from near
    inner join names as recorded on near.replay_key = recorded.replay_key
    inner join names as listed
        on near.page_replay_key = listed.replay_key and recorded.unit_name = listed.unit_name
    group by near.replay_key, near.page_replay_key

),

heads as (

    select
        replay_key,
        count(*) as names
    from names
    group by replay_key

),

-- worlds and missions have other names in a recording than on a page, and people have the same
same as (

    select distinct on (in_common.replay_key)
        in_common.replay_key,
        in_common.page_replay_key
    from in_common
    inner join heads as recorded on in_common.replay_key = recorded.replay_key
    inner join heads as listed on in_common.page_replay_key = listed.replay_key
    where in_common.names_in_common * 2 >= least(recorded.names, listed.names)
    order by in_common.replay_key asc, in_common.names_in_common desc, in_common.page_replay_key asc

)

select
    replays.replay_key,
    coalesce(same.page_replay_key, replays.replay_key) as game_key,
    same.page_replay_key is null as is_counted,
    replays.site,
    replays.site_kind,
    coalesce(replays.mission_name, 'unknown') as mission_name,
    coalesce(replays.island_name, 'unknown') as island_name,
    replays.played_date,
    replays.started_at,
    replays.ended_at,
    replays.duration_seconds,
    replays.winner_side
from replays
left join same on replays.replay_key = same.replay_key

{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='session_id',
    on_schema_change='fail',
    meta={
        'changes_of': ['derived_minecraft.player_sessions', 'derived_minecraft.name_sightings', 'ops.server_timezones'],
        'scope': ['server_uuid', 'player_name'],
        'tested_from': 'seen_at',
        'tells': [
            'session_id', 'server_uuid', 'player_name', 'player_uuid', 'is_proxy', 'is_open', 'joined_at',
            'counted_from', 'counted_until', 'seen_at', 'last_shown_at',
        ],
    },
    indexes=[
        {'columns': ['seen_at']},
        {'columns': ['session_id'], 'unique': true},
        {'columns': ['server_uuid', 'player_name']},
        {'columns': ['player_uuid', '(coalesce(counted_from, last_shown_at, seen_at))']},
        {'columns': ['lower(player_name)', '(coalesce(counted_from, last_shown_at, seen_at))']},
    ],
    pre_hook="{{ take_up(touched_names_on_servers()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

sessions as (

    {{ rows_touched('stg_minecraft__player_sessions', ['server_uuid', 'player_name']) }}

),

sightings as (

    {{ rows_touched('int_minecraft__name_sightings', ['server_uuid', 'player_name']) }}

),

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

counted as (

    select
        *,
        close_reason is null as is_open,
        joined_at as counted_from,
        {{ counted_until('joined_at', ['left_at', 'left_at_lower', 'last_seen_at']) }} as counted_until,
        coalesce(joined_at, left_at, left_at_lower, last_seen_at, left_at_upper) as seen_at,
        greatest(coalesce(left_at, left_at_lower, last_seen_at), joined_at) as last_shown_at
    from sessions

),

-- a name belonged to whoever used it on this server nearest in time
nearest as (

    select distinct on (counted.server_uuid, counted.session_key)
        counted.server_uuid,
        counted.session_key,
        sightings.player_uuid
    from counted
    inner join sightings
        on
            counted.server_uuid = sightings.server_uuid
            and counted.player_name = sightings.player_name
    where counted.player_uuid is null
    order by
        counted.server_uuid,
        counted.session_key,
        greatest(
            sightings.first_seen_at - counted.seen_at,
            counted.seen_at - sightings.last_seen_at,
            interval '0'
        ),
        sightings.player_uuid

),

identified as (

    select
        counted.*,
        coalesce(counted.player_uuid, nearest.player_uuid) as resolved_uuid
    from counted
    left join nearest
        on
            counted.server_uuid = nearest.server_uuid
            and counted.session_key = nearest.session_key

),

keyed as (

    select
        identified.*,
        coalesce(timezones.timezone, 'UTC') as timezone,
        case
            when identified.resolved_uuid is null then 'name'
            when substring(identified.resolved_uuid::text, 15, 1) = '3' then 'offline_uuid'
            when identified.resolved_uuid::text like '00000000-0000-0000-%' then 'bedrock_uuid'
            else 'account_uuid'
        end as identity_kind
    from identified
    left join timezones on identified.server_uuid = timezones.server_uuid

)

select
    md5(server_uuid::text || '/' || session_key)::uuid as session_id,
    server_uuid,
    session_key,
    md5(
        case identity_kind
            when 'name' then 'name/' || server_uuid::text || '/' || player_name
            when 'offline_uuid' then 'offline_uuid/' || server_uuid::text || '/' || resolved_uuid::text
            else 'uuid/' || resolved_uuid::text
        end
    )::uuid as player_id,
    identity_kind,
    case when identity_kind in ('name', 'offline_uuid') then server_uuid end as identity_server_uuid,
    player_name,
    resolved_uuid as player_uuid,
    is_proxy,
    server_switches,
    timezone,
    joined_at,
    left_at,
    left_at_lower,
    left_at_upper,
    last_seen_at,
    run_started_at,
    close_reason,
    close_detail,
    is_join_observed,
    is_end_observed,
    is_open,
    counted_from,
    counted_until,
    seen_at,
    last_shown_at,
    chat_messages,
    commands,
    deaths,
    advancements
from keyed

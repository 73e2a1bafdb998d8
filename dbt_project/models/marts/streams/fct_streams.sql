{#- A view: it is as new as the last reading, and there are few of them. -#}
{{ config(materialized='view') }}

with

streams as (

    select * from {{ ref('stg_twitch__streams') }}

),

users as (

    select * from {{ ref('stg_twitch__users') }}

),

clips as (

    select * from {{ ref('stg_twitch__clips') }}

),

notices as (

    select *
    from {{ ref('stg_ops__stream_notices') }}
    where notice_kind = 'stream'

),

-- a reading lists the streams of all who are followed at once, and the clips of each
newest as (

    select max(read_at) as read_at
    from (
        select last_seen_at as read_at from streams
        union all
        select clips_read_at as read_at from users
    ) as readings

),

clips_of_streams as (

    select
        streams.stream_id,
        count(*)::integer as clips
    from streams
    inner join clips
        on
            streams.user_id = clips.user_id
            and streams.started_at <= clips.created_at
            and streams.last_seen_at + interval '{{ var("stream_over_minutes") }} minutes' >= clips.created_at
    group by streams.stream_id

),

told as (

    select
        streams.*,
        newest.read_at - streams.last_seen_at
        > interval '{{ var("stream_over_minutes") }} minutes' as is_over,
        coalesce(clips_of_streams.clips, 0) as clips,
        notices.is_told,
        notices.decided_at,
        notices.reason
    from streams
    cross join newest
    left join clips_of_streams on streams.stream_id = clips_of_streams.stream_id
    left join notices on streams.stream_id = notices.subject_id

)

select
    stream_id,
    user_id,
    login,
    display_name,
    title,
    category,
    language,
    (started_at at time zone 'UTC')::date as started_date,
    started_at,
    first_seen_at,
    last_seen_at,
    is_over,
    case when is_over then last_seen_at end as ended_at,
    case when is_over then {{ seconds_between('started_at', 'last_seen_at') }} / 60 end as lasted_minutes,
    case when not is_over then 'live_when_last_read' end as lasted_reason,
    last_viewers,
    clips,
    is_told,
    case when is_told then decided_at end as told_at,
    case when is_told is null then 'not_decided' else reason end as told_reason
from told

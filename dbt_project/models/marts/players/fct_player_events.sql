{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='event_id',
    on_schema_change='fail',
    meta={
        'changes_of': [
            'int_minecraft__sessions_on_servers', 'int_minecraft__sessions', 'raw_minecraft.event_rows'
        ],
        'scope': ['session_id'],
        'tested_from': 'local_date',
        'tells': ['server_uuid', 'player_id', 'local_date'],
    },
    indexes=[
        {'columns': ['local_date']},
        {'columns': ['session_id']},
        {'columns': ['server_uuid', 'player_id', 'local_date']},
        {'columns': ['player_id']},
    ],
    pre_hook="{{ take_up(touched_sessions_of_events()) }}",
    post_hook=[
        "{{ note_taken_up() }}",
        "{{ keep_index('fct_player_events_kind', ['event_kind', 'local_date', 'cause']) }}",
    ]
) }}

-- depends_on: {{ ref('stg_minecraft__log_files') }}
with

sessions as (

    {{ rows_touched('int_minecraft__sessions', ['session_id']) }}

),

lines as (

    {{ lines_of_touched_sessions(['player_death', 'player_advancement']) }}

),

dated_lines as (

    select
        lines.*,
        {{ local_date('lines.logged_at', "coalesce(timezones.timezone, 'UTC')") }} as local_date
    from lines
    left join {{ ref('stg_ops__server_timezones') }} as timezones on lines.server_uuid = timezones.server_uuid

),

-- a session that ends at midnight does not touch the day that begins then, and what happened last is of its last day
shown as (

    select
        *,
        {{ shown_from('sessions') }} as shown_from,
        {{ shown_until('sessions') }} as shown_until,
        {{ local_date(
            "greatest(" ~ shown_from('sessions') ~ ", " ~ shown_until('sessions') ~ " - interval '1 microsecond')",
            'timezone'
        ) }} as last_date
    from sessions

),

-- a session is met by its days, so that a player's years are never compared with each other
days as (

    select
        shown.*,
        generated.day::date as local_date
    from shown
    cross join lateral generate_series(
        {{ local_date('shown.shown_from', 'shown.timezone') }}::timestamp,
        {{ local_date('shown.shown_until', 'shown.timezone') }}::timestamp,
        interval '1 day'
    ) as generated (day)

),

-- times have whole seconds: a line of the second in which one session ends and the next begins is the first one's
of_lines as (

    select distinct on (lines.server_uuid, lines.file_key, lines.line_number)
        md5(lines.server_uuid::text || '/' || lines.file_key || '/' || lines.line_number)::uuid as event_id,
        days.session_id,
        days.server_uuid,
        days.player_id,
        days.player_name,
        days.is_proxy,
        lines.logged_at as occurred_at,
        least(days.local_date, days.last_date) as local_date,
        case lines.event_kind when 'player_death' then 'death' else 'advancement' end as event_kind,
        lines.detail ->> 'cause' as cause,
        lines.detail ->> 'killer' as killer,
        lines.detail ->> 'advancement' as advancement,
        lines.detail ->> 'type' as advancement_type,
        null::text as kick_reason
    from dated_lines as lines
    inner join days
        on
            lines.server_uuid = days.server_uuid
            and lines.player_name = days.player_name
            and lines.local_date = days.local_date
            and lines.logged_at >= days.shown_from
            and lines.logged_at <= days.shown_until
    {{ unless_an_earlier_session_has_it() }}
    order by lines.server_uuid asc, lines.file_key asc, lines.line_number asc, days.shown_from asc, days.session_id asc

),

kicks as (

    select
        md5(session_id::text || '/kick')::uuid as event_id,
        session_id,
        server_uuid,
        player_id,
        player_name,
        is_proxy,
        coalesce(left_at, shown_until) as occurred_at,
        last_date as local_date,
        'kick' as event_kind,
        null as cause,
        null as killer,
        null as advancement,
        null as advancement_type,
        close_detail as kick_reason
    from shown
    where close_reason = 'kicked'

),

events as (

    select * from of_lines
    union all
    select * from kicks

)

select * from events

{{ config(tags=['daily'], indexes=[{'columns': ['local_date']}]) }}

with

timezones as (

    select * from {{ ref('stg_ops__server_timezones') }}

),

known_logs as (

    select * from {{ ref('int_minecraft__known_logs') }}

),

pieces as (

    select
        *,
        date_trunc('hour', piece_from, 'UTC') as first_hour_at,
        greatest(piece_from, piece_until - interval '1 microsecond') as last_at
    from {{ ref('int_minecraft__session_days') }}

),

cut as (

    select
        pieces.*,
        generated.hour_at
    from pieces
    cross join lateral generate_series(
        pieces.first_hour_at, pieces.last_at, interval '1 hour'
    ) as generated (hour_at)

),

-- an hour that somebody was in stands here, with or without a length that is known
played as (

    select
        server_uuid,
        hour_at,
        coalesce(sum({{ seconds_between(
            'greatest(piece_from, hour_at)', "least(piece_until, hour_at + interval '1 hour')"
        ) }}::numeric) filter (where has_length), 0)::double precision as player_seconds
    from cut
    group by server_uuid, hour_at

),

-- what a server used in the minutes sampled: nothing where it did not run, unknown where no sample was taken in the hour
hours as (

    select
        used.server_uuid,
        {{ local_date('used.hour_at', "coalesce(timezones.timezone, 'UTC')") }} as local_date,
        used.minutes_sampled,
        case
            when used.minutes_running = 0 then 0 else used.cpu_percent_mean * used.minutes_running / 100
        end as cpu_core_minutes,
        case
            when used.minutes_running = 0 then 0 else used.memory_mebibytes_mean * used.minutes_running / 61440
        end as memory_gibibyte_hours,
        coalesce(
            known_logs.logs_known_from <= used.hour_at
            and known_logs.logs_known_until >= used.hour_at + interval '1 hour',
            false
        ) as is_log_known,
        played.hour_at is null as is_empty,
        coalesce(played.player_seconds, 0) / 3600 * used.minutes_sampled / 60 as player_hours
    from {{ ref('fct_utilization_hourly') }} as used
    left join timezones on used.server_uuid = timezones.server_uuid
    left join known_logs on used.server_uuid = known_logs.server_uuid
    left join played on used.server_uuid = played.server_uuid and used.hour_at = played.hour_at
    where used.minutes_sampled > 0

),

compared as (

    select
        *,
        is_log_known and cpu_core_minutes is not null as is_compared
    from hours

),

days as (

    select
        server_uuid,
        local_date,
        sum(minutes_sampled::numeric)::double precision / 60 as hours_sampled,
        coalesce(sum(minutes_sampled::numeric) filter (where is_compared), 0)::double precision / 60 as hours_compared,
        bool_or(is_log_known) as is_log_known,
        {% for condition, suffix in [('is_compared', ''), ('is_compared and is_empty', '_empty')] -%}
        sum(cpu_core_minutes::numeric) filter (where {{ condition }})::double precision as cpu_core_minutes{{ suffix }},
        sum(memory_gibibyte_hours::numeric) filter (where {{ condition }})::double precision
            as memory_gibibyte_hours{{ suffix }},
        {% endfor -%}
        sum(player_hours::numeric) filter (where is_compared)::double precision as player_hours
    from compared
    group by server_uuid, local_date

)

select
    days.server_uuid,
    days.local_date,
    coalesce(software.is_proxy, false) as is_proxy,
    days.hours_sampled,
    days.hours_compared,
    days.player_hours,
    days.cpu_core_minutes,
    days.memory_gibibyte_hours,
    case when days.hours_compared > 0 then coalesce(days.cpu_core_minutes_empty, 0) end as cpu_core_minutes_empty,
    case
        when days.hours_compared > 0 then coalesce(days.memory_gibibyte_hours_empty, 0)
    end as memory_gibibyte_hours_empty,
    {{ ratio('days.cpu_core_minutes', 'days.player_hours') }} as cpu_core_minutes_per_player_hour,
    {{ ratio('days.memory_gibibyte_hours', 'days.player_hours') }} as memory_gibibyte_hours_per_player_hour,
    case
        when days.player_hours > 0 then null
        when days.hours_compared > 0 then 'nobody_played'
        when days.is_log_known then 'not_measured'
        else 'log_unknown'
    end as reason
from days
left join {{ ref('dim_server_software') }} as software on days.server_uuid = software.server_uuid

{{ config(
    tags=['daily'],
    indexes=[{'columns': ['server_uuid', 'local_date']}, {'columns': ['local_date']}]
) }}

with

presence as (

    {{ presence() }}

),

scopes as materialized (

    {{ known_scopes() }}

),

{{ counted_actives() }},

played as (

    select
        scope_key,
        local_date,
        sum(play_seconds::numeric)::double precision / 3600 as play_hours
    from presence
    group by scope_key, local_date

),

lengths as (

    {{ session_lengths_by_day() }}

),

days as (

    select
        scopes.*,
        generated.day::date as local_date
    from scopes
    cross join lateral generate_series(
        scopes.first_date::timestamp, scopes.last_date::timestamp, interval '1 day'
    ) as generated (day)

),

counted as (

    select
        days.*,
        {{ newcomers_known_from('days') }} as newcomers_known_from,
        days.local_date between days.first_whole_date and days.last_whole_date as is_day_whole,
        coalesce(summed.active_players_1d, 0) as active_players_1d,
        sum(coalesce(summed.change_7d, 0)) over by_day as active_players_7d,
        sum(coalesce(summed.change_30d, 0)) over by_day as active_players_30d,
        coalesce(summed.new_players, 0) as new_players,
        coalesce(summed.returning_players, 0) as returning_players,
        coalesce(summed.won_back_players, 0) as won_back_players,
        coalesce(summed.lapsed_players, 0) as lapsed_players,
        days.is_history_whole or days.local_date >= days.first_whole_date + 6 as is_known_7d,
        days.is_history_whole or days.local_date >= days.first_whole_date + 29 as is_known_30d,
        days.is_history_whole
        or days.local_date
        >= days.first_whole_date + greatest(31, {{ var('newcomers_known_after_days') }}) as is_known_31d
    from days
    left join summed on days.scope_key = summed.scope_key and days.local_date = summed.local_date
    window by_day as (partition by days.scope_key order by days.local_date)

),

judged as (

    select
        counted.scope,
        counted.scope_key,
        counted.server_uuid,
        counted.local_date,
        counted.timezone,
        counted.is_day_whole,
        counted.first_date as history_known_since,
        counted.is_history_whole,
        counted.newcomers_known_from,
        counted.active_players_1d,
        case when counted.is_known_7d then counted.active_players_7d::integer end as active_players_7d,
        case when counted.is_known_30d then counted.active_players_30d::integer end as active_players_30d,
        case
            when counted.is_known_30d then {{ ratio('counted.active_players_1d', 'counted.active_players_30d') }}
        end as stickiness_ratio,
        {% for measure in ['new', 'returning'] -%}
        case
            when counted.local_date >= counted.newcomers_known_from then counted.{{ measure }}_players
        end as {{ measure }}_players,
        {% endfor -%}
        case when counted.is_known_31d then counted.won_back_players end as won_back_players,
        case when counted.is_known_30d then counted.lapsed_players end as lapsed_players,
        case when not counted.is_known_7d then 'history_too_short' end as active_players_7d_reason,
        case when not counted.is_known_30d then 'history_too_short' end as active_players_30d_reason,
        case
            when counted.local_date < counted.newcomers_known_from then 'history_too_short'
        end as new_players_reason,
        case when not counted.is_known_31d then 'history_too_short' end as won_back_players_reason,
        coalesce(played.play_hours, 0) as play_hours,
        coalesce(lengths.sessions_started, 0) as sessions_started,
        coalesce(lengths.sessions_measured, 0) as sessions_measured,
        lengths.session_minutes_mean,
        lengths.session_minutes_median,
        lengths.session_minutes_p90,
        lengths.gap_hours_median
    from counted
    left join played on counted.scope_key = played.scope_key and counted.local_date = played.local_date
    left join lengths on counted.scope_key = lengths.scope_key and counted.local_date = lengths.local_date

)

select * from judged

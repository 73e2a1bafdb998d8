{#-
    Who was where on which day, one row for each scope, player and day: a scope is a server with its days, or the host with
    those of its zone. Everybody counts once on the host, on however many servers.
-#}
{% macro presence() -%}
    select
        server_uuid::text as scope_key,
        player_id,
        local_date,
        play_seconds
    from {{ ref('fct_player_daily') }}

    union all

    select
        'host' as scope_key,
        player_id,
        local_date,
        sum(piece_seconds::numeric)::double precision as play_seconds
    from {{ ref('int_minecraft__network_session_days') }}
    group by player_id, local_date
{%- endmacro %}


{#-
    What is known of each scope: from which day to which its log is, whether it reaches back to the making of the server,
    and from which day on somebody who was never seen counts as new. In the first days of what is known everybody would.
-#}
{% macro known_scopes() -%}
    select
        'server' as scope,
        known.server_uuid::text as scope_key,
        known.server_uuid,
        known.timezone,
        known.logs_known_from,
        known.logs_known_until,
        known.first_date,
        known.last_date,
        {{ whole_days('known.logs_known_from', 'known.logs_known_until', 'known.timezone') }},
        coalesce(known.logs_known_from <= servers.created_at + interval '1 day', false) as is_history_whole
    from ({{ known_log_days() }}) as known
    left join {{ ref('stg_pterodactyl__servers') }} as servers on known.server_uuid = servers.server_uuid

    union all

    select
        'host' as scope,
        'host' as scope_key,
        null as server_uuid,
        host.timezone,
        min(known.logs_known_from) as logs_known_from,
        max(known.logs_known_until) as logs_known_until,
        {{ local_date('min(known.logs_known_from)', 'host.timezone') }} as first_date,
        {{ local_date("max(known.logs_known_until) - interval '1 microsecond'", 'host.timezone') }} as last_date,
        {{ whole_days('min(known.logs_known_from)', 'max(known.logs_known_until)', 'host.timezone') }},
        bool_and(
            coalesce(known.logs_known_from <= servers.created_at + interval '1 day', false)
        ) as is_history_whole
    from ({{ known_log_days() }}) as known
    cross join {{ ref('int_host_timezone') }} as host
    left join {{ ref('stg_pterodactyl__servers') }} as servers on known.server_uuid = servers.server_uuid
    group by host.timezone
{%- endmacro %}


{#- The first and the last day that lie wholly in an interval, as columns. -#}
{% macro whole_days(from_instant, until_instant, timezone) -%}
    {{ local_date(from_instant ~ " - interval '1 microsecond'", timezone) }} + 1 as first_whole_date,
        {{ local_date(until_instant, timezone) }} - 1 as last_whole_date
{%- endmacro %}


{#- The day from which on newcomers are known, from the columns of known_scopes. -#}
{% macro newcomers_known_from(scopes) -%}
    {{ scopes }}.first_date
    + case when {{ scopes }}.is_history_whole then 0 else {{ var('newcomers_known_after_days') }} end
{%- endmacro %}


{#-
    From presence to the CTE counted: who was there in the last days, of each scope and day on which that number changes.
    A player's days are cut where the next one begins, so each is counted once, however many of them lie in a window.
-#}
{% macro counted_actives() -%}
ordered as (

    select
        scope_key,
        player_id,
        local_date,
        local_date - lag(local_date) over by_day as days_since_last,
        lead(local_date) over by_day as next_date
    from presence
    window by_day as (partition by scope_key, player_id order by local_date)

),

steps as (

    select
        scope_key,
        local_date,
        count(*) as came_1d,
        count(*) as came_7d,
        count(*) as came_30d,
        count(*) filter (where days_since_last is null) as new_players,
        count(*) filter (where days_since_last <= 30) as returning_players,
        count(*) filter (where days_since_last > 30) as won_back_players,
        0 as lapsed_players
    from ordered
    group by scope_key, local_date

    {% for days in [7, 30] -%}
    union all

    select
        scope_key,
        least(local_date + {{ days }}, next_date) as local_date,
        0 as came_1d,
        {{ '-count(*)' if days == 7 else '0' }} as came_7d,
        {{ '-count(*)' if days == 30 else '0' }} as came_30d,
        0 as new_players,
        0 as returning_players,
        0 as won_back_players,
        {{ 'count(*) filter (where next_date is null or next_date > local_date + 30)' if days == 30 else '0' }}
            as lapsed_players
    from ordered
    group by scope_key, least(local_date + {{ days }}, next_date)

    {% endfor %}
),

summed as (

    select
        scope_key,
        local_date,
        sum(came_1d)::integer as active_players_1d,
        sum(came_7d) as change_7d,
        sum(came_30d) as change_30d,
        sum(new_players)::integer as new_players,
        sum(returning_players)::integer as returning_players,
        sum(won_back_players)::integer as won_back_players,
        sum(lapsed_players)::integer as lapsed_players
    from steps
    group by scope_key, local_date

)
{%- endmacro %}


{#-
    Lengths of the sessions that began on each day of a scope, and the gaps before them; *sessions* is a query of
    scope_key, joined_date, is_open, counted_minutes and gap_hours.
-#}
{% macro lengths_of(sessions) -%}
    select
        scope_key,
        joined_date as local_date,
        count(*)::integer as sessions_started,
        count(*) filter (where not is_open)::integer as sessions_measured,
        avg(counted_minutes::numeric) filter (where not is_open)::double precision as session_minutes_mean,
        percentile_cont(0.5) within group (order by counted_minutes)
        filter (where not is_open) as session_minutes_median,
        percentile_cont(0.9) within group (order by counted_minutes)
        filter (where not is_open) as session_minutes_p90,
        percentile_cont(0.5) within group (order by gap_hours) filter (where gap_hours >= 0) as gap_hours_median
    from (
        {{ sessions }}
    ) as sessions
    group by scope_key, joined_date
{%- endmacro %}


{#- The sessions on servers and the stays on the host, as lengths_of reads them. -#}
{% macro sessions_with_gaps() -%}
    {% for scope_key, sessions in [
        ('server_uuid::text', ref('fct_player_sessions')), ("'host'", ref('fct_network_sessions'))
    ] -%}
    select
        {{ scope_key }} as scope_key,
        joined_date,
        is_open,
        counted_minutes,
        {{ seconds_between(
            'lag(counted_until) over (partition by '
            ~ ('server_uuid, ' if not loop.last else '') ~ 'player_id order by joined_at)',
            'joined_at'
        ) }} / 3600 as gap_hours
    from {{ sessions }}
    where joined_at is not null
    {{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{#-
    From presence, scopes, summed and lengths to the CTE judged: the figures of each scope and day on which something is known
    of it, or why one is not. Of *also* are columns of the scopes that are handed on.
-#}
{% macro judged_actives(also=[]) -%}
played as (

    select
        scope_key,
        local_date,
        sum(play_seconds::numeric)::double precision / 3600 as play_hours
    from presence
    group by scope_key, local_date

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
        {% for column in also -%}
        counted.{{ column }},
        {% endfor -%}
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
{%- endmacro %}

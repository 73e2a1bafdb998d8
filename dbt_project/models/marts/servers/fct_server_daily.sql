{#-
    Incremental by the server's day (decision 24). Built again are the days of samples that arrived, of log files and
    sessions that changed, and those for which other times are expected; all days of a server whose zone, life or limits
    changed, or of which it became known that it is a proxy. What stood there is removed first.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    meta={'tested_from': 'local_date'},
    indexes=[{'columns': ['local_date']}],
    pre_hook=[
        "{{ note_newest_load('raw_pterodactyl.utilization_samples') }}",
        "{{ take_days_noted() }}",
        "{{ keep_terms_now() }}",
        "{{ keep_touched_server_days() }}",
        "{{ remove_touched_days() }}",
    ],
    post_hook=[
        "{{ note_loads_seen() }}",
        "{{ keep_terms_built() }}",
        "{{ note_build_to_test() }}",
        "{{ keep_index('fct_server_daily_use', use_of_days()) }}",
        "{{ keep_index('fct_server_daily_sums', sums_of_days()) }}",
    ]
) }}

-- depends_on: {{ ref('int_server_days') }}
-- depends_on: {{ ref('int_server_lifetimes') }}
-- depends_on: {{ ref('stg_pterodactyl__utilization_samples') }}
-- depends_on: {{ ref('stg_ops__loads') }}
with

sessions as (

    select * from {{ ref('int_minecraft__sessions_daily') }}

),

{% if is_incremental() -%}
lifetimes as (

    select * from {{ ref('int_server_lifetimes') }}

),

{{ days_still_there() }},

{{ judged_days() }},

{% else -%}
judged as (

    select * from {{ ref('int_server_days') }}

),

{% endif -%}
utilization as (

    select * from {{ ref('int_server_utilization_daily') }}

),

logged as (

    select * from {{ ref('int_minecraft__servers') }}

),

validity as materialized (

    select * from {{ ref('int_pterodactyl__server_validity') }}

),

-- no session on a day whose log was read is zero; on a day whose log was not, nobody knows
joined as (

    select
        days.server_uuid,
        days.local_date,
        days.timezone,
        days.day_starts_at,
        days.day_ends_at,
        {{ seconds_between('days.day_starts_at', 'days.day_ends_at') }} / 3600 as day_hours,
        coalesce(sessions.is_proxy, logged.is_proxy, false) as is_proxy,
        {% for measure in ['sessions_started', 'sessions_present', 'sessions_without_join', 'distinct_players',
            'player_hours', 'player_hours_end_inferred', 'peak_concurrent_players'] -%}
        coalesce(sessions.{{ measure }}, case when days.is_log_known then 0 end) as {{ measure }},
        {% endfor -%}
        days.is_log_known,
        logs.log_lines_read,
        logs.log_lines_understood,
        {{ ratio('logs.log_lines_understood', 'logs.log_lines_read') }} as log_understood_ratio,
        utilization.cpu_core_hours,
        utilization.memory_p95_mebibytes,
        validity.memory_limit_mebibytes,
        utilization.memory_p95_limit_ratio,
        utilization.uptime_hours,
        {{ ratio('utilization.uptime_hours * 60', 'utilization.minutes_sampled') }} as uptime_ratio,
        days.minutes_expected,
        coalesce(utilization.minutes_sampled, 0) as minutes_sampled,
        coalesce(utilization.minutes_gated, 0) as minutes_gated,
        coalesce(utilization.minutes_failed, 0) as minutes_failed,
        coalesce(utilization.minutes_suspect, 0) as minutes_suspect,
        {{ coverage('coalesce(utilization.minutes_sampled, 0)', 'days.minutes_expected') }} as coverage_ratio
    from judged as days
    left join sessions
        on
            days.server_uuid = sessions.server_uuid
            and days.local_date = sessions.local_date
    left join lateral (
        select found.*
        from {{ ref('int_minecraft__log_days') }} as found
        where found.server_uuid = days.server_uuid and found.local_date = days.local_date
        {{ by_index_for_each_row() if is_incremental() }}
    ) as logs on true
    left join logged on days.server_uuid = logged.server_uuid
    left join utilization
        on
            days.server_uuid = utilization.server_uuid
            and days.local_date = utilization.local_date
    left join lateral (
        select versions.memory_limit_mebibytes
        from validity as versions
        where
            versions.server_uuid = days.server_uuid
            and versions.counted_from < days.day_ends_at
        order by versions.counted_from desc
        limit 1
    ) as validity on true

)

select * from joined

{#- A process that was killed leaves no line, so its end lies somewhere before the next start: no more than this is searched. -#}
{% macro stop_searched_until(stop) -%}
    least(coalesce({{ stop }}.stopped_before, {{ stop }}.stopped_at), {{ stop }}.stopped_at + interval '1 hour')
{%- endmacro %}


{#- Whether a run was killed without a word, so that only the panel can say by whom. -#}
{% macro is_killed(stop) -%}
    ({{ stop }}.end_reason = 'crashed' and {{ stop }}.crash_cause is null)
{%- endmacro %}


{#-
    Whether a power task of a schedule was due when a run ended: from half a minute before the schedule begins, for
    clocks that differ, to some minutes after its task, since a server saves its worlds before it stops.
-#}
{% macro is_stop_of_schedule(stop, schedules) -%}
    coalesce((
            select bool_or({{ is_scheduled_at('due', 'minutes.minute_at at time zone due.timezone') }})
            from {{ schedules }} as due
            cross join lateral generate_series(
                date_trunc('minute', {{ stop }}.stopped_at)
                - make_interval(secs => due.seconds_after_start)
                - interval '{{ var("stop_takes_minutes") }} minutes',
                {{ stop_searched_until(stop) }} + interval '{{ var("clock_tolerance") }}',
                interval '1 minute'
            ) as minutes (minute_at)
            where
                due.server_uuid = {{ stop }}.server_uuid
                and minutes.minute_at >= {{ stop }}.stopped_at
                - make_interval(secs => due.seconds_after_start)
                - interval '{{ var("stop_takes_minutes") }} minutes'
                and due.known_from <= {{ stop }}.stopped_at
                and {{ stop }}.stopped_at <= coalesce(due.known_until, 'infinity')
                and ({{ stop }}.end_reason = 'stopped' or ({{ is_killed(stop) }} and due.signal = 'kill'))
        ), false)
{%- endmacro %}


{#-
    Whether an entry of the activity is of somebody who stopped this run. What is asked for after a crash is to bring the
    server back, so of a run that was killed a restart tells nothing.
-#}
{% macro is_stop_of_person(stop, activity) -%}
    {{ activity }}.server_uuid = {{ stop }}.server_uuid
            and {{ activity }}.actor_uuid is not null
            and (
                (
                    {{ stop }}.end_reason = 'stopped'
                    and {{ activity }}.event in ('server:power.stop', 'server:power.restart', 'server:power.kill')
                )
                or ({{ is_killed(stop) }} and {{ activity }}.event in ('server:power.stop', 'server:power.kill'))
            )
            and {{ activity }}.occurred_at
            >= {{ stop }}.stopped_at - interval '{{ var("stop_takes_minutes") }} minutes'
            and {{ activity }}.occurred_at <= {{ stop_searched_until(stop) }} + interval '10 seconds'
{%- endmacro %}


{#- From what was found of each stop to the CTE told: its kind, who told it, and whether it was an outage. -#}
{% macro told_stops(judged) -%}
sorted as (

    select
        *,
        days_at_this_time >= {{ var('usual_stop_days') }} and days_at_this_time * 2 > days_known as is_usual,
        {{ is_killed(judged) }} as is_killed,
        {{ seconds_between('stopped_before', 'next_started_at') }} / 60 as down_minutes_least,
        {{ seconds_between('stopped_at', 'next_started_at') }} / 60 as down_minutes_most
    from {{ judged }}

),

named as (

    select
        *,
        case
            when end_reason = 'log_gap' then null
            when is_of_schedule then 'schedule'
            when end_reason = 'stopped' and is_usual then 'usual_time'
            when actor_uuid is not null then 'activity'
            when end_reason = 'crashed' then 'log'
        end as told_by
    from sorted

),

told as (

    select
        *,
        case told_by
            when 'schedule' then 'planned'
            when 'usual_time' then 'planned'
            when 'activity' then 'operator'
            when 'log' then 'crash'
        end as kind,
        case
            when end_reason = 'log_gap' then 'log_gap'
            when told_by is null then 'nothing_tells'
        end as reason,
        case
            when end_reason = 'log_gap' then null
            when told_by is not null then told_by not in ('schedule', 'usual_time')
            when are_schedules_read and days_known >= 7 then true
        end as is_outage,
        case
            when down_minutes_most <= {{ var('restart_within_minutes') }} then true
            when down_minutes_least > {{ var('restart_within_minutes') }} then false
            when
                next_started_at is null
                and {{ seconds_between('stopped_at', 'logs_known_until') }} / 60 > {{ var('restart_within_minutes') }}
                then false
        end as is_restart
    from named

)
{%- endmacro %}


{#- The rows of *relation* once for each length of a period, with its first day; a week begins on Monday. -#}
{% macro by_periods(relation, day) -%}
    (
        select
            counted.*,
            grains.grain,
            date_trunc(grains.grain, counted.{{ day }}::timestamp)::date as period_start
        from {{ relation }} as counted
        cross join (values ('day'), ('week'), ('month')) as grains (grain)
    )
{%- endmacro %}


{#- Crashes of a group of causes; an exception that is named may be any. -#}
{% macro crashes_by(cause) -%}
    count(*) filter (
            where
            kind = 'crash'
            and case
                when crash_cause is null then 'killed'
                when crash_cause like '%OutOfMemoryError' then 'out_of_memory'
                when crash_cause in ('watchdog', 'crash_report') then crash_cause
                else 'exception'
            end = '{{ cause }}'
        )::integer
{%- endmacro %}

{#-
    From days to the CTE around: for each day of a server what its week before and its week after were like, the day
    itself left out. A mean is one of known days, and how many they were stands beside it.
-#}
{% macro weeks_around_days() -%}
around as (

    select
        server_uuid,
        local_date,
        {% for side in ['before', 'after'] -%}
        count(*) filter (where is_log_known) over {{ side }} as log_days_{{ side }},
        avg(distinct_players::numeric)
        filter (where is_log_known) over {{ side }} as players_per_day_{{ side }},
        avg(player_hours::numeric)
        filter (where is_log_known) over {{ side }} as player_hours_per_day_{{ side }},
        avg(crashes::numeric)
        filter (where is_log_known) over {{ side }} as crashes_per_day_{{ side }},
        count(*) filter (where is_sampled) over {{ side }} as sample_days_{{ side }},
        avg(memory_p95_mebibytes::numeric)
        filter (where is_sampled) over {{ side }} as memory_p95_mebibytes_{{ side }},
        sum(cpu_core_hours::numeric) filter (where is_sampled) over {{ side }}
        / nullif(sum(minutes_sampled::numeric) filter (where is_sampled) over {{ side }} / 60, 0)
            as cpu_cores_{{ side }},
        sum(uptime_hours::numeric) filter (where is_sampled) over {{ side }}
        / nullif(sum(minutes_sampled::numeric) filter (where is_sampled) over {{ side }} / 60, 0)
            as uptime_ratio_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from days
    window
        before as (
            partition by server_uuid order by local_date
            range between interval '7 days' preceding and interval '1 day' preceding
        ),
        after as (
            partition by server_uuid order by local_date
            range between interval '1 day' following and interval '7 days' following
        )

)
{%- endmacro %}


{#- Why the week on a side of a change is not known by its log or by its samples; NULL where it is. -#}
{% macro reason_of_week(side, kind) -%}
    {%- set days = 'around.' ~ kind ~ '_days_' ~ side -%}
    {%- set least = var('week_known_by_days') -%}
    case
            {% if side == 'after' -%}
            when dated.local_date + 7 >= dated.today then 'too_recent'
            {% endif -%}
            when {{ days }} >= {{ least }} then null
            {% if side == 'after' -%}
            when coalesce(spans.first_date > dated.local_date + 7 - {{ least }}, true) then 'history_too_short'
            when spans.last_date < dated.local_date + {{ least }} then 'server_gone'
            {% else -%}
            when coalesce(spans.first_date > dated.local_date - {{ least }}, true) then 'history_too_short'
            {% endif -%}
            else 'not_enough_coverage'
        end
{%- endmacro %}


{#- What is said of a week beside a change, with what it is known by. -#}
{% macro week_measures() -%}
    {{ return({
        'players_per_day': 'log', 'player_hours_per_day': 'log', 'crashes_per_day': 'log', 'cpu_cores': 'sample',
        'memory_p95_mebibytes': 'sample', 'uptime_ratio': 'sample',
    }) }}
{%- endmacro %}


{#- What is known of the week on a side of a change, as columns. -#}
{% macro judged_week(side) -%}
    around.log_days_{{ side }}::integer as log_days_{{ side }},
        around.sample_days_{{ side }}::integer as sample_days_{{ side }},
        {{ reason_of_week(side, 'log') }} as log_reason_{{ side }},
        {{ reason_of_week(side, 'sample') }} as sample_reason_{{ side }}
        {%- for measure in week_measures() %},
        around.{{ measure }}_{{ side }}::double precision as {{ measure }}_{{ side }}
        {%- endfor %}
{%- endmacro %}


{#- What is said of it: figures that rest on too few days are left out. -#}
{% macro told_week(side) -%}
    {%- for measure, kind in week_measures().items() -%}
    case when {{ kind }}_reason_{{ side }} is null then {{ measure }}_{{ side }} end as {{ measure }}_{{ side }},
    {% endfor -%}
    log_days_{{ side }},
    log_reason_{{ side }},
    sample_days_{{ side }},
    sample_reason_{{ side }}
{%- endmacro %}

{#-
    The numbers that a field of a crontab means, as a JSON array: `*`, `7`, `1-5`, `*/15`, `2-10/4` and lists of these. NULL
    where it is written otherwise, as with names of days.
-#}
{% macro cron_values(field, lowest, highest) -%}
    case
        when {{ field }} ~ '^(\*|[0-9]+(-[0-9]+)?)(/[1-9][0-9]*)?(,(\*|[0-9]+(-[0-9]+)?)(/[1-9][0-9]*)?)*$'
            then to_jsonb(array(
                select distinct numbers.number
                from string_to_table({{ field }}, ',') as parts (part)
                cross join lateral (
                    select
                        coalesce(substring(parts.part from '^[0-9]+')::integer, {{ lowest }}) as first_one,
                        case
                            when parts.part like '%-%' then substring(parts.part from '-([0-9]+)')::integer
                            when parts.part ~ '^[0-9]+$' then parts.part::integer
                            else {{ highest }}
                        end as last_one,
                        coalesce(substring(parts.part from '/([0-9]+)')::integer, 1) as step
                ) as bounds
                cross join lateral generate_series(
                    greatest(bounds.first_one, {{ lowest }}), least(bounds.last_one, {{ highest }}), bounds.step
                ) as numbers (number)
                order by numbers.number
            ))
    end
{%- endmacro %}


{#- Whether the field of a crontab, as cron_values gives it, has the part of a wall clock. -#}
{% macro cron_has(values, part, wall_clock) -%}
    {{ values }} @> to_jsonb(extract({{ part }} from {{ wall_clock }})::integer)
{%- endmacro %}


{#- Whether a wall clock's minute is one of *schedule*: cron takes either day where both are restricted. -#}
{% macro is_scheduled_at(schedule, wall_clock) -%}
    {%- set of_month = cron_has(schedule ~ '.cron_days_of_month', 'day', wall_clock) -%}
    {%- set of_week -%}
        ({{ cron_has(schedule ~ '.cron_weekdays', 'dow', wall_clock) }}
                or {{ cron_has(schedule ~ '.cron_weekdays', 'isodow', wall_clock) }})
    {%- endset -%}
    {{ cron_has(schedule ~ '.cron_minutes', 'minute', wall_clock) }}
            and {{ cron_has(schedule ~ '.cron_hours', 'hour', wall_clock) }}
            and {{ cron_has(schedule ~ '.cron_months', 'month', wall_clock) }}
            and case
                when {{ schedule }}.is_any_day_of_month or {{ schedule }}.is_any_weekday
                    then {{ of_month }} and {{ of_week }}
                else {{ of_month }} or {{ of_week }}
            end
{%- endmacro %}

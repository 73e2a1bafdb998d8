{#- Until when a version of a record holds: the newest one of a record that is gone holds until it was gone. -#}
{% macro held_until() -%}
    case when is_active then valid_to else least(coalesce(valid_to, 'infinity'), deleted_at) end
{%- endmacro %}


{#-
    The first and, exclusively, the last day at whose end a version holds, as columns: a day's state is that of its end,
    so what begins and ends within a day is in none.
-#}
{% macro days_held(from_instant, until_instant, timezone) -%}
    {{ local_date(from_instant, timezone) }} as first_date,
        {{ local_date(until_instant, timezone) }} as until_date
{%- endmacro %}


{#-
    Of rows with first_date and until_date, by day: what comes with those that hold from it on, less what goes with those
    that hold no more at its end. *sums* are aggregates by the name of their column.
-#}
{% macro steps_of(relation, keys, sums) -%}
    select
        {{ keys | join(', ') }},
        local_date,
        {% for name in sums -%}
        sum({{ name }})::bigint as {{ name }}{{ '' if loop.last else ',' }}
        {% endfor -%}
    from (
        {%- for date, sign in [('first_date', ''), ('until_date', '-')] %}
        select
            {{ keys | join(', ') }},
            {{ date }} as local_date
            {%- for name, aggregate in sums.items() %},
            {{ sign }}({{ aggregate }}) as {{ name }}
            {%- endfor %}
        from {{ relation }}
        where {{ date }} is not null
        group by {{ keys | join(', ') }}, {{ date }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as steps
    group by {{ keys | join(', ') }}, local_date
{%- endmacro %}


{#- What the panel lets a node promise; NULL where that is without end. -#}
{% macro allowed(capacity, overallocate_percent) -%}
    case
        when {{ overallocate_percent }} >= 0
            then {{ capacity }} * (100 + {{ overallocate_percent }}) / 100.0::double precision
    end
{%- endmacro %}


{#- Columns of int_node_changes that are summed over servers. -#}
{% macro measures_of_servers_held() -%}
    {{ return([
        'servers_total', 'servers_without_memory_limit', 'servers_without_disk_limit', 'servers_without_cpu_limit',
        'memory_allocated_mebibytes', 'disk_allocated_mebibytes', 'cpu_allocated_percent',
    ]) }}
{%- endmacro %}


{#- Columns of int_node_hours with what the servers of a node used. -#}
{% macro node_use_measures() -%}
    {{ return([
        'memory_used_mebibytes', 'memory_used_high_mebibytes', 'disk_used_mebibytes', 'cpu_used_cores',
        'cpu_used_high_cores',
    ]) }}
{%- endmacro %}


{#- Columns of int_node_terms_daily, and what is allowed by them, that are summed over the nodes of the host. -#}
{% macro node_terms_measures() -%}
    {{ return(measures_of_servers_held() + [
        'memory_mebibytes', 'memory_allowed_mebibytes', 'disk_mebibytes', 'disk_allowed_mebibytes',
        'allocations_total', 'allocations_assigned',
    ]) }}
{%- endmacro %}


{#-
    The two-sided 95 % point of Student's t for *degrees* of freedom, 8 to 28; NULL for others (Student, The probable
    error of a mean, 1908; tested against the integral of the density).
-#}
{% macro student_t(degrees) -%}
    (array[
            2.306004, 2.262157, 2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816,
            2.100922, 2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
            2.048407
        ]::double precision[])[{{ degrees }} - 7]
{%- endmacro %}

{#- CASEs of fct_right_sizing, which are the same for memory, processor and disk. -#}


{#- Why no limit of *resource* is recommended; NULL where one is. An offline server has a disk, and uses nothing else. -#}
{% macro right_sizing_reason(resource, limit) -%}
    case
            when reason is not null then reason
            when coalesce(coverage_ratio, 0) < {{ var('right_sizing_least_coverage') }} then 'thinly_sampled'
            {% if resource != 'disk' -%}
            when days_measured < {{ var('right_sizing_least_days') }} then 'seldom_running'
            {% endif -%}
            when {{ resource }}_samples = 0 then 'thinly_sampled'
            when {{ limit }} is null then 'unlimited'
        end
{%- endmacro %}


{#- What is needed of *resource*, rounded up to the next step, and never to 0, by which the panel means no limit. -#}
{% macro recommended_limit(resource, step) -%}
    case
            when {{ resource }}_reason is null
                then greatest(ceil({{ resource }}_needed / {{ step }}), 1)::bigint * {{ step }}
        end
{%- endmacro %}

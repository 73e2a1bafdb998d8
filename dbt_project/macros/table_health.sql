{#- The present, which unit tests replace. -#}
{% macro this_moment() -%}
    now()
{%- endmacro %}


{#-
    Each landed table with the one whose loads say how fresh it is, whether a load counts that read a part, and the hours
    after which its source warns and fails, as rows of values: what the freshness of the sources says.
-#}
{% macro freshness_limits() -%}
    {%- set hours = {'minute': 1 / 60, 'hour': 1, 'day': 24} -%}
    values
    {% for source in (graph.sources.values() if execute else [])
        if source.freshness and source.freshness.error_after and source.freshness.error_after.count -%}
    {%- set query = source.loaded_at_query or '' -%}
    {%- set other = modules.re.search("table_name = '([a-z_]+[.][a-z_]+)'", query) -%}
    {%- set name = source.schema ~ '.' ~ source.name -%}
    (
        '{{ name }}',
        '{{ other.group(1) if other else name }}',
        {{ 'rows_read > 0' in query }},
        {{ source.freshness.warn_after.count * hours[source.freshness.warn_after.period] }},
        {{ source.freshness.error_after.count * hours[source.freshness.error_after.period] }}
    ),
    {% endfor -%}
    ('', '', false, 0, 0)
{%- endmacro %}


{#- When the newest load of *table* was of which *condition* holds; NULL where there is none. -#}
{% macro newest_load(table, condition) -%}
    (
        select max(loads.observed_at)
        from {{ ref('stg_ops__loads') }} as loads
        where loads.table_name = {{ table }} and ({{ condition }})
    )
{%- endmacro %}

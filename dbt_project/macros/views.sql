{#-
    A view is replaced in place, by dbt's own macros. By default dbt makes a new view on Postgres and drops the old one
    with all that depends on it, so a build of a few staging views would take away the compatibility views that read
    them.
-#}
{% materialization view, adapter='postgres' %}
    {%- set made = create_or_replace_view() -%}
    {%- do persist_docs(made['relations'][0], model) -%}
    {%- do adapter.commit() -%}
    {{ return(made) }}
{% endmaterialization %}


{#- Where columns went or changed their type, which Postgres refuses to replace, the old view is dropped first. -#}
{% macro postgres__get_create_view_as_sql(relation, sql) -%}
    do $materialize$
    begin
        {{ get_replace_view_sql(relation, sql) }}
    exception
        when invalid_table_definition then
            drop view {{ relation }} cascade;
            {{ create_view_as(relation, sql) }}
    end
    $materialize$
{%- endmacro %}

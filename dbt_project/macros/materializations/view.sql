{#-
    Replaces a view in place. The stock materialization of Postgres makes a new view and drops the old one with all
    that depends on it, so a build of a few staging views would take away the compatibility views that read them.
    Only where columns went or changed their type, which Postgres refuses to replace, is the old view dropped first.
-#}
{% materialization view, adapter='postgres' %}

    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='view') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existing_relation is not none and not existing_relation.is_view %}
        {%- do adapter.drop_relation(existing_relation) %}
    {%- endif %}

    {% call statement('main') -%}
        {%- if config.get('contract').enforced %}
            {{ get_assert_columns_equivalent(sql) }}
        {%- endif %}
        do $materialize$
        begin
            create or replace view {{ target_relation }} as {{ sql }};
        exception
            when invalid_table_definition then
                drop view {{ target_relation }} cascade;
                create view {{ target_relation }} as {{ sql }};
        end
        $materialize$
    {%- endcall %}

    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=True) %}
    {%- do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}

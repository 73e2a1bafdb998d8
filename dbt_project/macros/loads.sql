{#-
    An incremental model goes on from the loads that its last build took in (decision 13). As its hooks in one
    transaction with the build: before it the newest load is noted whose rows it will see, after it that it saw them.
    A build that fails or is killed leaves the note as it was.
-#}
{% macro note_newest_load(table) -%}
    {%- if not flags.EMPTY -%}
    insert into ops.incremental_builds (model, building_load)
    select
        '{{ this }}' as model,
        coalesce(max(load_number), 0) as building_load
    from ops.loads
    where table_name = '{{ table }}'
    on conflict (model) do update set building_load = excluded.building_load
    {%- endif -%}
{%- endmacro %}


{% macro note_loads_seen() -%}
    {%- if not flags.EMPTY -%}
    update ops.incremental_builds set seen_load = building_load where model = '{{ this }}'
    {%- endif -%}
{%- endmacro %}


{#- The newest load that the last build of this model took in; 0 where nothing is known of one. -#}
{% macro newest_load_seen() -%}
    coalesce((select built.seen_load from ops.incremental_builds as built where built.model = '{{ this }}'), 0)
{%- endmacro %}

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


{#-
    Two CTEs, of which the second, arrived, holds *columns* of the rows of *relation* that loads of *table* brought since
    the last build of this model. A load and its rows are of one transaction, so of one time: by that the index finds
    them.
-#}
{% macro rows_that_arrived(relation, table, columns) -%}
loads as (

    select
        load_id,
        _loaded_at
    from {{ ref('stg_ops__loads') }}
    where
        table_name = '{{ table }}'
        and load_number > {{ newest_load_seen() }}

),

arrived as (

    select
        {{ columns | join(',\n        ') }}
    from {{ relation }}
    where
        _loaded_at >= (select min(loads._loaded_at) from loads)
        and _load_id in (select loads.load_id from loads)

)
{%- endmacro %}

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
    When each pass was of which samples were ever landed, one row for each load of it that brought any; a pass stays
    when its samples are dropped. It is known by index alone.
-#}
{% macro sampling_passes() -%}
    ops.sampling_passes
{%- endmacro %}


{#-
    CTEs loads, those of samples since the last build of this model, and reach, the first and the last of their passes. A
    load and its passes are of one transaction, so of one time: by that the index finds them.
-#}
{% macro passes_that_arrived() -%}
loads as (

    select
        load_id,
        _loaded_at
    from {{ ref('stg_ops__loads') }}
    where
        table_name = 'raw_pterodactyl.utilization_samples'
        and load_number > {{ newest_load_seen() }}

),

reach as (

    select
        min(pass_at) as first_pass_at,
        max(pass_at) as last_pass_at
    from {{ sampling_passes() }}
    where
        _loaded_at >= (select min(loads._loaded_at) from loads)
        and _load_id in (select loads.load_id from loads)

)
{%- endmacro %}


{#- The same, and arrived, which holds *columns* of the samples that these loads brought: found by the times of passes. -#}
{% macro samples_that_arrived(columns) -%}
{{ passes_that_arrived() }},

arrived as (

    select
        {{ columns | join(',\n        ') }}
    from {{ ref('stg_pterodactyl__utilization_samples') }}
    where
        {{ of_passes_between(
            '(select reach.first_pass_at from reach)', "(select reach.last_pass_at + interval '1 second' from reach)"
        ) }}
        and _load_id in (select loads.load_id from loads)

)
{%- endmacro %}

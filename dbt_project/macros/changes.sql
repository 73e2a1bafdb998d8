{#-
    Models that are built by what changed (decision 23). Such a model has the strategy changed and says in its meta which
    relations' changes it goes by (changes_of), which columns its rows are built again by together (scope), and which
    columns say to the models after it what a row touches (tells). Before it is built, what *query* finds to be touched,
    values of its scope, is put into a temporary table; that is analyzed, since Postgres would expect a thousand rows. The
    model's query gives the rows of these alone; of what stood there, that which differs is replaced and recorded. All of
    it is one transaction.
-#}
{% macro take_up(query) -%}
    {%- if not flags.EMPTY -%}
    insert into ops.changes_taken (model, building_change, is_whole, relations)
    select
        '{{ named(this) }}' as model,
        coalesce(max(change_number), 0) as building_change,
        {{ 'false' if is_incremental() else 'true' }} as is_whole,
        array[{{ changing_relations() }}] as relations
    from ops.row_changes
    where relation in ({{ changing_relations() }})
    on conflict (model) do update set
        building_change = excluded.building_change, is_whole = excluded.is_whole, relations = excluded.relations;
    {%- if is_incremental() %}
    create temporary table touched on commit drop as
    {{ query }};
    analyze touched
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#-
    After the build. Where everything was built anew, that is said to the models after it, whose rows may differ anywhere,
    and Postgres is shown what stands there now; of other changes it takes notice by itself.
-#}
{% macro note_taken_up() -%}
    {%- if not flags.EMPTY -%}
    {{ '' if is_incremental() else 'analyze ' ~ this ~ ';' }}
    {%- if (config.get('meta') or {}).get('tested_from') %}
    {{ note_first_date_to_test(none) }};
    {%- endif %}
    insert into ops.row_changes (relation, change)
    select model, 0 from ops.changes_taken where model = '{{ named(this) }}' and is_whole;
    update ops.changes_taken set seen_change = building_change where model = '{{ named(this) }}'
    {%- endif -%}
{%- endmacro %}


{#- Without the database, since a dump may be restored under another name. -#}
{% macro named(relation) -%}
    {{ relation.schema }}.{{ relation.identifier }}
{%- endmacro %}


{#- The rows of the model *name* with touched values in *columns*; all of them where everything is built anew. -#}
{% macro rows_touched(name, columns) -%}
    {%- if is_incremental() -%}
    select found_rows.*
    from touched
    cross join lateral (
        select found.*
        from {{ ref(name) }} as found
        where {{ equal('found', 'touched', columns) }}
        {{ by_index_for_each_row() }}
    ) as found_rows
    {%- else -%}
    select * from {{ ref(name) }}
    {%- endif -%}
{%- endmacro %}


{#- The relations whose changes this model goes by, as they name themselves. -#}
{% macro changing_relations() -%}
    {%- for name in (config.get('meta') or {}).get('changes_of', []) -%}
    '{{ name if '.' in name else named(ref(name)) }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- *columns*, names and types, of rows of *relation* that came or went since this model was built. -#}
{% macro changes_of(relation, columns) -%}
(
        select
            changes.change
            {%- for name, type in columns.items() %},
            (changes.touched ->> '{{ name }}')::{{ type }} as {{ name }}
            {%- endfor %}
        from ops.row_changes as changes
        where
            changes.relation = '{{ relation if relation is string else named(relation) }}'
            and changes.change_number > {{ newest_change_seen() }}
            and changes.change_number <= (
                select taken.building_change from ops.changes_taken as taken where taken.model = '{{ named(this) }}'
            )
    )
{%- endmacro %}


{#-
    The newest change that this model took in, as a value: behind one that it has to look up Postgres expects a third of all
    changes and reads them all.
-#}
{% macro newest_change_seen() -%}
    {%- set found = run_query(
        "select taken.seen_change from ops.changes_taken as taken where taken.model = '" ~ named(this) ~ "'"
    ) if execute else none -%}
    {{ found.rows[0][0] if found and found.rows and found.rows[0][0] is not none else 'null::bigint' }}
{%- endmacro %}


{#- dbt's own, and besides: a model that never took in a change, or whose parents were built anew since, is too. -#}
{% macro should_full_refresh() -%}
    {%- set asked = config.get('full_refresh') -%}
    {%- if asked is none -%}{%- set asked = flags.FULL_REFRESH -%}{%- endif -%}
    {%- if not asked and execute and config.get('incremental_strategy') == 'changed' -%}
        {%- set goes_on = run_query(
            "with seen as (select " ~ newest_change_seen() ~ " as seen_change) select seen_change is not null"
            ~ " and not exists (select from ops.row_changes as changes"
            ~ " where changes.relation in (" ~ changing_relations() ~ ") and changes.change = 0"
            ~ " and changes.change_number > " ~ newest_change_seen() ~ ") from seen"
        ) -%}
        {%- set asked = not goes_on.rows[0][0] -%}
    {%- endif -%}
    {{ return(asked) }}
{%- endmacro %}


{% macro get_incremental_changed_sql(arg_dict) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set new = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set keys = [arg_dict['unique_key']] if arg_dict['unique_key'] is string else arg_dict['unique_key'] -%}
    {%- set scope = config.get('meta')['scope'] -%}
    {%- set tells = config.get('meta').get('tells') -%}
    {%- set tested_from = config.get('meta').get('tested_from') -%}

    analyze {{ new }};

    create temporary table stays on commit drop as
    select {{ prefixed('new', keys) }}
    from {{ new }} as new
    inner join {{ target }} as old on {{ equal('new', 'old', keys) }}
    where ({{ prefixed('new', columns) }}) is not distinct from ({{ prefixed('old', columns) }});
    analyze stays;

    with gone as (
        delete from {{ target }} as old
        using touched
        where
            {{ equal('touched', 'old', scope) }}
            and not exists (select from stays where {{ equal('stays', 'old', keys) }})
        returning old.*
    )

    {{ told(target, -1, 'gone', tells) }};

    with come as (
        insert into {{ target }} as old ({{ columns | join(', ') }})
        select {{ prefixed('new', columns) }}
        from {{ new }} as new
        where not exists (select from stays where {{ equal('stays', 'new', keys) }})
        returning old.*
    )
    {%- if tested_from -%}
    ,

    noted as (
        insert into ops.builds_to_test (model, first_date)
        select
            '{{ target.identifier }}',
            coalesce(min({{ tested_from }})::date, 'infinity')
        from come
        having count(*) > 0
    )
    {%- endif %}

    {{ told(target, 1, 'come', tells) }}
{%- endmacro %}


{% macro told(relation, change, rows, tells) -%}
    {%- if tells -%}
    insert into ops.row_changes (relation, change, touched)
    select
        '{{ named(relation) }}',
        {{ change }},
        jsonb_build_object({% for name in tells %}'{{ name }}', {{ name }}{{ ', ' if not loop.last }}{% endfor %})
    from {{ rows }}
    {%- else -%}
    select count(*) from {{ rows }}
    {%- endif -%}
{%- endmacro %}


{% macro prefixed(alias, columns) -%}
    {% for column in columns %}{{ alias }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}


{% macro equal(one, other, columns) -%}
    {% for column in columns %}{{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
{%- endmacro %}

{#-
    Tests of a model that says in its meta which column they go by (tested_from) look at the rows that were built since
    they last passed, and once a day at all rows (decision 24). What failed is looked at again until it passes. The day is
    looked up before the test, since Postgres would expect a third of the rows behind one that it does not know.
-#}
{% macro postgres__get_where_subquery(relation) -%}
    {%- set where = config.get('where') -%}
    {%- set tested = graph.nodes.get(model.attached_node) if execute and model.attached_node else none -%}
    {%- set column = tested.config.meta.get('tested_from') if tested else none -%}
    {%- if column and tested.alias == relation.identifier and flags.WHICH in ('build', 'test') -%}
        {%- set since = run_query(built_since_passed(tested.name)).rows[0][0] -%}
        {%- set where = ('(' ~ where ~ ') and ' if where else '')
            ~ '(' ~ column ~ ' is null or ' ~ column ~ " >= date '" ~ since ~ "')" -%}
    {%- endif -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery' if where else relation) }}
{%- endmacro %}


{#- Whether a test is due on all rows: it never passed on them, or a day ago. The same from begin to end of a run. -#}
{% macro is_whole_due() -%}
    tests.whole_at is null or tests.whole_at < timestamptz '{{ run_started_at }}' - interval '1 day'
{%- endmacro %}


{#- The first day that this test looks at, as text. -#}
{% macro built_since_passed(name) -%}
    select
        case
            when bool_or({{ is_whole_due() }}) then '-infinity'
            else coalesce(
                min(coalesce(builds.first_date, '-infinity')) filter (where builds.build_number is not null),
                'infinity'
            )::text
        end as first_date
    from (values ('{{ model.unique_id }}')) as this (test)
    left join ops.tests_passed as tests on this.test = tests.test
    left join ops.builds_to_test as builds
        on builds.model = '{{ name }}' and builds.build_number > tests.passed_build
{%- endmacro %}


{#- After a model with touched_days was built: its tests are to look at these. -#}
{% macro note_build_to_test() -%}
    {{ note_first_date_to_test('select min(local_date) as first_date from touched_days having count(*) > 0') }}
{%- endmacro %}


{#- After a model by the hour of samples was built, before its loads are noted as seen: those since the first pass. -#}
{% macro note_passes_to_test() -%}
    {%- set first_date -%}
    with

    {{ passes_that_arrived() }}

    select (first_pass_at - interval '1 hour')::date as first_date
    from reach
    where first_pass_at is not null
    {%- endset -%}
    {{ note_first_date_to_test(first_date) }}
{%- endmacro %}


{#- *first_date* is a query of one row, or none if nothing was built. Older notes are of no use to a test. -#}
{% macro note_first_date_to_test(first_date) -%}
    {%- if not flags.EMPTY -%}
    {% if is_incremental() -%}
    {%- if first_date -%}
    insert into ops.builds_to_test (model, first_date)
    select
        '{{ this.identifier }}' as model,
        built.first_date
    from ({{ first_date }}) as built;
    {%- endif -%}
    {%- else -%}
    insert into ops.builds_to_test (model, first_date) values ('{{ this.identifier }}', null);
    {%- endif %}
    delete from ops.builds_to_test where model = '{{ this.identifier }}' and built_at < now() - interval '3 days'
    {%- endif -%}
{%- endmacro %}


{#- At the end of each command: which of these tests passed. One that failed or warned keeps what it has to look at. -#}
{% macro note_tests_passed(results) -%}
    {%- set passed = [] -%}
    {%- if execute -%}
        {%- for result in results if result.node.resource_type == 'test' and result.status == 'pass' -%}
            {%- set tested = graph.nodes.get(result.node.attached_node) if result.node.attached_node else none -%}
            {%- if tested and tested.config.meta.get('tested_from') -%}
                {%- do passed.append("('" ~ result.node.unique_id ~ "', '" ~ tested.name ~ "')") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if passed -%}
    insert into ops.tests_passed as tests (test, passed_build, whole_at)
    select
        now_passed.test,
        coalesce(max(builds.build_number), 0) as passed_build,
        timestamptz '{{ run_started_at }}' as whole_at
    from (values {{ passed | join(', ') }}) as now_passed (test, model)
    left join ops.builds_to_test as builds on now_passed.model = builds.model
    group by now_passed.test
    on conflict (test) do update set
        passed_build = excluded.passed_build,
        whole_at = case when {{ is_whole_due() }} then excluded.whole_at else tests.whole_at end
    {%- endif -%}
{%- endmacro %}

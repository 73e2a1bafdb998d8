{#-
    Before fct_server_daily goes on from its last build: the temporary table touched_days of what is built again, and
    terms_now of the terms by which. Terms that change meanwhile differ from those that are kept, so the next build
    finds them.
-#}
{% macro keep_terms_now() -%}
    {%- if not flags.EMPTY -%}
    create temporary table terms_now on commit drop as
    select
        lifetimes.*,
        logged.is_proxy
    from {{ ref('int_server_lifetimes') }} as lifetimes
    left join {{ ref('int_minecraft__servers') }} as logged on lifetimes.server_uuid = logged.server_uuid;
    {{ note_sessions_of_days() }}
    {%- endif -%}
{%- endmacro %}


{#- Columns that are asked of a server over all its days; an index of them is read in place of the wide rows. -#}
{% macro use_of_days() -%}
    {{ return(['server_uuid', 'local_date', 'cpu_core_hours', 'memory_p95_mebibytes']) }}
{%- endmacro %}


{#- Columns that pages add up over all servers, day by day: an index of them is read in place of the wide rows. -#}
{% macro sums_of_days() -%}
    {{ return([
        'local_date', 'cpu_core_hours', 'minutes_sampled', 'minutes_expected', 'log_lines_understood', 'log_lines_read',
    ]) }}
{%- endmacro %}


{#- After it: by these terms it was built. -#}
{% macro keep_terms_built() -%}
    {%- if not flags.EMPTY -%}
    {%- set columns = [
        'server_uuid', 'timezone', 'terms_digest', 'is_proxy', 'expected_from', 'expected_until', 'sampling_from',
        'sampling_until', 'logs_known_from', 'logs_known_until'
    ] -%}
    delete from ops.server_terms_built as built
    where not exists (select 1 from terms_now where terms_now.server_uuid = built.server_uuid);
    insert into ops.server_terms_built ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from terms_now
    on conflict (server_uuid) do update set
        {% for column in columns[1:] -%}
        {{ column }} = excluded.{{ column }}{{ ',' if not loop.last }}
        {% endfor -%};
    {{ note_sessions_of_days_seen() }}
    {%- endif -%}
{%- endmacro %}


{% macro keep_touched_server_days() -%}
    {%- if is_incremental() and not flags.EMPTY -%}
    create temporary table touched_days on commit drop as
    with

    {{ samples_that_arrived(['server_uuid', 'pass_at']) }},

    -- of which every day is built again: by other terms each of them is another
    changed as (

        select coalesce(now.server_uuid, built.server_uuid) as server_uuid
        from terms_now as now
        full outer join ops.server_terms_built as built on now.server_uuid = built.server_uuid
        where
            (now.timezone, now.terms_digest, now.is_proxy)
            is distinct from (built.timezone, built.terms_digest, built.is_proxy)
            {% for edge in ['expected_from', 'expected_until', 'sampling_from', 'sampling_until', 'logs_known_from',
                'logs_known_until'] -%}
            or (now.{{ edge }} is null) <> (built.{{ edge }} is null)
            {% endfor %}

    ),

    -- where an edge of the times in which something is known moved, the days between have other expectations
    moved as (

        select
            now.server_uuid,
            {{ local_date('least(edges.before, edges.after)', 'now.timezone') }} as first_date,
            {{ local_date('greatest(edges.before, edges.after)', 'now.timezone') }} as last_date
        from terms_now as now
        inner join ops.server_terms_built as built on now.server_uuid = built.server_uuid
        cross join lateral (
            values
            {% for edge in ['expected_from', 'expected_until', 'sampling_from', 'sampling_until', 'logs_known_from',
                'logs_known_until'] -%}
            (built.{{ edge }}, now.{{ edge }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as edges (before, after)
        where edges.before <> edges.after

        union all

        select
            expected.server_uuid,
            expected.first_date,
            expected.last_date
        from ({{ expected_days('terms_now') }}) as expected
        inner join changed on expected.server_uuid = changed.server_uuid

    )

    select
        moved.server_uuid,
        generated.day::date as local_date
    from moved
    cross join lateral generate_series(
        moved.first_date::timestamp, moved.last_date::timestamp, interval '1 day'
    ) as generated (day)

    union

    select
        built.server_uuid,
        built.local_date
    from {{ this }} as built
    inner join changed on built.server_uuid = changed.server_uuid

    union

    select
        arrived.server_uuid,
        {{ local_date('arrived.pass_at + reached.after', "coalesce(terms_now.timezone, 'UTC')") }} as local_date
    from arrived
    left join terms_now on arrived.server_uuid = terms_now.server_uuid
    cross join (values (interval '0'), (interval '1 hour')) as reached (after)

    union

    select
        noted.server_uuid,
        noted.local_date
    from noted_days as noted

    union

    {{ changed_days_of_sessions() }}
    {%- endif -%}
{%- endmacro %}


{#- From touched_days, lifetimes and sessions to the CTE days: those of which something is expected or was seen. -#}
{% macro days_still_there() -%}
expected as (

    {{ expected_days('lifetimes') }}

),

days as (

    select
        touched.server_uuid,
        touched.local_date
    from touched_days as touched
    left join expected on touched.server_uuid = expected.server_uuid
    where
        touched.local_date between expected.first_date and expected.last_date
        or exists (
            select 1
            from sessions as seen
            where seen.server_uuid = touched.server_uuid and seen.local_date = touched.local_date
        )

)
{%- endmacro %}


{#-
    Days of which sessions came or went (decision 23). Where all sessions were built anew, or none of their changes were
    taken in yet, those whose sessions are not the ones that were built.
-#}
{% macro changed_days_of_sessions() -%}
    {%- set measures = [
        'is_proxy', 'sessions_started', 'sessions_present', 'sessions_without_join', 'distinct_players', 'player_hours',
        'player_hours_end_inferred', 'peak_concurrent_players'
    ] -%}
    {%- set daily = ref('int_minecraft__sessions_daily') -%}
    select
        changes.server_uuid,
        changes.local_date
    from {{ changes_of(daily, {'server_uuid': 'uuid', 'local_date': 'date'}) }} as changes
    where changes.change <> 0

    union

    select
        coalesce(sessions.server_uuid, built.server_uuid) as server_uuid,
        coalesce(sessions.local_date, built.local_date) as local_date
    from {{ daily }} as sessions
    full outer join (select * from {{ this }} where sessions_present > 0) as built
        on
            sessions.server_uuid = built.server_uuid
            and sessions.local_date = built.local_date
    where
        (
            select
                taken.seen_change is null
                or exists (
                    select 1
                    from ops.row_changes as changes
                    where
                        changes.relation = '{{ named(daily) }}'
                        and changes.change = 0
                        and changes.change_number > taken.seen_change
                )
            from ops.changes_taken as taken
            where taken.model = '{{ named(this) }}'
        )
        and (sessions.{{ measures | join(', sessions.') }})
        is distinct from (built.{{ measures | join(', built.') }})
{%- endmacro %}


{% macro note_sessions_of_days() -%}
    insert into ops.changes_taken (model, building_change, is_whole, relations)
    select
        '{{ named(this) }}' as model,
        coalesce(max(changes.change_number), 0) as building_change,
        false as is_whole,
        array['{{ named(ref("int_minecraft__sessions_daily")) }}'] as relations
    from ops.row_changes as changes
    where changes.relation = '{{ named(ref("int_minecraft__sessions_daily")) }}'
    on conflict (model) do update set building_change = excluded.building_change, relations = excluded.relations
{%- endmacro %}


{% macro note_sessions_of_days_seen() -%}
    update ops.changes_taken set seen_change = building_change where model = '{{ named(this) }}'
{%- endmacro %}


{#-
    Before fct_log_coverage goes on from its last build: the temporary table touched_days of what is built again, with
    the instants between which each lies. Where no such build is noted, all days are.
-#}
{% macro keep_touched_log_days() -%}
    {%- if is_incremental() and not flags.EMPTY -%}
    create temporary table touched_days on commit drop as
    with

    timezones as (

        select * from {{ ref('stg_ops__server_timezones') }}

    ),

    whole as (

        select noted.server_uuid
        from noted_days as noted
        where noted.local_date is null and noted.noted_at is null

        union

        {% for relation in ['stg_minecraft__log_reads', 'stg_minecraft__log_files'] -%}
        select found.server_uuid
        from {{ servers_in(ref(relation)) }} as found
        where {{ newest_load_seen() }} = 0
        {{ 'union' if not loop.last }}
        {% endfor %}

    ),

    touched as (

        select
            noted.server_uuid,
            coalesce(
                noted.local_date, {{ local_date('noted.noted_at', "coalesce(timezones.timezone, 'UTC')") }}
            ) as local_date
        from noted_days as noted
        left join timezones on noted.server_uuid = timezones.server_uuid
        where noted.local_date is not null or noted.noted_at is not null

        union

        select
            built.server_uuid,
            built.local_date
        from {{ this }} as built
        inner join whole on built.server_uuid = whole.server_uuid

        union

        select
            files.server_uuid,
            files.log_date as local_date
        from {{ ref('stg_minecraft__log_files') }} as files
        inner join whole on files.server_uuid = whole.server_uuid
        where files.log_date is not null

        union

        select
            reads.server_uuid,
            {{ local_date('reads.observed_at', "coalesce(timezones.timezone, 'UTC')") }} as local_date
        from {{ ref('stg_minecraft__log_reads') }} as reads
        inner join whole on reads.server_uuid = whole.server_uuid
        left join timezones on reads.server_uuid = timezones.server_uuid
        where reads.is_listing and reads.outcome = 'ok'

    )

    select
        touched.server_uuid,
        touched.local_date,
        {{ local_day_start('touched.local_date', "coalesce(timezones.timezone, 'UTC')") }} as day_starts_at,
        {{ local_day_start('(touched.local_date + 1)', "coalesce(timezones.timezone, 'UTC')") }} as day_ends_at
    from touched
    left join timezones on touched.server_uuid = timezones.server_uuid
    {%- endif -%}
{%- endmacro %}

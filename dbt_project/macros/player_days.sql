{#-
    What a build of a model of players' days is about (decision 23). Whether a day is a player's first on a server hangs
    on all days before it, so where one of them changed, the day that was the first and the one that is are built again.
-#}
{% macro touched_player_days() -%}
    {%- set key = {'server_uuid': 'uuid', 'player_id': 'uuid', 'local_date': 'date'} -%}
    with changed as materialized (
        {{ touched_in(['int_minecraft__session_days', 'fct_player_events'], key) }}
    ),

    players as materialized (
        select distinct
            server_uuid,
            player_id
        from changed
    )

    select
        server_uuid,
        player_id,
        local_date
    from changed
    {% for days in [this, ref('int_minecraft__session_days')] -%}
    union
    select
        players.server_uuid,
        players.player_id,
        first_days.local_date
    from players
    cross join lateral (
        select days.local_date
        from {{ days }} as days
        where days.server_uuid = players.server_uuid and days.player_id = players.player_id
        order by days.local_date
        limit 1
    ) as first_days
    {% endfor %}
{%- endmacro %}


{#- A clock may be set back within a file, so lines of it are stamped before its first one or after its last one. -#}
{% macro longest_step_back() -%}
    interval '1 day'
{%- endmacro %}


{#- The lines of a log that may be of the touched sessions: those of the files that were written meanwhile. -#}
{% macro lines_of_touched_sessions(kinds) -%}
    {%- if is_incremental() -%}
    select lines.*
    from (
        select distinct
            sessions.server_uuid,
            files.file_key
        from sessions
        cross join lateral (
            select found.file_key
            from {{ ref('stg_minecraft__log_files') }} as found
            where
                found.server_uuid = sessions.server_uuid
                and found.last_line_at >= {{ shown_from('sessions') }} - {{ longest_step_back() }}
                and found.first_line_at <= {{ shown_until('sessions') }} + {{ longest_step_back() }}
            {{ by_index_for_each_row() }}
        ) as files
    ) as files
    cross join lateral (
        select found.*
        from {{ ref('stg_minecraft__events') }} as found
        where found.server_uuid = files.server_uuid and found.file_key = files.file_key
        {{ by_index_for_each_row() }}
    ) as lines
    where lines.event_kind in ('{{ kinds | join("', '") }}')
    {%- else -%}
    select *
    from {{ ref('stg_minecraft__events') }}
    where event_kind in ('{{ kinds | join("', '") }}')
    {%- endif -%}
{%- endmacro %}


{#- From when to when lines that show a session's player are of the session. -#}
{% macro shown_from(sessions) -%}
    coalesce({{ sessions }}.counted_from, {{ sessions }}.seen_at)
{%- endmacro %}


{% macro shown_until(sessions) -%}
    coalesce({{ sessions }}.counted_until, {{ sessions }}.last_shown_at)
{%- endmacro %}


{#-
    Of lines and the touched sessions, as days: a line that a session has which began earlier is of that one, touched or
    not, so that no line is of two.
-#}
{% macro unless_an_earlier_session_has_it() -%}
    {%- if is_incremental() -%}
    where not exists (
        select
        from {{ ref('int_minecraft__sessions_on_servers') }} as earlier
        where
            earlier.server_uuid = days.server_uuid
            and earlier.player_name = days.player_name
            and {{ shown_until('earlier') }} >= lines.logged_at
            and ({{ shown_from('earlier') }}, earlier.session_id) < (days.shown_from, days.session_id)
        {{ by_index_for_each_row() }}
    )
    {%- endif -%}
{%- endmacro %}


{#-
    Sessions that changed; those of the same name that share a time with one that came or went, since a line of that time
    is of one of the two; and those during which a file was written whose lines were read anew.
-#}
{% macro touched_sessions_of_events() -%}
    {%- set on_servers = ref('int_minecraft__sessions_on_servers') -%}
    {{ touched_in(['int_minecraft__sessions'], {'session_id': 'uuid'}) }}
    union
    select sharing.session_id
    from {{ changes_of(on_servers, {
        'server_uuid': 'uuid',
        'player_name': 'text',
        'counted_from': 'timestamptz',
        'counted_until': 'timestamptz',
        'seen_at': 'timestamptz',
        'last_shown_at': 'timestamptz',
    }) }} as changes
    cross join lateral (
        select found.session_id
        from {{ on_servers }} as found
        where
            found.server_uuid = changes.server_uuid
            and found.player_name = changes.player_name
            and {{ shown_from('found') }} <= {{ shown_until('changes') }}
            and {{ shown_until('found') }} >= {{ shown_from('changes') }}
        {{ by_index_for_each_row() }}
    ) as sharing
    union
    select sessions.session_id
    from {{ changes_of('raw_minecraft.event_rows', {'server_uuid': 'uuid', 'file_key': 'text'}) }} as changes
    inner join {{ ref('stg_minecraft__log_files') }} as files
        on changes.server_uuid = files.server_uuid and changes.file_key = files.file_key
    cross join lateral (
        select found.session_id
        from {{ ref('int_minecraft__sessions') }} as found
        where
            found.server_uuid = files.server_uuid
            and found.seen_at <= files.last_line_at + {{ longest_step_back() }}
            and found.last_shown_at >= files.first_line_at - {{ longest_step_back() }}
        {{ by_index_for_each_row() }}
    ) as sessions
{%- endmacro %}


{#- Sessions that changed, those of a run that is no more, and those in which a run lies that came. -#}
{% macro touched_sessions_with_runs() -%}
    {%- set run_id = "md5(changes.server_uuid::text || '/' || changes.run_key)::uuid" -%}
    {{ touched_in(['int_minecraft__sessions'], {'session_id': 'uuid'}) }}
    {% for found_by in [
        'found.run_id = ' ~ run_id ~ ' and found.run_started_at is distinct from runs.started_at',
        'found.run_started_at = runs.started_at and found.run_id is distinct from ' ~ run_id
    ] -%}
    union
    select sessions.session_id
    from {{ changes_of('derived_minecraft.server_runs', {'server_uuid': 'uuid', 'run_key': 'text'}) }} as changes
    left join {{ ref('stg_minecraft__server_runs') }} as runs
        on changes.server_uuid = runs.server_uuid and changes.run_key = runs.run_key
    cross join lateral (
        select found.session_id
        from {{ this }} as found
        where found.server_uuid = changes.server_uuid and {{ found_by }}
        {{ by_index_for_each_row() }}
    ) as sessions
    {% endfor %}
{%- endmacro %}

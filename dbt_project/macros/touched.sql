{#-
    What a build of each model by what changed is about: values of its scope (decision 23). Rows that went count as those
    that came do.
-#}


{#- A name's sessions on a server are told by all sightings of that name there; a zone is of all of a server's. -#}
{% macro touched_names_on_servers() -%}
    with moved as (
        select server_uuid from {{ changes_of('ops.server_timezones', {'server_uuid': 'uuid'}) }} as changes
    )

    {% for name in ['player_sessions', 'name_sightings'] -%}
    select
        server_uuid,
        player_name
    from {{ changes_of('derived_minecraft.' ~ name, {'server_uuid': 'uuid', 'player_name': 'text'}) }} as changes
    union
    {% endfor -%}
    {{ of_servers_that_moved(ref('stg_minecraft__player_sessions'), 'player_name') }}
    union
    {{ of_servers_that_moved(this, 'player_name') }}
{%- endmacro %}


{#- From the CTE moved, which is empty but for a change of zones: server and *column* of all rows of these servers. -#}
{% macro of_servers_that_moved(relation, column) -%}
    select
        found_rows.server_uuid,
        found_rows.{{ column }}
    from moved
    cross join lateral (
        select
            found.server_uuid,
            found.{{ column }}
        from {{ relation }} as found
        where found.server_uuid = moved.server_uuid
        {{ by_index_for_each_row() }}
    ) as found_rows
{%- endmacro %}


{#- Sessions of servers that changed, and those that may lie in a session of a proxy that did. -#}
{% macro touched_backends() -%}
    {%- set shown_from = 'coalesce(counted_from, last_shown_at, seen_at)' -%}
    with sessions as materialized (
        select distinct
            session_id,
            is_proxy,
            player_uuid,
            lower(player_name) as folded_name,
            {{ shown_from }} - {{ clock_tolerance() }} - interval '1 hour'
            - case when joined_at is null then interval '168 hours' else interval '0' end as reach_from,
            coalesce(counted_until, last_shown_at, seen_at) + {{ clock_tolerance() }} + interval '1 hour'
            + case when is_open then interval '{{ var("reading_lag") }}' else interval '0' end as reach_until
        from {{ changes_of(ref('int_minecraft__sessions_on_servers'), {
            'session_id': 'uuid',
            'is_proxy': 'boolean',
            'is_open': 'boolean',
            'player_uuid': 'uuid',
            'player_name': 'text',
            'joined_at': 'timestamptz',
            'counted_from': 'timestamptz',
            'counted_until': 'timestamptz',
            'seen_at': 'timestamptz',
            'last_shown_at': 'timestamptz',
        }) }} as changes
    )

    select session_id
    from sessions
    where not is_proxy
    {% for shared in ['player_uuid', 'folded_name'] -%}
    union
    select backends.session_id
    from sessions as proxies
    cross join lateral (
        select session_id
        from {{ ref('int_minecraft__sessions_on_servers') }}
        where
            {{ 'lower(player_name)' if shared == 'folded_name' else shared }} = proxies.{{ shared }}
            and {{ shown_from }} >= proxies.reach_from
            and {{ shown_from }} <= proxies.reach_until
            and not is_proxy
        {{ by_index_for_each_row() }}
    ) as backends
    where proxies.is_proxy
    {% endfor %}
{%- endmacro %}


{#- Servers of which a session that is none of a proxy came, went or lies in another proxy's. -#}
{% macro touched_pairs() -%}
    {%- for name in ['int_minecraft__sessions_on_servers', 'int_minecraft__proxy_candidates'] -%}
    select server_uuid from {{ changes_of(ref(name), {'server_uuid': 'uuid'}) }} as changes
    {{ 'union' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{#- Sessions of proxies of which a candidate changed; those with a dispute, which how often pairs are right decides. -#}
{% macro touched_proxy_sessions() -%}
    select proxy_session_id
    from {{ changes_of(ref('int_minecraft__proxy_candidates'), {'proxy_session_id': 'uuid'}) }} as changes
    union
    select proxy_session_id from {{ this }} where is_disputed
{%- endmacro %}


{#- Connections of which a session came, went or became another player. -#}
{% macro touched_connections() -%}
    with sessions as materialized (
        select distinct session_id
        from {{ changes_of(ref('int_minecraft__sessions_on_servers'), {'session_id': 'uuid'}) }} as changes
    )

    select proxy_session_id
    from {{ changes_of(ref('int_minecraft__proxy_matches'), {'proxy_session_id': 'uuid'}) }} as changes
    union
    select session_id
    from sessions
    union
    select matches.proxy_session_id
    from {{ ref('int_minecraft__proxy_matches') }} as matches
    inner join sessions on matches.session_id = sessions.session_id
{%- endmacro %}


{#- Names on servers of which a session changed, or what its connection or a server behind the proxy tells. -#}
{% macro touched_names_of_identities() -%}
    with changed as materialized (
        select distinct
            session_id,
            server_uuid,
            player_name
        from {{ changes_of(ref('int_minecraft__sessions_on_servers'), {
            'session_id': 'uuid', 'server_uuid': 'uuid', 'player_name': 'text'
        }) }} as changes
    ),

    told as materialized (
        select session_id
        from {{ changes_of(ref('int_minecraft__connected_accounts'), {'session_id': 'uuid'}) }} as changes
        union
        select proxy_session_id
        from {{ changes_of(ref('int_minecraft__proxy_matches'), {'proxy_session_id': 'uuid'}) }} as changes
        union
        select matches.proxy_session_id
        from {{ ref('int_minecraft__proxy_matches') }} as matches
        inner join changed on matches.session_id = changed.session_id
    )

    select
        server_uuid,
        player_name
    from changed
    union
    select
        sessions.server_uuid,
        sessions.player_name
    from {{ ref('int_minecraft__sessions_on_servers') }} as sessions
    inner join told on sessions.session_id = told.session_id
{%- endmacro %}


{#- Values of *columns*, names and types, of what changed in *relations*. -#}
{% macro touched_in(relations, columns) -%}
    {%- for name in relations -%}
    select {{ columns.keys() | join(', ') }}
    from {{ changes_of(ref(name), columns) }} as changes
    {{ 'union' if not loop.last else 'group by ' ~ (columns.keys() | join(', ')) }}
    {% endfor %}
{%- endmacro %}


{#- Stays that changed, and all of them if the host's zone is another. -#}
{% macro touched_stays() -%}
    select network_session_id
    from {{ changes_of(ref('int_minecraft__sessions'), {'network_session_id': 'uuid'}) }} as changes
    union
    select network_session_id
    from {{ this }}
    where (select built.timezone from {{ this }} as built limit 1) <> (
        select host.timezone from {{ ref('int_host_timezone') }} as host
    )
{%- endmacro %}


{#- Runs that changed, all those of a server whose zone did, and those that go on, since further lines were read. -#}
{% macro touched_runs() -%}
    with moved as (
        select server_uuid from {{ changes_of('ops.server_timezones', {'server_uuid': 'uuid'}) }} as changes
    )

    select
        server_uuid,
        run_key
    from {{ changes_of('derived_minecraft.server_runs', {'server_uuid': 'uuid', 'run_key': 'text'}) }} as changes
    {% for runs, goes_on in [
        (ref('stg_minecraft__server_runs'), 'end_reason is null'), (this, 'is_running')
    ] -%}
    union
    select
        server_uuid,
        run_key
    from {{ runs }}
    where {{ goes_on }}
    union
    {{ of_servers_that_moved(runs, 'run_key') }}
    {% endfor %}
{%- endmacro %}


{#- The touched sessions on servers, with all sessions of proxies that may be of the same players. -#}
{% macro touched_backends_with_proxies() -%}
    {%- set sessions = ref('int_minecraft__sessions_on_servers') -%}
    {%- if is_incremental() -%}
    {{ rows_touched('int_minecraft__sessions_on_servers', ['session_id']) }}
    {% for shared in ['player_uuid', 'lower(player_name)'] -%}
    union
    select *
    from {{ sessions }}
    where
        is_proxy
        and {{ shared }} in (
            select distinct {{ shared }}
            from {{ sessions }}
            where session_id in (select touched.session_id from touched)
        )
    {% endfor %}
    {%- else -%}
    select * from {{ sessions }}
    {%- endif -%}
{%- endmacro %}

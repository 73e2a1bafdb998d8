{{ config(
    tags=['daily'],
    indexes=[{'columns': ['scope_key', 'grain', 'trouble']}],
    pre_hook="{{ without_nested_loops() }}"
) }}

with

presence as materialized (

    {{ presence() }}

),

scopes as materialized (

    {{ known_scopes() }}

),

newest as (

    select max(last_whole_date) as last_whole_date from scopes

),

sessions as (

    {% for scope, scope_key in [('server', 'sessions.server_uuid::text'), ('host', "'host'")] -%}
    select
        scopes.scope,
        scopes.scope_key,
        scopes.last_whole_date,
        sessions.session_id,
        sessions.server_uuid,
        sessions.player_id,
        sessions.joined_at,
        sessions.counted_until,
        sessions.close_reason,
        {{ local_date('sessions.joined_at', 'scopes.timezone') }} as local_date
    from {{ ref('fct_player_sessions') }} as sessions
    inner join scopes on scopes.scope_key = {{ scope_key }}
    where not sessions.is_proxy and sessions.joined_at is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- one session of a player and week, chosen without a look at what happened in it or after it
visits as materialized (

    select distinct on (scope_key, player_id, date_trunc('week', local_date::timestamp))
        *,
        date_trunc('week', local_date::timestamp)::date as week_start
    from sessions
    order by
        scope_key asc,
        player_id asc,
        date_trunc('week', local_date::timestamp) asc,
        joined_at asc,
        session_id asc

),

there as (

    select
        scope_key,
        player_id,
        local_date
    from presence

    union

    select
        scope_key,
        player_id,
        local_date
    from visits

),

returns as (

    select
        *,
        lead(local_date) over (partition by scope_key, player_id order by local_date) as next_date
    from there

),

{{ visits_at_limits() }},

judged as (

    select
        visits.scope,
        visits.scope_key,
        visits.week_start,
        min(visits.week_start) over (partition by visits.scope_key) as first_week,
        troubles.trouble,
        troubles.is_met,
        visits.last_whole_date >= visits.local_date + 7 as has_passed,
        visits.last_whole_date >= newest.last_whole_date - 2 as is_still_read,
        coalesce(returns.next_date <= visits.local_date + 7, false) as is_back
    from visits
    cross join newest
    inner join returns
        on
            visits.scope_key = returns.scope_key
            and visits.player_id = returns.player_id
            and visits.local_date = returns.local_date
    left join at_limits on visits.session_id = at_limits.session_id
    cross join lateral (
        values
        ('crash', case when visits.close_reason <> 'log_gap' then visits.close_reason = 'server_crashed' end),
        ('restart', case when visits.close_reason <> 'log_gap' then visits.close_reason = 'server_stopped' end),
        ('cpu_limit', at_limits.is_cpu_met),
        ('memory_limit', at_limits.is_memory_met)
    ) as troubles (trouble, is_met)

),

{{ counted_returns() }}

select * from measured

{{ config(
    tags=['daily'],
    indexes=[
        {'columns': ['scope_key', 'cohort_grain', 'cohort_start']},
        {'columns': ['scope', 'cohort_grain', 'kind', 'days_later', 'cohort_start']},
    ]
) }}

with

presence as materialized (

    {{ presence() }}

),

scopes as materialized (

    {{ known_scopes() }}

),

eggs as (

    {{ newest_by_id(ref('stg_pterodactyl__eggs'), 'egg_id') }}

),

{{ newcomers_of_presence() }},

-- a server counts for the egg and the version of the game that it had then; a proxy has neither players nor a version
first_versions as (

    select distinct on (sessions.server_uuid, sessions.player_id)
        sessions.server_uuid::text as scope_key,
        sessions.player_id,
        runs.game_version
    from {{ ref('fct_player_sessions') }} as sessions
    left join {{ ref('fct_server_runs') }} as runs on sessions.run_id = runs.run_id
    where not sessions.is_proxy
    order by sessions.server_uuid asc, sessions.player_id asc, sessions.joined_at asc

),

on_servers as (

    select
        newcomers.*,
        first_versions.game_version,
        eggs.egg_uuid
    from newcomers
    inner join first_versions
        on newcomers.scope_key = first_versions.scope_key and newcomers.player_id = first_versions.player_id
    inner join scopes on newcomers.scope_key = scopes.scope_key
    left join lateral (
        select versions.egg_id
        from {{ ref('int_pterodactyl__server_validity') }} as versions
        where
            versions.server_uuid = scopes.server_uuid
            and versions.counted_from < {{ local_day_start('(newcomers.first_date + 1)', 'scopes.timezone') }}
        order by versions.counted_from desc
        limit 1
    ) as validity on true
    left join eggs on validity.egg_id = eggs.egg_id

),

members as (

    {{ members_of_scopes() }}

    {% for scope, key in [('egg', 'egg_uuid::text'), ('game_version', 'game_version')] -%}
    union all

    select
        '{{ scope }}' as scope,
        {{ key }} as scope_key,
        scope_key as known_as,
        first_date,
        returned_after,
        days_later
    from on_servers
    where {{ key }} is not null

    {% endfor %}
),

{{ counted_cohorts() }}

select * from measured

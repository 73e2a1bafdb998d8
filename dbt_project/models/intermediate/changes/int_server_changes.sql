{#- A table, since a view on fct_server_stops would go each time that is built anew. -#}
{{ config(materialized='table', tags=['daily']) }}

with

servers as (

    select * from {{ ref('stg_pterodactyl__servers') }}

),

stops as (

    select * from {{ ref('fct_server_stops') }}

),

activity as (

    select * from {{ ref('stg_pterodactyl__activity') }}

),

-- a run whose log does not tell its software or version is passed over
runs as (

    select
        run_id,
        server_uuid,
        started_at,
        software,
        game_version,
        lag(software) over of_software as software_before,
        lag(game_version) over of_version as game_version_before,
        lag(coalesce(ended_at, ended_at_lower)) over of_server as ended_before
    from {{ ref('fct_server_runs') }}
    where started_at is not null
    window
        of_software as (partition by server_uuid, software is null order by started_at),
        of_version as (partition by server_uuid, game_version is null order by started_at),
        of_server as (partition by server_uuid order by started_at)

),

happened as (

    select
        server_uuid,
        kind,
        happened_before as changed_at,
        happened_after,
        happened_before,
        before_value,
        after_value,
        null as detail,
        'panel' as source,
        happened_before::text as change_key
    from {{ ref('int_server_record_changes') }}

    union all

    select
        server_uuid,
        'created' as kind,
        created_at as changed_at,
        created_at as happened_after,
        created_at as happened_before,
        null as before_value,
        null as after_value,
        null as detail,
        'panel' as source,
        created_at::text as change_key
    from servers

    union all

    select
        server_uuid,
        case
            when kind = 'crash' then 'crash'
            when is_restart then 'restart'
            else 'stop'
        end as kind,
        stopped_at as changed_at,
        stopped_at as happened_after,
        stopped_before as happened_before,
        null as before_value,
        null as after_value,
        case when kind = 'crash' then crash_cause else kind end as detail,
        'log' as source,
        run_id::text as change_key
    from stops

    {% for column in ['software', 'game_version'] -%}
    union all

    select
        server_uuid,
        '{{ column }}' as kind,
        started_at as changed_at,
        ended_before as happened_after,
        started_at as happened_before,
        {{ column }}_before as before_value,
        {{ column }} as after_value,
        null as detail,
        'log' as source,
        run_id::text as change_key
    from runs
    where {{ column }} <> {{ column }}_before

    {% endfor -%}
    union all

    select
        server_uuid,
        case when event = 'server:reinstall' then 'install' else 'startup' end as kind,
        occurred_at as changed_at,
        occurred_at as happened_after,
        occurred_at as happened_before,
        null as before_value,
        null as after_value,
        event as detail,
        'activity' as source,
        activity_id as change_key
    from activity
    where event like 'server:startup.%' or event = 'server:reinstall'

)

select
    md5(concat_ws('/', happened.server_uuid, happened.kind, happened.change_key))::uuid as change_id,
    happened.server_uuid,
    coalesce(timezones.timezone, 'UTC') as timezone,
    {{ local_date('happened.changed_at', "coalesce(timezones.timezone, 'UTC')") }} as local_date,
    happened.kind,
    happened.changed_at,
    happened.happened_after,
    happened.happened_before,
    coalesce(happened.happened_after = happened.happened_before, false) as is_time_exact,
    happened.before_value,
    happened.after_value,
    happened.detail,
    happened.source
from happened
left join {{ ref('stg_ops__server_timezones') }} as timezones on happened.server_uuid = timezones.server_uuid

{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['server_uuid', 'within_uuid'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions_on_servers', 'int_minecraft__proxy_candidates'],
        'scope': ['server_uuid'],
    },
    pre_hook="{{ take_up(touched_pairs()) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

{% if is_incremental() -%}
counted as (

    select
        built.server_uuid,
        built.within_uuid,
        built.sessions
    from {{ this }} as built
    inner join touched on built.server_uuid = touched.server_uuid

    union all

    select
        server_uuid,
        server_uuid as within_uuid,
        change as sessions
    from {{ changes_of(ref('int_minecraft__sessions_on_servers'), {'server_uuid': 'uuid', 'is_proxy': 'boolean'}) }}
        as changes
    where not is_proxy

    union all

    select
        server_uuid,
        proxy_server_uuid as within_uuid,
        change as sessions
    from {{ changes_of(ref('int_minecraft__proxy_candidates'), {'server_uuid': 'uuid', 'proxy_server_uuid': 'uuid'}) }}
        as changes

),

{% else -%}
counted as (

    select
        server_uuid,
        server_uuid as within_uuid,
        1 as sessions
    from {{ ref('int_minecraft__sessions_on_servers') }}
    where not is_proxy

    union all

    select
        server_uuid,
        proxy_server_uuid as within_uuid,
        1 as sessions
    from {{ ref('int_minecraft__proxy_candidates') }}

),

{% endif -%}
summed as (

    select
        server_uuid,
        within_uuid,
        sum(sessions)::bigint as sessions
    from counted
    group by server_uuid, within_uuid

)

select * from summed
where sessions > 0

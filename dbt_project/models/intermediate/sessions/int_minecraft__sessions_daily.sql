{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['server_uuid', 'local_date'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__session_days'],
        'scope': ['server_uuid', 'local_date'],
        'tested_from': 'local_date',
        'tells': ['server_uuid', 'local_date'],
    },
    indexes=[
        {'columns': ['server_uuid', 'local_date'], 'unique': true},
    ],
    pre_hook="{{ take_up(touched_in(
        ['int_minecraft__session_days'],
        {'server_uuid': 'uuid', 'local_date': 'date'}
    )) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

pieces as (

    {{ rows_touched('int_minecraft__session_days', ['server_uuid', 'local_date']) }}

),

peaks as (

    {{ rows_touched('int_minecraft__peak_concurrency', ['server_uuid', 'local_date']) }}

),

days as (

    select
        server_uuid,
        local_date,
        bool_or(is_proxy) as is_proxy,
        {{ session_measures() }}
    from pieces
    group by server_uuid, local_date

),

joined as (

    select
        days.*,
        peaks.peak_concurrent_players
    from days
    inner join peaks
        on
            days.server_uuid = peaks.server_uuid
            and days.local_date = peaks.local_date

)

select * from joined

{{ config(materialized='table') }}

with

pieces as (

    select * from {{ ref('int_minecraft__session_days') }}

),

peaks as (

    select * from {{ ref('int_minecraft__peak_concurrency') }}

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

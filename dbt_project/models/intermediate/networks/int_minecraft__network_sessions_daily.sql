{{ config(materialized='table') }}

with

pieces as (

    select * from {{ ref('int_minecraft__network_session_days') }}

),

peaks as (

    select * from {{ ref('int_minecraft__network_peak_concurrency') }}

),

days as (

    select
        local_date,
        {{ session_measures() }}
    from pieces
    group by local_date

),

joined as (

    select
        days.*,
        peaks.peak_concurrent_players
    from days
    inner join peaks on days.local_date = peaks.local_date

)

select * from joined

{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key='local_date',
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__network_session_days'],
        'scope': ['local_date'],
    },
    indexes=[
        {'columns': ['local_date'], 'unique': true},
    ],
    pre_hook="{{ take_up(touched_in(['int_minecraft__network_session_days'], {'local_date': 'date'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

pieces as (

    {{ rows_touched('int_minecraft__network_session_days', ['local_date']) }}

),

peaks as (

    {{ rows_touched('int_minecraft__network_peak_concurrency', ['local_date']) }}

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

{{ config(alias='last_update') }}

with

loads as (

    select * from {{ ref('stg_ops__loads') }}

),

-- a list that was not read whole, and one that a fork of the panel does not have, tell nothing of the panel
newest as (

    select max(observed_at) as date
    from loads
    where
        table_name like 'raw_pterodactyl.%'
        and table_name <> 'raw_pterodactyl.utilization_samples'
        and is_complete
        and (requests > 0 or rows_read > 0)

)

select * from newest

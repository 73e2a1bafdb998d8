{{ config(alias='last_update') }}

with

loads as (

    select * from {{ ref('stg_ops__loads') }}

),

newest as (

    select max(observed_at) as date
    from loads
    where table_name like 'raw_pterodactyl.%' and table_name <> 'raw_pterodactyl.utilization_samples'

)

select * from newest

{{ config(alias='last_log_date') }}

with

activity as (

    select * from {{ ref('compat_minecraft__activity') }}

),

newest as (

    select
        server_identifier,
        max(date) as last_date
    from activity
    group by server_identifier

)

select * from newest

{{ config(
    tags=['daily'],
    indexes=[{'columns': ['scope_key', 'cohort_grain', 'kind', 'days_later', 'cohort_start']}]
) }}

with

presence as materialized (

    {{ arma3_presence() }}

),

scopes as materialized (

    {{ arma3_scopes() }}

),

{{ newcomers_of_presence() }},

members as (

    {{ members_of_scopes() }}

),

{{ counted_cohorts() }}

select * from measured

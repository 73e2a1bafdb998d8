{{ config(indexes=[{'columns': ['scope_key', 'cohort_grain', 'kind', 'days_later', 'cohort_start']}]) }}

with

presence as materialized (

    {{ game_presence() }}

),

scopes as materialized (

    {{ game_scopes() }}

),

{{ newcomers_of_presence() }},

members as (

    {{ members_of_scopes() }}

),

{{ counted_cohorts() }}

select * from measured

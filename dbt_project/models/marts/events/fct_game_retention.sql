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

    select
        scopes.scope,
        newcomers.scope_key,
        newcomers.scope_key as known_as,
        newcomers.first_date,
        newcomers.returned_after,
        newcomers.days_later
    from newcomers
    inner join scopes on newcomers.scope_key = scopes.scope_key

),

{{ counted_cohorts() }}

select * from measured

{{ config(
    tags=['daily'],
    indexes=[
        {'columns': ['server_uuid', 'local_date']},
        {'columns': ['scope', 'local_date']},
        {'columns': ['local_date']},
    ]
) }}

with

presence as (

    {{ presence() }}

),

scopes as materialized (

    {{ known_scopes() }}

),

{{ counted_actives() }},

lengths as (

    {{ lengths_of(sessions_with_gaps()) }}

),

{{ judged_actives(also=['server_uuid']) }}

select * from judged

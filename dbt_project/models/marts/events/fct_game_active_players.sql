{{ config(indexes=[{'columns': ['scope_key', 'local_date']}]) }}

with

presence as (

    {{ game_presence() }}

),

scopes as materialized (

    {{ game_scopes() }}

),

{{ counted_actives() }},

lengths as (

    {{ lengths_of(game_stays()) }}

),

{{ judged_actives() }}

select * from judged

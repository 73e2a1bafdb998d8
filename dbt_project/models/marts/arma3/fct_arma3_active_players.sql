{{ config(tags=['daily'], indexes=[{'columns': ['scope_key', 'local_date']}]) }}

with

presence as (

    {{ arma3_presence() }}

),

scopes as materialized (

    {{ arma3_scopes() }}

),

{{ counted_actives() }},

lengths as (

    {{ lengths_of(arma3_stays()) }}

),

{{ judged_actives() }}

select * from judged

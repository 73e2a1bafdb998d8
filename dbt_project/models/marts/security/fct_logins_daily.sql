{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['server_uuid', 'local_date'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__logins'],
        'scope': ['server_uuid', 'local_date'],
        'tested_from': 'local_date',
    },
    indexes=[{'columns': ['local_date']}],
    pre_hook="{{ take_up(touched_in(['int_minecraft__logins'], {'server_uuid': 'uuid', 'local_date': 'date'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

with

logins as (

    {{ rows_touched('int_minecraft__logins', ['server_uuid', 'local_date']) }}

),

days as (

    select
        server_uuid,
        local_date,
        count(*) filter (where login_kind = 'login')::integer as logins,
        count(*) filter (where login_kind = 'login' and address is not null)::integer as logins_with_address,
        count(distinct player_name) filter (where login_kind = 'login')::integer as names_logged_in,
        count(*) filter (where login_kind = 'refused')::integer as refused_logins,
        -- lines that show no name leave open how many there were
        case
            when bool_or(player_name is not null) filter (where login_kind = 'refused') is not false
                then count(distinct player_name) filter (where login_kind = 'refused')::integer
        end as names_refused
    from logins
    group by server_uuid, local_date

)

select * from days

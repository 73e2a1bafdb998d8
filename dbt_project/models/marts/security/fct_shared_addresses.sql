{#-
    Whole at each pass of logs: the days are a window that moves. It reads a week by the index of days, however long the
    history is.
-#}
{{ config(indexes=[{'columns': ['players_of_an_address']}]) }}

with

newest as (

    select max(local_date) as last_date from {{ ref('int_minecraft__logins') }}

),

logins as (

    select *
    from {{ ref('int_minecraft__logins') }}
    where
        local_date > (select newest.last_date - 7 from newest)
        and login_kind = 'login'
        and address is not null
        and player_name is not null

),

names as (

    select
        address,
        player_name,
        count(*) as logins,
        min(logged_at) as first_login_at,
        max(logged_at) as last_login_at
    from logins
    group by address, player_name

),

shared as (

    select
        address,
        count(*)::integer as players_of_an_address,
        array_to_string(
            (array_agg(player_name order by player_name))[1:{{ var('names_shown_of_an_address') }}], ', '
        ) as names,
        sum(logins)::integer as logins,
        min(first_login_at) as first_login_at,
        max(last_login_at) as last_login_at
    from names
    group by address
    having count(*) > 1

)

select
    shared.address,
    newest.last_date - 6 as first_date,
    newest.last_date,
    shared.players_of_an_address,
    shared.names,
    shared.logins,
    shared.first_login_at,
    shared.last_login_at
from shared
cross join newest

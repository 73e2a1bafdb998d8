{#- A view: of what it reads a page asks for a day or a season by index. -#}
{{ config(materialized='view') }}

with

of_games as (

    select
        'minecraft' as game,
        local_date,
        is_day_whole,
        active_players_1d,
        active_players_7d,
        active_players_30d,
        new_players,
        play_hours
    from {{ ref('fct_active_players_daily') }}
    where scope = 'host'

    union all

    select
        scope_key as game,
        local_date,
        is_day_whole,
        active_players_1d,
        active_players_7d,
        active_players_30d,
        new_players,
        play_hours
    from {{ ref('fct_arma3_active_players') }}
    where scope = 'game'

),

-- no account of one game is known to be one of another, so players of several are counted in each
of_all as (

    select
        'all' as game,
        local_date,
        bool_and(is_day_whole) as is_day_whole,
        {% for measure in ['active_players_1d', 'active_players_7d', 'active_players_30d', 'new_players'] -%}
        case when count({{ measure }}) = count(*) then sum({{ measure }})::integer end as {{ measure }},
        {% endfor -%}
        sum(play_hours) as play_hours
    from of_games
    group by local_date

)

select * from of_games
union all
select * from of_all

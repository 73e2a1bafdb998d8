{{ config(tags=['daily'], indexes=[{'columns': ['player_key', 'kind', 'last_played_date']}]) }}

with

player_games as (

    select * from {{ ref('fct_arma3_player_games') }}

),

values_of_games as (

    {% for kind in ['name', 'squad'] -%}
    select
        player_key,
        site,
        '{{ kind }}' as kind,
        {{ 'player_name' if kind == 'name' else 'squad_name' }} as value,
        played_date,
        started_at,
        replay_key
    from player_games
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

ordered as (

    select
        *,
        row_number() over (
            partition by player_key, kind
            order by played_date desc nulls last, started_at desc nulls last, replay_key desc
        ) as games_ago
    from values_of_games
    where value is not null

)

select
    player_key,
    min(site) as site,
    kind,
    value,
    count(*) as games,
    min(played_date) as first_played_date,
    max(played_date) as last_played_date,
    min(games_ago) = 1 as is_newest
from ordered
group by player_key, kind, value

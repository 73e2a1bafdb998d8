with

players as (

    select * from {{ ref('fct_game_players') }}

),

steps as (

    select *
    from (
        values (1, 'first event'), (2, 'joined a guild'), (3, 'took a quest'), (4, 'bought something')
    ) as named (step_number, step)

),

counted as (

    select
        players.game,
        players.cohort_date,
        steps.step_number,
        steps.step,
        count(*)::integer as players_total,
        count(*) filter (where players.step_number >= steps.step_number)::integer as players_reached
    from players
    cross join steps
    group by players.game, players.cohort_date, steps.step_number, steps.step

)

select
    game,
    cohort_date,
    step_number,
    step,
    players_total,
    players_reached,
    {{ ratio('players_reached', 'players_total') }} as reached_ratio,
    {{ wilson_bound('players_reached', 'players_total', '-') }} as reached_low,
    {{ wilson_bound('players_reached', 'players_total', '+') }} as reached_high
from counted

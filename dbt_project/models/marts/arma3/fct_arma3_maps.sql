{{ config(tags=['daily']) }}

{{ arma3_games_by(['island_name'], {'missions': 'count(distinct games.mission_name)'}) }}

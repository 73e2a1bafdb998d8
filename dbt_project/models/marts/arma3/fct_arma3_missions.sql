{{ config(tags=['daily']) }}

{{ arma3_games_by(['mission_name', 'island_name']) }}

{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['session_id', 'local_date'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__sessions'],
        'scope': ['session_id'],
        'tested_from': 'local_date',
        'tells': ['server_uuid', 'player_id', 'local_date'],
    },
    indexes=[
        {'columns': ['local_date']},
        {'columns': ['session_id']},
        {'columns': ['server_uuid', 'local_date']},
        {'columns': ['server_uuid', 'player_id', 'local_date']},
    ],
    pre_hook="{{ take_up(touched_in(['int_minecraft__sessions'], {'session_id': 'uuid'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

{{ session_pieces(
    'int_minecraft__sessions', carried=['session_id', 'server_uuid', 'player_id', 'is_proxy'], scope='session_id'
) }}

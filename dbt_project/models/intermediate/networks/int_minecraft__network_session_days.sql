{{ config(
    materialized='incremental',
    incremental_strategy='changed',
    unique_key=['network_session_id', 'local_date'],
    on_schema_change='fail',
    meta={
        'changes_of': ['int_minecraft__network_sessions'],
        'scope': ['network_session_id'],
        'tested_from': 'local_date',
        'tells': ['local_date'],
    },
    indexes=[
        {'columns': ['network_session_id']},
        {'columns': ['local_date']},
    ],
    pre_hook="{{ take_up(touched_in(['int_minecraft__network_sessions'], {'network_session_id': 'uuid'})) }}",
    post_hook="{{ note_taken_up() }}"
) }}

{{ session_pieces(
    'int_minecraft__network_sessions', carried=['network_session_id', 'player_id'], scope='network_session_id'
) }}

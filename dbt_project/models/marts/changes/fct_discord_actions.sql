{#- A view: it is as new as the bot's last press, and there are few of them. -#}
{{ config(materialized='view') }}

with

actions as (

    select * from {{ ref('stg_discord__actions') }}

)

select
    action_id,
    server_uuid,
    (asked_at at time zone 'UTC')::date as asked_date,
    command,
    command in ('start', 'stop', 'restart') as is_signal,
    asked_at,
    finished_at,
    case
        when command in ('start', 'stop', 'restart') and outcome in ('done', 'failed', 'unanswered')
            then {{ seconds_between('asked_at', 'finished_at') }}
    end as answer_seconds,
    outcome,
    reason,
    panel_status,
    players_online,
    is_confirmed,
    guild_id,
    channel_id,
    user_id,
    user_name,
    role_id,
    subject
from actions

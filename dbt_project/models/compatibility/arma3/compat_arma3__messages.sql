{{ config(alias='messages') }}

with

notices as (

    select * from {{ ref('stg_ops__replay_notices') }}

),

replays as (

    select * from {{ ref('fct_arma3_replays') }}

)

select
    replays.site_number::integer as replay_number,
    notices.message_text::varchar as message,
    to_jsonb(replays)::text as text_data,
    notices.is_told as posted
from notices
inner join replays on notices.replay_key = replays.replay_key
where replays.site_kind = 'wog'

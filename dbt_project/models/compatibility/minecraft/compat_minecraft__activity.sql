{{ config(alias='activity') }}

with

events as (

    select * from {{ ref('stg_minecraft__events') }}

),

-- the kinds of line that STIV kept, each once: a login writes several lines, of which the join is the one that counts
chosen as (

    select
        *,
        case event_kind
            when 'server_start' then 'start'
            when 'server_stop' then 'stop'
            when 'player_join' then 'login'
            when 'player_leave' then 'logout'
            else 'action'
        end as activity
    from events
    where
        event_kind in ('server_start', 'server_stop')
        or (
            player_name is not null
            and event_kind in (
                'player_join', 'player_leave', 'player_death', 'player_advancement', 'player_chat', 'player_command'
            )
        )

),

-- the text of a line is not landed, so what it said is told in the words of a stock server
told as (

    select
        (
            row_number() over (order by logged_at, server_uuid, file_key, line_number)
        )::integer as id,
        left(server_uuid::text, 8)::varchar(8) as server_identifier,
        logged_at_local::date as date,
        logged_at_local::time as time,
        coalesce(
            detail ->> 'text',
            case event_kind
                when 'server_start' then 'Starting minecraft server'
                when 'server_stop' then 'Stopping server'
                when 'player_join' then player_name || ' joined the game'
                when 'player_leave' then player_name || ' left the game'
                when 'player_death' then player_name || ' died'
                when 'player_advancement'
                    then
                        player_name || ' has made the advancement'
                        || coalesce(' [' || (detail ->> 'advancement') || ']', '')
                when 'player_chat' then player_name || ' wrote in the chat'
                when 'player_command' then player_name || ' issued a server command'
            end
        ) as information,
        case
            when event_kind in ('server_start', 'server_stop') then 'server'
            else left(player_name, 50)
        end::varchar(50) as "user",
        activity::varchar(6) as activity
    from chosen

)

select * from told

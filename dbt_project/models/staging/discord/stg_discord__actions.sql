with

source as (

    select * from {{ source('discord', 'actions') }}

),

renamed as (

    select
        ---------- ids
        action_id,
        guild_id,
        channel_id,
        user_id,
        role_id,
        server_uuid,
        subject,

        ---------- times
        asked_at,
        finished_at,

        ---------- what was asked for
        user_name,
        command,
        players_online,
        is_confirmed,

        ---------- what came of it
        outcome,
        reason,
        panel_status,

        ---------- load
        _loaded_at

    from source

)

select * from renamed

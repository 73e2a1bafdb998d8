with

source as (

    select * from {{ source('twitch', 'streams') }}

),

renamed as (

    select
        ---------- ids
        stream_id,
        user_id,
        login,

        ---------- properties
        record ->> 'user_name' as display_name,
        record ->> 'title' as title,
        nullif(record ->> 'game_name', '') as category,
        record ->> 'language' as language,
        (record ->> 'viewer_count')::integer as last_viewers,

        ---------- times
        started_at,
        first_seen_at,
        last_seen_at,

        ---------- load
        _loaded_at

    from source

)

select * from renamed

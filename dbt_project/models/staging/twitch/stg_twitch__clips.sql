with

source as (

    select * from {{ source('twitch', 'clips') }}

),

renamed as (

    select
        ---------- ids
        clip_id,
        user_id,

        ---------- properties
        record ->> 'title' as title,
        record ->> 'url' as url,
        record ->> 'creator_name' as creator_name,
        (record ->> 'duration')::double precision as duration_seconds,
        (record ->> 'view_count')::integer as views,

        ---------- times
        created_at,
        first_seen_at,

        ---------- load
        _loaded_at

    from source

)

select * from renamed

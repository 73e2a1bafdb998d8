with

source as (

    select * from {{ source('twitch', 'users') }}

),

renamed as (

    select
        ---------- ids
        user_id,
        login,

        ---------- properties
        record ->> 'display_name' as display_name,
        record ->> 'description' as description,
        (record ->> 'created_at')::timestamptz as account_created_at,

        ---------- times
        first_seen_at,
        read_at,
        clips_read_at,

        ---------- load
        _loaded_at

    from source

)

select * from renamed

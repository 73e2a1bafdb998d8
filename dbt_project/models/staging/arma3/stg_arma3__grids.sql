with

source as (

    select * from {{ source('arma3', 'replays') }}

),

renamed as (

    select
        ---------- ids
        replay_key,

        ---------- grid
        grid_metres,
        positions_are_reliable is not null as has_positions,

        ---------- steps
        -- a step is a whole number of frames, so that it may be a little longer or shorter than it was to be
        greatest(1, round(step_seconds / nullif(capture_delay, 0))) * capture_delay as step_seconds

    from source

)

select * from renamed

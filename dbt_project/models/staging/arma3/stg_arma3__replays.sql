with

source as (

    select * from {{ source('arma3', 'replays') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        site,
        source as site_kind,
        replay_id,
        site_number,
        url,

        ---------- how it stands
        outcome,
        reason,
        last_outcome,
        last_reason,
        tries,
        first_seen_at,
        tried_at,
        next_try_at,
        landed_at,

        ---------- game
        generation,
        mission as mission_name,
        mission_id,
        mission_author,
        island as island_name,
        played_on as played_date,
        started_at,
        ended_at,
        zone as timezone,
        clock as clock_source,
        clock_reason,
        duration_seconds,
        slots,
        players,
        winner as winner_side,
        winner_reason,
        end_message,
        tag,
        missing,
        not coalesce(jsonb_exists_any(missing, array['playersDead', 'events']), false) as are_kills_known,
        not coalesce(jsonb_exists_any(missing, array['vehiclesUnits', 'entities']), false) as are_vehicles_known,

        ---------- list
        (listed ->> 'players')::integer as listed_players,

        ---------- load
        _loaded_at,
        _load_id

    from source

)

select * from renamed

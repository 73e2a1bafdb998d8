with

source as (

    select * from {{ source('arma3', 'kills') }}

),

renamed as (

    select
        ---------- ids
        replay_key,
        number as kill_number,

        ---------- when
        second as at_second,

        ---------- victim
        victim_kind,
        victim_id as victim_unit_id,
        victim_name,
        victim_side,
        victim_vehicle_id,
        victim_vehicle as victim_vehicle_name,

        ---------- killer
        killer_kind,
        killer_id as killer_unit_id,
        killer_name,
        killer_side,
        killer_vehicle_id,
        killer_vehicle as killer_vehicle_name,
        killer_reason,
        is_doubtful,

        ---------- how
        weapon as weapon_name,
        distance_metres,
        is_team_kill,
        is_suicide

    from source

)

select * from renamed

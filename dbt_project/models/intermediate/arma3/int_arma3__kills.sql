with

kills as (

    select * from {{ ref('stg_arma3__kills') }}

),

replays as (

    select * from {{ ref('stg_arma3__replays') }}

),

units as not materialized (

    select * from {{ ref('stg_arma3__units') }}

)

select
    kills.replay_key,
    kills.kill_number,
    replays.played_date,
    kills.at_second,
    replays.started_at + make_interval(secs => kills.at_second) as killed_at,
    kills.victim_kind,
    kills.victim_unit_id,
    case
        when victims.is_player
            then {{ arma3_player_key('replays.site', 'victims.player_id', 'kills.victim_name') }}
    end as victim_player_key,
    kills.victim_name,
    kills.victim_side,
    kills.victim_vehicle_name,
    kills.killer_kind,
    kills.killer_unit_id,
    case
        when killers.is_player
            then {{ arma3_player_key('replays.site', 'killers.player_id', 'kills.killer_name') }}
    end as killer_player_key,
    kills.killer_name,
    kills.killer_side,
    kills.killer_vehicle_name,
    kills.killer_reason,
    kills.is_doubtful,
    kills.weapon_name,
    kills.distance_metres,
    -- by oneself is neither for nor against one's side
    kills.is_team_kill and kills.is_suicide is not true as is_team_kill,
    kills.is_suicide,
    kills.victim_kind = 'unit'
    and kills.killer_unit_id is not null
    and kills.is_suicide is not true
    and kills.is_team_kill is not true as is_credited
from kills
inner join replays on kills.replay_key = replays.replay_key
left join units as victims
    on kills.replay_key = victims.replay_key and kills.victim_unit_id = victims.unit_id
left join units as killers
    on kills.replay_key = killers.replay_key and kills.killer_unit_id = killers.unit_id
where replays.landed_at is not null

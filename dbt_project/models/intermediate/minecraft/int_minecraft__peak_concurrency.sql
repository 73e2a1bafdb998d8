with

pieces as (

    select * from {{ ref('int_minecraft__session_days') }}

),

-- at one instant ends come before starts, so a session that begins when another ends does not overlap it; one that
-- begins and ends within a second of the log was there all the same, so its end comes last
steps as (

    select
        server_uuid,
        local_date,
        piece_from as at,
        1 as phase,
        1 as change
    from pieces

    union all

    select
        server_uuid,
        local_date,
        piece_until as at,
        case when piece_until = piece_from then 2 else 0 end as phase,
        -1 as change
    from pieces

),

running as (

    select
        server_uuid,
        local_date,
        sum(change) over (
            partition by server_uuid, local_date
            order by at, phase
            rows between unbounded preceding and current row
        ) as players_online
    from steps

),

peaks as (

    select
        server_uuid,
        local_date,
        max(players_online)::integer as peak_concurrent_players
    from running
    group by server_uuid, local_date

)

select * from peaks

{{ config(tags=['daily']) }}

with

sessions as (

    select * from {{ ref('fct_player_sessions') }}

),

last_days as (

    select
        max(joined_at) as counted_until,
        max(joined_at) - interval '30 days' as counted_from
    from sessions

),

played as (

    select
        sessions.player_id,
        last_days.counted_until,
        sum(sessions.counted_minutes::numeric)::double precision / 60 as play_hours,
        count(*)::integer as sessions,
        sum(sessions.deaths)::integer as deaths,
        sum(sessions.advancements)::integer as advancements
    from sessions
    inner join last_days on sessions.joined_at > last_days.counted_from
    where not sessions.is_proxy
    group by sessions.player_id, last_days.counted_until

),

placed as (

    select
        row_number() over (order by play_hours desc nulls last, player_id asc)::integer as place,
        player_id,
        counted_until,
        play_hours,
        sessions,
        deaths,
        advancements
    from played

)

select * from placed
where place <= 100

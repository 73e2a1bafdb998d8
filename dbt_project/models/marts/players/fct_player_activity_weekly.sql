{{ config(tags=['daily'], indexes=[{'columns': ['scope_key', 'week_start']}, {'columns': ['player_id']}]) }}

with

presence as (

    {{ presence() }}

),

scopes as materialized (

    {{ known_scopes() }}

),

weeks as (

    select
        scope_key,
        player_id,
        date_trunc('week', local_date::timestamp)::date as week_start,
        coalesce(sum(play_seconds::numeric), 0)::double precision / 60 as play_minutes
    from presence
    group by scope_key, player_id, date_trunc('week', local_date::timestamp)::date

),

-- what is played in a week counts in it and in the two after; in the third, who did not come back is inactive
spread as (

    select
        weeks.scope_key,
        weeks.player_id,
        weeks.week_start + 7 * later.weeks_later as week_start,
        sum(weeks.play_minutes) filter (where later.weeks_later = 0) as minutes_0,
        sum(weeks.play_minutes) filter (where later.weeks_later = 1) as minutes_1,
        sum(weeks.play_minutes) filter (where later.weeks_later = 2) as minutes_2
    from weeks
    cross join generate_series(0, 3) as later (weeks_later)
    group by weeks.scope_key, weeks.player_id, weeks.week_start + 7 * later.weeks_later

),

known as (

    select
        scopes.scope,
        spread.scope_key,
        scopes.server_uuid,
        spread.player_id,
        spread.week_start,
        spread.week_start + 6 as week_end,
        coalesce(spread.minutes_0, 0) as play_minutes,
        coalesce(spread.minutes_1, 0) as play_minutes_week_before,
        coalesce(spread.minutes_2, 0) as play_minutes_two_weeks_before,
        case
            when not scopes.is_history_whole and spread.week_start - 14 < scopes.first_whole_date
                then 'history_too_short'
        end as reason
    from spread
    inner join scopes on spread.scope_key = scopes.scope_key
    where spread.week_start + 6 <= scopes.last_whole_date

),

indexed as (

    select
        *,
        case
            when reason is null
                then
                    5 - 5 * (
                        {% for week in ['', '_week_before', '_two_weeks_before'] -%}
                        1 / (pi() / 2 * play_minutes{{ week }} / 30 + 1)
                        {{ '+' if not loop.last }}
                        {% endfor %}
                    ) / 3
        end as activity_index
    from known

),

grouped as (

    select
        *,
        case
            when activity_index >= 3.75 then 'very_active'
            when activity_index >= 3 then 'active'
            when activity_index >= 2 then 'regular'
            when activity_index >= 1 then 'irregular'
            when activity_index >= 0 then 'inactive'
        end as activity_group
    from indexed

),

-- between two rows of a player that are further apart lie weeks of inactivity
flows as (

    select
        scope,
        scope_key,
        server_uuid,
        player_id,
        week_start,
        week_end,
        play_minutes,
        play_minutes_week_before,
        play_minutes_two_weeks_before,
        activity_index,
        activity_group,
        case
            when reason is not null then null
            when lag(week_start) over by_week is null then 'unseen'
            when lag(week_start) over by_week < week_start - 7 then 'inactive'
            else lag(activity_group) over by_week
        end as activity_group_before,
        reason
    from grouped
    window by_week as (partition by scope_key, player_id order by week_start)

)

select * from flows

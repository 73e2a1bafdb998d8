{{ config(tags=['daily']) }}

with

weeks as (

    select * from {{ ref('fct_player_activity_weekly') }}
    where scope = 'host' and activity_group is not null

)

select
    week_start,
    activity_group,
    coalesce(activity_group_before, 'not_known') as activity_group_before,
    count(*)::integer as players
from weeks
group by week_start, activity_group, coalesce(activity_group_before, 'not_known')

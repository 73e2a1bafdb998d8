{#- From presence to the CTE newcomers, one row for each scope and player. -#}
{% macro newcomers_of_presence() -%}
firsts as (

    select
        scope_key,
        player_id,
        min(local_date) as first_date
    from presence
    group by scope_key, player_id

),

-- who came on which day for the first time, and how many days later again
newcomers as (

    select
        firsts.scope_key,
        firsts.player_id,
        firsts.first_date,
        min(days.local_date - firsts.first_date)
        filter (where days.local_date > firsts.first_date) as returned_after,
        array_agg(days.local_date - firsts.first_date) as days_later
    from firsts
    inner join presence as days
        on
            firsts.scope_key = days.scope_key
            and firsts.player_id = days.player_id
            and firsts.first_date + 90 >= days.local_date
    group by firsts.scope_key, firsts.player_id, firsts.first_date

)
{%- endmacro %}


{#- From newcomers and scopes: who is judged by the history of the scope itself. -#}
{% macro members_of_scopes() -%}
select
        scopes.scope,
        newcomers.scope_key,
        newcomers.scope_key as known_as,
        newcomers.first_date,
        newcomers.returned_after,
        newcomers.days_later
    from newcomers
    inner join scopes on newcomers.scope_key = scopes.scope_key
{%- endmacro %}


{#-
    From members and scopes to the CTE measured: each cohort by day, week and month, and how many of it came back. A
    cohort is judged N days after its last day, when that day has wholly passed in the log of each server that is still
    read; who joined on a server whose log ends before is not counted.
-#}
{% macro counted_cohorts() -%}
judged as (

    select
        members.scope,
        members.scope_key,
        grains.cohort_grain,
        date_trunc(grains.cohort_grain, members.first_date::timestamp)::date as cohort_start,
        (
            date_trunc(grains.cohort_grain, members.first_date::timestamp) + ('1 ' || grains.cohort_grain)::interval
        )::date - 1 as cohort_end,
        members.returned_after,
        members.days_later,
        known.last_whole_date,
        date_trunc(grains.cohort_grain, members.first_date::timestamp)::date
        >= {{ newcomers_known_from('known') }} as is_new,
        known.last_whole_date >= newest.last_whole_date - 2 as is_still_read
    from members
    inner join scopes as known on members.known_as = known.scope_key
    cross join (select max(last_whole_date) as last_whole_date from scopes) as newest
    cross join (values ('day'), ('week'), ('month')) as grains (cohort_grain)

),

counted as (

    select
        judged.scope,
        judged.scope_key,
        judged.cohort_grain,
        judged.cohort_start,
        judged.cohort_end,
        kinds.kind,
        later.days_later,
        count(*)::integer as players_total,
        count(*) filter (where judged.is_new and windows.has_passed)::integer as players_counted,
        count(*) filter (where not judged.is_new)::integer as players_before_history,
        count(*) filter (
            where judged.is_new and not windows.has_passed and judged.is_still_read
        )::integer as players_immature,
        count(*) filter (
            where
            judged.is_new
            and windows.has_passed
            and case kinds.kind
                when 'classic' then later.days_later = any(judged.days_later)
                else coalesce(judged.returned_after <= later.days_later, false)
            end
        )::integer as players_returned
    from judged
    cross join (values ('classic'), ('within')) as kinds (kind)
    cross join (values (1), (3), (7), (14), (30), (60), (90)) as later (days_later)
    cross join lateral (
        select judged.last_whole_date >= judged.cohort_end + later.days_later as has_passed
    ) as windows
    group by
        judged.scope,
        judged.scope_key,
        judged.cohort_grain,
        judged.cohort_start,
        judged.cohort_end,
        kinds.kind,
        later.days_later

),

reasoned as (

    select
        *,
        case
            when players_before_history = players_total then 'history_too_short'
            when players_immature > 0 then 'immature'
            when players_counted = 0 then 'log_ends_before'
        end as reason
    from counted

),

measured as (

    select
        scope,
        scope_key,
        cohort_grain,
        cohort_start,
        cohort_end,
        kind,
        days_later,
        players_total,
        case when reason is null then players_counted end as players_counted,
        case when reason is null then players_returned end as players_returned,
        case when reason is null then {{ ratio('players_returned', 'players_counted') }} end as retention_ratio,
        {% for bound, sign in [('low', '-'), ('high', '+')] -%}
        case
            when reason is null then {{ wilson_bound('players_returned', 'players_counted', sign) }}
        end as retention_{{ bound }},
        {% endfor -%}
        reason is null as is_mature,
        reason
    from reasoned

)
{%- endmacro %}

with

evidence as (

    select
        server_uuid,
        evidence_from,
        evidence_until,
        memory_peak_at
    from {{ ref('int_right_sizing_evidence') }}

),

days as (

    select
        evidence.server_uuid,
        {{ ratio('sum(days.minutes_sampled)', 'sum(days.minutes_expected)') }} as coverage_ratio,
        max(days.peak_concurrent_players) as peak_concurrent_players
    from evidence
    inner join {{ ref('fct_server_daily') }} as days
        on
            evidence.server_uuid = days.server_uuid
            and evidence.evidence_from < days.day_ends_at
            and evidence.evidence_until >= days.day_starts_at
    group by evidence.server_uuid

),

crashes as (

    select
        evidence.server_uuid,
        count(*)::integer as out_of_memory_crashes
    from evidence
    inner join {{ ref('fct_server_runs') }} as runs
        on
            evidence.server_uuid = runs.server_uuid
            and evidence.evidence_from <= coalesce(runs.ended_at, runs.ended_at_lower)
    where
        runs.end_reason = 'crashed'
        and runs.crash_cause like '%OutOfMemoryError%'
    group by evidence.server_uuid

),

at_peak as (

    select
        evidence.server_uuid,
        count(*)::integer as players_online
    from evidence
    inner join {{ ref('fct_player_sessions') }} as sessions
        on
            evidence.server_uuid = sessions.server_uuid
            and evidence.memory_peak_at >= sessions.counted_from
            and evidence.memory_peak_at < sessions.counted_until
    group by evidence.server_uuid

)

-- a log that ends before the window tells of no crash and of no player in it
select
    evidence.server_uuid,
    days.coverage_ratio,
    days.peak_concurrent_players,
    case
        when known_logs.logs_known_until > evidence.evidence_from then coalesce(crashes.out_of_memory_crashes, 0)
    end as out_of_memory_crashes,
    case
        when evidence.memory_peak_at >= known_logs.logs_known_from
            and evidence.memory_peak_at < known_logs.logs_known_until
            then coalesce(at_peak.players_online, 0)
    end as players_at_memory_peak
from evidence
left join days on evidence.server_uuid = days.server_uuid
left join crashes on evidence.server_uuid = crashes.server_uuid
left join at_peak on evidence.server_uuid = at_peak.server_uuid
left join {{ ref('int_minecraft__known_logs') }} as known_logs on evidence.server_uuid = known_logs.server_uuid

# ---
# jupyter:
#   pteroassets:
#     title: Reliability
#     summary: What is wrong now, crashes and their causes, uptime, start-up, overloads and backups.
#     order: 70
#     schedule: "47 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [utilization, logs, upkeep]
#     reads: [fct_server_runs, fct_server_stops, fct_server_reliability, fct_return_after_trouble, fct_changes,
#       fct_server_daily, fct_player_sessions, fct_incidents, dim_servers, stg_ops__incident_evaluation,
#       stg_pterodactyl__backups, stg_pterodactyl__list_reads]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["utilization", "logs", "upkeep"])

# %% [markdown]
# ## Incidents
# One row for each cause: what merely follows from it is counted as an alarm held back.

# %%
incidents = kit.ask(
    """
    select
        incident_id, is_open, subject_name as subject, server_uuid,
        replace(concat_ws(': ', kind, aspect), '_', ' ') as kind, severity, cause, opened_at, closed_at,
        minutes_to_notice, minutes_to_close, acknowledged_at, alarms_held_back
    from fct_incidents where is_open or closed_at > %(now)s - interval '7 days'
    order by is_open desc, array_position(array['critical', 'warning', 'info'], severity), opened_at desc, incident_id
""",
    now=kit.now(),
)
# they are evaluated every five minutes, and after each pass over samples or logs
judged = kit.one(
    """
    select max(evaluated_at) as at, coalesce(max(evaluated_at) > %(now)s - interval '1 hour', false) as is_judged
    from staging.stg_ops__incident_evaluation
""",
    now=kit.now(),
)
is_judged = bool(judged["is_judged"])
NOT_JUDGED = (
    "nothing has evaluated incidents yet; the passes and the sensor incidents_by_the_clock do"
    if judged["at"] is None
    else f"nothing has evaluated incidents since {judged['at']:%Y-%m-%d %H:%M} UTC; see to incidents_by_the_clock"
)
still = incidents[incidents["is_open"].astype(bool)]
WEEK = "open, or over in the last 7 days"
kit.figures(
    kit.figure("incidents_open", len(still) if is_judged else None, why=NOT_JUDGED, of="now"),
    kit.figure("incidents", len(incidents) if is_judged or len(incidents) else None, why=NOT_JUDGED, of=WEEK),
    kit.figure("minutes_to_notice", incidents["minutes_to_notice"].median(), why="no incident to be noticed", of=WEEK),
    kit.figure("minutes_to_close", incidents["minutes_to_close"].median(), why="no incident is over", of=WEEK),
)

# %%
INCIDENT = {
    "subject": "About", "kind": "What", "severity": "Severity", "cause": "Cause", "opened_at": "Since (UTC)",
}  # fmt: skip
kit.table(
    still,
    INCIDENT | {"alarms_held_back": "alarms_held_back", "acknowledged_at": "Acknowledged (UTC)"},
    caption="Open now, the most urgent first", links={"subject": ("server", "server_uuid")},
    empty="None found." if is_judged else f"Not known: {NOT_JUDGED}.",
)  # fmt: skip

# %%
kit.table(
    incidents[~incidents["is_open"].astype(bool)],
    INCIDENT | {"minutes_to_notice": "minutes_to_notice", "minutes_to_close": "minutes_to_close"},
    caption="Over in the last 7 days", links={"subject": ("server", "server_uuid")},
    empty="None found." if is_judged else f"Not known: {NOT_JUDGED}.",
)  # fmt: skip

# %% [markdown]
# ## Crashes, uptime and starts

# %%
month = kit.one("""
    select
        case when count(*) > 0 then count(*) filter (where end_reason = 'crashed') end as crashes,
        count(*) filter (where end_reason = 'crashed') / nullif(sum(counted_minutes) / 1440, 0) as crashes_a_day,
        percentile_cont(0.5) within group (order by startup_seconds) as startup_seconds,
        sum(overload_warnings) as overload_warnings
    from fct_server_runs where started_date > (select max(started_date) from fct_server_runs) - 30
""")
cut = kit.one("""
    with month as (select max(joined_at) - interval '30 days' as began_at from fct_player_sessions)
    select case
        when exists (
            select from fct_player_sessions where not is_proxy and joined_at > (select began_at from month)
        ) then (
            select count(*) from fct_player_sessions
            where close_reason = 'server_crashed' and not is_proxy and joined_at > (select began_at from month)
        ) end as sessions_cut_by_crashes
""")
up = kit.one("""
    select sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime from fct_server_daily
    where local_date > (select max(local_date) from fct_server_daily) - 30
""")
kit.figures(
    kit.figure("uptime", up["uptime"], why="nothing was sampled", of="all servers, last 30 days"),
    kit.figure("crashes", month["crashes"], why="no run was seen", of="of runs begun in the last 30 days"),
    kit.figure("crashes_a_day", month["crashes_a_day"], why="no run was seen", of="last 30 days"),
    kit.figure("sessions_cut_by_crashes", cut["sessions_cut_by_crashes"], why="no session was seen", of="last 30 days"),
    kit.figure("startup_seconds", month["startup_seconds"], why="no start says how long it took", of="last 30 days"),
    kit.figure("overload_warnings", month["overload_warnings"], why="no run was seen", of="last 30 days"),
)

# %%
by_day = kit.ask("""
    select
        started_date as day, count(*) as crashes,
        -- an exception by its own name: the packages before it leave no room for it beside the bars
        coalesce(replace(regexp_replace(crash_cause, '^([a-z0-9_]+[.])+', ''), '_', ' '), 'killed or without a word')
            as cause
    from fct_server_runs where end_reason = 'crashed' and started_date is not null group by 1, 3 order by 1
""")
kit.line(
    by_day.groupby("day", as_index=False)[["crashes"]].sum(), x="day", metric="crashes",
    title="Crashes, by the day on which the run began", empty="No crash was seen.",
)  # fmt: skip

# %%
kit.bars(by_day, y="cause", metric="crashes", title="Crashes by cause", empty="No crash was seen.")

# %% [markdown]
# ## Outages and planned stops
# An outage is a stop that was not planned. Planned is a stop that a schedule of the panel was due for, or that comes at
# the same time of the server's clock on most days. These figures are built once a day.

# %%
stops = kit.one("""
    select
        case when count(*) > 0 then count(*) filter (where kind = 'planned') end as stops_planned,
        count(*) filter (where is_outage) as outages, count(*) filter (where kind is null) as stops_unknown,
        sum(down_minutes_least) filter (where is_outage) / 60 as outage_hours
    from fct_server_stops where local_date > (select max(local_date) from fct_server_stops) - 30
""")
periods = kit.one("""
    select
        sum(run_hours) / nullif(sum(crashes), 0) as hours_between_crashes, sum(run_hours) as run_hours,
        sum(log_days_known) as log_days_known
    from fct_server_reliability
    where grain = 'day'
        and period_start > (select max(period_start) from fct_server_reliability where grain = 'day') - 30
""")
slow = kit.one("""
    select
        percentile_cont(0.9) within group (order by startup_seconds) as startup_seconds_p90,
        count(startup_seconds) as period_startups_measured
    from fct_server_runs where started_date > (select max(started_date) from fct_server_runs) - 30
""")
NO_STOP, LAST = "no stop was seen", "last 30 days"
no_crash = "no run was seen" if periods["run_hours"] is None else "no run crashed"
kit.figures(
    kit.figure("outages", stops["outages"] if stops["stops_planned"] is not None else None, why=NO_STOP, of=LAST),
    kit.figure("outage_hours", stops["outage_hours"], why="no outage ended with a start", of=LAST),
    kit.figure("stops_planned", stops["stops_planned"], why=NO_STOP, of=LAST),
    kit.figure(
        "stops_unknown", stops["stops_unknown"] if stops["stops_planned"] is not None else None, why=NO_STOP, of=LAST
    ),
    kit.figure("hours_between_crashes", periods["hours_between_crashes"], why=no_crash, of=LAST),
    kit.figure("startup_seconds_p90", slow["startup_seconds_p90"], why="no start says how long it took", of=LAST),
    kit.figure("period_startups_measured", slow["period_startups_measured"], why="no run was seen", of=LAST),
    kit.figure("log_days_known", periods["log_days_known"], why="no log was read", of=LAST),
)

# %%
kinds = kit.ask("""
    select
        local_date as day, coalesce(kind, 'not known') as kind, count(*) as stops
    from fct_server_stops where local_date > (select max(local_date) from fct_server_stops) - 180
    group by 1, 2 order by 1
""")
kit.line(
    kinds, x="day", metric="stops", by="kind",
    title="Stops of the last 180 days by kind, by the day on the server's clock; changes of servers dashed",
    empty="No stop was seen.",
    marks=kit.changes(),
)  # fmt: skip

# %%
sources = kit.ask("""
    select
        coalesce(kind, 'not known') as kind, coalesce(replace(told_by, '_', ' '), replace(reason, '_', ' ')) as told_by,
        count(*) as stops, count(*) filter (where is_restart) as restarts, count(*) filter (where is_outage) as outages,
        percentile_cont(0.5) within group (order by down_minutes_least) as stop_down_minutes
    from fct_server_stops where local_date > (select max(local_date) from fct_server_stops) - 30
    group by 1, 2 order by stops desc, 1, 2
""")
kit.table(
    sources,
    {
        "kind": "Kind of stop", "told_by": "What tells it", "stops": "stops", "restarts": "restarts",
        "outages": "outages", "stop_down_minutes": "stop_down_minutes",
    },
    caption="Stops of the last 30 days, and what tells their kind", empty="No stop was seen.",
    note="Nothing tells: stopped in order, but no schedule, usual time or activity says why.",
)  # fmt: skip

# %% [markdown]
# ## Who comes back after trouble
# Of each player and week the first session counts, so that who plays more is not counted more. Who meets trouble may
# differ from others in more than that: a difference does not show that the trouble did it.

# %%
returns = kit.ask("""
    select
        case trouble when 'crash' then 'a crash' when 'restart' then 'a stop or restart'
            when 'cpu_limit' then 'processor at its limit' else 'memory at its limit' end as trouble,
        case when is_met then 'met it' else 'did not' end as met, return_ratio as return_within_7_days,
        round(100 * return_low)::int || ' to ' || round(100 * return_high)::int || ' %' as bounds,
        visits_counted, visits_unknown, replace(reason, '_', ' ') as reason
    from fct_return_after_trouble where scope = 'host' and grain = 'all' order by 1, is_met desc
""")
kit.table(
    returns,
    {
        "trouble": "Trouble", "met": "Players who", "return_within_7_days": "return_within_7_days",
        "bounds": "Interval, 95 %", "visits_counted": "visits_counted", "visits_unknown": "visits_unknown",
        "reason": "Why not known",
    },
    caption="The host, all weeks", empty="No session was seen whose seven days after could be judged.",
    note="A dash: seven days have not passed since any of them.",
)  # fmt: skip

# %% [markdown]
# ## Changes
# The week before and the week after leave out the day of the change itself.

# %%
changed = kit.ask("""
    select
        changed_at, server_name, server_uuid, replace(kind, '_', ' ') as kind, before_value, after_value,
        case when is_time_exact then 'exactly' else 'between two readings' end as known,
        players_per_day_before as players_a_day_before, players_per_day_after as players_a_day_after,
        crashes_per_day_before as crashes_a_day_before, crashes_per_day_after as crashes_a_day_after,
        uptime_ratio_before as uptime_before, uptime_ratio_after as uptime_after,
        replace(concat_ws(', ', log_reason_before, log_reason_after), '_', ' ') as reason
    from fct_changes inner join dim_servers using (server_uuid)
    where kind not in ('restart', 'stop', 'crash', 'startup', 'created')
    order by changed_at desc, server_name, kind limit 60
""")
kit.table(
    changed,
    {
        "changed_at": "Seen at (UTC)", "known": "Time known", "server_name": "Server", "kind": "Change",
        "before_value": "Before", "after_value": "After", "players_a_day_before": "players_a_day_before",
        "players_a_day_after": "players_a_day_after", "crashes_a_day_before": "crashes_a_day_before",
        "crashes_a_day_after": "crashes_a_day_after", "uptime_before": "uptime_before", "uptime_after": "uptime_after",
        "reason": "Why not known",
    },
    caption="The last 60 changes of limits, node, egg, owner, software, version and status",
    empty="None since the servers were first read.", links={"server_name": ("server", "server_uuid")},
    note="Restarts, crashes and edits of the startup are in fct_changes too.",
)  # fmt: skip

# %% [markdown]
# ## Servers

# %%
servers = kit.ask("""
    with runs as (
        select
            server_uuid,
            count(*) filter (where end_reason = 'crashed') as crashes,
            count(*) filter (where end_reason = 'crashed') / nullif(sum(counted_minutes) / 1440, 0) as crashes_a_day,
            count(*) filter (where is_start_observed) as starts, sum(overload_warnings) as overload_warnings,
            percentile_cont(0.5) within group (order by startup_seconds) as startup_seconds,
            percentile_cont(0.9) within group (order by startup_seconds) as startup_seconds_p90,
            mode() within group (order by crash_cause) as usual_cause
        from fct_server_runs where started_date > (select max(started_date) from fct_server_runs) - 30
        group by server_uuid
    ),
    days as (
        select
            server_uuid, sum(uptime_hours) / nullif(sum(minutes_sampled) / 60, 0) as uptime,
            sum(minutes_sampled) / nullif(sum(minutes_expected), 0) as sample_coverage
        from fct_server_daily where local_date > (select max(local_date) from fct_server_daily) - 30
        group by server_uuid
    ),
    periods as (
        select
            server_uuid, sum(outages) as outages, sum(stops_planned) as stops_planned,
            sum(run_hours) / nullif(sum(crashes), 0) as hours_between_crashes, sum(log_days_known) as log_days_known
        from fct_server_reliability
        where grain = 'day'
            and period_start > (select max(period_start) from fct_server_reliability where grain = 'day') - 30
        group by server_uuid
    )
    select * from dim_servers left join runs using (server_uuid) left join days using (server_uuid)
    left join periods using (server_uuid)
    where is_active order by crashes desc nulls last, server_name
""")
kit.table(
    servers,
    {
        "server_name": "Server", "node_name": "Node", "crashes": "crashes", "crashes_a_day": "crashes_a_day",
        "usual_cause": "Usual cause", "hours_between_crashes": "hours_between_crashes", "outages": "outages",
        "stops_planned": "stops_planned", "starts": "starts", "startup_seconds": "startup_seconds",
        "startup_seconds_p90": "startup_seconds_p90", "log_days_known": "log_days_known",
        "overload_warnings": "overload_warnings", "uptime": "uptime", "sample_coverage": "sample_coverage",
    },
    caption="Servers, last 30 days, the most crashes first", empty="The panel lists no server.",
    links={"server_name": ("server", "server_uuid")},
    note="A dash: no log of it is known, nothing was sampled, or it did not crash.",
)  # fmt: skip

# %% [markdown]
# ## Backups

# %%
backups = kit.ask(
    """
    with found as (
        select
            server_uuid, count(*) filter (where backup_state = 'ok') as backups_good,
            count(*) filter (where backup_state = 'failed') as backups_failed,
            sum(size_bytes) / 1024.0 ^ 3 as backup_size,
            max(completed_at) filter (where backup_state = 'ok') as last_good_at
        from staging.stg_pterodactyl__backups where is_active group by server_uuid
    )
    select
        server_uuid, server_name, outcome, case when is_read then coalesce(backups_good, 0) end as backups_good,
        case when is_read then coalesce(backups_failed, 0) end as backups_failed, backup_size, last_good_at,
        extract(epoch from %(now)s - last_good_at) / 3600 as backup_age
    from dim_servers
    left join (
        select * from staging.stg_pterodactyl__list_reads where list_name = 'backups'
    ) as reads using (server_uuid)
    left join found using (server_uuid)
    where is_active order by backup_age desc nulls first, server_name
""",
    now=kit.now(),
)
without = backups[(backups["backups_good"] == 0)]
kit.note(
    f"Without a good backup: {', '.join(without['server_name'])}." if len(without)
    else "Each server whose backups were read has a good one." if backups["backups_good"].notna().any()
    else "Backups were not read yet.",
    "warning" if len(without) else "note",
)  # fmt: skip

# %%
kit.table(
    backups,
    {
        "server_name": "Server", "backups_good": "backups_good", "backups_failed": "backups_failed",
        "backup_age": "backup_age", "last_good_at": "Last good one (UTC)", "backup_size": "backup_size",
        "outcome": "Reading of the list",
    },
    caption="Backups, the oldest first", empty="The panel lists no server.",
    links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# ---
# jupyter:
#   pteroassets:
#     title: Retention
#     summary: Who comes back, by cohort, with how many players each figure rests on.
#     order: 55
#     schedule: "17 6 * * *"
#     stale_after_hours: 50
#     limit_seconds: 60
#     passes: [logs]
#     reads: [fct_retention]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["logs"])

# %% [markdown]
# Two kinds, never mixed: *classic D-N* counts who was there on the Nth day after the first one, *within N* who was
# there on any day up to it. A cohort is the players who first came to the host on the same day; one that is too young
# takes no part.

# %%
known = kit.ask("""
    select
        kind, days_later, sum(players_counted) as cohort_players_counted,
        sum(players_returned) as cohort_players_returned,
        sum(players_returned)::float8 / nullif(sum(players_counted), 0) as retention,
        string_agg(distinct replace(reason, '_', ' '), ', ') as reasons
    from fct_retention
    where scope = 'host' and cohort_grain = 'day'
    group by kind, days_later order by kind, days_later
""")
known["name"] = [
    f"classic D-{days}" if kind == "classic" else f"within {days} day{'s' * (days > 1)}"
    for kind, days in zip(known["kind"], known["days_later"], strict=True)
]
YOUNG = "No cohort is old enough yet, or its first days are not known."
kit.table(
    known,
    {
        "name": "Retention", "retention": "retention", "cohort_players_counted": "cohort_players_counted",
        "cohort_players_returned": "cohort_players_returned", "reasons": "Cohorts left out",
    },
    caption="The host, all cohorts of days", empty=YOUNG, note="A dash: no cohort can be judged yet.",
)  # fmt: skip

# %%
by_week = kit.ask("""
    select
        kind, days_later, to_char(cohort_start, 'DD Mon') || ' (' || players_total || ')' as cohort, cohort_start,
        players_counted as cohort_players_counted, retention_ratio as retention, retention_low, retention_high
    from fct_retention
    where scope = 'host' and cohort_grain = 'week'
        and cohort_start in (
            select distinct cohort_start from fct_retention
            where scope = 'host' and cohort_grain = 'week' and retention_ratio is not null
            order by cohort_start desc limit 4
        )
    order by cohort_start, days_later
""")
kit.curve(
    by_week[by_week["kind"] == "within"], x="days_later", metric="retention", rests_on="cohort_players_counted",
    bounds=("retention_low", "retention_high"), by="cohort", empty=YOUNG,
    title="Within N days, by week of the first visit (players of the cohort); shaded: Wilson interval at 95 %",
)  # fmt: skip

# %%
kit.curve(
    by_week[by_week["kind"] == "classic"], x="days_later", metric="retention", rests_on="cohort_players_counted",
    bounds=("retention_low", "retention_high"), by="cohort", empty=YOUNG,
    title="Classic D-N, by week of the first visit (players of the cohort); shaded: Wilson interval at 95 %",
)  # fmt: skip

# %%
week = kit.ask("""
    select
        cohort_start,
        'within ' || days_later || case when days_later = 1 then ' day' else ' days' end as kind,
        retention_ratio as retention
    from fct_retention
    where scope = 'host' and cohort_grain = 'day' and kind = 'within' and days_later in (1, 3, 7)
    order by cohort_start
""")
kit.line(
    week, x="cohort_start", metric="retention", by="kind", empty=YOUNG,
    title="Within N days, by day of the first visit; few players come on one day, so the line jumps",
)  # fmt: skip

# %%
cohorts = kit.ask("""
    select
        cohort_start, players_total as cohort_players, players_counted as cohort_players_counted,
        players_returned as cohort_players_returned, retention_ratio as retention,
        retention_low, retention_high,
        replace(reason, '_', ' ') as reason
    from fct_retention
    where scope = 'host' and cohort_grain = 'week' and kind = 'within' and days_later = 7
    order by cohort_start desc limit 26
""")
kit.table(
    cohorts,
    {
        "cohort_start": "Week from", "cohort_players": "cohort_players", "retention": "retention",
        "retention_low": "retention_low", "retention_high": "retention_high",
        "cohort_players_counted": "cohort_players_counted", "cohort_players_returned": "cohort_players_returned",
        "reason": "Why not known",
    },
    caption="The host, cohorts of weeks, within 7 days", empty=YOUNG,
)  # fmt: skip

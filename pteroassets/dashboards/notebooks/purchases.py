# ---
# jupyter:
#   pteroassets:
#     title: Purchases in games
#     summary: What players of games buy, who pays, and what looks wrong.
#     order: 111
#     schedule: "*/10 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [events]
#     reads: [fct_game_events, fct_game_spend_daily, fct_game_players, fct_purchases, fct_game_abuse]
# ---

# %%
from pteroassets.dashboards import kit

NONE = "no game has pushed an event"
NOBODY = "nobody bought anything"
fresh = kit.one("""
    select percentile_cont(0.5) within group (order by seconds_until_stored) as stored
    from fct_game_events where received_at > (select max(received_at) - interval '1 day' from fct_game_events)
""")
kit.top(["events"], coverage=[kit.figure("pushed_stored_seconds", fresh["stored"], why=NONE, of="the last day")])

# %%
games = kit.ask("""
    select
        game, sum(spent)::float8 as pushed_spent, count(*) as pushed_players,
        count(*) filter (where is_paying) as pushed_paying_players,
        count(*) filter (where is_paying)::float8 / count(*) as pushed_conversion,
        (sum(spent) / nullif(count(*) filter (where is_paying), 0))::float8 as pushed_arppu,
        percentile_cont(0.5) within group (order by days_to_first_purchase) as pushed_days_to_purchase
    from fct_game_players group by game order by game
""")
kit.table(
    games,
    {
        "game": "Game", "pushed_spent": "pushed_spent", "pushed_players": "pushed_players",
        "pushed_paying_players": "pushed_paying_players", "pushed_conversion": "pushed_conversion",
        "pushed_arppu": "pushed_arppu", "pushed_days_to_purchase": "pushed_days_to_purchase",
    },
    caption="What players ever paid, by game", empty=f"Not known: {NONE}.",
    note="Money is each game's own, so games are not added up.",
)  # fmt: skip

# %%
sums = kit.one("""
    select
        sum(purchases)::float8 as purchases, sum(purchases_without_price)::float8 as unpriced,
        sum(new_paying_players)::float8 as new_payers, sum(paying_players)::float8 / sum(active_players) as conversion
    from fct_game_spend_daily where local_date > (select max(local_date) - 30 from fct_game_spend_daily)
""")
kit.figures(
    kit.figure("pushed_purchases", sums["purchases"], why=NONE, of="thirty days"),
    kit.figure("pushed_unpriced", sums["unpriced"], why=NONE, of="thirty days"),
    kit.figure("pushed_new_payers", sums["new_payers"], why=NONE, of="thirty days"),
    kit.figure("pushed_day_conversion", sums["conversion"], why=NONE, of="thirty days"),
)

# %%
days = kit.ask("""
    select
        game, local_date, revenue::float8 as pushed_revenue, conversion_ratio as pushed_day_conversion,
        revenue_per_paying_player::float8 as pushed_day_arppu
    from fct_game_spend_daily order by local_date, game
""")
kit.line(
    days, x="local_date", metric="pushed_revenue", by="game", title="Revenue by day, in each game's money",
    empty=f"Not known: {NONE}.",
)  # fmt: skip

# %%
kit.line(
    days, x="local_date", metric="pushed_day_conversion", by="game", title="Who bought, of the players of each day",
    empty=f"Not known: {NONE}.",
)  # fmt: skip

# %%
kit.line(
    days, x="local_date", metric="pushed_day_arppu", by="game", title="Revenue per player who paid on the day",
    empty=f"Not known: {NOBODY}.",
)  # fmt: skip

# %% [markdown]
# ## What is bought

# %%
items = kit.ask("""
    select
        game, item, category, count(*) as pushed_item_purchases, sum(cost)::float8 as pushed_item_revenue,
        sum(quantity)::float8 as pushed_item_quantity
    from fct_purchases group by game, item, category order by 5 desc nulls last, 4 desc, 2 limit 30
""")
kit.table(
    items,
    {
        "item": "Item", "category": "Kind", "game": "Game", "pushed_item_purchases": "pushed_item_purchases",
        "pushed_item_revenue": "pushed_item_revenue", "pushed_item_quantity": "pushed_item_quantity",
    },
    caption="Items of the most revenue, the first thirty", empty=f"None: {NOBODY}.",
    note="A dash: the game does not say it.",
)  # fmt: skip

# %%
buyers = kit.ask("""
    select
        game, coalesce(player_name, player_id) as player, spent::float8 as pushed_spent,
        purchases as pushed_purchases, first_purchase_at, last_purchase_at
    from fct_game_players where is_paying order by last_purchase_at desc, player limit 30
""")
kit.table(
    buyers,
    {
        "player": "Player", "game": "Game", "pushed_spent": "pushed_spent", "pushed_purchases": "pushed_purchases",
        "first_purchase_at": "First purchase", "last_purchase_at": "Most recent purchase",
    },
    caption="Who bought most recently, the first thirty", empty=f"Nobody: {NOBODY}.",
)  # fmt: skip

# %% [markdown]
# ## What looks wrong

# %%
found = kit.ask("""
    select
        abuse.game, coalesce(player_name, abuse.player_id) as player, replace(kind, '_', ' ') as kind,
        first_found_at, times as pushed_times, worst as pushed_worst, bound || case kind
            when 'too_many_events' then ' events a minute' else ' minutes' end as usual
    from fct_game_abuse as abuse left join fct_game_players using (game, player_id)
    order by found_date desc, worst desc, player limit 50
""")
anything = kit.one("select exists (select from fct_game_players) as is_known")
kit.table(
    found,
    {
        "player": "Player", "game": "Game", "kind": "What", "first_found_at": "First on the day",
        "pushed_times": "pushed_times", "pushed_worst": "pushed_worst", "usual": "Usual up to",
    },
    caption="More events than anybody can make, and clocks that are wrong or were set back; counted once a day",
    empty="None found." if anything["is_known"] else f"Not known: {NONE}.",
)  # fmt: skip

# ---
# jupyter:
#   pteroassets:
#     title: Security
#     summary: Shared addresses, bursts of refused logins, reconnect loops and accounts without a second factor.
#     order: 80
#     schedule: "52 * * * *"
#     stale_after_hours: 3
#     limit_seconds: 60
#     passes: [entities, logs]
#     reads: [dim_users, dim_servers, stg_minecraft__log_files, stg_minecraft__events]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["entities", "logs"])

# %% [markdown]
# The last seven days. Of an address only a keyed hash is stored: it says that two logins came from one place, not from
# which. People of one household share an address, too.

# %%
# events have no index of their times: the files of the week name those that are read
LAST_WEEK = """
    newest as (select max(last_line_at) as at from staging.stg_minecraft__log_files),
    files as materialized (
        select server_uuid, file_key from staging.stg_minecraft__log_files
        where last_line_at > (select at from newest) - interval '7 days'
    ),
    events as (
        select found.* from files cross join lateral (
            select server_uuid, logged_at, event_kind, player_name, detail from staging.stg_minecraft__events as lines
            where lines.server_uuid = files.server_uuid and lines.file_key = files.file_key
                and event_kind in ('login_refused', 'player_login')
                and logged_at > (select at from newest) - interval '7 days'
            offset 0  -- each file by its key: of all files Postgres would read every line there is
        ) as found
    )
"""
week = kit.one(f"""
    with {LAST_WEEK}
    select
        case when count(*) > 0 then count(*) filter (where event_kind = 'login_refused') end as refused_logins,
        case when count(*) > 0 then count(*) filter (where event_kind = 'player_login') end as logins,
        count(*) filter (where event_kind = 'player_login' and detail ->> 'address' is not null) as with_address
    from events
""")
NO_LOG = "no login was read in any log"
users = kit.one("""
    select
        count(*) filter (where not has_two_factor) as users_without_second_factor,
        count(*) filter (where not has_two_factor and is_root_admin) as admins_without_second_factor
    from dim_users where is_active
""")
kit.figures(
    kit.figure("logins", week["logins"], why=NO_LOG),
    kit.figure("refused_logins", week["refused_logins"], why=NO_LOG),
    kit.figure("admins_without_second_factor", users["admins_without_second_factor"]),
    kit.figure("users_without_second_factor", users["users_without_second_factor"]),
)

# %%
shared = kit.ask(f"""
    with {LAST_WEEK}
    select
        right(detail ->> 'address', 8) as address, count(distinct player_name) as players_of_an_address,
        string_agg(distinct player_name, ', ' order by player_name) as names, count(*) as logins,
        max(logged_at) as last_at
    from events where event_kind = 'player_login' and detail ->> 'address' is not null
    group by detail ->> 'address' having count(distinct player_name) > 1
    order by 2 desc, 4 desc limit 50
""")
kit.table(
    shared,
    {
        "address": "End of the hash", "players_of_an_address": "players_of_an_address", "names": "Names",
        "logins": "logins", "last_at": "Last (UTC)",
    },
    caption="Addresses that several names share",
    empty="None found: no two names logged in from one address." if week["with_address"]
    else "Not known: no login shows an address, as PTEROASSETS_PII=drop or a proxy before the servers has it.",
    note="Behind a proxy that does not hand addresses on, all players share the proxy's.",
)  # fmt: skip

# %%
bursts = kit.ask(f"""
    with {LAST_WEEK},
    refused as (
        select
            server_uuid, date_bin('10 minutes', logged_at, '2000-01-01'::timestamptz) as begun_at, player_name,
            coalesce(detail ->> 'cause', 'other') as cause
        from events where event_kind = 'login_refused'
    )
    select
        server_name, server_uuid, begun_at, count(*) as refused_logins, count(distinct player_name) as names_refused,
        string_agg(distinct cause, ', ' order by cause) as causes
    from refused inner join dim_servers using (server_uuid)
    group by server_name, server_uuid, begun_at having count(*) >= 10
    order by refused_logins desc limit 50
""")
kit.table(
    bursts,
    {
        "server_name": "Server", "begun_at": "Begin (UTC)", "refused_logins": "refused_logins",
        "names_refused": "names_refused", "causes": "Causes",
    },
    caption="Bursts: ten refused logins or more on one server within ten minutes",
    empty="None found.", links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
loops = kit.ask(f"""
    with {LAST_WEEK}
    select
        server_name, server_uuid, player_name, date_bin('10 minutes', logged_at, '2000-01-01'::timestamptz) as begun_at,
        count(*) as logins
    from events inner join dim_servers using (server_uuid)
    where event_kind = 'player_login'
    group by server_name, server_uuid, player_name, begun_at having count(*) >= 5
    order by logins desc limit 50
""")
kit.table(
    loops, {"player_name": "Player", "server_name": "Server", "begun_at": "Begin (UTC)", "logins": "logins"},
    caption="Reconnect loops: five logins or more of one name within ten minutes", empty="None found.",
    links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
admins = kit.ask("""
    select username, servers_owned, servers_shared, created_at
    from dim_users where is_active and is_root_admin and not has_two_factor order by username
""")
kit.table(
    admins,
    {"username": "Administrator", "servers_owned": "servers_owned", "created_at": "Made at (UTC)"},
    caption="Administrators of the panel without a second factor", empty="None: each has one, or there is none.",
)  # fmt: skip

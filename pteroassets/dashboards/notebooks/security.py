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
#     reads: [dim_users, dim_servers, fct_logins_daily, fct_login_bursts, fct_shared_addresses]
# ---

# %%
from pteroassets.dashboards import kit

kit.top(["entities", "logs"])

# %% [markdown]
# The seven days that end with the newest one of which a login is known. Of an address only a keyed hash is stored: it
# says that two logins came from one place, not from which. People of one household share an address, too.

# %%
week = kit.one("""
    select
        sum(refused_logins)::bigint as refused_logins,
        sum(logins)::bigint as logins,
        sum(logins_with_address)::bigint as with_address
    from fct_logins_daily where local_date > (select max(local_date) from fct_logins_daily) - 7
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
shared = kit.ask("""
    select right(address, 8) as address, players_of_an_address, names, logins, last_login_at
    from fct_shared_addresses order by players_of_an_address desc, logins desc limit 50
""")
kit.table(
    shared,
    {
        "address": "End of the hash", "players_of_an_address": "players_of_an_address", "names": "Names",
        "logins": "logins_of_an_address", "last_login_at": "Last (UTC)",
    },
    caption="Addresses that several names share",
    empty="None found: no two names logged in from one address." if week["with_address"]
    else "Not known: no login shows an address, as PTEROASSETS_PII=drop or a proxy before the servers has it.",
    note="Of many names the first twenty are shown. Behind a proxy that does not hand addresses on, all players share "
    "the proxy's.",
)  # fmt: skip

# %%
BURSTS = """
    select server_name, bursts.*
    from fct_login_bursts as bursts inner join dim_servers using (server_uuid)
    where burst_kind = %(kind)s and local_date > (select max(local_date) from fct_logins_daily) - 7
    order by coalesce(refused_logins, logins) desc, began_at limit 50
"""
kit.table(
    kit.ask(BURSTS, kind="refused_logins"),
    {
        "server_name": "Server", "began_at": "Begin (UTC)", "refused_logins": "refused_logins_of_a_burst",
        "names_refused": "names_refused", "causes": "Causes",
    },
    caption="Bursts: ten refused logins or more on one server within ten minutes",
    empty="None found.", links={"server_name": ("server", "server_uuid")},
)  # fmt: skip

# %%
kit.table(
    kit.ask(BURSTS, kind="reconnect_loop"),
    {
        "player_name": "Player", "server_name": "Server", "began_at": "Begin (UTC)", "logins": "logins_of_a_loop",
    },
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

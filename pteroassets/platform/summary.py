"""What a platform holds, and what in it deserves a look: queries of the marts, for the terminal.

Nothing here knows what there is to find: the same queries run against the demo and against a real panel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import ConnectionSettings, connect


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of the summary: its text, the nouns of its figures (None where the text has it), and their query."""

    text: str
    nouns: tuple[str | None, ...]
    query: str


_LINES = (
    _Line(
        text="{} on {}, {} of them suspended, {} gone",
        nouns=("server", "node", None, None),
        query="""
        select count(*) filter (where is_active), count(distinct node_id) filter (where is_active),
            count(*) filter (where is_active and is_suspended), count(*) filter (where not is_active)
        from marts.dim_servers
        """,
    ),
    _Line(
        text="{} of the panel, {} of them with a server",
        nouns=("user", None),
        query="""
        select count(*), count(*) filter (
            where user_id in (select owner_user_id from marts.dim_servers where is_active)
        ) from marts.dim_users where is_active
        """,
    ),
    _Line(
        text="{}, {} in use",
        nouns=("egg", None),
        query="""
        select count(*), count(*) filter (where egg_id in (select egg_id from marts.dim_servers where is_active))
        from marts.dim_eggs where is_active
        """,
    ),
    _Line(
        text="{} from {} to {} UTC, {} % of the expected minutes covered",
        nouns=("sample", None, None, None),
        query="""
        select (select count(*) from raw_pterodactyl.utilization_samples),
            (select to_char(min(pass_at), 'YYYY-MM-DD') from raw_pterodactyl.utilization_samples),
            (select to_char(max(pass_at), 'YYYY-MM-DD HH24:MI') from raw_pterodactyl.utilization_samples),
            round((100 * sum(minutes_sampled) / nullif(sum(minutes_expected), 0))::numeric, 1)
        from marts.fct_server_daily
        """,
    ),
    _Line(
        text="{} with {}, {} of them understood as an event",
        nouns=("log file", "line", None),
        query="""
        select count(*), coalesce(sum(parsed_lines), 0), (select count(*) from raw_minecraft.events)
        from raw_minecraft.log_files
        """,
    ),
    _Line(
        text="{} in {}, {}",
        nouns=("player", "session", "player-hour"),
        query="""
        select (select count(*) from marts.dim_players), (select count(*) from marts.fct_network_sessions),
            round(sum(player_hours)::numeric, 1) from marts.fct_network_daily
        """,
    ),
    _Line(
        text="busiest: {} with {} and {} at once",
        nouns=(None, "player-hour", "player"),
        query="""
        select server_name, round(sum(player_hours)::numeric, 1), max(peak_concurrent_players)
        from marts.fct_server_daily inner join marts.dim_servers using (server_uuid)
        where player_hours is not null and not fct_server_daily.is_proxy group by server_name order by 2 desc limit 1
        """,
    ),
    _Line(
        text="{} ended in a crash, {} open now",
        nouns=("session", None),
        query="""
        select count(*) filter (where close_reason = 'server_crashed'), count(*) filter (where is_open)
        from marts.fct_network_sessions
        """,
    ),
    _Line(
        text="{} whose logs are known had no player in the last week",
        nouns=("server",),
        query="""
        select count(*) from (
            select server_uuid from marts.fct_server_daily inner join marts.dim_servers using (server_uuid)
            where is_active and local_date > current_date - 7
            group by server_uuid having sum(player_hours) = 0
        ) as idle
        """,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that deserves a look.

    Attributes:
        kind: Of the search that found it.
        subject: What it is about: the uuid of a server, the name of a node, a table, a server's file, or a check.
        text: For a person.
        look: A statement of SQL that shows more, or an address of the UI. It is typed into a shell, so no name that
            people give stands in it.
    """

    kind: str
    subject: str
    text: str
    look: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A kind of finding: each row of *query* fills in *text* and *look*; its ``subject`` tells it from others."""

    kind: str
    text: str
    look: str
    query: str


_SEARCHES = (
    _Search(
        kind="close to its memory limit",
        text="{server_name} used {percent} % of its {limit:,} MiB (95th percentile of {local_date})",
        look="select local_date, memory_p95_mebibytes, memory_limit_mebibytes from fct_server_daily "
        "where server_uuid = '{subject}' order by 1",
        # an hour has to be known: a start alone takes more than what follows
        query="""
        select distinct on (server_uuid)
            server_uuid::text as subject, server_name, round(100 * memory_p95_limit_ratio)::integer as percent,
            daily.memory_limit_mebibytes as limit, local_date
        from marts.fct_server_daily as daily inner join marts.dim_servers as servers using (server_uuid)
        where is_active and memory_p95_limit_ratio >= 0.9 and minutes_sampled >= 60
            and local_date >= (select max(local_date) from marts.fct_server_daily) - 3
        order by server_uuid, memory_p95_limit_ratio desc
        """,
    ),
    _Search(
        kind="crashes in a loop",
        text="{server_name} crashed {crashes} within a day, last with {cause}",
        look="select started_at, ended_at, crash_cause from fct_server_runs "
        "where server_uuid = '{subject}' order by 1 desc limit 20",
        query="""
        select server_uuid::text as subject, server_name, count(*) as crashes,
            coalesce(
                (array_agg(crash_cause order by started_at desc) filter (where crash_cause is not null))[1],
                'no cause in the log'
            ) as cause
        from marts.fct_server_runs as runs inner join marts.dim_servers as servers using (server_uuid)
        where is_active and end_reason = 'crashed'
            and started_at > (select max(observed_at) from staging.stg_ops__loads) - interval '1 day'
        group by server_uuid, server_name having count(*) >= 5
        """,
    ),
    _Search(
        kind="asleep for weeks",
        text="{server_name} was off on all of the last {days}, and keeps {limit:,} MiB of {node_name}",
        look="select local_date, uptime_hours, minutes_sampled from fct_server_daily "
        "where server_uuid = '{subject}' order by 1",
        query="""
        with

        last_up as (
            select server_uuid, max(local_date) filter (where uptime_hours > 0) as local_date
            from marts.fct_server_daily group by server_uuid
        )

        select server_uuid::text as subject, server_name, count(*) as days, node_name,
            servers.memory_limit_mebibytes as limit
        from marts.fct_server_daily as daily
        inner join last_up using (server_uuid)
        inner join marts.dim_servers as servers using (server_uuid)
        where is_active and not is_suspended and minutes_sampled > 0 and uptime_hours = 0
            and daily.local_date > coalesce(last_up.local_date, '-infinity')
        group by server_uuid, server_name, node_name, servers.memory_limit_mebibytes having count(*) >= 14
        """,
    ),
    _Search(
        kind="over-committed node",
        text="{subject} has {memory:,} MiB, and its servers may use {allocated:,} together",
        look="select server_name, memory_limit_mebibytes from dim_servers "
        "where is_active and node_id = {node_id} order by 2 desc",
        query="""
        select node_name as subject, node_id, memory_mebibytes as memory, allocated_memory_mebibytes as allocated
        from marts.dim_nodes where is_active and allocated_memory_mebibytes > memory_mebibytes
        """,
    ),
    _Search(
        kind="log that cannot be read",
        text="{path} of {server_name}: {reason}",
        look="select path, listed_modified_at, reason from staging.stg_minecraft__log_files "
        "where outcome = 'unreadable'",
        query="""
        select server_uuid || ':' || path as subject, path, server_name, reason
        from staging.stg_minecraft__log_files inner join marts.dim_servers using (server_uuid)
        where outcome = 'unreadable'
        """,
    ),
    _Search(
        kind="stale table",
        text="{subject} was last read completely on {complete_at:%Y-%m-%d at %H:%M} UTC: {problem}",
        look="select observed_at, is_complete, problems from staging.stg_ops__loads "
        "where table_name = '{subject}' order by 1 desc limit 5",
        query="""
        select table_name as subject, max(observed_at) filter (where is_complete) at time zone 'UTC' as complete_at,
            coalesce(
                (array_agg(problems #>> '{0,scope}' || ', ' || (problems #>> '{0,reason}') order by observed_at desc)
                    filter (where not is_complete))[1],
                'nobody has tried since'
            ) as problem
        from staging.stg_ops__loads
        group by table_name
        having max(observed_at) filter (where is_complete)
            < (select max(observed_at) from staging.stg_ops__loads) - interval '3 hours'
        """,
    ),
)


def figures(warehouse: ConnectionSettings) -> list[str]:
    """Return what the platform holds, a line for each subject."""
    lines = []
    with connect(warehouse, autocommit=True) as connection:
        for line in _LINES:
            row = connection.execute(line.query).fetchone()
            if row is not None:
                pairs = zip(row, line.nouns, strict=True)
                lines.append(plain(line.text.format(*(_said(value, noun) for value, noun in pairs))))
    return lines


def findings(warehouse: ConnectionSettings) -> list[Finding]:
    """Return what deserves a look, by kind and subject."""
    found = []
    with connect(warehouse, autocommit=True) as connection:
        for search in _SEARCHES:
            rows = connection.cursor(row_factory=dict_row).execute(search.query).fetchall()
            for row in sorted(rows, key=lambda row: str(row["subject"])):
                values = {**row, **_phrases(row)}
                found.append(
                    Finding(
                        kind=search.kind,
                        subject=row["subject"],
                        text=plain(search.text.format(**values)),
                        look=search.look.format(**row),
                    )
                )
    return found


def plain(text: str) -> str:
    """Return *text* fit for a terminal: names in a panel may hold what moves its cursor."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _phrases(row: dict[str, Any]) -> dict[str, str]:
    nouns = {"crashes": "time", "days": "day"}
    return {name: counted(row[name], noun) for name, noun in nouns.items() if name in row}


def _said(value: Any, noun: str | None) -> str:
    if value is None:
        return "unknown" if noun is None else f"unknown {noun}s"
    if noun is not None:
        return counted(value, noun)
    return f"{value:,}" if isinstance(value, int) else str(value)

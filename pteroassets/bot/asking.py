"""What commands ask the warehouse, and how the answers are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from pteroassets.alarms.outbox import Embed, Field, escaped
from pteroassets.bot.cards.contents import players_said, totals_fields, totals_lines, totals_of
from pteroassets.bot.cards.readings import players_of_host, read_servers
from pteroassets.bot.cards.wording import look_of, online, relative
from pteroassets.sources.wording import counted
from pteroassets.warehouse.connection import Connection

_BLUE: Final = 0x5865F2
_LONGEST: Final = 3_800
_CHOICES: Final = 25
_LONGEST_CHOICE: Final = 90
_TOP: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a card may be of; *value* is its kind and subject: ``server:<uuid>``, ``network:<uuid>`` or ``host``."""

    value: str
    name: str
    detail: str = ""


def choices(connection: Connection, text: str = "") -> list[Choice]:
    """Return everything that a card may be of whose name, egg or node has *text* in it, by name, servers last."""
    wanted = f"%{text.strip().lower().replace('%', '')}%"
    rows = connection.execute(
        """
        with proxies as (
            select distinct proxy_server_uuid as server_uuid from marts.fct_network_sessions
            where proxy_server_uuid is not null
        )

        select 'network:' || servers.server_uuid, 'Network of ' || servers.server_name, '', 1, servers.server_name
        from marts.dim_servers as servers
        inner join proxies on servers.server_uuid = proxies.server_uuid
        where servers.is_active
        union all
        select
            'server:' || servers.server_uuid, servers.server_name,
            concat_ws(' · ', servers.egg_name, servers.node_name), 2, servers.server_name
        from marts.dim_servers as servers
        where servers.is_active
        order by 4, 5
        """
    )
    found = [Choice(value="host", name="All servers of this host", detail="totals and nodes")]
    found += [Choice(value=value, name=name, detail=detail) for value, name, detail, _, _ in rows]
    needle = wanted.strip("%")
    return [one for one in found if needle in f"{one.name} {one.detail} {one.value}".lower()]


def suggestions(connection: Connection, text: str) -> list[Choice]:
    """Return the first 25 choices, as many as Discord shows; servers and networks alone."""
    return choices(connection, text)[:_CHOICES]


def page(found: Sequence[Choice], number: int) -> tuple[Sequence[Choice], int]:
    """Return one page of choices, as many as a menu holds, and how many pages there are."""
    pages = max(1, -(-len(found) // _CHOICES))
    number = min(max(number, 0), pages - 1)
    return found[number * _CHOICES : (number + 1) * _CHOICES], pages


def label_of(choice: Choice) -> str:
    """Return the name of a choice, as long as Discord allows."""
    return choice.name if len(choice.name) <= _LONGEST_CHOICE else f"{choice.name[:_LONGEST_CHOICE]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlace:
    """A server's name, egg and address."""

    server_uuid: UUID
    name: str
    egg: str | None
    address: str | None


def server_place(connection: Connection, server_uuid: UUID) -> ServerPlace | None:
    """Return where a server is, or None where the panel lists it no more."""
    row = connection.execute(
        """
        select servers.server_name, servers.egg_name, coalesce(allocations.ip_alias, servers.ip_address), servers.port
        from marts.dim_servers as servers
        left join staging.stg_pterodactyl__allocations as allocations
            on servers.allocation_id = allocations.allocation_id and allocations.is_active
        where servers.server_uuid = %s and servers.is_active
        """,
        (server_uuid,),
    ).fetchone()
    if row is None:
        return None
    name, egg, ip, port = row
    address = None if ip is None else f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    return ServerPlace(server_uuid=server_uuid, name=name, egg=egg, address=address)


def totals(connection: Connection, now: datetime, *, log_lag: timedelta) -> Embed:
    """Return all servers in figures."""
    readings = [*read_servers(connection, now).values()]
    found = totals_of(readings, now)
    return Embed(
        title=f"{counted(found.servers, 'server')}",
        description="\n".join(totals_lines(found)),
        colour=look_of(found.state)[1],
        fields=(
            *totals_fields(found),
            Field(
                name="Players online",
                value=players_said(readings, players_of_host(connection), now, log_lag=log_lag),
            ),
        ),
        at=now,
    )


def who(connection: Connection, now: datetime, server_uuid: UUID | None = None, *, log_lag: timedelta) -> Embed:
    """Return who is online since when, by server; proxies are left out, as players on them stand at their servers.

    Nobody is a number only where logs say it: where none was read lately it is unknown who is online.
    """
    rows = connection.execute(
        """
        select servers.server_name, sessions.player_name, sessions.joined_at, logs.logs_known_until
        from marts.fct_player_sessions as sessions
        inner join marts.dim_servers as servers on sessions.server_uuid = servers.server_uuid and servers.is_active
        left join intermediate.int_minecraft__known_logs as logs on sessions.server_uuid = logs.server_uuid
        where sessions.is_open and not sessions.is_proxy
            and (%(server)s::uuid is null or sessions.server_uuid = %(server)s)
        order by servers.server_name, sessions.joined_at nulls last, sessions.player_name
        """,
        {"server": server_uuid},
    ).fetchall()
    lines: list[str] = []
    server = None
    for name, player, joined_at, until in rows:
        if name != server:
            as_of = f" (by its log, {relative(until)})" if until is not None else ""
            lines.append(f"**{escaped(name)}**{as_of}")
            server = name
        since = f"since {relative(joined_at)}" if joined_at is not None else "since before what its log shows"
        lines.append(f"{escaped(player)} {since}")
    if rows:
        return Embed(title=f"{counted(len(rows), 'player')} online", description=_fitted(lines), colour=_BLUE)
    readings = read_servers(connection, now, None if server_uuid is None else {server_uuid})
    known = [reading.players(now, log_lag=log_lag) for reading in readings.values()]
    if any(players.count is not None for players in known):
        return Embed(title="Nobody is online, as far as logs show", colour=_BLUE)
    why = online(known[0]) if len(known) == 1 else players_said([*readings.values()], 0, now, log_lag=log_lag)
    return Embed(title="Who is online is not known", description=why, colour=_BLUE)


def top(connection: Connection, today: date, days: int, server_uuid: UUID | None = None) -> Embed:
    """Return who played most in the last *days* days of each server's clock, today with them."""
    rows = connection.execute(
        """
        select players.player_name, sum(daily.play_seconds) / 3600, count(distinct daily.local_date)
        from marts.fct_player_daily as daily
        inner join marts.dim_players as players on daily.player_id = players.player_id
        where daily.local_date > %(from)s and not daily.is_proxy
            and (%(server)s::uuid is null or daily.server_uuid = %(server)s)
        group by players.player_id, players.player_name
        having sum(daily.play_seconds) > 0
        order by 2 desc, 1
        limit %(top)s
        """,
        {"from": today - timedelta(days=days), "server": server_uuid, "top": _TOP},
    ).fetchall()
    lines = [
        f"{place}. **{escaped(name)}** {hours:.1f} h on {counted(on_days, 'day')}"
        for place, (name, hours, on_days) in enumerate(rows, 1)
    ]
    return Embed(
        title=f"Most played in the last {counted(days, 'day')}",
        description=_fitted(lines) or "No log shows anybody in this time.",
        colour=_BLUE,
        footer="hours of sessions, also without keys pressed",
    )


def _fitted(lines: Sequence[str]) -> str:
    """Return *lines* as far as an answer holds them, and how many it does not."""
    kept: list[str] = []
    room = _LONGEST
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*kept, f"… and {len(lines) - number} more lines"])
        kept.append(line)
    return "\n".join(kept)


def incidents(connection: Connection) -> Embed:
    """Return the incidents that are open, the gravest first."""
    row = connection.execute("select to_regclass('ops.incidents') is not null").fetchone()
    if row is None or not row[0]:
        return Embed(title="No incidents are kept by this platform", colour=_BLUE)
    rows = connection.execute(
        """
        select incident_id, subject_name, kind, severity, opened_at, cause, held_back, acknowledged_by, snoozed_until
        from ops.incidents
        where closed_at is null
        order by array_position(array['critical', 'warning', 'info'], severity), opened_at
        """
    ).fetchall()
    lines = []
    for number, subject, kind, severity, opened_at, cause, held_back, acknowledged_by, snoozed_until in rows:
        notes = [f"seen by {escaped(acknowledged_by)}"] if acknowledged_by else []
        notes += [f"quiet until {relative(snoozed_until)}"] if snoozed_until else []
        notes += [f"{counted(len(held_back), 'alarm')} held back for it"] if held_back else []
        said = f" ({', '.join(notes)})" if notes else ""
        why = f": {escaped(cause)}" if cause else ""
        lines.append(
            f"#{number} **{escaped(subject)}** {kind.replace('_', ' ')}, {severity}, {relative(opened_at)}{why}{said}"
        )
    return Embed(
        title=f"{counted(len(rows), 'open incident')}" if rows else "No incident is open",
        description=_fitted(lines),
        colour=_BLUE,
    )

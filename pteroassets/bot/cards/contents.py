"""What cards say: of a server, of a network, of the host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from pteroassets.alarms.outbox import Button, Embed, Field, Message, escaped
from pteroassets.bot.cards.picture import draw
from pteroassets.bot.cards.readings import Hour, Network, Reading
from pteroassets.bot.cards.rules import Shown
from pteroassets.bot.cards.wording import (
    absolute,
    amount,
    length,
    look_of,
    named,
    online,
    percent,
    rate,
    relative,
    size,
)
from pteroassets.sources.wording import counted

CardKind = Literal["server", "network", "host"]
#: The subject of the card of the host.
HOST: Final = "host"
_CHART: Final = "chart.png"
_SHOWN_SERVERS: Final = 20
_ORDER: Final = ("running", "starting", "stopping", "offline", "unknown")
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a card stands and what it is of; *subject* is a server's UUID, that of a network's proxy, or ``host``."""

    card_id: int
    guild_id: int
    channel_id: int
    kind: CardKind
    subject: str

    @property
    def key(self) -> str:
        """Key of its message. A card that is placed anew is another message, at the end of the channel."""
        return f"card/{self.guild_id}/{self.channel_id}/{self.subject}/{self.card_id}"

    @property
    def target(self) -> str:
        """Target of its message."""
        return f"discord:{self.channel_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """The newest signal that somebody sent to a server by a card: which, who, when."""

    command: str
    user_id: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card says, and what of it the rules compare with what it shows."""

    shown: Shown
    embed: Embed
    buttons: tuple[tuple[Button, ...], ...] = ()
    images: Mapping[str, bytes]
    text: str

    def message(self, place: Place) -> Message:
        """Return the message at *place*."""
        return Message(
            key=place.key,
            target=place.target,
            embeds=(self.embed,),
            buttons=self.buttons,
            images=self.images,
            text=self.text,
        )


def shown_of(reading: Reading, now: datetime) -> Shown:
    """Return what the rules compare of a server's card."""
    measured = reading.measured
    return Shown(
        state=reading.state(now).name,
        cpu_percent=None if measured is None else measured.cpu_percent,
        memory_ratio=reading.memory_ratio,
        at=now,
    )


def server_card(
    reading: Reading, hours: Sequence[Hour], now: datetime, *, log_lag: timedelta, signal: UnderWay | None = None
) -> Card:
    """Return the card of one server.

    Args:
        reading: What is known of it.
        hours: Its last 24 hours, as far as they are known.
        now: When the card is made.
        log_lag: How old the newest reading of its log may be for its players to be known.
        signal: What somebody told it lately.
    """
    state = reading.state(now)
    dot, colour = look_of(state.name)
    measured = reading.measured if state.is_known else None
    newest = reading.newest
    received, sent = reading.rates() if measured is not None else (None, None)
    disk = newest.disk_mebibytes if newest is not None and state.is_known else None
    uptime = None if measured is None else measured.uptime_seconds
    lines = [f"{dot} **{named(state)}**" + (f" for {length(uptime)}" if state.name == "running" and uptime else "")]
    if newest is not None and newest.group == "suspect" and state.is_known:
        lines.append("Its node reports no use although it runs, so its figures are not known.")
    if signal is not None:
        lines.append(f"{signal.command.capitalize()} sent by <@{signal.user_id}> {relative(signal.at)}")
    picture = draw(reading, hours, now)
    fields = (
        Field(name="CPU", value=percent(measured.cpu_percent if measured else None, reading.cpu_limit_percent)),
        Field(
            name="Memory", value=amount(measured.memory_mebibytes if measured else None, reading.memory_limit_mebibytes)
        ),
        Field(name="Disk", value=amount(disk, reading.disk_limit_mebibytes)),
        Field(name="Network in", value=rate(received)),
        Field(name="Network out", value=rate(sent)),
        Field(
            name="Uptime", value=length(uptime) if uptime else "not running" if state.name == "offline" else "unknown"
        ),
        Field(name="Players online", value=online(reading.players(now, log_lag=log_lag)), inline=False),
    )
    every = "" if newest is None else f" · sampled every {length(newest.interval_seconds)}"
    return Card(
        shown=shown_of(reading, now),
        embed=Embed(
            title=escaped(reading.name[:_LONGEST_NAME]),
            description="\n".join(lines),
            colour=colour,
            fields=fields if state.name != "gone" else (),
            footer=f"{reading.node or 'no node'}{every}",
            image=_CHART if picture is not None else None,
            at=newest.sampled_at if newest is not None else None,
        ),
        buttons=buttons_of(reading.server_uuid, state.name),
        images={_CHART: picture} if picture is not None else {},
        text=f"{reading.name}: {named(state)}",
    )


def buttons_of(server_uuid: UUID, state: str) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons below a server's card; what makes no sense in *state* is greyed out."""
    if state == "gone":
        return ()
    runs, stands = state in {"running", "starting", "stopping"}, state == "offline"
    return (
        (
            Button(custom_id=f"card:start:{server_uuid}", label="Start", style="success", disabled=runs),
            Button(custom_id=f"card:stop:{server_uuid}", label="Stop", style="danger", disabled=stands),
            Button(custom_id=f"card:restart:{server_uuid}", label="Restart", style="primary", disabled=stands),
            Button(custom_id=f"card:address:{server_uuid}", label="Show Address", style="secondary"),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Servers by state, and what those use together of which it was measured."""

    servers: int
    by_state: Mapping[str, int]
    cpu_percents: Sequence[float]
    memory_mebibytes: Sequence[float]

    @property
    def state(self) -> str:
        """One word for all: what the card's colour says, and of which a change updates it."""
        if self.by_state.get("unknown", 0):
            return "unknown"
        return "running" if self.by_state.get("running", 0) else "offline"


def totals_of(readings: Sequence[Reading], now: datetime) -> Totals:
    """Return the totals over *readings*."""
    states = [reading.state(now) for reading in readings]
    measured = [
        reading.measured for reading, state in zip(readings, states, strict=True) if state.is_known and reading.measured
    ]
    return Totals(
        servers=len(readings),
        by_state=Counter(state.name for state in states),
        cpu_percents=[sample.cpu_percent for sample in measured if sample.cpu_percent is not None],
        memory_mebibytes=[sample.memory_mebibytes for sample in measured if sample.memory_mebibytes is not None],
    )


def totals_lines(totals: Totals) -> list[str]:
    """Return a line for each state that servers are in, the common ones first, and gates after them."""
    ordered = [state for state in _ORDER if totals.by_state.get(state)]
    ordered += sorted(set(totals.by_state) - set(_ORDER))
    return [f"{look_of(state)[0]} {totals.by_state[state]} {state.replace('_', ' ')}" for state in ordered]


def totals_fields(totals: Totals) -> tuple[Field, ...]:
    """Return what servers use together, and of how many that is known."""

    def said(name: str, total: str, measured: Sequence[float]) -> Field:
        known = f"{total} ({len(measured)} of {counted(totals.servers, 'server')} measured)"
        return Field(name=name, value=known if measured else "not measured")

    return (
        said("CPU", f"{sum(totals.cpu_percents) / 100:.1f} cores", totals.cpu_percents),
        said("Memory", size(sum(totals.memory_mebibytes)), totals.memory_mebibytes),
    )


def network_card(network: Network, readings: Mapping[UUID, Reading], now: datetime, *, log_lag: timedelta) -> Card:
    """Return the card of the servers that players reach through a proxy, and of the proxy."""
    proxy = readings.get(network.proxy_uuid)
    behind = sorted(
        (readings[uuid] for uuid in network.servers if uuid in readings), key=lambda reading: reading.name.lower()
    )
    everything = [*([proxy] if proxy is not None else []), *behind]
    totals = totals_of(everything, now)
    lines = [_server_line(reading, now, log_lag, "proxy") for reading in ([proxy] if proxy is not None else [])]
    lines += [_server_line(reading, now, log_lag) for reading in behind[:_SHOWN_SERVERS]]
    if len(behind) > _SHOWN_SERVERS:
        lines.append(f"… and {len(behind) - _SHOWN_SERVERS} more")
    players = None if proxy is None else proxy.players(now, log_lag=log_lag)
    if players is not None and players.count is not None and proxy is not None:
        said = f"{network.open_stays} (by the proxy's log, {relative(players.as_of or now)})"
    else:
        said = f"unknown: {players.reason if players is not None else 'the panel lists the proxy no more'}"
    name = proxy.name if proxy is not None else "a proxy that is gone"
    return _sum_card(
        title=f"Network of {escaped(name[:_LONGEST_NAME])}",
        description="\n".join(lines),
        totals=totals,
        players=said,
        now=now,
        state=_summary(everything, now),
    )


def host_card(readings: Sequence[Reading], players: int, now: datetime, *, log_lag: timedelta) -> Card:
    """Return the card of all servers of the host, by state and by node."""
    totals = totals_of(readings, now)
    nodes: dict[str, list[Reading]] = {}
    for reading in readings:
        nodes.setdefault(reading.node or "no node", []).append(reading)
    lines = [" · ".join(totals_lines(totals)), ""]
    for node, on_node in sorted(nodes.items())[:_SHOWN_SERVERS]:
        of_node = totals_of(on_node, now)
        running, unknown = of_node.by_state.get("running", 0), of_node.by_state.get("unknown", 0)
        used = size(sum(of_node.memory_mebibytes)) if of_node.memory_mebibytes else "not measured"
        lines.append(
            f"{look_of('unknown' if unknown == len(on_node) else of_node.state if not unknown else 'starting')[0]} "
            f"**{escaped(node)}** {running} of {len(on_node)} running"
            + (f", {unknown} unknown" if unknown else "")
            + f", memory {used}"
        )
    if len(nodes) > _SHOWN_SERVERS:
        lines.append(f"… and {len(nodes) - _SHOWN_SERVERS} more nodes")
    return _sum_card(
        title="All servers of this host",
        description="\n".join(lines),
        totals=totals,
        players=players_said(readings, players, now, log_lag=log_lag),
        now=now,
        state=_summary(readings, now),
    )


def players_said(readings: Sequence[Reading], players: int, now: datetime, *, log_lag: timedelta) -> str:
    """Return how many *players* are on the host, by how many logs that is known; unknown where none was read lately."""
    read = [reading.logs_known_until for reading in readings if reading.logs_known_until is not None]
    if not read:
        return "unknown: no log is read"
    late = sum(now - until > log_lag for until in read)
    if late == len(read):
        return f"unknown: no log was read since {relative(max(read))}"
    return (
        f"{players} (by the logs of {counted(len(read), 'server')}{f', {late} of them read long ago' if late else ''})"
    )


def _server_line(reading: Reading, now: datetime, log_lag: timedelta, note: str = "") -> str:
    state = reading.state(now)
    players = reading.players(now, log_lag=log_lag)
    said = "" if players.count is None else f" · {counted(players.count, 'player')}"
    since = f" since {absolute(state.since)}" if state.name == "unknown" and state.since is not None else ""
    what = f" ({note})" if note else ""
    return f"{look_of(state.name)[0]} **{escaped(reading.name[:_LONGEST_NAME])}**{what} {state.name}{since}{said}"


def _summary(readings: Sequence[Reading], now: datetime) -> str:
    """Return a word that differs when a server's state does: what the rules compare."""
    counts = Counter(reading.state(now).name for reading in readings)
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


def _sum_card(*, title: str, description: str, totals: Totals, players: str, now: datetime, state: str) -> Card:
    return Card(
        shown=Shown(state=state, cpu_percent=None, memory_ratio=None, at=now),
        embed=Embed(
            title=title,
            description=description,
            colour=look_of(totals.state)[1],
            fields=(*totals_fields(totals), Field(name="Players online", value=players, inline=False)),
            footer="as of",
            at=now,
        ),
        images={},
        text=f"{title}: {state}",
    )

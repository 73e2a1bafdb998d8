"""Where cards stand, and the cycle that brings all of them up to date: it asks the warehouse once, the panel never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pteroassets.alarms.outbox import put, withdraw
from pteroassets.bot.cards.contents import (
    Card,
    CardKind,
    Place,
    UnderWay,
    host_card,
    network_card,
    server_card,
    shown_of,
)
from pteroassets.bot.cards.readings import (
    Network,
    Reading,
    missing_models,
    players_of_host,
    read_hours,
    read_networks,
    read_servers,
)
from pteroassets.bot.cards.rules import Shown, UpdateRules, reason_to_update
from pteroassets.warehouse.connection import Connection

#: What Postgres notifies of when cards have to be looked at before there are new samples.
NOTIFICATION: Final = "discord_cards"
_SIGNAL_SHOWN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A card and what it shows; None before the first time."""

    place: Place
    shown: Shown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What a cycle did: cards looked at, why those that changed did by key, and keys of those removed."""

    looked_at: int = 0
    updated: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()


def place(
    connection: Connection, *, guild_id: int, channel_id: int, kind: CardKind, subject: str, user_id: int, at: datetime
) -> Place:
    """Place a card at the end of a channel; an older one of the same subject in it goes away."""
    with connection.transaction():
        older = connection.execute(
            """
            delete from ops.discord_cards
            where guild_id = %s and channel_id = %s and kind = %s and subject = %s
            returning card_id
            """,
            (guild_id, channel_id, kind, subject),
        ).fetchall()
        for (card_id,) in older:
            gone = Place(card_id=card_id, guild_id=guild_id, channel_id=channel_id, kind=kind, subject=subject)
            withdraw(connection, gone.key, gone.target, at=at)
        row = connection.execute(
            """
            insert into ops.discord_cards (guild_id, channel_id, kind, subject, placed_by, placed_at)
            values (%s, %s, %s, %s, %s, %s) returning card_id
            """,
            (guild_id, channel_id, kind, subject, user_id, at),
        ).fetchone()
        assert row is not None  # noqa: S101 - it was inserted
        wake(connection)
    return Place(card_id=row[0], guild_id=guild_id, channel_id=channel_id, kind=kind, subject=subject)


def wake(connection: Connection) -> None:
    """Have the cards looked at now."""
    connection.execute("select pg_notify(%s, '')", (NOTIFICATION,))


def kept_cards(connection: Connection, guild_id: int | None = None) -> list[Kept]:
    """Return all cards, or those of one guild."""
    rows = connection.execute(
        """
        select
            card_id, guild_id, channel_id, kind, subject,
            shown_at, shown_state, shown_cpu_percent, shown_memory_ratio
        from ops.discord_cards where %(guild)s::bigint is null or guild_id = %(guild)s order by card_id
        """,
        {"guild": guild_id},
    )
    return [
        Kept(
            place=Place(card_id=card_id, guild_id=guild, channel_id=channel, kind=kind, subject=subject),
            shown=None if at is None else Shown(state=state, cpu_percent=cpu, memory_ratio=memory, at=at),
        )
        for card_id, guild, channel, kind, subject, at, state, cpu, memory in rows
    ]


def refresh(connection: Connection, guild_id: int) -> int:
    """Have all cards of a guild written anew; return how many there are."""
    with connection.transaction():
        found = connection.execute(
            "update ops.discord_cards set shown_at = null where guild_id = %s", (guild_id,)
        ).rowcount
        wake(connection)
    return found


def purge(connection: Connection, guild_id: int, channel_id: int | None, at: datetime) -> int:
    """Remove the cards of a channel, or of all channels of a guild; return how many there were."""
    with connection.transaction():
        chosen = [
            kept.place for kept in kept_cards(connection, guild_id) if channel_id in {None, kept.place.channel_id}
        ]
        for one in chosen:
            remove(connection, one, at)
    return len(chosen)


def remove(connection: Connection, place: Place, at: datetime) -> None:
    """Remove a card, and its message where there is one."""
    connection.execute("delete from ops.discord_cards where card_id = %s", (place.card_id,))
    withdraw(connection, place.key, place.target, at=at)


def remove_deleted(connection: Connection, channel_id: int, message_ids: Sequence[int], at: datetime) -> int:
    """Remove the cards whose messages somebody deleted; return how many. A card that we moved is no card any more."""
    ids = [str(number) for number in message_ids]
    with connection.transaction():
        keys = {
            key
            for (key,) in connection.execute(
                "select key from ops.outbox where target = %s and message_id = any(%s) and withdrawn_at is null",
                (f"discord:{channel_id}", ids),
            )
        }
        chosen = [kept.place for kept in kept_cards(connection) if kept.place.key in keys]
        for one in chosen:
            remove(connection, one, at)
    return len(chosen)


def remove_channel(connection: Connection, channel_id: int, at: datetime) -> int:
    """Remove the cards of a channel that is gone."""
    with connection.transaction():
        chosen = [kept.place for kept in kept_cards(connection) if kept.place.channel_id == channel_id]
        for one in chosen:
            remove(connection, one, at)
    return len(chosen)


def _remove_unreachable(connection: Connection, kept: Sequence[Kept], at: datetime) -> set[str]:
    """Remove cards whose channel refuses messages for good, such as one that was deleted while the bot was away."""
    dead = {
        key
        for (key,) in connection.execute(
            "select key from ops.outbox where key like 'card/%%' and dead_at is not null and dead_of = 'target'"
        )
    }
    chosen = [one.place for one in kept if one.place.key in dead]
    for one in chosen:
        remove(connection, one, at)
    return {one.key for one in chosen}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that cards are made of at one moment."""

    now: datetime
    readings: Mapping[UUID, Reading]
    networks: Mapping[UUID, Network]
    players: int
    signals: Mapping[UUID, UnderWay]
    log_lag: timedelta

    def shown(self, place: Place) -> Shown | None:
        """Return what the rules compare of a card; None where there is no such server or network."""
        if place.kind == "server":
            reading = self.readings.get(UUID(place.subject))
            return None if reading is None else shown_of(reading, self.now)
        card = self.sum_card(place)
        return None if card is None else card.shown

    def sum_card(self, place: Place) -> Card | None:
        """Return the card of a network or of the host."""
        if place.kind == "host":
            return host_card([*self.readings.values()], self.players, self.now, log_lag=self.log_lag)
        network = self.networks.get(UUID(place.subject))
        return None if network is None else network_card(network, self.readings, self.now, log_lag=self.log_lag)


def read_known(connection: Connection, kept: Sequence[Kept], now: datetime, log_lag: timedelta) -> Known:
    """Read what *kept* show: one query for all servers, whatever the number of cards."""
    kinds = {one.place.kind for one in kept}
    servers = None if kinds - {"server"} else {UUID(one.place.subject) for one in kept}
    return Known(
        now=now,
        readings=read_servers(connection, now, servers),
        networks=read_networks(connection, now) if "network" in kinds else {},
        players=players_of_host(connection) if "host" in kinds else 0,
        signals=_signals(connection, now),
        log_lag=log_lag,
    )


def _signals(connection: Connection, now: datetime) -> dict[UUID, UnderWay]:
    rows = connection.execute(
        """
        select distinct on (server_uuid) server_uuid, command, user_id, finished_at
        from raw_discord.actions
        where command in ('start', 'stop', 'restart') and outcome in ('done', 'unanswered') and finished_at > %s
        order by server_uuid, finished_at desc
        """,
        (now - _SIGNAL_SHOWN,),
    )
    return {uuid: UnderWay(command=command, user_id=user, at=at) for uuid, command, user, at in rows}


def keep(connection: Connection, now: datetime, *, rules: UpdateRules, log_lag: timedelta) -> Cycle:
    """Bring the cards up to date whose rules say so; a card and what it shows are written in one transaction.

    Args:
        connection: In autocommit mode.
        now: Time of the cycle.
        rules: When a card changes.
        log_lag: How old the newest reading of a log may be for players to be known.
    """
    kept = kept_cards(connection)
    if not kept:
        return Cycle()
    if missing := missing_models(connection):
        return Cycle(looked_at=len(kept), waits_for=tuple(missing))
    removed = _remove_unreachable(connection, kept, now)
    kept = [one for one in kept if one.place.key not in removed]
    known = read_known(connection, kept, now, log_lag)
    due: dict[Kept, str] = {}
    for one in kept:
        shows = known.shown(one.place)
        if shows is None:
            remove(connection, one.place, now)
            removed.add(one.place.key)
        elif (reason := _reason(one, shows, known, rules)) is not None:
            due[one] = reason
    hours = read_hours(connection, now, {UUID(one.place.subject) for one in due if one.place.kind == "server"})
    for one in due:
        if one.place.kind == "server":
            uuid = UUID(one.place.subject)
            card: Card | None = server_card(
                known.readings[uuid],
                hours.get(uuid, []),
                now,
                log_lag=log_lag,
                signal=known.signals.get(uuid),
            )
        else:
            card = known.sum_card(one.place)
        if card is not None:
            _write(connection, one.place, card, now)
    return Cycle(
        looked_at=len(kept), updated={one.place.key: reason for one, reason in due.items()}, removed=tuple(removed)
    )


def _reason(one: Kept, shows: Shown, known: Known, rules: UpdateRules) -> str | None:
    reason = reason_to_update(one.shown, shows, rules)
    if reason is not None or one.place.kind != "server" or one.shown is None or one.shown.at is None:
        return reason
    signal = known.signals.get(UUID(one.place.subject))
    return "somebody sent a signal" if signal is not None and signal.at > one.shown.at else None


def _write(connection: Connection, place: Place, card: Card, now: datetime) -> None:
    with connection.transaction():
        found = connection.execute(
            """
            update ops.discord_cards set
                shown_at = %s, shown_state = %s, shown_cpu_percent = %s, shown_memory_ratio = %s, updates = updates + 1
            where card_id = %s
            """,
            (now, card.shown.state, card.shown.cpu_percent, card.shown.memory_ratio, place.card_id),
        ).rowcount
        if found:  # it was not removed meanwhile
            put(connection, card.message(place), at=now)
